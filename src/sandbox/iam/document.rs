//! Owns what IAM looks for in the document of a policy before it takes it.
//!
//! **Invariant:** a document that is taken has in each statement an effect, actions and resources.

use std::collections::BTreeSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

const SYNTAX: &str = "Syntax errors in policy.";

/// See "IAM JSON policy elements: Condition operators" in the IAM User Guide.
const OPERATORS: [&str; 27] = [
    "StringEquals",
    "StringNotEquals",
    "StringEqualsIgnoreCase",
    "StringNotEqualsIgnoreCase",
    "StringLike",
    "StringNotLike",
    "NumericEquals",
    "NumericNotEquals",
    "NumericLessThan",
    "NumericLessThanEquals",
    "NumericGreaterThan",
    "NumericGreaterThanEquals",
    "DateEquals",
    "DateNotEquals",
    "DateLessThan",
    "DateLessThanEquals",
    "DateGreaterThan",
    "DateGreaterThanEquals",
    "Bool",
    "BinaryEquals",
    "IpAddress",
    "NotIpAddress",
    "ArnEquals",
    "ArnLike",
    "ArnNotEquals",
    "ArnNotLike",
    "Null",
];

const ELEMENTS: [&str; 7] =
    ["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"];

/// Checks the document of an identity policy, and returns what is wrong with it.
pub(super) fn check(document: &str) -> Result<(), String> {
    let syntax = || SYNTAX.to_owned();
    serde_json::from_str::<Distinct>(document).map_err(|_| syntax())?;
    let document: Value = serde_json::from_str(document).map_err(|_| syntax())?;
    let document = document.as_object().ok_or_else(syntax)?;
    if document.keys().any(|key| !["Version", "Id", "Statement"].contains(&key.as_str())) {
        return Err(syntax());
    }
    if document.get("Id").is_some_and(|id| !id.is_string()) {
        return Err(syntax());
    }
    match document.get("Version").map(Value::as_str) {
        Some(Some("2012-10-17" | "2008-10-17")) => {}
        None => return Err("Policy document must be version 2012-10-17 or greater.".to_owned()),
        Some(_) => return Err(syntax()),
    }
    let statements = match document.get("Statement") {
        Some(Value::Array(statements)) if !statements.is_empty() => statements.iter().collect(),
        Some(statement @ Value::Object(_)) => vec![statement],
        _ => return Err(syntax()),
    };
    let mut sids = BTreeSet::new();
    for statement in statements {
        let statement = statement.as_object().ok_or_else(syntax)?;
        check_statement(statement)?;
        let sid = statement.get("Sid").and_then(Value::as_str).filter(|sid| !sid.is_empty());
        if sid.is_some_and(|sid| !sids.insert(sid)) {
            return Err("Statement IDs (SID) in a single policy must be unique.".to_owned());
        }
    }
    Ok(())
}

fn check_statement(statement: &Map<String, Value>) -> Result<(), String> {
    if ["Principal", "NotPrincipal"].iter().any(|key| statement.contains_key(*key)) {
        return Err("Policy document should not specify a principal.".to_owned());
    }
    let known = |key: &String| ELEMENTS.contains(&key.as_str());
    let effect = statement.get("Effect").and_then(Value::as_str);
    if !statement.keys().all(known) || !matches!(effect, Some("Allow" | "Deny")) {
        return Err(SYNTAX.to_owned());
    }
    if let Some(sid) = statement.get("Sid") {
        let sid = sid.as_str().ok_or(SYNTAX)?;
        if !sid.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("Statement IDs (SID) must be alpha-numeric. Check that your input \
                        satisfies the regular expression [0-9A-Za-z]*"
                .to_owned());
        }
    }
    if let Some(condition) = statement.get("Condition") {
        check_condition(condition)?;
    }
    for action in either(statement, "Action", "actions")? {
        check_action(action)?;
    }
    for resource in either(statement, "Resource", "resources")? {
        check_resource(resource)?;
    }
    Ok(())
}

/// Returns the texts of an element or of its negation, of which there has to be one.
fn either<'a>(
    statement: &'a Map<String, Value>,
    element: &str,
    plural: &str,
) -> Result<Vec<&'a str>, String> {
    let value = match (statement.get(element), statement.get(&format!("Not{element}"))) {
        (Some(value), None) | (None, Some(value)) => value,
        (Some(_), Some(_)) => return Err(SYNTAX.to_owned()),
        (None, None) => return Err(format!("Policy statement must contain {plural}.")),
    };
    match value {
        Value::String(text) => Ok(vec![text]),
        Value::Array(texts) if texts.is_empty() => {
            Err(format!("Policy statement must contain {plural}."))
        }
        Value::Array(texts) => {
            texts.iter().map(|text| text.as_str().ok_or_else(|| SYNTAX.to_owned())).collect()
        }
        _ => Err(SYNTAX.to_owned()),
    }
}

fn check_action(action: &str) -> Result<(), String> {
    if action == "*" {
        return Ok(());
    }
    let Some((vendor, name)) = action.split_once(':') else {
        let message = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.";
        return Err(message.to_owned());
    };
    if name.contains(':') {
        return Err("Actions/Condition can contain only one colon.".to_owned());
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-.".contains(&byte);
    if vendor.is_empty() || !vendor.bytes().all(fits) {
        return Err(format!("Vendor {vendor} is not valid"));
    }
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"*?".contains(&byte);
    if name.is_empty() || !name.bytes().all(fits) {
        return Err(SYNTAX.to_owned());
    }
    Ok(())
}

fn check_resource(resource: &str) -> Result<(), String> {
    if resource == "*" {
        return Ok(());
    }
    let parts: Vec<&str> = resource.split(':').collect();
    if parts[0] != "arn" {
        return Err(format!("Resource {resource} must be in ARN format or \"*\"."));
    }
    // One colon too few moves the account to where the region stands.
    if parts.get(2) == Some(&"iam") && parts.get(3).is_some_and(|region| !region.is_empty()) {
        return Err(format!("IAM resource {resource} cannot contain region information."));
    }
    if parts.len() < 6 {
        return Err("The policy failed legacy parsing".to_owned());
    }
    Ok(())
}

fn check_condition(condition: &Value) -> Result<(), String> {
    let is_scalar = |value: &Value| value.is_string() || value.is_boolean() || value.is_number();
    let is_value = |value: &Value| match value {
        Value::Array(values) => values.iter().all(is_scalar),
        value => is_scalar(value),
    };
    let holds = condition.as_object().is_some_and(|operators| {
        operators.iter().all(|(operator, keys)| {
            let keys = keys.as_object();
            is_operator(operator) && keys.is_some_and(|keys| keys.values().all(is_value))
        })
    });
    if holds { Ok(()) } else { Err(SYNTAX.to_owned()) }
}

fn is_operator(operator: &str) -> bool {
    let set = ["ForAllValues:", "ForAnyValue:"];
    let plain = set.iter().find_map(|set| operator.strip_prefix(set)).unwrap_or(operator);
    // `Null` asks for the key itself, so it has no such form.
    let bare = plain.strip_suffix("IfExists").filter(|bare| *bare != "Null").unwrap_or(plain);
    OPERATORS.contains(&bare)
}

/// JSON of which no object has a key twice, which a map would not tell.
struct Distinct;

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Distinct, D::Error> {
        deserializer.deserialize_any(Distinct)
    }
}

impl<'de> Visitor<'de> for Distinct {
    type Value = Distinct;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Distinct, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Distinct, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Distinct, E> {
        Ok(self)
    }

    #[expect(clippy::disallowed_types, reason = "the trait names the type, and nothing is read")]
    fn visit_f64<E>(self, _: f64) -> Result<Distinct, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Distinct, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Distinct, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Distinct, A::Error> {
        while items.next_element::<Distinct>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Distinct, A::Error> {
        let mut keys = BTreeSet::new();
        while let Some((key, _)) = entries.next_entry::<String, Distinct>()? {
            if !keys.insert(key) {
                return Err(A::Error::custom("a key twice"));
            }
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::policy::Policy;
    use super::*;

    fn with(change: impl Fn(&mut Value)) -> String {
        let mut statement = json!({ "Sid": "One", "Effect": "Allow",
            "Action": "sagemaker:Describe*", "Resource": "*" });
        change(&mut statement);
        json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
    }

    fn set(key: &str, value: &Value) -> String {
        with(|statement| statement[key] = value.clone())
    }

    #[test]
    fn good_documents_are_taken() {
        for policy in Policy::managed() {
            assert_eq!(check(&policy.versions[0].document), Ok(()), "{}", policy.name);
        }
        let one = json!({ "Version": "2008-10-17", "Id": "x", "Statement": {
            "Effect": "Deny", "NotAction": ["s3:*", "*"],
            "NotResource": ["arn:aws:s3:::a", "arn:aws:s3:::b/${aws:username}"] } });
        let values = json!({ "ForAnyValue:StringEqualsIfExists": { "aws:TagKeys": ["a", "b"] },
            "Null": { "aws:ResourceTag/a": "false" }, "Bool": { "aws:SecureTransport": true },
            "NumericLessThan": { "a": [1, 0.5, -1] } });
        for good in [one.to_string(), set("Condition", &values), set("Sid", &json!(""))] {
            assert_eq!(check(&good), Ok(()), "{good}");
        }
    }

    #[test]
    fn syntax_errors_are_refused() {
        let whole = |change: fn(&mut Value)| {
            let mut document: Value = serde_json::from_str(&with(|_| ())).unwrap();
            change(&mut document);
            document.to_string()
        };
        let operator = |operator: &str| set("Condition", &json!({ operator: { "a": "b" } }));
        for bad in [
            "{".to_owned(),
            "[]".to_owned(),
            with(|_| ()).replacen("\"Sid\"", "\"Effect\":\"Allow\",\"Sid\"", 1),
            with(|_| ()).replacen('{', "{\"Version\":\"2012-10-17\",", 1),
            whole(|it| it["Version"] = json!("2012-10-18")),
            whole(|it| it["Version"] = json!(20)),
            whole(|it| it["Id"] = json!(1)),
            whole(|it| it["Other"] = json!(1)),
            whole(|it| it["Statement"] = json!([])),
            whole(|it| it["Statement"] = json!(["a"])),
            set("Effect", &json!("allow")),
            with(|it| drop(it.as_object_mut().unwrap().remove("Effect"))),
            set("Actions", &json!("s3:*")),
            set("NotAction", &json!("s3:*")),
            set("NotResource", &json!("*")),
            set("Action", &json!({})),
            set("Action", &json!([1])),
            set("Action", &json!("s3:")),
            set("Action", &json!("s3:Get Object")),
            set("Sid", &json!(1)),
            set("Condition", &json!([])),
            set("Condition", &json!({ "StringEquals": "a" })),
            set("Condition", &json!({ "StringEquals": { "a": {} } })),
            operator("StringEqual"),
            operator("NullIfExists"),
            operator("ForEachValue:StringEquals"),
            operator("IfExists"),
        ] {
            assert_eq!(check(&bad), Err(SYNTAX.to_owned()), "{bad}");
        }
    }

    #[test]
    fn what_is_wrong_is_told() {
        let gone = |key: &str| with(|it| drop(it.as_object_mut().unwrap().remove(key)));
        let statement = json!({ "Sid": "A", "Effect": "Allow", "Action": "*", "Resource": "*" });
        let twice = json!({ "Version": "2012-10-17", "Statement": [statement, statement] });
        let unversioned = json!({ "Statement": statement });
        let lost = "arn:aws:iam:444455556666:policy/x";
        for (bad, message) in [
            (unversioned.to_string(), "Policy document must be version 2012-10-17 or greater."),
            (twice.to_string(), "Statement IDs (SID) in a single policy must be unique."),
            (gone("Action"), "Policy statement must contain actions."),
            (set("Action", &json!([])), "Policy statement must contain actions."),
            (gone("Resource"), "Policy statement must contain resources."),
            (set("Principal", &json!("*")), "Policy document should not specify a principal."),
            (
                set("Sid", &json!("a-b")),
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the \
                 regular expression [0-9A-Za-z]*",
            ),
            (
                set("Action", &json!("CreateApp")),
                "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.",
            ),
            (
                set("Action", &json!("s3:Get:Object")),
                "Actions/Condition can contain only one colon.",
            ),
            (set("Action", &json!("s 3:Get")), "Vendor s 3 is not valid"),
            (set("Resource", &json!("bucket")), "Resource bucket must be in ARN format or \"*\"."),
            (
                set("Resource", &json!(lost)),
                "IAM resource arn:aws:iam:444455556666:policy/x cannot contain region information.",
            ),
            (set("Resource", &json!("arn:aws:s3:a")), "The policy failed legacy parsing"),
        ] {
            assert_eq!(check(&bad), Err(message.to_owned()), "{bad}");
        }
    }
}
