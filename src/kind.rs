//! Owns the types of SageMaker resources that can bear tags: how each is tagged, and when it costs something.
//!
//! Types and operations are those of the service authorization reference for SageMaker and of the resource types of
//! tag-based groups (Resource Groups user guide), restated in `docs/retag.md`.
//! **Invariant:** a type that is not here is not taggable.

/// A type of resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceKind {
    /// The ARN's first segment.
    pub segment: &'static str,
    /// By which calls it is tagged.
    pub tagged_by: TaggedBy,
    /// When it costs something by itself.
    pub costs: Costs,
}

/// By which calls a type is tagged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TaggedBy {
    /// The Resource Groups Tagging API, and SageMaker's `AddTags`.
    Both,
    /// `AddTags` alone.
    AddTags,
    /// The Resource Groups Tagging API alone: a type of another service.
    TaggingApi,
    /// Nothing.
    Nothing,
}

/// When a resource costs something by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Costs {
    /// Never: what is made of it does.
    Never,
    /// As long as it exists.
    Always,
    /// While its status is one of these.
    While(&'static [&'static str]),
    /// Unless its status is one of these.
    Unless(&'static [&'static str]),
}

use Costs::{Always, Never, Unless, While};
use TaggedBy::{AddTags, Both, Nothing, TaggingApi};

/// The statuses of jobs at work, as each type spells them.
const RUNNING: Costs = While(&[
    "InProgress",
    "Initializing",
    "Stopping",
    "INPROGRESS",
    "IN_PROGRESS",
    "STARTING",
    "STOPPING",
]);

const fn kind(segment: &'static str, tagged_by: TaggedBy, costs: Costs) -> ResourceKind {
    ResourceKind { segment, tagged_by, costs }
}

/// Every type that is looked at, by its segment.
pub const KINDS: [ResourceKind; 36] = [
    kind("app", Both, While(&["InService", "Pending"])),
    kind("automl-job", Both, RUNNING),
    kind("cluster", Both, Unless(&["Failed"])),
    kind("compilation-job", Both, RUNNING),
    kind("endpoint", Both, Unless(&["Failed", "Deleting"])),
    kind("endpoint-config", Both, Never),
    kind("experiment", Both, Never),
    kind("experiment-trial", Both, Never),
    kind("experiment-trial-component", Both, Never),
    kind("feature-group", Both, Unless(&["CreateFailed"])),
    kind("file-system", TaggingApi, Always),
    kind("hub", Both, Never),
    kind("hyper-parameter-tuning-job", Both, RUNNING),
    kind("inference-component", Both, Unless(&["Failed", "Deleting"])),
    kind("inference-experiment", Nothing, While(&["Running"])),
    kind("inference-recommendations-job", Both, While(&["PENDING", "IN_PROGRESS", "STOPPING"])),
    kind("job", AddTags, RUNNING),
    kind("labeling-job", Both, RUNNING),
    kind("mlflow-app", AddTags, Unless(&["Deleted", "CreateFailed"])),
    kind("mlflow-tracking-server", Both, Unless(&["CreateFailed", "Deleting", "Stopped"])),
    kind("model", Both, Never),
    kind("model-package", Both, Never),
    kind("model-package-group", Both, Never),
    kind("monitoring-schedule", Both, Never),
    // A stopped instance keeps its volume, which is billed.
    kind("notebook-instance", Both, Unless(&["Failed", "Deleting"])),
    kind("optimization-job", Both, RUNNING),
    kind("partner-app", AddTags, Unless(&["Deleted", "Failed"])),
    kind("pipeline", Both, Never),
    kind("processing-job", Both, RUNNING),
    kind("project", Both, Never),
    kind("space", Both, Always),
    kind("training-job", Both, RUNNING),
    kind("training-plan", AddTags, While(&["Active", "Scheduled", "Pending"])),
    kind("training-session", AddTags, Unless(&["Deleting", "Expired", "Failed", "Stopped"])),
    kind("transform-job", Both, RUNNING),
    // What is opened in it later inherits its tags.
    kind("user-profile", Both, Always),
];

/// Returns the type that an ARN's first segment names.
pub fn of(segment: &str) -> Option<&'static ResourceKind> {
    KINDS.iter().find(|kind| kind.segment == segment)
}

impl Costs {
    /// Tells whether a resource of that status still costs something; one of unknown status is taken to.
    pub fn at(self, status: Option<&str>) -> bool {
        match (self, status) {
            (Never, _) => false,
            (Always, _) | (_, None) => true,
            (While(statuses), Some(status)) => statuses.contains(&status),
            (Unless(statuses), Some(status)) => !statuses.contains(&status),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_in_order_and_once() {
        assert!(KINDS.is_sorted_by(|left, right| left.segment < right.segment));
    }

    #[test]
    fn a_status_tells_whether_something_still_costs() {
        for (segment, status, expected) in [
            ("training-job", Some("InProgress"), true),
            ("training-job", Some("Completed"), false),
            ("compilation-job", Some("INPROGRESS"), true),
            ("optimization-job", Some("COMPLETED"), false),
            ("labeling-job", Some("Initializing"), true),
            ("training-session", Some("Running"), true),
            ("training-session", Some("Expired"), false),
            ("training-job", None, true),
            ("notebook-instance", Some("Stopped"), true),
            ("endpoint", Some("Failed"), false),
            ("model", Some("anything"), false),
            ("model", None, false),
            ("space", Some("InService"), true),
        ] {
            assert_eq!(of(segment).unwrap().costs.at(status), expected, "{segment} {status:?}");
        }
        assert_eq!(of("human-loop"), None);
    }
}
