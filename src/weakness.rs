//! Owns what is found about the policies of a domain's roles: kinds, how grave each is and what to do, and their table.

use crate::finding::Severity;
use crate::table::{self, Cell, Column, Table};

/// Something found about a domain's isolation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Weakness {
    /// What it is.
    pub kind: Kind,
    /// The domain's id; empty for a policy that was given as a file and names none.
    pub domain: String,
    /// The role, the policy's file, or the domain's account and region.
    pub subject: String,
    /// The statements concerned, as `policy/statement`.
    pub statements: Vec<String>,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub fix: String,
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A statement says neither `Allow` nor `Deny`.
    NoEffect,
    /// IAM refuses the document.
    Malformed,
    /// An ARN of another partition than the domain's.
    WrongPartition,
    /// A condition that holds where the key is absent.
    VacuousCondition,
    /// What is another domain's may be used.
    DefeatsIsolation,
    /// What is another domain's may be used, depending on what is not known here.
    MayDefeatIsolation,
    /// Things can be created, and not with the tags that Studio puts on.
    MissingAddTags,
    /// Studio's own tags are denied.
    DeniesStudioTags,
    /// The domain's own things are denied.
    DeniesOwn,
    /// The tag itself can be changed.
    Tampering,
    /// The same, depending on what is not known here.
    MayTamper,
    /// What bears no tag can be claimed by tagging it.
    Claiming,
    /// Roles of other domains can be passed on, and then acted as.
    PassRole,
    /// An action that SageMaker does not have.
    UnknownAction,
    /// A role that several domains use.
    SharedRole,
    /// A domain of which no role is known.
    NoRole,
    /// A role without its domain's isolation policy.
    NoPolicy,
    /// A policy that works in Studio Classic only.
    StudioClassicOnly,
    /// Resources that bear no domain tag.
    UntaggedResources,
    /// Every `List` shows what is in all domains.
    ListActions,
    /// Actions without a resource, beside `List`.
    NoResource,
    /// Executions of pipelines.
    PipelineExecutions,
    /// MLflow tracking servers.
    MlflowServers,
    /// Other types that no policy can tell apart by their tags.
    UntoldTypes,
}

/// Every kind, in the order in which they are declared.
pub const KINDS: [Kind; 24] = [
    Kind::NoEffect,
    Kind::Malformed,
    Kind::WrongPartition,
    Kind::VacuousCondition,
    Kind::DefeatsIsolation,
    Kind::MayDefeatIsolation,
    Kind::MissingAddTags,
    Kind::DeniesStudioTags,
    Kind::DeniesOwn,
    Kind::Tampering,
    Kind::MayTamper,
    Kind::Claiming,
    Kind::PassRole,
    Kind::UnknownAction,
    Kind::SharedRole,
    Kind::NoRole,
    Kind::NoPolicy,
    Kind::StudioClassicOnly,
    Kind::UntaggedResources,
    Kind::ListActions,
    Kind::NoResource,
    Kind::PipelineExecutions,
    Kind::MlflowServers,
    Kind::UntoldTypes,
];

impl Kind {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::NoEffect => "no_effect",
            Kind::Malformed => "malformed",
            Kind::WrongPartition => "wrong_partition",
            Kind::VacuousCondition => "vacuous_condition",
            Kind::DefeatsIsolation => "defeats_isolation",
            Kind::MayDefeatIsolation => "may_defeat_isolation",
            Kind::MissingAddTags => "missing_add_tags",
            Kind::DeniesStudioTags => "denies_studio_tags",
            Kind::DeniesOwn => "denies_own",
            Kind::Tampering => "tampering",
            Kind::MayTamper => "may_tamper",
            Kind::Claiming => "claiming",
            Kind::PassRole => "pass_role",
            Kind::UnknownAction => "unknown_action",
            Kind::SharedRole => "shared_role",
            Kind::NoRole => "no_role",
            Kind::NoPolicy => "no_policy",
            Kind::StudioClassicOnly => "studio_classic_only",
            Kind::UntaggedResources => "untagged_resources",
            Kind::ListActions => "list_actions",
            Kind::NoResource => "no_resource",
            Kind::PipelineExecutions => "pipeline_executions",
            Kind::MlflowServers => "mlflow_servers",
            Kind::UntoldTypes => "untold_types",
        }
    }

    /// Returns how grave it is.
    pub fn severity(self) -> Severity {
        match self {
            Kind::NoEffect
            | Kind::Malformed
            | Kind::WrongPartition
            | Kind::VacuousCondition
            | Kind::DefeatsIsolation
            | Kind::MissingAddTags
            | Kind::DeniesStudioTags
            | Kind::Tampering
            | Kind::SharedRole => Severity::Error,
            Kind::MayDefeatIsolation
            | Kind::DeniesOwn
            | Kind::MayTamper
            | Kind::Claiming
            | Kind::PassRole
            | Kind::UnknownAction
            | Kind::NoRole
            | Kind::NoPolicy
            | Kind::StudioClassicOnly
            | Kind::UntaggedResources => Severity::Warning,
            Kind::ListActions
            | Kind::NoResource
            | Kind::PipelineExecutions
            | Kind::MlflowServers
            | Kind::UntoldTypes => Severity::Info,
        }
    }

    /// Returns what to do about it, where that is the same for all of its kind.
    pub fn fix(self) -> &'static str {
        match self {
            Kind::NoEffect => "write `\"Effect\": \"Allow\"` or `\"Deny\"` into the statement",
            Kind::Malformed => "correct the document; IAM refuses it as it is",
            Kind::WrongPartition => "write the domain's own partition into the ARN",
            Kind::VacuousCondition => {
                "use `ForAnyValue`, or ask with `Null` that the key is there, as well"
            }
            Kind::DefeatsIsolation | Kind::NoPolicy => {
                "run `apportion isolate apply --form deny`, which isolates beside broader grants"
            }
            Kind::MayDefeatIsolation | Kind::MayTamper => {
                "look at these statements: keys of their conditions that are not known here, and names in their resources"
            }
            Kind::Claiming => {
                "deny it outside of creating, as `apportion isolate apply` does with `tag_protection = \"action\"`, and tag what has no tag with `apportion retag`"
            }
            Kind::PassRole => {
                "allow `iam:PassRole` for the domain's own roles only, in a policy of your own: isolation policies say nothing of IAM"
            }
            Kind::UnknownAction => "correct the name; as it is the statement says nothing about it",
            Kind::MissingAddTags => {
                "allow `sagemaker:AddTags` where `sagemaker:TaggingAction` is `Create*`, as `apportion isolate apply` does"
            }
            Kind::DeniesStudioTags => {
                "allow Studio's tags `sagemaker:domain-arn`, `sagemaker:user-profile-arn` and `sagemaker:space-arn`, and those that your domains propagate"
            }
            Kind::DeniesOwn => {
                "narrow the statements so that they spare what bears the domain's tag; where it is another domain's isolation policy, `apportion isolate apply --prune` detaches it"
            }
            Kind::Tampering => {
                "deny `sagemaker:AddTags` and `sagemaker:DeleteTags` of the domain tag outside of creating, as `apportion isolate apply` does"
            }
            Kind::SharedRole => {
                "give each domain, with its user profiles and spaces, roles of its own"
            }
            Kind::NoRole => "give the domain an execution role, or let the program read it",
            Kind::StudioClassicOnly => {
                "use the form `deny`, or allow the apps and spaces of the domain by their ARNs, as `apportion isolate apply` does"
            }
            Kind::UntaggedResources => "",
            Kind::ListActions | Kind::NoResource => {
                "no policy can tell domains apart here; take the action away from the role where names must not be seen"
            }
            Kind::PipelineExecutions => {
                "AWS's documents contradict each other on whether these bear tags for policies; isolate by account where it matters"
            }
            Kind::MlflowServers => {
                "name the servers of each domain by their ARNs in a policy of your own"
            }
            Kind::UntoldTypes => {
                "name them by their ARNs in a policy of your own, or isolate by account"
            }
        }
    }
}

/// Returns the table of what was found: its columns are an interface.
pub fn table(found: &[Weakness]) -> Table<'_> {
    let names = ["severity", "weakness", "domain", "subject", "statements", "text", "fix"];
    let column = |name| Column { name, heading: name, kind: table::Kind::Text };
    let rows = found.iter().map(|it| {
        vec![
            Cell::text(it.kind.severity().name()),
            Cell::text(it.kind.name()),
            Cell::text(it.domain.as_str()),
            Cell::text(it.subject.as_str()),
            Cell::text(it.statements.join(" ")),
            Cell::text(it.text.as_str()),
            Cell::text(it.fix.as_str()),
        ]
    });
    Table { columns: names.map(column).to_vec(), rows: Box::new(rows) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_stands_once_and_says_what_to_do() {
        let names: BTreeSet<&str> = KINDS.iter().map(|it| it.name()).collect();
        assert_eq!(names.len(), KINDS.len());
        assert!(KINDS.is_sorted(), "they are sorted as they are declared");
        for kind in KINDS {
            // How many there are, and where, is said where they are counted.
            assert_eq!(kind.fix().is_empty(), kind == Kind::UntaggedResources, "{kind:?}");
            let is_word = |it: char| it.is_ascii_lowercase() || it == '_';
            assert!(kind.name().chars().all(is_word), "{kind:?}");
        }
    }

    #[test]
    fn a_row_has_all_that_was_found() {
        let found = [Weakness {
            kind: Kind::Tampering,
            domain: "d-1".to_owned(),
            subject: "role".to_owned(),
            statements: vec!["p/A".to_owned(), "p/B".to_owned()],
            text: "text".to_owned(),
            fix: "fix".to_owned(),
        }];
        let table = table(&found);
        let names: Vec<&str> = table.columns.iter().map(|it| it.name).collect();
        assert_eq!(names.join(" "), "severity weakness domain subject statements text fix");
        let rows: Vec<Vec<Cell>> = table.rows.collect();
        let expected = ["error", "tampering", "d-1", "role", "p/A p/B", "text", "fix"];
        assert_eq!(rows, [expected.map(Cell::text).to_vec()]);
    }
}
