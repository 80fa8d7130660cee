//! Owns what a domain's role may do: to what is its domain's, another's, or nobody's, action by action.
//!
//! **Invariant:** every action of SageMaker is in it, and what cannot be told by a tag is not counted as isolated.

use std::collections::BTreeMap;

use crate::access::{Answer, Decision, Rights};
use crate::act::{Act, Context};
use crate::arn::{DomainId, DomainKey};
use crate::authorization::{
    self, Action, IDENTITIES, PIPELINE_EXECUTION, is_ever_tagged, is_told_by_tag, type_of,
};
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

/// One action on one sort of thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The action, without `sagemaker:`.
    pub action: String,
    /// The action's verb.
    pub verb: String,
    /// The type of the thing; empty where there is none.
    pub kind: String,
    /// Whose it is.
    pub relation: Relation,
    /// Whether it is made by the action, with tags, and did not exist before.
    pub is_created: bool,
    /// Whether it is allowed, and what says so.
    pub answer: Answer,
}

/// How many cells came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Allowed.
    pub allowed: usize,
    /// Denied, by a statement or for want of one.
    pub denied: usize,
    /// Not to be told.
    pub doubtful: usize,
}

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

/// Decides every action for every relation.
pub fn matrix(rights: &Rights, parties: &Parties) -> Vec<Cell> {
    let actions = authorization::actions().iter().filter(|it| !is_tagging(&it.name));
    // Each action is asked about many times, and meets few statements.
    let tagging = rights.about("sagemaker:AddTags");
    let of =
        |action: &Action| of_action(action, &rights.about(&action.full_name()), &tagging, parties);
    let mut cells: Vec<Cell> = actions.flat_map(of).collect();
    cells.extend(tampering(rights, parties));
    cells
}

/// Counts cells by verb and relation.
pub fn tally(cells: &[Cell]) -> BTreeMap<String, BTreeMap<Relation, Tally>> {
    let mut verbs: BTreeMap<String, BTreeMap<Relation, Tally>> = BTreeMap::new();
    for cell in cells {
        let tally = verbs.entry(cell.verb.clone()).or_default().entry(cell.relation).or_default();
        tally.count(cell.answer.decision);
    }
    verbs
}

/// Tells whether a cell is about making something in a domain by its ARN, which says whose it is without any tag.
pub fn is_placing(cell: &Cell) -> bool {
    cell.is_created && IDENTITIES.contains(&cell.kind.as_str())
}

/// Tells whether an action puts tags on or takes them off.
pub fn is_tagging(action: &str) -> bool {
    ["AddTags", "DeleteTags"].contains(&action)
}

impl Tally {
    /// Counts a decision.
    pub fn count(&mut self, decision: Decision) {
        match decision {
            Decision::Allowed => self.allowed += 1,
            Decision::Doubtful => self.doubtful += 1,
            Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => self.denied += 1,
        }
    }
}

fn of_action(action: &Action, rights: &Rights, tagging: &Rights, parties: &Parties) -> Vec<Cell> {
    if action.types.is_empty() {
        let context = parties.context(None);
        return vec![cell(action, "", Relation::Untold, rights, "*", &context)];
    }
    let created = action.creates();
    let of = |kind: &String| match kind.as_str() {
        kind if created == Some(kind) => creation(action, kind, (rights, tagging), parties),
        kind => use_of(action, kind, rights, parties),
    };
    action.types.iter().flat_map(of).collect()
}

/// Decides about what exists.
fn use_of(action: &Action, kind: &str, rights: &Rights, parties: &Parties) -> Vec<Cell> {
    let decide = |relation| {
        let arn = parties.arn(kind, relation);
        let mut context = parties.context(parties.tag(kind, relation).as_deref());
        if action.creates().is_some() {
            // The tags of a request are there for every resource that it is checked against.
            context = parties.with_tags(context, Relation::Own);
        }
        let context = parties.with_owner(kind, relation, context);
        cell(action, kind, relation, rights, &arn, &context)
    };
    let is_identity = IDENTITIES.contains(&kind);
    // What is done to identities and to all else, as `ListTags` is, can be denied for other domains only by naming each of them.
    if is_identity && action.types.iter().any(|it| !IDENTITIES.contains(&it.as_str())) {
        let others = Cell { relation: Relation::Untold, ..decide(Relation::Other) };
        return vec![decide(Relation::Own), others];
    }
    relations(kind, parties).into_iter().map(decide).collect()
}

/// Decides about what is created with the tags that Studio puts on, another domain's, or none.
///
/// Whoever creates with tags needs `AddTags` as well (Amazon SageMaker AI Developer Guide, "Provide permissions for tagging
/// SageMaker AI resources").
fn creation(
    action: &Action,
    kind: &str,
    (rights, tagging): (&Rights, &Rights),
    parties: &Parties,
) -> Vec<Cell> {
    let is_placed = IDENTITIES.contains(&kind);
    let decide = |relation| {
        let arn = parties.arn(kind, if is_placed { relation } else { Relation::Own });
        if is_placed && relation == Relation::Other {
            // Its ARN says whose it is, and whoever makes it in another domain need not put tags on.
            let context = parties.with_owner(kind, relation, parties.context(None));
            return cell(action, kind, relation, rights, &arn, &context);
        }
        let context = parties.with_owner(kind, relation, parties.creating(relation));
        let created = cell(action, kind, relation, rights, &arn, &context);
        if relation == Relation::Untagged || created.answer.decision < Decision::Doubtful {
            return created;
        }
        let context = context.with("sagemaker:TaggingAction", &[&action.name]);
        let act = Act { action: "sagemaker:AddTags", resource: &arn, context: &context };
        let tagged = tagging.decide(&act);
        if tagged.decision < created.answer.decision {
            Cell { answer: tagged, ..created }
        } else {
            created
        }
    };
    // A domain is made in no domain.
    let relations = [Relation::Own, Relation::Other, Relation::Untagged].into_iter();
    relations.filter(|it| kind != "domain" || *it != Relation::Other).map(decide).collect()
}

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

/// The tags that something is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// Studio's three.
    Studio,
    /// The domain's alone.
    DomainOnly,
    /// None.
    None,
}

/// Decides whether what a cell creates could be created with these tags, as far as the action itself goes.
pub fn creates(rights: &Rights, parties: &Parties, cell: &Cell, tags: Tags) -> Decision {
    let context = match tags {
        Tags::Studio => parties.creating(Relation::Own),
        Tags::DomainOnly => parties
            .context(None)
            .with(&format!("aws:RequestTag/{}", key::DOMAIN), &[&parties.domain(Relation::Own)])
            .with("aws:TagKeys", &[key::DOMAIN]),
        Tags::None => parties.context(None),
    };
    let context = parties.with_owner(&cell.kind, Relation::Own, context);
    let resource = parties.arn(&cell.kind, Relation::Own);
    let action = format!("sagemaker:{}", cell.action);
    rights.decide(&Act { action: &action, resource: &resource, context: &context }).decision
}

/// Decides whether a default app of a type can be deleted in the role's own domain.
pub fn deletes_app(rights: &Rights, parties: &Parties, app_type: &str) -> Answer {
    let resource = parties.arn("app", Relation::Own).replace("jupyterlab", app_type);
    let context = parties.with_owner("app", Relation::Own, parties.context(None));
    rights.decide(&Act { action: "sagemaker:DeleteApp", resource: &resource, context: &context })
}

/// Decides whether the tag itself can be taken off, put on what is another's, or put on what is nobody's, beside any creation.
pub fn tampering(rights: &Rights, parties: &Parties) -> Vec<Cell> {
    let kind = "training-job";
    let (own, other) = (parties.domain(Relation::Own), parties.domain(Relation::Other));
    let decide = |(name, relation, value): (&str, Relation, Option<&String>)| {
        let action = authorization::actions().iter().find(|it| it.name == name);
        let action = action.expect("SageMaker has actions that tag");
        let mut context = parties
            .context(parties.tag(kind, relation).as_deref())
            .with("aws:TagKeys", &[key::DOMAIN]);
        if let Some(value) = value {
            context = context.with(&format!("aws:RequestTag/{}", key::DOMAIN), &[value]);
        }
        cell(action, kind, relation, rights, &parties.arn(kind, relation), &context)
    };
    [
        ("AddTags", Relation::Own, Some(&other)),
        ("AddTags", Relation::Other, Some(&own)),
        ("AddTags", Relation::Untagged, Some(&own)),
        ("DeleteTags", Relation::Own, None),
        ("DeleteTags", Relation::Other, None),
    ]
    .into_iter()
    .map(decide)
    .collect()
}

/// Returns the relations that a thing of a type can have.
fn relations(kind: &str, parties: &Parties) -> Vec<Relation> {
    if IDENTITIES.contains(&kind) {
        vec![Relation::Own, Relation::Other]
    } else if (is_ever_tagged(kind) || kind == PIPELINE_EXECUTION)
        && is_told_by_tag(kind, parties.pipeline_executions)
    {
        vec![Relation::Own, Relation::Other, Relation::Untagged]
    } else {
        vec![Relation::Untold]
    }
}

fn cell(
    action: &Action,
    kind: &str,
    relation: Relation,
    rights: &Rights,
    resource: &str,
    context: &Context,
) -> Cell {
    let full = action.full_name();
    let answer = rights.decide(&Act { action: &full, resource, context });
    let is_created = action.creates() == Some(kind);
    Cell {
        action: action.name.clone(),
        verb: action.verb().to_owned(),
        kind: kind.to_owned(),
        relation,
        is_created,
        answer,
    }
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

    fn domain(&self, relation: Relation) -> String {
        domain_arn(self.key(relation), &self.partition)
    }

    fn profile(&self, relation: Relation) -> String {
        self.domain(relation).replacen(":domain/", ":user-profile/", 1) + "/" + SOMEONE
    }

    /// Returns the ARN of a thing of a type; that of an identity names its domain.
    fn arn(&self, kind: &str, relation: Relation) -> String {
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
    fn tag(&self, kind: &str, relation: Relation) -> Option<String> {
        let is_tagged =
            matches!(relation, Relation::Own | Relation::Other) && !IDENTITIES.contains(&kind);
        is_tagged.then(|| self.domain(relation))
    }

    fn context(&self, tag: Option<&str>) -> Context {
        context(self.own.id.as_str(), tag)
    }

    /// Returns the context of creating something.
    fn creating(&self, relation: Relation) -> Context {
        self.with_tags(self.context(None), relation)
    }

    /// Adds the three tags that Studio puts on in a domain; none where it is to be untagged.
    fn with_tags(&self, mut context: Context, relation: Relation) -> Context {
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
    fn with_owner(&self, kind: &str, relation: Relation, context: Context) -> Context {
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
