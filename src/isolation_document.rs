//! Owns the documents of isolation policies: which statements a form has, rendered for one domain.
//!
//! Amazon SageMaker AI Developer Guide, "Isolate domain resources" and, in its earlier edition, "Multiple domains overview", are
//! where the forms come from; `docs/isolation.md` says what was mended.
//! **Invariant:** what enters a template is escaped as JSON, and a document is never longer than IAM takes.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde_json::{Value, json};

use crate::arn::{Arn, DomainKey};
use crate::authorization::{self, IDENTITIES, Type, is_ever_tagged, is_told_by_tag, type_of};
use crate::inventory::Domain;
use crate::isolation_wish::{Form, Protection, Untagged, Wish};
use crate::key;
use crate::mark;
use crate::policy::{self, LENGTH_MAX};
use crate::wildcard;

/// A document that IAM would not take.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the isolation policy of {domain} would have {length} characters, and IAM takes {LENGTH_MAX}"
)]
pub struct TooLong {
    /// The domain's id.
    pub domain: String,
    /// Its length without white space.
    pub length: usize,
}

macro_rules! templates {
    ($($sid:literal)*) => {
        [$(($sid, include_str!(concat!("../templates/isolation/", $sid, ".json")))),*]
    };
}

const TEMPLATES: [(&str, &str); 19] = templates!(
    "AddOwnTags" "AddTagsOnCreate" "AllowActionsThatDontSupportTagging" "CreateAPIs"
    "CreateRequiresDomainTag" "DeleteDefaultApp" "DenyOtherDomains" "DenyOtherIdentities"
    "DenyOtherTagValues" "DenyUntagged" "DenyUntaggedUrls" "KeepDomainTag" "ListAPIs" "OwnIdentities" "OwnSpaces" "ProtectDomainTag"
    "ResourceAccessRequireDomainTag" "SharedSpaceApps" "UseOwnResources"
);

static ENVIRONMENT: LazyLock<Environment<'static>> = LazyLock::new(|| {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Json);
    for (sid, template) in TEMPLATES {
        environment.add_template(sid, template).expect("templates are tested");
    }
    environment
});

/// What is opened by a URL that is created for it: that is use, and no creation.
const OPENED: [&str; 4] = ["hub*", "mlflow-app/*", "notebook-instance/*", "partner-app/*"];

/// What people do with spaces and their apps, which is theirs whose the space is.
const SPACE_ACTIONS: [&str; 5] = [
    "sagemaker:CreateApp",
    "sagemaker:CreateSpace",
    "sagemaker:DeleteApp",
    "sagemaker:DeleteSpace",
    "sagemaker:UpdateSpace",
];

/// Returns the isolation policy of a domain.
pub fn document(domain: &Domain, wish: &Wish) -> Result<Value, TooLong> {
    let values = values(&domain.key, &partition(domain), wish);
    let statements: Vec<Value> =
        sids(wish).into_iter().map(|sid| statement(sid, &values)).collect();
    let document = json!({ "Version": "2012-10-17", "Statement": statements });
    let length = policy::length(&document);
    if length > LENGTH_MAX {
        return Err(TooLong { domain: domain.key.id.to_string(), length });
    }
    Ok(document)
}

/// Returns the partition of a domain's ARN.
pub fn partition(domain: &Domain) -> String {
    Arn::parse(&domain.arn).map_or_else(|| "aws".to_owned(), |arn| arn.partition)
}

/// Returns the ARN of a domain, as it is the value of its tag.
pub fn domain_arn(key: &DomainKey, partition: &str) -> String {
    format!("arn:{partition}:sagemaker:{}:{}:domain/{}", key.region, key.account, key.id)
}

/// Returns the statements of a form, in order.
fn sids(wish: &Wish) -> Vec<&'static str> {
    let protection = match wish.tag_protection {
        Protection::Action => ["ProtectDomainTag", "AddTagsOnCreate"],
        Protection::Value => ["KeepDomainTag", "AddOwnTags"],
    };
    let use_of_own =
        ["UseOwnResources", "OwnIdentities", "OwnSpaces", "SharedSpaceApps", "ListAPIs"];
    let current = [
        "CreateAPIs",
        "ResourceAccessRequireDomainTag",
        "AllowActionsThatDontSupportTagging",
        "DeleteDefaultApp",
    ];
    let mut sids = Vec::new();
    match wish.form {
        Form::Deny => {
            sids.push("DenyOtherDomains");
            if wish.untagged == Untagged::Deny {
                sids.extend(["DenyUntagged", "DenyUntaggedUrls"]);
            }
            sids.push("DenyOtherIdentities");
            if wish.grant {
                sids.extend(current);
                sids.extend(use_of_own);
            }
        }
        Form::Current => {
            sids.extend(current);
            sids.extend(use_of_own);
        }
        Form::Earlier => {
            sids.extend(["CreateRequiresDomainTag", "ResourceAccessRequireDomainTag"]);
            sids.extend(use_of_own);
        }
    }
    sids.push("DenyOtherTagValues");
    sids.extend(protection);
    sids
}

/// Renders a statement.
fn statement(sid: &str, values: &minijinja::Value) -> Value {
    let template = ENVIRONMENT.get_template(sid).expect("every statement has a template");
    let text = template.render(values).expect("templates are tested");
    serde_json::from_str(&text).expect("a template whose values are escaped is JSON")
}

/// Returns what enters the templates of a domain's statements.
fn values(domain: &DomainKey, partition: &str, wish: &Wish) -> minijinja::Value {
    let all = |resource: &str| format!("arn:{partition}:sagemaker:*:*:{resource}");
    let DomainKey { account, region, id } = domain;
    let own = |kind: &str, end: &str| {
        format!("arn:{partition}:sagemaker:{region}:{account}:{kind}/{id}{end}")
    };
    let mut spared: Vec<String> = IDENTITIES.iter().map(|it| all(&format!("{it}/*"))).collect();
    spared.extend(wish.shared.iter().cloned());
    // The longest list goes without the partition, so that the document is not too long anywhere.
    let patterns = tagged_patterns();
    let told = patterns.iter().map(|it| format!("arn:*:sagemaker:*:{account}:{it}"));
    let told: Vec<String> = told.collect();
    context! {
        domain => domain_arn(domain, partition),
        key => key::DOMAIN,
        keys => Serde(mark::KEYS),
        resource_tag => format!("aws:ResourceTag/{}", key::DOMAIN),
        request_tag => format!("aws:RequestTag/{}", key::DOMAIN),
        spared => Serde(spared),
        told => Serde(told),
        opened => Serde(OPENED.map(|it| format!("arn:*:sagemaker:*:{account}:{it}"))),
        untagged_actions => Serde(untagged_actions(&patterns)),
        identity_actions => Serde(identity_actions()),
        space_actions => Serde(SPACE_ACTIONS),
        own_apps => own("app", "/*"),
        own_spaces => Serde([own("app", "/*"), own("space", "/*")]),
        own_profile => own("user-profile", "/${sagemaker:UserProfileName}"),
        own_identities => Serde([own("app", "/*"), own("domain", ""), own("space", "/*"), own("user-profile", "/*")]),
        created_by_administrators => Serde(["domain/*", "user-profile/*", "space/*", "app/*"].map(all)),
        default_app => all(&format!("app/{id}/*/jupyterserver/default")),
    }
}

/// Returns every action that is about a domain's identities alone, but for making domains, which are in none.
fn identity_actions() -> Vec<String> {
    let is_identity = |it: &&authorization::Action| {
        !it.types.is_empty()
            && it.types.iter().all(|name| IDENTITIES.contains(&name.as_str()))
            && it.name != "CreateDomain"
    };
    authorization::actions()
        .iter()
        .filter(is_identity)
        .map(authorization::Action::full_name)
        .collect()
}

/// Returns the beginnings of ARNs of what bears tags, identities left out: whole types, or all whose names begin alike.
fn tagged_patterns() -> BTreeSet<String> {
    let head = |it: &Type| it.arn.split('/').next().unwrap_or_default().to_owned();
    let is_tagged = |it: &&Type| {
        is_told_by_tag(&it.name, true)
            && is_ever_tagged(&it.name)
            && !IDENTITIES.contains(&it.name.as_str())
    };
    let tagged: BTreeSet<String> =
        authorization::types().iter().filter(is_tagged).map(head).collect();
    let others: Vec<String> =
        authorization::types().iter().map(head).filter(|it| !tagged.contains(it)).collect();
    let begins = |it: &String, start: &str| {
        it.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    let pattern = |head: &String| {
        let ends = head.match_indices('-').map(|(at, _)| at).chain([head.len()]);
        let alike = ends.map(|at| &head[..at]).find(|start| {
            !others.iter().any(|it| begins(it, start))
                && tagged.iter().filter(|it| begins(it, start)).count() > 1
        });
        alike.map_or_else(|| format!("{head}/*"), |start| format!("{start}*"))
    };
    tagged.iter().map(pattern).collect()
}

/// Returns what is done to things without a tag all the same: what creates, lists and tags, and every action about things that
/// never bear tags and whose ARNs begin as those of things that do, such as executions of pipelines.
fn untagged_actions(patterns: &BTreeSet<String>) -> Vec<String> {
    let is_within = |name: &String| {
        let arn = &type_of(name).arn;
        !is_ever_tagged(name) && patterns.iter().any(|it| wildcard::like(it, arn))
    };
    let is_untagged = |it: &&authorization::Action| {
        !["Create", "List"].contains(&it.verb()) && it.types.iter().any(is_within)
    };
    let named =
        authorization::actions().iter().filter(is_untagged).map(authorization::Action::full_name);
    ["AddTags", "Create*", "Import*", "List*", "Register*"]
        .into_iter()
        .map(|it| format!("sagemaker:{it}"))
        .chain(named)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Decision, Rights};
    use crate::act::{Act, Context};
    use crate::arn::{AccountId, DomainId};
    use crate::policy::Policy;
    use jiff::Timestamp;

    fn domain(partition: &str) -> Domain {
        let key = DomainKey {
            account: AccountId::parse("111122223333").unwrap(),
            region: "eu-west-1".to_owned(),
            id: DomainId::parse("d-visionlab123").unwrap(),
        };
        Domain {
            arn: domain_arn(&key, partition),
            key,
            name: "vision".to_owned(),
            execution_role: None,
            space_role: None,
            tag_propagation: None,
            home_efs: None,
            tags: std::collections::BTreeMap::new(),
            last_seen_at: Timestamp::UNIX_EPOCH,
            gone_by: None,
        }
    }

    fn wishes() -> Vec<Wish> {
        let mut wishes = Vec::new();
        for form in [Form::Deny, Form::Current, Form::Earlier] {
            for tag_protection in [Protection::Action, Protection::Value] {
                for (untagged, grant, pipeline_executions) in [
                    (Untagged::Allow, false, false),
                    (Untagged::Allow, true, true),
                    (Untagged::Deny, false, false),
                ] {
                    let shared = vec!["arn:aws:sagemaker:*:*:image/base-*".to_owned()];
                    wishes.push(Wish {
                        form,
                        untagged,
                        grant,
                        tag_protection,
                        pipeline_executions,
                        shared,
                    });
                }
            }
        }
        wishes
    }

    #[test]
    fn every_form_is_taken_by_iam_in_every_partition() {
        for partition in ["aws", "aws-cn", "aws-us-gov"] {
            for wish in wishes() {
                let document = document(&domain(partition), &wish).unwrap();
                let (policy, flaws) = Policy::read("p", &document);
                assert_eq!(flaws, [], "{wish:?}");
                assert_eq!(
                    policy.statements.len(),
                    document["Statement"].as_array().unwrap().len()
                );
            }
        }
    }

    #[test]
    fn patterns_take_what_bears_tags_and_nothing_else() {
        let patterns = tagged_patterns();
        for it in authorization::types() {
            let is_taken = patterns.iter().any(|pattern| wildcard::like(pattern, &it.arn));
            let is_identity = IDENTITIES.contains(&it.name.as_str());
            let is_within =
                ["pipeline-execution", "model-card-export-job", "monitoring-schedule-alert"];
            let expected =
                is_ever_tagged(&it.name) && is_told_by_tag(&it.name, true) && !is_identity;
            assert_eq!(is_taken, expected || is_within.contains(&it.name.as_str()), "{}", it.name);
        }
    }

    #[test]
    fn what_other_accounts_share_is_spared_without_a_tag() {
        let wish = Wish { untagged: Untagged::Deny, ..Wish::default() };
        let document = document(&domain("aws"), &wish).unwrap();
        let (policy, _) = Policy::read("p", &document);
        let rights = Rights { policies: vec![policy], boundary: None };
        let context = Context::whole();
        for (account, expected) in
            [("111122223333", Decision::ExplicitlyDenied), ("aws", Decision::ImplicitlyDenied)]
        {
            let name = "hub-content/SageMakerPublicHub/Model/llm/1";
            let resource = format!("arn:aws:sagemaker:eu-west-1:{account}:{name}");
            let action = "sagemaker:DescribeHubContent";
            let act = Act { action, resource: &resource, context: &context };
            assert_eq!(rights.decide(&act).decision, expected, "{account}");
        }
    }

    #[test]
    fn what_enters_a_template_is_escaped() {
        let odd = "arn:aws:sagemaker:*:*:image/\"],\"Action\":\"*".to_owned();
        let wish = Wish { shared: vec![odd.clone()], ..Wish::default() };
        let document = document(&domain("aws"), &wish).unwrap();
        let spared = document["Statement"][0]["NotResource"].as_array().unwrap();
        assert_eq!(spared.last().unwrap(), &json!(odd));
    }

    #[test]
    fn a_document_that_iam_would_refuse_is_refused_first() {
        let shared =
            (0..200).map(|it| format!("arn:aws:sagemaker:*:*:image/shared-image-{it}")).collect();
        let error = document(&domain("aws"), &Wish { shared, ..Wish::default() }).unwrap_err();
        assert!(error.length > LENGTH_MAX, "{error}");
    }

    #[test]
    fn a_form_has_the_statements_that_are_documented() {
        let told = |wish: Wish| sids(&wish).join(" ");
        let deny = Wish::default();
        for (wish, expected) in [
            (
                deny.clone(),
                "DenyOtherDomains DenyOtherIdentities DenyOtherTagValues ProtectDomainTag AddTagsOnCreate",
            ),
            (
                Wish {
                    untagged: Untagged::Deny,
                    tag_protection: Protection::Value,
                    ..deny.clone()
                },
                "DenyOtherDomains DenyUntagged DenyUntaggedUrls DenyOtherIdentities DenyOtherTagValues KeepDomainTag AddOwnTags",
            ),
            (
                Wish { form: Form::Current, ..deny.clone() },
                "CreateAPIs ResourceAccessRequireDomainTag AllowActionsThatDontSupportTagging DeleteDefaultApp \
                 UseOwnResources OwnIdentities OwnSpaces SharedSpaceApps ListAPIs DenyOtherTagValues ProtectDomainTag AddTagsOnCreate",
            ),
            (
                Wish { form: Form::Earlier, ..deny },
                "CreateRequiresDomainTag ResourceAccessRequireDomainTag UseOwnResources \
                 OwnIdentities OwnSpaces SharedSpaceApps ListAPIs DenyOtherTagValues ProtectDomainTag AddTagsOnCreate",
            ),
        ] {
            assert_eq!(told(wish), expected);
        }
        let untagged = untagged_actions(&tagged_patterns());
        for name in
            ["DescribePipelineExecution", "DescribeModelCardExportJob", "UpdateMonitoringAlert"]
        {
            assert!(untagged.contains(&format!("sagemaker:{name}")), "{untagged:?}");
        }
        assert!(!untagged.contains(&"sagemaker:StartPipelineExecution".to_owned()), "{untagged:?}");
        let actions = identity_actions();
        assert!(SPACE_ACTIONS.iter().all(|it| actions.contains(&(*it).to_owned())), "{actions:?}");
    }
}
