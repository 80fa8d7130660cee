//! Owns which actions SageMaker has, on which types of resources, and which of these a policy can tell apart by their tags.
//!
//! Service Authorization Reference, "Actions, resources, and condition keys for Amazon SageMaker", as of September 2026, in
//! `authorization_actions.csv` and `authorization_types.csv`.
//! Amazon SageMaker AI Developer Guide, "Isolate domain resources", says of executions of pipelines that they have no tag
//! keys for conditions, and the reference says that they have.
//! **Invariant:** an action that is not here is not judged.

use std::sync::LazyLock;

const ACTIONS: &str = include_str!("authorization_actions.csv");
const TYPES: &str = include_str!("authorization_types.csv");

/// The types that a domain consists of: their ARNs name it.
pub const IDENTITIES: [&str; 4] = ["app", "domain", "space", "user-profile"];

/// Executions of pipelines, of which AWS's own documents say both.
pub const PIPELINE_EXECUTION: &str = "pipeline-execution";

/// Stands for all types that `AddTags` takes.
const TAGGABLE: &str = "@taggable";

/// An action of SageMaker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    /// Its name, without `sagemaker:`.
    pub name: String,
    /// The types of resources that it is checked against; none for an action that no resource limits.
    pub types: Vec<String>,
    /// Whether it takes tags for what it creates, which are then checked as `aws:RequestTag` and `aws:TagKeys`.
    pub takes_tags: bool,
}

/// A type of resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Type {
    /// Its name.
    pub name: String,
    /// The end of its ARNs, with `*` for names.
    pub arn: String,
    /// Whether `aws:ResourceTag` is there in a request about it.
    pub has_resource_tag: bool,
    /// Whether `AddTags` takes it.
    pub is_taggable: bool,
}

static AUTHORIZATION: LazyLock<(Vec<Action>, Vec<Type>)> = LazyLock::new(read);

/// Returns every action, by name.
pub fn actions() -> &'static [Action] {
    &AUTHORIZATION.0
}

/// Returns every type of resource, by name.
pub fn types() -> &'static [Type] {
    &AUTHORIZATION.1
}

/// Returns a type by its name.
pub fn type_of(name: &str) -> &'static Type {
    types().iter().find(|it| it.name == name).expect("actions name types that there are")
}

/// Tells whether things of a type ever bear tags: `AddTags` takes them, or an action creates them with tags.
pub fn is_ever_tagged(name: &str) -> bool {
    let creates = |action: &&Action| {
        action.takes_tags
            && action.name.starts_with("Create")
            && action.types.iter().any(|it| it == name)
    };
    type_of(name).is_taggable || actions().iter().any(|it| creates(&it))
}

/// Tells whether a policy can tell things of a type apart by their tags.
pub fn is_told_by_tag(name: &str, are_executions_told: bool) -> bool {
    let is_told = name != PIPELINE_EXECUTION || are_executions_told;
    type_of(name).has_resource_tag && is_told
}

impl Action {
    /// Returns its name as policies have it.
    pub fn full_name(&self) -> String {
        format!("sagemaker:{}", self.name)
    }

    /// Returns the type of what it makes with tags; absent where it makes nothing that takes them.
    ///
    /// Types that it is checked against beside that one exist already: `CreateEndpoint` needs an endpoint configuration.
    pub fn creates(&self) -> Option<&str> {
        let verb = self.verb();
        if !self.takes_tags || !["Create", "Import", "Register"].contains(&verb) {
            return None;
        }
        let made = self.name[verb.len()..].to_lowercase();
        let is_made = |name: &&String| {
            let plain = name.replace('-', "");
            made.contains(&plain) || plain.ends_with(&made)
        };
        let named = self.types.iter().filter(is_made).max_by_key(|it| it.len());
        named.or_else(|| self.types.first().filter(|_| self.types.len() == 1)).map(String::as_str)
    }

    /// Returns the verb that its name begins with.
    pub fn verb(&self) -> &str {
        let end = self.name.char_indices().skip(1).find(|(_, sign)| sign.is_ascii_uppercase());
        end.map_or(&self.name, |(at, _)| &self.name[..at])
    }
}

fn read() -> (Vec<Action>, Vec<Type>) {
    let types: Vec<Type> = rows(TYPES)
        .map(|[name, arn, has_resource_tag, is_taggable]| Type {
            name: name.to_owned(),
            arn: arn.to_owned(),
            has_resource_tag: has_resource_tag == "yes",
            is_taggable: is_taggable == "yes",
        })
        .collect();
    let taggable: Vec<String> =
        types.iter().filter(|it| it.is_taggable).map(|it| it.name.clone()).collect();
    let actions = rows(ACTIONS).map(|[name, listed, takes_tags]| Action {
        name: name.to_owned(),
        types: match listed {
            TAGGABLE => taggable.clone(),
            // A mark stands behind a type that a request may leave out.
            listed => {
                listed.split_whitespace().map(|it| it.trim_end_matches('?').to_owned()).collect()
            }
        },
        takes_tags: takes_tags == "yes",
    });
    (actions.collect(), types)
}

/// Reads the rows below the heading; no field has a comma or a quote.
fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines().skip(1).map(|line| {
        let fields: Vec<&str> = line.split(',').collect();
        fields.try_into().expect("every row has all fields")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_tables_fit_together() {
        assert_eq!((actions().len(), types().len()), (449, 73));
        let known: BTreeSet<&str> = types().iter().map(|it| it.name.as_str()).collect();
        for action in actions() {
            for name in &action.types {
                assert!(known.contains(name.as_str()), "{} names {name}", action.name);
            }
        }
        let names: Vec<&String> = actions().iter().map(|it| &it.name).collect();
        assert!(names.is_sorted());
    }

    #[test]
    fn some_things_bear_no_tags_and_some_are_not_told_apart_by_them() {
        let untold: Vec<&str> = types()
            .iter()
            .filter(|it| !is_told_by_tag(&it.name, true))
            .map(|it| it.name.as_str())
            .collect();
        let expected = "human-loop mlflow-tracking-server monitoring-schedule-alert sagemaker-catalog shared-model shared-model-event";
        assert_eq!(untold.join(" "), expected);
        assert!(!is_told_by_tag(PIPELINE_EXECUTION, false));
        let untagged: Vec<&str> = types()
            .iter()
            .filter(|it| !is_ever_tagged(&it.name))
            .map(|it| it.name.as_str())
            .collect();
        let expected = "human-loop image-version lineage-group model-card-export-job monitoring-schedule-alert \
            pipeline-execution sagemaker-catalog shared-model shared-model-event";
        assert_eq!(untagged.join(" "), expected);
    }

    #[test]
    fn an_action_makes_one_type_and_needs_others() {
        let made = |name: &str| {
            let action = actions().iter().find(|it| it.name == name).unwrap();
            action.creates().unwrap_or("-")
        };
        for (name, expected) in [
            ("CreateEndpoint", "endpoint"),
            ("CreateTrainingJob", "training-job"),
            ("CreateTrial", "experiment-trial"),
            ("CreateInferenceComponent", "inference-component"),
            ("CreateComputeQuota", "compute-quota"),
            ("CreateClusterSchedulerConfig", "cluster-scheduler-config"),
            ("CreateHubContentReference", "hub-content"),
            ("CreateAutoMLJobV2", "automl-job"),
            ("ImportHubContent", "hub-content"),
            ("CreatePresignedDomainUrl", "-"),
            ("UpdateEndpoint", "-"),
        ] {
            assert_eq!(made(name), expected, "{name}");
        }
        let is_lacking =
            |it: &&Action| it.takes_tags && it.name.starts_with("Create") && it.creates().is_none();
        let lacking: Vec<&Action> = actions().iter().filter(is_lacking).collect();
        assert_eq!(lacking, Vec::<&Action>::new());
    }

    #[test]
    fn an_action_begins_with_its_verb() {
        let verb = |name: &str| {
            let action = Action { name: name.to_owned(), types: Vec::new(), takes_tags: false };
            action.verb().to_owned()
        };
        assert_eq!([verb("InvokeEndpointAsync"), verb("Search")], ["Invoke", "Search"]);
    }
}
