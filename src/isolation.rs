//! Owns the isolation policy of a domain as IAM has it: its document and the roles that it is attached to.
//!
//! **Invariant:** a document is held in one form, so that two which say the same are equal.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::plan::State;

/// The name of a domain's isolation policy begins so, and ends in the domain's id (Amazon SageMaker AI Developer Guide,
/// "Isolate domain resources").
pub const PREFIX: &str = "StudioDomainResourceIsolationPolicy-";

/// What is said of every policy where it is created.
pub const DESCRIPTION: &str =
    "Keeps resources of other SageMaker domains apart; written by apportion.";

/// Versions that IAM keeps of one policy (IAM User Guide, "IAM and AWS STS quotas").
pub const VERSION_COUNT_MAX: usize = 5;

/// The isolation policy of one domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Isolation {
    /// The document, in the one form.
    document: Value,
    /// The names of the roles that it is attached to.
    pub roles: BTreeSet<String>,
}

/// An isolation policy that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The policy.
    pub isolation: Isolation,
    /// How often it stands elsewhere than on roles: on users, on groups, and as the boundary of a user or a role.
    pub elsewhere: usize,
}

/// An isolation policy as a file has it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    document: Value,
    roles: BTreeSet<String>,
}

impl From<Written> for Isolation {
    fn from(written: Written) -> Isolation {
        Isolation::new(&written.document, written.roles)
    }
}

/// One call on the way from one state of a policy to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Create the policy.
    Create,
    /// Make its document the default version, and drop the oldest other one where there are as many as IAM keeps.
    Rewrite,
    /// Attach it to a role.
    Attach(String),
    /// Detach it from a role.
    Detach(String),
    /// Delete it with all its versions.
    Delete,
}

impl Isolation {
    /// Takes a document, which is put into the one form, and the names of roles.
    pub fn new(document: &Value, roles: BTreeSet<String>) -> Isolation {
        Isolation { document: one_form(document), roles }
    }

    /// Returns the document.
    pub fn document(&self) -> &Value {
        &self.document
    }
}

impl State for Isolation {
    fn fields(&self) -> Vec<(String, String)> {
        let roles: Vec<&str> = self.roles.iter().map(String::as_str).collect();
        let statements = self.document.get("Statement").and_then(Value::as_array);
        let sids = statements.into_iter().flatten().enumerate().map(|(index, it)| {
            it.get("Sid")
                .and_then(Value::as_str)
                .map_or_else(|| format!("#{}", index + 1), str::to_owned)
        });
        vec![
            ("statements".to_owned(), sids.collect::<Vec<String>>().join(" ")),
            (
                "roles".to_owned(),
                if roles.is_empty() { "none".to_owned() } else { roles.join(" ") },
            ),
        ]
    }
}

/// Returns the calls from one state to another: rights are narrowed before others are given up.
pub fn steps(from: Option<&Isolation>, to: Option<&Isolation>) -> Vec<Step> {
    let mut steps = Vec::new();
    let none = BTreeSet::new();
    let (old, new) = (from.map_or(&none, |it| &it.roles), to.map_or(&none, |it| &it.roles));
    match (from, to) {
        (None, Some(_)) => steps.push(Step::Create),
        (Some(from), Some(to)) if from.document != to.document => steps.push(Step::Rewrite),
        _ => {}
    }
    steps.extend(old.difference(new).cloned().map(Step::Detach));
    steps.extend(new.difference(old).cloned().map(Step::Attach));
    if from.is_some() && to.is_none() {
        steps.push(Step::Delete);
    }
    steps
}

/// Members whose order and number of texts mean nothing.
const SETS: [&str; 4] = ["Action", "NotAction", "Resource", "NotResource"];

/// Puts a document into one form: lists for single values, sorted where the order means nothing.
fn one_form(document: &Value) -> Value {
    let Value::Object(members) = document else { return document.clone() };
    let members = members.iter().map(|(name, value)| {
        let value = if name == "Statement" {
            list(value).iter().map(statement).collect()
        } else {
            value.clone()
        };
        (name.clone(), value)
    });
    Value::Object(members.collect())
}

fn statement(statement: &Value) -> Value {
    let Value::Object(members) = statement else { return statement.clone() };
    let members = members.iter().map(|(name, value)| {
        let value = match value {
            it if SETS.contains(&name.as_str()) => set(it),
            Value::Object(operators) if name == "Condition" => Value::Object(condition(operators)),
            it => it.clone(),
        };
        (name.clone(), value)
    });
    Value::Object(members.collect())
}

fn condition(operators: &Map<String, Value>) -> Map<String, Value> {
    let of = |(operator, keys): (&String, &Value)| {
        let keys = match keys {
            Value::Object(keys) => {
                Value::Object(keys.iter().map(|(key, value)| (key.clone(), set(value))).collect())
            }
            other => other.clone(),
        };
        (operator.clone(), keys)
    };
    operators.iter().map(of).collect()
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    }
}

fn set(value: &Value) -> Value {
    let mut list = list(value);
    list.sort_by_key(ToString::to_string);
    list.dedup();
    Value::Array(list)
}

impl fmt::Display for Step {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Create => write!(out, "create the policy"),
            Step::Rewrite => write!(out, "make a new version the default"),
            Step::Attach(role) => write!(out, "attach to role {role}"),
            Step::Detach(role) => write!(out, "detach from role {role}"),
            Step::Delete => write!(out, "delete the policy"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Value {
        serde_json::from_str(&text.replace('\'', "\"")).unwrap()
    }

    #[test]
    fn two_documents_that_say_the_same_are_equal() {
        let one = "{'Version': '2012-10-17', 'Statement': {'Effect': 'Deny', 'Action': 'a:B', 'Resource': ['y', 'x'],
            'Condition': {'Null': {'k': 'true'}}}}";
        for (other, is_same) in [
            (
                "{'Statement': [{'Resource': ['x', 'y'], 'Action': ['a:B'], 'Effect': 'Deny',
                'Condition': {'Null': {'k': ['true']}}}], 'Version': '2012-10-17'}",
                true,
            ),
            (&one.replace("'y', 'x'", "'x'"), false),
            (&one.replace("Deny", "Allow"), false),
            (&one.replace("'true'", "'false'"), false),
        ] {
            let [one, other] = [one, other].map(|it| Isolation::new(&read(it), BTreeSet::new()));
            assert_eq!(one == other, is_same, "{other:?}");
        }
    }

    #[test]
    fn the_way_goes_step_by_step() {
        let state = |text: &str| {
            let (version, roles) = text.split_once(':')?;
            let roles = roles.split_whitespace().map(str::to_owned).collect();
            Some(Isolation::new(&read(&format!("{{'Statement': [], 'Id': '{version}'}}")), roles))
        };
        for (from, to, expected) in [
            ("", "1:a b", "create the policy, attach to role a, attach to role b"),
            ("1:a", "1:a", ""),
            ("1:a", "2:b", "make a new version the default, detach from role a, attach to role b"),
            ("1:a", "", "detach from role a, delete the policy"),
        ] {
            let steps: Vec<String> = steps(state(from).as_ref(), state(to).as_ref())
                .iter()
                .map(Step::to_string)
                .collect();
            assert_eq!(steps.join(", "), expected, "{from} to {to}");
        }
    }
}
