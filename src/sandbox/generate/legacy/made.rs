//! Owns the words of this folder: a domain as a place to make things in, and a resource in the making.
//!
//! **Invariant:** plain data; nothing is drawn here.

use serde_json::{Value, json};

use super::{DOMAIN, SPACE, USER};
use crate::sandbox::organisation::{Clue, Tags};

/// A kind, its status while it is at work, its status when that is over, and whether work costs something.
pub(super) type Row = (&'static str, &'static str, &'static str, bool);

/// The kinds that bear an identity's tag when they were started from Studio.
pub(super) const KINDS: [Row; 33] = [
    ("training-job", "InProgress", "Completed", true),
    ("processing-job", "InProgress", "Stopped", true),
    ("transform-job", "InProgress", "Failed", true),
    ("automl-job", "InProgress", "Completed", true),
    ("hyper-parameter-tuning-job", "InProgress", "Completed", true),
    ("labeling-job", "InProgress", "Completed", true),
    ("compilation-job", "INPROGRESS", "COMPLETED", true),
    ("optimization-job", "INPROGRESS", "COMPLETED", true),
    ("inference-recommendations-job", "IN_PROGRESS", "COMPLETED", true),
    ("job", "InProgress", "Completed", true),
    ("training-session", "Running", "Expired", true),
    ("notebook-instance", "InService", "Failed", true),
    ("endpoint", "InService", "Failed", true),
    ("inference-component", "InService", "Failed", true),
    ("cluster", "InService", "Failed", true),
    ("feature-group", "Created", "CreateFailed", true),
    ("mlflow-tracking-server", "Created", "Stopped", true),
    ("mlflow-app", "Created", "Deleted", true),
    ("partner-app", "Available", "Failed", true),
    ("training-plan", "Active", "Expired", true),
    ("endpoint-config", "", "", false),
    ("model", "", "", false),
    ("model-package-group", "Completed", "Completed", false),
    ("model-package", "Completed", "Completed", false),
    ("pipeline", "Active", "Active", false),
    ("experiment", "", "", false),
    ("experiment-trial", "", "", false),
    ("experiment-trial-component", "", "", false),
    ("hub", "InService", "InService", false),
    ("project", "CreateCompleted", "CreateCompleted", false),
    ("monitoring-schedule", "Scheduled", "Stopped", false),
    ("inference-experiment", "Running", "Completed", true),
    ("pipeline-execution", "Executing", "Succeeded", false),
];

/// A domain that exists, seen as a place to make things in.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) domain: String,
    pub(super) role: String,
    /// A person who is still there.
    pub(super) user: String,
    /// A private space of somebody who is still there; Classic has none.
    pub(super) space: Option<String>,
    pub(super) founded_at: jiff::Timestamp,
}

/// A resource in the making.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) kind: &'static str,
    pub(super) name: Option<String>,
    pub(super) is_over: bool,
    pub(super) role: Option<String>,
    pub(super) details: Value,
    pub(super) tags: Tags,
    pub(super) truth: Option<String>,
    pub(super) case: &'static str,
    pub(super) clue: Clue,
}

impl Place {
    pub(super) fn arn(&self, kind: &str, name: &str) -> String {
        format!("arn:aws:sagemaker:{}:{}:{kind}/{name}", self.region, self.account)
    }

    pub(super) fn domain_arn(&self) -> String {
        self.arn("domain", &self.domain)
    }

    pub(super) fn user_arn(&self) -> String {
        self.arn("user-profile", &format!("{}/{}", self.domain, self.user))
    }

    pub(super) fn space_arn(&self, space: &str) -> String {
        self.arn("space", &format!("{}/{space}", self.domain))
    }

    pub(super) fn by_domain(&self) -> Tags {
        one(DOMAIN, self.domain_arn())
    }

    pub(super) fn by_user(&self) -> Tags {
        one(USER, self.user_arn())
    }

    /// Returns the tag of a private space, or that of a person where there are no spaces.
    pub(super) fn by_space(&self) -> Tags {
        self.space
            .as_ref()
            .map_or_else(|| self.by_user(), |space| one(SPACE, self.space_arn(space)))
    }

    /// Returns what a description says of a person of this domain who made the thing.
    pub(super) fn created_by(&self) -> Value {
        json!({ "UserProfileArn": self.user_arn(), "UserProfileName": self.user, "DomainId": self.domain })
    }

    /// Returns a role of the account that no domain uses.
    pub(super) fn automation(&self) -> String {
        format!("arn:aws:iam::{}:role/build/automation", self.account)
    }

    /// Returns what a description says of a script that made the thing.
    pub(super) fn created_by_script(&self) -> Value {
        let arn = format!("arn:aws:sts::{}:assumed-role/automation/build-17", self.account);
        json!({ "IamIdentity": { "Arn": arn, "PrincipalId": "AROAEXAMPLE:build-17" } })
    }
}

pub(super) fn one(key: &str, value: String) -> Tags {
    Tags::from([(key.to_owned(), value)])
}

impl Made {
    /// Begins a resource of a domain, at work, run as the domain's role.
    pub(super) fn new(place: &Place, kind: &'static str, case: &'static str, clue: Clue) -> Made {
        Made {
            kind,
            name: None,
            is_over: false,
            role: Some(place.role.clone()),
            details: json!({}),
            tags: Tags::new(),
            truth: Some(place.domain.clone()),
            case,
            clue,
        }
    }

    pub(super) fn named(self, name: impl Into<String>) -> Made {
        Made { name: Some(name.into()), ..self }
    }

    pub(super) fn over(self) -> Made {
        Made { is_over: true, ..self }
    }

    pub(super) fn run_as(self, role: String) -> Made {
        Made { role: Some(role), ..self }
    }

    pub(super) fn tagged(mut self, tags: Tags) -> Made {
        self.tags.extend(tags);
        self
    }

    pub(super) fn with(mut self, member: &str, value: Value) -> Made {
        self.details[member] = value;
        self
    }

    pub(super) fn truly(self, domain: Option<&Place>) -> Made {
        Made { truth: domain.map(|place| place.domain.clone()), ..self }
    }
}

/// Puts the role where the description of that kind has it; some have none.
pub(super) fn put_role(details: &mut Value, kind: &str, role: &str) {
    match kind {
        "training-job"
        | "processing-job"
        | "automl-job"
        | "labeling-job"
        | "compilation-job"
        | "optimization-job"
        | "inference-recommendations-job"
        | "notebook-instance"
        | "job"
        | "feature-group"
        | "pipeline"
        | "inference-experiment"
        | "mlflow-app"
        | "mlflow-tracking-server" => details["RoleArn"] = json!(role),
        "hyper-parameter-tuning-job" => {
            details["TrainingJobDefinition"] = json!({ "RoleArn": role });
        }
        "model" | "partner-app" => details["ExecutionRoleArn"] = json!(role),
        "cluster" => {
            let group = json!({ "InstanceGroupName": "workers", "ExecutionRole": role });
            details["InstanceGroups"] = json!([group]);
        }
        _ => {}
    }
}
