//! Owns filter expressions of AWS Budgets as JSON: building them, their one order, and how they read.
//!
//! Billing and Cost Management API Reference, `Expression`; tag keys of a user bear the prefix `user:` there
//! (AWS Cost Management User Guide, "Creating budget filters"), and not in Cost Explorer.
//! **Invariant:** a list has two members or more, a leaf has 1 to 100 values, and there is one root.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::query::Filter;

/// A leaf holds at most so many values: what Cost Explorer takes, since Budgets documents no number.
pub const VALUE_COUNT_MAX: usize = 100;

/// The prefix of the tag keys that users, and SageMaker for them, put on resources.
pub const USER: &str = "user:";

/// Returns the leaves for a tag key with one of the values; none without values.
pub fn tag(key: &str, values: impl IntoIterator<Item = String>) -> Vec<Value> {
    leaves("Tags", &format!("{USER}{key}"), values)
}

/// Returns the leaves for a dimension with one of the values; none without values.
pub fn dimension(key: &str, values: impl IntoIterator<Item = String>) -> Vec<Value> {
    leaves("Dimensions", key, values)
}

fn leaves(kind: &str, key: &str, values: impl IntoIterator<Item = String>) -> Vec<Value> {
    let mut values: Vec<String> = values.into_iter().collect();
    values.sort();
    values.dedup();
    let leaf = |values: &[String]| json!({ kind: { "Key": key, "Values": values } });
    values.chunks(VALUE_COUNT_MAX).map(leaf).collect()
}

/// Returns the leaf for a tag key that is not there.
pub fn absent(key: &str) -> Value {
    json!({ "Tags": { "Key": format!("{USER}{key}"), "MatchOptions": ["ABSENT"] } })
}

/// Joins expressions by `Or`; one alone stays itself, none at all is no expression.
pub fn any(expressions: Vec<Value>) -> Option<Value> {
    joined("Or", expressions)
}

/// Joins expressions by `And`; one alone stays itself, none at all is no expression.
pub fn all(expressions: Vec<Value>) -> Option<Value> {
    joined("And", expressions)
}

/// Returns the expression that is none of some.
pub fn not(expression: &Value) -> Value {
    json!({ "Not": expression })
}

fn joined(operator: &str, mut expressions: Vec<Value>) -> Option<Value> {
    if expressions.len() > 1 { Some(json!({ operator: expressions })) } else { expressions.pop() }
}

/// Puts an expression into its one order: what means the same is the same text.
///
/// Lists are sorted, a list in a list of its kind is taken up, one of one member is its member, and match options that
/// are AWS's default are left out.
#[must_use]
pub fn tidy(expression: &Value) -> Value {
    let Value::Object(members) = expression else { return expression.clone() };
    let mut tidied = Map::new();
    for (name, value) in members {
        match (name.as_str(), value) {
            ("And" | "Or", Value::Array(list)) => {
                let mut list: Vec<Value> = list.iter().flat_map(|it| taken_up(name, it)).collect();
                list.sort_by_key(Value::to_string);
                list.dedup();
                if let ([only], 1) = (list.as_slice(), members.len()) {
                    return only.clone();
                }
                tidied.insert(name.clone(), Value::Array(list));
            }
            ("Not", value) => {
                tidied.insert(name.clone(), tidy(value));
            }
            ("Tags" | "Dimensions" | "CostCategories", Value::Object(leaf)) => {
                tidied.insert(name.clone(), Value::Object(tidy_leaf(leaf)));
            }
            _ => {
                tidied.insert(name.clone(), value.clone());
            }
        }
    }
    Value::Object(tidied)
}

/// Returns the tidied members of a list's member that is a list of the same kind, or the member itself.
fn taken_up(operator: &str, member: &Value) -> Vec<Value> {
    let tidied = tidy(member);
    let is_alone = tidied.as_object().is_some_and(|it| it.len() == 1);
    match (is_alone, tidied.get(operator)) {
        (true, Some(Value::Array(list))) => list.clone(),
        _ => vec![tidied],
    }
}

fn tidy_leaf(leaf: &Map<String, Value>) -> Map<String, Value> {
    let mut leaf = leaf.clone();
    if let Some(Value::Array(values)) = leaf.get_mut("Values") {
        values.sort_by_key(Value::to_string);
        values.dedup();
    }
    if let Some(Value::Array(options)) = leaf.get("MatchOptions") {
        let is_default = |it: &Value| ["EQUALS", "CASE_SENSITIVE"].iter().any(|name| it == name);
        if options.iter().all(is_default) {
            leaf.remove("MatchOptions");
        }
    }
    leaf
}

/// Tells whether a value is an expression that can be sent: known members alone, one root, no empty list.
pub fn is_whole(expression: &Value) -> bool {
    let Some((name, value)) =
        expression.as_object().filter(|it| it.len() == 1).and_then(|it| it.iter().next())
    else {
        return false;
    };
    let texts = |name: &str| {
        let list = value.get(name).and_then(Value::as_array);
        list.is_some_and(|it| !it.is_empty() && it.iter().all(Value::is_string))
    };
    match name.as_str() {
        "And" | "Or" => {
            value.as_array().is_some_and(|list| list.len() > 1 && list.iter().all(is_whole))
        }
        "Not" => is_whole(value),
        "Tags" | "Dimensions" => {
            let members = value.as_object().into_iter().flat_map(Map::keys);
            let is_known = |it: &String| ["Key", "Values", "MatchOptions"].contains(&it.as_str());
            members.clone().all(is_known)
                && value.get("Key").is_some_and(Value::is_string)
                && (texts("Values") || (name == "Tags" && texts("MatchOptions")))
        }
        _ => false,
    }
}

/// Tells whether some cost that one expression finds may be lost with another: a value that goes, or one more that is left out.
///
/// Record types are no owners: leaving one out loses nobody. No expression at all finds everything.
pub fn narrows(from: Option<&Value>, to: Option<&Value>) -> bool {
    let (Some(from), Some(to)) = (from, to) else { return from.is_none() && to.is_some() };
    let of = |expression: &Value| {
        let mut found = (BTreeSet::new(), BTreeSet::new());
        leaves_of(expression, false, &mut found);
        found
    };
    let ((found, left_out), (finds, leaves_out)) = (of(from), of(to));
    !found.is_subset(&finds) || !leaves_out.is_subset(&left_out)
}

/// Returns the values that another expression has and one lacks, and those that it has and the other lacks.
pub fn difference(from: &Value, to: &Value) -> (BTreeSet<String>, BTreeSet<String>) {
    let of = |expression: &Value| {
        let mut found = (BTreeSet::new(), BTreeSet::new());
        leaves_of(expression, false, &mut found);
        let told = |(key, value): (String, String)| format!("{key} = {value}");
        let found_values = found.0.into_iter().map(told);
        let left_out = found.1.into_iter().map(|it| format!("not {}", told(it)));
        found_values.chain(left_out).collect::<BTreeSet<String>>()
    };
    let (before, after) = (of(from), of(to));
    (&after - &before, &before - &after)
}

/// Keys with their values.
type Values = BTreeSet<(String, String)>;

/// Sorts the values of an expression into those that it finds and those that it leaves out.
fn leaves_of(expression: &Value, is_negated: bool, found: &mut (Values, Values)) {
    for (name, value) in expression.as_object().into_iter().flatten() {
        match (name.as_str(), value) {
            ("And" | "Or", Value::Array(list)) => {
                for it in list {
                    leaves_of(it, is_negated, found);
                }
            }
            ("Not", value) => leaves_of(value, !is_negated, found),
            (_, leaf) => {
                let key = leaf.get("Key").and_then(Value::as_str).unwrap_or_default();
                let values = leaf.get("Values").and_then(Value::as_array).into_iter().flatten();
                let values = values.filter_map(Value::as_str).filter(|_| key != "RECORD_TYPE");
                let side = if is_negated { &mut found.1 } else { &mut found.0 };
                side.extend(values.map(|value| (key.to_owned(), value.to_owned())));
            }
        }
    }
}

/// Returns the expression as Cost Explorer takes it, whose tag keys have no prefix; absent for what it has no filter for.
pub fn query(expression: &Value) -> Option<Filter> {
    let (name, value) = expression.as_object().filter(|it| it.len() == 1)?.iter().next()?;
    let list = || value.as_array()?.iter().map(query).collect::<Option<Vec<Filter>>>();
    let text = |name: &str| value.get(name)?.as_str().map(str::to_owned);
    let values = || -> Option<Vec<String>> {
        let values = value.get("Values")?.as_array()?.iter();
        values.map(|it| it.as_str().map(str::to_owned)).collect()
    };
    match name.as_str() {
        "And" => Filter::all(list()?),
        "Or" => Filter::any(list()?),
        "Not" => Some(Filter::Not(Box::new(query(value)?))),
        "Dimensions" => Filter::dimension(&text("Key")?, &values()?),
        "Tags" => {
            let key = text("Key")?.strip_prefix(USER)?.to_owned();
            match value.get("MatchOptions") {
                None => Filter::tag(&key, &values()?),
                Some(options) => (*options == json!(["ABSENT"])).then(|| Filter::tag_absent(&key)),
            }
        }
        _ => None,
    }
}

/// Tells an expression in words, with the values counted where they are many.
pub fn told(expression: &Value) -> String {
    let Value::Object(members) = expression else { return expression.to_string() };
    let list = |list: &Value, word: &str| {
        let told = list.as_array().into_iter().flatten().map(|it| match told(it) {
            text if it.get("And").or(it.get("Or")).is_some() => format!("({text})"),
            text => text,
        });
        told.collect::<Vec<String>>().join(word)
    };
    let parts = members.iter().map(|(name, value)| match name.as_str() {
        "And" => list(value, " and "),
        "Or" => list(value, " or "),
        "Not" => format!("not {}", told(value)),
        _ => told_leaf(value),
    });
    parts.collect::<Vec<String>>().join(" and ")
}

fn told_leaf(leaf: &Value) -> String {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let key = leaf.get("Key").map(text).unwrap_or_default();
    let values: Vec<String> =
        leaf.get("Values").and_then(Value::as_array).into_iter().flatten().map(text).collect();
    let options = leaf.get("MatchOptions").map(|it| format!(" {it}")).unwrap_or_default();
    match values.as_slice() {
        [] => format!("{key}{options}"),
        [only] => format!("{key} = {only}{options}"),
        [first, .., last] if values.len() > 3 => {
            format!("{key} is one of {} ({first} … {last}){options}", values.len())
        }
        few => format!("{key} is one of {}{options}", few.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_means_the_same_is_the_same() {
        let leaf = |values: &[&str]| json!({ "Tags": { "Key": "k", "Values": values } });
        for (left, right) in [
            (leaf(&["b", "a"]), leaf(&["a", "b", "a"])),
            (json!({ "Or": [leaf(&["a"])] }), leaf(&["a"])),
            (
                json!({ "And": [leaf(&["b"]), { "And": [leaf(&["c"]), leaf(&["a"])] }] }),
                json!({ "And": [leaf(&["a"]), leaf(&["b"]), leaf(&["c"])] }),
            ),
            (
                json!({ "Not": { "Tags": { "Key": "k", "Values": ["a"], "MatchOptions": ["EQUALS"] } } }),
                json!({ "Not": leaf(&["a"]) }),
            ),
        ] {
            assert_eq!(tidy(&left), tidy(&right), "{left} {right}");
        }
        let absent = absent("k");
        assert_eq!(tidy(&absent), absent);
        assert_ne!(
            tidy(&json!({ "Or": [leaf(&["a"]), leaf(&["b"])] })),
            tidy(&json!({ "And": [leaf(&["a"]), leaf(&["b"])] }))
        );
    }

    #[test]
    fn no_list_has_one_member_and_no_leaf_too_many_values() {
        assert_eq!(any(Vec::new()), None);
        let many = tag("k", (0..250).map(|it| it.to_string()));
        assert_eq!(many.len(), 3);
        assert_eq!(all(many[..1].to_vec()), Some(many[0].clone()));
        assert!(tag("k", Vec::new()).is_empty());
    }

    #[test]
    fn an_expression_that_loses_a_value_narrows() {
        let leaf = |values: &[&str]| json!({ "Tags": { "Key": "k", "Values": values } });
        let less = |values: &[&str]| json!({ "And": [leaf(&["a"]), not(&leaf(values))] });
        let types = not(&dimension("RECORD_TYPE", ["Credit".to_owned()])[0]);
        for (from, to, expected) in [
            (Some(leaf(&["a", "b"])), Some(leaf(&["a"])), true),
            (Some(leaf(&["a"])), Some(leaf(&["a", "b"])), false),
            (Some(less(&["x"])), Some(less(&["x", "y"])), true),
            (Some(less(&["x", "y"])), Some(less(&["x"])), false),
            (Some(leaf(&["a"])), Some(json!({ "And": [leaf(&["a"]), types] })), false),
            (None, Some(leaf(&["a"])), true),
            (Some(leaf(&["a"])), None, false),
            (None, None, false),
        ] {
            assert_eq!(narrows(from.as_ref(), to.as_ref()), expected, "{from:?} {to:?}");
        }
    }

    #[test]
    fn what_cannot_be_sent_is_no_expression() {
        let leaf = json!({ "Tags": { "Key": "k", "Values": ["a"] } });
        for (expression, expected) in [
            (leaf.clone(), true),
            (absent("k"), true),
            (json!({ "And": [leaf, { "Not": absent("k") }] }), true),
            (json!({ "And": [leaf] }), false),
            (json!({ "Dimension": { "Key": "SERVICE", "Values": ["a"] } }), false),
            (json!({ "Dimensions": { "Key": "SERVICE", "Values": [] } }), false),
            (json!({ "Tags": { "Key": "k", "Values": ["a"], "Odd": 1 } }), false),
            (json!({ "Tags": { "Key": "k", "Values": ["a"] }, "Not": leaf }), false),
            (json!("k"), false),
        ] {
            assert_eq!(is_whole(&expression), expected, "{expression}");
        }
    }

    #[test]
    fn cost_explorer_is_asked_without_prefixes() {
        let expression = all(vec![
            any([tag("a", ["x".to_owned()]), tag("b", ["y".to_owned()])].concat()).unwrap(),
            not(&absent("c")),
            dimension("SERVICE", ["s".to_owned()])[0].clone(),
        ]);
        let filter = query(&expression.unwrap()).unwrap();
        assert_eq!(
            filter.to_json().to_string(),
            r#"{"And":[{"Or":[{"Tags":{"Key":"a","Values":["x"]}},{"Tags":{"Key":"b","Values":["y"]}}]},{"Not":{"Tags":{"Key":"c","MatchOptions":["ABSENT"]}}},{"Dimensions":{"Key":"SERVICE","Values":["s"]}}]}"#
        );
        assert_eq!(query(&json!({ "CostCategories": { "Key": "x" } })), None);
    }

    #[test]
    fn an_expression_reads_as_a_sentence() {
        let expression = all(vec![
            any([
                tag("sagemaker:domain-arn", ["a".to_owned()]),
                tag("team", ["x".to_owned(), "y".to_owned()]),
            ]
            .concat())
            .unwrap(),
            not(&dimension("RECORD_TYPE", (0..5).map(|it| format!("t{it}")))[0]),
        ]);
        assert_eq!(
            told(&expression.unwrap()),
            "(user:sagemaker:domain-arn = a or user:team is one of x, y) and not RECORD_TYPE is one of 5 (t0 … t4)"
        );
    }
}
