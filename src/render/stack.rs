//! Owns what the languages of infrastructure tools have in common: exact documents, ids, and filters as they are nested.
//!
//! **Invariant:** no number passes through a float, members stand in the order in which they were put, and an id depends
//! on its own name alone: a tool takes a budget with another id for another budget, and deletes the old one.

use std::fmt::Write as _;

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use crate::budget::Threshold;
use crate::limit::Cycle;
use crate::money::Money;
use crate::setup::{Ceiling, Setup};

/// What a tool's language has no way to say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {why}")]
pub struct Inexpressible {
    /// The budget, or the whole.
    pub what: String,
    /// Why it cannot be said.
    pub why: String,
}

impl Inexpressible {
    pub(super) fn budget(name: &str, why: String) -> Inexpressible {
        Inexpressible { what: format!("budget `{name}`"), why }
    }
}

/// A part of a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Node {
    Text(String),
    /// Decimal digits as they are written.
    Number(String),
    /// A word of JSON: `true`, `false` or `null`.
    Word(&'static str),
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    pub(super) fn text(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    pub(super) fn money(money: Money) -> Node {
        Node::Number(money.to_string())
    }

    pub(super) fn texts<'a>(texts: impl IntoIterator<Item = &'a String>) -> Node {
        Node::List(texts.into_iter().map(|text| Node::text(text)).collect())
    }

    pub(super) fn map<const N: usize>(members: [(&str, Node); N]) -> Node {
        Node::Map(members.into_iter().map(|(name, node)| (name.to_owned(), node)).collect())
    }

    /// Takes a part of a document that is JSON already.
    pub(super) fn of(value: &Value) -> Node {
        match value {
            Value::Null => Node::Word("null"),
            Value::Bool(true) => Node::Word("true"),
            Value::Bool(false) => Node::Word("false"),
            Value::Number(number) => Node::Number(number.to_string()),
            Value::String(text) => Node::text(text),
            Value::Array(list) => Node::List(list.iter().map(Node::of).collect()),
            Value::Object(members) => Node::Map(
                members.iter().map(|(name, value)| (name.clone(), Node::of(value))).collect(),
            ),
        }
    }

    /// Tells whether any text of the part, names of members left out, is of a sort.
    pub(super) fn has_text(&self, is_of: &impl Fn(&str) -> bool) -> bool {
        match self {
            Node::Text(text) => is_of(text),
            Node::Number(_) | Node::Word(_) => false,
            Node::List(list) => list.iter().any(|it| it.has_text(is_of)),
            Node::Map(members) => members.iter().any(|(_, it)| it.has_text(is_of)),
        }
    }

    /// Prints the document, indented, with an end of line at its end.
    pub(super) fn print(&self) -> String {
        let mut text = String::new();
        self.push(&mut text, 0);
        text.push('\n');
        text
    }

    fn push(&self, text: &mut String, depth: usize) {
        let indent = "  ".repeat(depth);
        match self {
            Node::Text(it) => text.push_str(&quoted(it)),
            Node::Number(digits) => text.push_str(digits),
            Node::Word(word) => text.push_str(word),
            Node::List(list) if list.is_empty() => text.push_str("[]"),
            Node::Map(members) if members.is_empty() => text.push_str("{}"),
            Node::List(list) => {
                for (index, it) in list.iter().enumerate() {
                    let before = if index == 0 { "[" } else { "," };
                    write!(text, "{before}\n{indent}  ").expect("writing to a string");
                    it.push(text, depth + 1);
                }
                write!(text, "\n{indent}]").expect("writing to a string does not fail");
            }
            Node::Map(members) => {
                for (index, (name, it)) in members.iter().enumerate() {
                    let before = if index == 0 { "{" } else { "," };
                    let name = quoted(name);
                    write!(text, "{before}\n{indent}  {name}: ").expect("writing to a string");
                    it.push(text, depth + 1);
                }
                write!(text, "\n{indent}}}").expect("writing to a string does not fail");
            }
        }
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a text is valid JSON")
}

/// Returns the words of a name in ASCII letters and digits, at least one.
pub(super) fn words(name: &str) -> Vec<String> {
    let words = name.split(|it: char| !it.is_ascii_alphanumeric()).filter(|it| !it.is_empty());
    let mut words: Vec<String> = words.map(str::to_owned).collect();
    if words.is_empty() {
        words.push("budget".to_owned());
    }
    words
}

/// Returns what tells a name from others with the same words: the beginning of its SHA-256.
pub(super) fn mark(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().take(6).fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("writing to a string does not fail");
        text
    })
}

/// Says why no tool could be told of a setup.
pub(super) fn check(setup: &Setup) -> Result<(), String> {
    assert!(setup.switches.is_none(), "no budget of the older make is ever wanted");
    if Cycle::of_aws(&setup.time_unit).is_none() {
        let unit = &setup.time_unit;
        return Err(format!("its period is `{unit}`, whose first day the program does not keep"));
    }
    let is_limited = match &setup.ceiling {
        Ceiling::Fixed(_) | Ceiling::Adjusted(_) => true,
        Ceiling::Planned(amounts) => !amounts.is_empty(),
        Ceiling::None => false,
    };
    if !is_limited {
        return Err("it has no limit".to_owned());
    }
    if setup.filter.is_some() && setup.metric.is_none() {
        return Err("its filter has no metric, so AWS could not count".to_owned());
    }
    match setup.alarms.iter().find(|(_, whom)| whom.is_empty()) {
        Some((alarm, _)) => Err(format!("`{alarm}` tells nobody, which AWS refuses")),
        None => Ok(()),
    }
}

/// Returns a threshold as the API has it: the number, and the word for its sort.
pub(super) fn threshold(threshold: Threshold) -> (Money, &'static str) {
    match threshold {
        // Hundredths of a percent stand to percent as cents to dollars.
        Threshold::BasisPoints(points) => (Money::from_cents(i128::from(points)), "PERCENTAGE"),
        Threshold::Amount(money) => (money, "ABSOLUTE_VALUE"),
    }
}

/// A filter expression, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Filter {
    And(Vec<Filter>),
    Or(Vec<Filter>),
    Not(Box<Filter>),
    Leaf(Leaf),
}

/// A leaf of a filter expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// `Dimensions`, `Tags` or `CostCategories`.
    pub(super) kind: String,
    pub(super) key: String,
    pub(super) values: Vec<String>,
    pub(super) match_options: Vec<String>,
}

impl Filter {
    /// Parses what AWS Budgets takes for a `FilterExpression`.
    pub(super) fn parse(expression: &Value) -> Result<Filter, String> {
        let roots: Vec<(&String, &Value)> = expression.as_object().into_iter().flatten().collect();
        let [(name, operand)] = roots.as_slice() else {
            return Err(format!("a part of its filter has {} roots, not one", roots.len()));
        };
        let list = |operand: &Value| match operand.as_array() {
            Some(list) => list.iter().map(Filter::parse).collect(),
            None => Err(format!("`{name}` of its filter is no list")),
        };
        match name.as_str() {
            "And" => Ok(Filter::And(list(operand)?)),
            "Or" => Ok(Filter::Or(list(operand)?)),
            "Not" => Ok(Filter::Not(Box::new(Filter::parse(operand)?))),
            "Dimensions" | "Tags" | "CostCategories" => match operand.as_object() {
                Some(leaf) => Leaf::parse(name, leaf).map(Filter::Leaf),
                None => Err(format!("`{name}` of its filter is no leaf")),
            },
            _ => Err(format!("its filter has `{name}`, for which the tool has no word")),
        }
    }
}

impl Leaf {
    fn parse(kind: &str, members: &Map<String, Value>) -> Result<Leaf, String> {
        let mut leaf = Leaf {
            kind: kind.to_owned(),
            key: String::new(),
            values: Vec::new(),
            match_options: Vec::new(),
        };
        for (name, value) in members {
            let texts = || -> Option<Vec<String>> {
                value.as_array()?.iter().map(|it| it.as_str().map(str::to_owned)).collect()
            };
            let odd = || format!("`{name}` of `{kind}` in its filter is not of the usual form");
            match name.as_str() {
                "Key" => value.as_str().ok_or_else(odd)?.clone_into(&mut leaf.key),
                "Values" => leaf.values = texts().ok_or_else(odd)?,
                "MatchOptions" => leaf.match_options = texts().ok_or_else(odd)?,
                _ => return Err(odd()),
            }
        }
        Ok(leaf)
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::budget::Subscriber;
    use crate::setup::{Alarm, Alarms};
    use serde_json::json;
    use std::collections::BTreeSet;

    pub(crate) fn money(text: &str) -> Money {
        Money::parse(text).unwrap()
    }

    pub(crate) fn alarm(kind: &str, threshold: Threshold) -> Alarm {
        Alarm { kind: kind.to_owned(), operator: "GREATER_THAN".to_owned(), threshold }
    }

    pub(crate) fn whom(emails: &[&str]) -> BTreeSet<Subscriber> {
        emails.iter().map(|it| Subscriber::Email((*it).to_owned())).collect()
    }

    /// A monthly budget of one tag value, that tells one address of 80.5 %.
    pub(crate) fn setup(ceiling: Ceiling) -> Setup {
        let told = alarm("ACTUAL", Threshold::BasisPoints(8050));
        Setup {
            time_unit: "MONTHLY".to_owned(),
            ceiling,
            currency: "USD".to_owned(),
            metric: Some("NetAmortizedCost".to_owned()),
            filter: Some(json!({ "Tags": { "Key": "user:team", "Values": ["a", "b"] } })),
            switches: None,
            billing_view: None,
            ends_on: None,
            alarms: Alarms::from([(told, whom(&["a@example.com"]))]),
        }
    }

    /// A filter of so many operators above its leaf.
    pub(crate) fn nested(depth: usize) -> Value {
        let leaf = json!({ "Tags": { "Key": "user:k", "Values": ["v"] } });
        let other = json!({ "Dimensions": { "Key": "SERVICE", "Values": ["s"] } });
        (0..depth).fold(leaf, |inner, level| {
            if level % 2 == 0 { json!({ "Not": inner }) } else { json!({ "And": [inner, other] }) }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::Alarms;
    use serde_json::json;

    #[test]
    fn a_document_keeps_digits_order_and_every_character() {
        let node = Node::map([
            ("z", Node::money(samples::money("12345678901234567890.000000000001"))),
            ("a", Node::List(vec![Node::text("\"é\\\n</b>"), Node::List(Vec::new())])),
            ("m", Node::Map(Vec::new())),
        ]);
        let expected = "{\n  \"z\": 12345678901234567890.000000000001,\n  \"a\": [\n    \"\\\"é\\\\\\n</b>\",\n    []\n  ],\n  \"m\": {}\n}\n";
        assert_eq!(node.print(), expected);
        let read: Value = serde_json::from_str(&node.print()).unwrap();
        assert_eq!(read["a"][0], "\"é\\\n</b>");
    }

    #[test]
    fn names_with_the_same_words_have_marks_of_their_own() {
        for (name, expected) in [
            ("apportion/team vision-3", "apportion team vision 3"),
            ("\"größe\"", "gr e"),
            ("予算", "budget"),
        ] {
            assert_eq!(words(name).join(" "), expected);
        }
        assert_eq!(words("a/b"), words("a b"));
        assert_ne!(mark("a/b"), mark("a b"));
        // Another mark would make every tool delete the budgets that it made.
        assert_eq!(mark("a/b"), "c14cddc033f6");
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        let good = samples::setup(Ceiling::Fixed(samples::money("5")));
        assert_eq!(check(&good), Ok(()));
        let told = good.alarms.keys().next().unwrap().clone();
        for (setup, expected) in [
            (Setup { time_unit: "CUSTOM".to_owned(), ..good.clone() }, "`CUSTOM`"),
            (Setup { ceiling: Ceiling::None, ..good.clone() }, "no limit"),
            (Setup { ceiling: Ceiling::Planned([].into()), ..good.clone() }, "no limit"),
            (Setup { metric: None, ..good.clone() }, "no metric"),
            (
                Setup { alarms: Alarms::from([(told, [].into())]), ..good.clone() },
                "`ACTUAL > 80.5 %` tells nobody",
            ),
        ] {
            assert!(check(&setup).unwrap_err().contains(expected), "{expected}");
        }
    }

    #[test]
    fn a_filter_of_another_form_is_refused() {
        let leaf = json!({ "Key": "k", "Values": ["v"] });
        for (expression, expected) in [
            (json!({ "Tags": leaf, "Dimensions": leaf }), "2 roots"),
            (json!({}), "0 roots"),
            (json!({ "Not": { "And": leaf } }), "`And` of its filter is no list"),
            (json!({ "ProductAttributes": leaf }), "`ProductAttributes`"),
            (json!({ "Tags": { "Key": "k", "Values": [5] } }), "`Values` of `Tags`"),
            (json!({ "Tags": { "Key": "k", "Other": "v" } }), "`Other` of `Tags`"),
        ] {
            assert!(Filter::parse(&expression).unwrap_err().contains(expected), "{expected}");
        }
        assert!(Filter::parse(&samples::nested(5)).is_ok());
    }
}
