//! Owns between whom isolation is judged: whose a thing is, what it is called, and what a request about it says.

use crate::act::Context;
use crate::arn::{DomainId, DomainKey};
use crate::authorization::{IDENTITIES, type_of};
use crate::isolation_document::domain_arn;
use crate::key;

/// Whose the thing is that is acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Relation {
    /// The role's own domain's.
    Own,
    /// Another domain's.
    Other,
    /// It could bear a domain tag, and bears none.
    Untagged,
    /// It never bears one that a policy can see, or there is no resource at all.
    Untold,
}

/// Every relation, in the order of a table.
pub const RELATIONS: [Relation; 4] =
    [Relation::Own, Relation::Other, Relation::Untagged, Relation::Untold];

/// Between whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parties {
    /// The domain whose role acts.
    pub own: DomainKey,
    /// The other domain.
    pub other: DomainKey,
    /// The partition of both.
    pub partition: String,
    /// Whether executions of pipelines are told apart by their tags.
    pub pipeline_executions: bool,
}

/// Beginnings of keys of which it is known whether they are there, for acts from within Studio.
const SETTLED: [&str; 10] = [
    "aws:RequestTag/",
    "aws:ResourceTag/",
    "aws:TagKeys",
    "sagemaker:DomainId",
    "sagemaker:OwnerUserProfileArn",
    "sagemaker:ResourceTag/",
    "sagemaker:SpaceSharingType",
    "sagemaker:TaggingAction",
    "sagemaker:UserProfileName",
    "sagemaker:WorkteamType",
];

/// A name that stands for any name.
const SOMEONE: &str = "someone";

/// Returns the context of an act from within a domain on a thing with a domain tag, or without one.
pub fn context(domain: &str, tag: Option<&str>) -> Context {
    let mut context = Context::settled(&SETTLED)
        .with("sagemaker:DomainId", &[domain])
        .with("sagemaker:UserProfileName", &[SOMEONE]);
    if let Some(tag) = tag {
        for service in ["aws", "sagemaker"] {
            context = context.with(&format!("{service}:ResourceTag/{}", key::DOMAIN), &[tag]);
        }
    }
    context
}

impl Parties {
    /// Returns the key of a domain that is made up, for an account and region with one domain only.
    pub fn made_up(own: &DomainKey) -> DomainKey {
        let id = DomainId::parse("d-another00000").expect("it is made as an id is");
        DomainKey { id, ..own.clone() }
    }

    fn key(&self, relation: Relation) -> &DomainKey {
        if relation == Relation::Other { &self.other } else { &self.own }
    }

    /// Returns the ARN of a domain.
    pub(crate) fn domain(&self, relation: Relation) -> String {
        domain_arn(self.key(relation), &self.partition)
    }

    /// Returns the ARN of a user profile of a domain.
    pub(crate) fn profile(&self, relation: Relation) -> String {
        self.domain(relation).replacen(":domain/", ":user-profile/", 1) + "/" + SOMEONE
    }

    /// Returns the ARN of a thing of a type; that of an identity names its domain.
    pub(crate) fn arn(&self, kind: &str, relation: Relation) -> String {
        let DomainKey { account, region, id } = self.key(relation);
        let resource = match kind {
            "domain" => format!("domain/{id}"),
            "app" => format!("app/{id}/{SOMEONE}/jupyterlab/default"),
            _ if IDENTITIES.contains(&kind) => format!("{kind}/{id}/{SOMEONE}"),
            _ => type_of(kind).arn.replace('*', SOMEONE),
        };
        format!("arn:{}:sagemaker:{region}:{account}:{resource}", self.partition)
    }

    /// Returns the domain whose tag a thing bears, as far as policies see it.
    pub(crate) fn tag(&self, kind: &str, relation: Relation) -> Option<String> {
        let is_tagged =
            matches!(relation, Relation::Own | Relation::Other) && !IDENTITIES.contains(&kind);
        is_tagged.then(|| self.domain(relation))
    }

    /// Returns the context of an act from within the own domain.
    pub(crate) fn context(&self, tag: Option<&str>) -> Context {
        context(self.own.id.as_str(), tag)
    }

    /// Returns the context of creating something.
    pub(crate) fn creating(&self, relation: Relation) -> Context {
        self.with_tags(self.context(None), relation)
    }

    /// Adds the three tags that Studio puts on in a domain; none where it is to be untagged.
    pub(crate) fn with_tags(&self, mut context: Context, relation: Relation) -> Context {
        if relation == Relation::Untagged {
            return context;
        }
        let domain = self.domain(relation);
        let profile = self.profile(relation);
        let space = profile.replacen(":user-profile/", ":space/", 1);
        let tags = [(key::DOMAIN, &domain), (key::USER_PROFILE, &profile), (key::SPACE, &space)];
        for (key, value) in tags {
            context = context.with(&format!("aws:RequestTag/{key}"), &[value]);
        }
        context.with("aws:TagKeys", &tags.map(|it| it.0))
    }

    /// Adds whose a space or its app is.
    pub(crate) fn with_owner(&self, kind: &str, relation: Relation, context: Context) -> Context {
        if !["app", "space"].contains(&kind) {
            return context;
        }
        context
            .with("sagemaker:OwnerUserProfileArn", &[&self.profile(relation)])
            .with("sagemaker:SpaceSharingType", &["Private"])
    }
}

impl Relation {
    /// Returns the relation's name, as files have it.
    pub fn name(self) -> &'static str {
        match self {
            Relation::Own => "own",
            Relation::Other => "other",
            Relation::Untagged => "untagged",
            Relation::Untold => "untold",
        }
    }
}
