//! Owns documents of IAM policies as they are read: statements, what each is about, and the flaws for which IAM refuses one.
//!
//! IAM User Guide, "Grammar of the IAM JSON policy language" and "IAM JSON policy elements".
//! **Invariant:** what cannot be read is a flaw, never a statement that says something else.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::operator::Operator;

/// Characters of a managed policy at most, white space not counted (IAM User Guide, "IAM and AWS STS quotas").
pub const LENGTH_MAX: usize = 6144;

/// A policy that can be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// What people call it.
    pub name: String,
    /// Whether `${…}` stands for a value of the request: only in version 2012-10-17.
    pub has_variables: bool,
    /// The statements that could be read.
    pub statements: Vec<Statement>,
    /// Whether these are all; what the others say is not known.
    pub is_whole: bool,
}

/// A statement of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its Sid, or `#` and its place in the document.
    pub name: String,
    /// What it does where it applies.
    pub effect: Effect,
    /// The actions it is about.
    pub actions: Choice,
    /// The resources it is about.
    pub resources: Choice,
    /// What must hold, all of it.
    pub conditions: Vec<Condition>,
}

/// What a statement does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// Which of all actions or resources are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// These.
    Of(Vec<String>),
    /// All but these.
    Not(Vec<String>),
}

/// One key of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// How it is compared.
    pub operator: Operator,
    /// The key of the request.
    pub key: String,
    /// The values it is compared with.
    pub values: Vec<String>,
}

/// Why IAM refuses a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The statement by its name; empty for the document.
    pub statement: String,
    /// What sort of flaw it is.
    pub kind: FlawKind,
    /// What is wrong.
    pub text: String,
}

/// Sorts of flaws.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlawKind {
    /// A statement that says neither `Allow` nor `Deny`.
    NoEffect,
    /// Anything else.
    Malformed,
}

/// Returns the length of a document as IAM counts it: white space is left out.
pub fn length(document: &Value) -> usize {
    document.to_string().chars().filter(|it| !it.is_whitespace()).count()
}

impl Policy {
    /// Reads a document as far as it can be read, and returns what is wrong with it.
    pub fn read(name: &str, document: &Value) -> (Policy, Vec<Flaw>) {
        let mut flaws = Vec::new();
        let version = document.get("Version").and_then(Value::as_str);
        if version.is_some_and(|it| !["2012-10-17", "2008-10-17"].contains(&it)) {
            flaws.push(flaw("", "`Version` is neither `2012-10-17` nor `2008-10-17`"));
        }
        let found = match document.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(one @ Value::Object(_)) => std::slice::from_ref(one),
            _ => {
                flaws.push(flaw("", "it has no `Statement`"));
                &[]
            }
        };
        let mut sids = BTreeSet::new();
        let mut statements = Vec::new();
        for (index, found) in found.iter().enumerate() {
            // An empty one is none; other tools write it.
            let sid = found.get("Sid").and_then(Value::as_str).filter(|it| !it.is_empty());
            let name = sid.map_or_else(|| format!("#{}", index + 1), str::to_owned);
            if sid.is_some_and(|it| !it.chars().all(|sign| sign.is_ascii_alphanumeric())) {
                flaws.push(flaw(&name, "a Sid has only ASCII letters and digits"));
            }
            if sid.is_some_and(|it| !sids.insert(it)) {
                flaws.push(flaw(&name, "two statements have this Sid"));
            }
            statements.extend(Statement::read(name, found, &mut flaws));
        }
        let has_variables = version == Some("2012-10-17");
        let is_whole = statements.len() == found.len();
        (Policy { name: name.to_owned(), has_variables, statements, is_whole }, flaws)
    }
}

impl Statement {
    fn read(name: String, found: &Value, flaws: &mut Vec<Flaw>) -> Option<Statement> {
        let Value::Object(members) = found else {
            flaws.push(flaw(&name, "it is no object"));
            return None;
        };
        let effect = match members.get("Effect").and_then(Value::as_str) {
            Some("Allow") => Some(Effect::Allow),
            Some("Deny") => Some(Effect::Deny),
            _ => {
                let text = "it has no `Effect` of `Allow` or `Deny`, so IAM refuses the document";
                flaws.push(Flaw { kind: FlawKind::NoEffect, ..flaw(&name, text) });
                None
            }
        };
        if let Some(other) =
            ["Principal", "NotPrincipal"].iter().find(|it| members.contains_key(**it))
        {
            flaws.push(flaw(&name, &format!("a policy of an identity has no `{other}`")));
        }
        let actions = choice(&name, members, "Action", "NotAction", flaws);
        let resources = choice(&name, members, "Resource", "NotResource", flaws);
        let conditions = conditions(&name, members.get("Condition"), flaws);
        if let Some(Choice::Of(list) | Choice::Not(list)) = &actions {
            let is_action = |it: &&String| {
                *it != "*" && it.split_once(':').is_none_or(|(service, _)| service.is_empty())
            };
            for other in list.iter().filter(is_action) {
                flaws.push(flaw(&name, &format!("`{other}` is not `service:Action`")));
            }
        }
        if let Some(Choice::Of(list) | Choice::Not(list)) = &resources {
            for other in list.iter().filter(|it| !is_resource(it)) {
                flaws.push(flaw(&name, &format!("`{other}` is no ARN")));
            }
        }
        Some(Statement {
            name,
            effect: effect?,
            actions: actions?,
            resources: resources?,
            conditions: conditions?,
        })
    }
}

/// Tells whether a text can stand for resources: `*`, or an ARN in which the account is one.
///
/// Missing parts of an ARN are taken for `*` (IAM User Guide, "IAM JSON policy elements: Resource"), so one may end early in a `*`.
fn is_resource(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_account = |it: &str| {
        it.is_empty()
            || it == "aws"
            || it.contains(['*', '?', '$'])
            || (it.len() == 12 && it.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let ends_early = parts.len() < 6 && parts.last().is_some_and(|it| it.ends_with('*'));
    let is_full = parts.len() == 6 && is_account(parts[4]) && !parts[5].is_empty();
    text == "*" || (parts[0] == "arn" && (is_full || ends_early))
}

fn choice(
    statement: &str,
    members: &Map<String, Value>,
    these: &str,
    all_but: &str,
    flaws: &mut Vec<Flaw>,
) -> Option<Choice> {
    let texts = |name: &str| members.get(name).map(texts);
    let read = match (texts(these), texts(all_but)) {
        (Some(Some(list)), None) => Some(Choice::Of(list)),
        (None, Some(Some(list))) => Some(Choice::Not(list)),
        _ => None,
    };
    if read.is_none() {
        let text = format!("it has not exactly one of `{these}` and `{all_but}`, as texts");
        flaws.push(flaw(statement, &text));
    }
    read
}

fn conditions(
    statement: &str,
    found: Option<&Value>,
    flaws: &mut Vec<Flaw>,
) -> Option<Vec<Condition>> {
    let operators = match found {
        None => return Some(Vec::new()),
        Some(Value::Object(operators)) => operators,
        Some(_) => {
            flaws.push(flaw(statement, "`Condition` is no object"));
            return None;
        }
    };
    let mut conditions = Vec::new();
    for (name, keys) in operators {
        let Some(operator) = Operator::parse(name) else {
            flaws.push(flaw(statement, &format!("`{name}` is no operator of conditions")));
            return None;
        };
        let Value::Object(keys) = keys else {
            flaws.push(flaw(statement, &format!("`{name}` holds no keys")));
            return None;
        };
        for (key, value) in keys {
            let Some(values) = texts(value) else {
                flaws.push(flaw(statement, &format!("`{key}` has values that are no texts")));
                return None;
            };
            conditions.push(Condition { operator, key: key.clone(), values });
        }
    }
    Some(conditions)
}

/// Reads one text or many; numbers and truths count as texts, as they do in conditions.
fn texts(value: &Value) -> Option<Vec<String>> {
    let text = |it: &Value| match it {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(it.to_string()),
        _ => None,
    };
    match value {
        Value::Array(list) => list.iter().map(text).collect(),
        one => Some(vec![text(one)?]),
    }
}

fn flaw(statement: &str, text: &str) -> Flaw {
    Flaw { statement: statement.to_owned(), kind: FlawKind::Malformed, text: text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flaws(statement: &str) -> (usize, String) {
        let text =
            format!("{{'Version': '2012-10-17', 'Statement': {statement}}}").replace('\'', "\"");
        let (policy, flaws) = Policy::read("p", &serde_json::from_str(&text).unwrap());
        let told = flaws.iter().map(|it| format!("{}: {}", it.statement, it.text));
        (policy.statements.len(), told.collect::<Vec<String>>().join("; "))
    }

    #[test]
    fn flaws_are_those_for_which_iam_refuses_a_document() {
        let rest = "'Action': 'sagemaker:*', 'Resource': '*'";
        for (statement, expected) in [
            (format!("{{'Effect': 'Allow', {rest}}}"), (1, "")),
            (format!("[{{'Sid': 'A1', 'Effect': 'Deny', {rest}, 'Condition': {{'Null': {{'k': true}}}}}}]"), (1, "")),
            (
                format!("{{'Sid': 'ListAPIs', {rest}}}"),
                (0, "ListAPIs: it has no `Effect` of `Allow` or `Deny`, so IAM refuses the document"),
            ),
            (
                format!("{{'Sid': 'two words', 'Effect': 'Allow', {rest}}}"),
                (1, "two words: a Sid has only ASCII letters and digits"),
            ),
            (
                format!("[{{'Sid': 'A', 'Effect': 'Allow', {rest}}}, {{'Sid': 'A', 'Effect': 'Allow', {rest}}}]"),
                (2, "A: two statements have this Sid"),
            ),
            (
                format!("{{'Effect': 'Allow', {rest}, 'Condition': {{'String': {{'k': 'v'}}}}}}"),
                (0, "#1: `String` is no operator of conditions"),
            ),
            (
                format!("{{'Effect': 'Allow', {rest}, 'NotAction': 'a:b'}}"),
                (0, "#1: it has not exactly one of `Action` and `NotAction`, as texts"),
            ),
            (
                "{'Effect': 'Allow', 'Action': 'x', 'Resource': 'arn:aws:iam:111122223333:policy/p'}".to_owned(),
                (1, "#1: `x` is not `service:Action`; #1: `arn:aws:iam:111122223333:policy/p` is no ARN"),
            ),
            (
                format!("{{'Effect': 'Allow', 'Principal': '*', {rest}}}"),
                (1, "#1: a policy of an identity has no `Principal`"),
            ),
            (
                "[{'Sid': '', 'Effect': 'Allow', 'Action': 'a:*', 'Resource': 'arn:aws:sagemaker:*'}, \
                 {'Sid': '', 'Effect': 'Deny', 'Action': 'a:*', 'Resource': 'arn:aws:sagemaker:us-east-1:*'}]"
                    .to_owned(),
                (2, ""),
            ),
            ("'no'".to_owned(), (0, ": it has no `Statement`")),
        ] {
            let (count, told) = flaws(&statement);
            assert_eq!((count, told.as_str()), expected, "{statement}");
        }
    }

    #[test]
    fn white_space_does_not_count() {
        assert_eq!(length(&serde_json::json!({ "a b": "c d" })), 11);
    }
}
