//! Owns whether the policy of an SNS topic lets AWS Budgets publish to it.
//!
//! AWS Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications": the service
//! `budgets.amazonaws.com` publishes, under conditions on the source's account and ARN.
//! **Invariant:** what a policy says in a way that is not read here is in doubt, never taken for a yes or a no.

use serde_json::Value;

use crate::arn::AccountId;
use crate::doubt::Truth;
use crate::wildcard;

/// Whether AWS Budgets may publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// A statement lets it, and none is in the way.
    Open,
    /// No statement lets it, or one is in the way.
    Closed(String),
    /// It cannot be told.
    Doubtful(String),
}

/// The service that publishes.
const SERVICE: &str = "budgets.amazonaws.com";

/// A name that no budget has, so that a pattern which takes it takes every budget.
const ANY_NAME: &str = "budget/\u{1}";

/// Tells whether a topic's policy lets the budgets of an account publish to it.
pub fn access(policy: &str, topic: &str, account: &AccountId) -> Access {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return Access::Doubtful("its policy is no JSON".to_owned());
    };
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let (mut allowed, mut denied, mut is_of_another) = (Truth::No, Truth::No, false);
    for statement in statements {
        let about = about(statement, topic);
        let met = conditions(statement.get("Condition"), account);
        let concerns = about.min(met);
        match statement.get("Effect").and_then(Value::as_str) {
            Some("Allow") => {
                allowed = allowed.max(concerns);
                is_of_another |= about == Truth::Yes && met == Truth::No;
            }
            Some("Deny") => denied = denied.max(concerns),
            _ => {
                allowed = allowed.max(concerns.min(Truth::Unknown));
                denied = denied.max(concerns.min(Truth::Unknown));
            }
        }
    }
    match (allowed, denied) {
        (_, Truth::Yes) => Access::Closed("a statement of its policy denies it".to_owned()),
        (Truth::No, _) if is_of_another => Access::Closed(format!(
            "its policy lets `{SERVICE}` publish for another account or source than {account}"
        )),
        (Truth::No, _) => {
            Access::Closed(format!("no statement of its policy lets `{SERVICE}` publish"))
        }
        (Truth::Unknown, _) => Access::Doubtful(format!(
            "a statement of its policy may let `{SERVICE}` publish, in a form that is not read here"
        )),
        (Truth::Yes, Truth::Unknown) => Access::Doubtful(
            "a statement of its policy may deny it, in a form that is not read here".to_owned(),
        ),
        (Truth::Yes, Truth::No) => Access::Open,
    }
}

/// Tells whether a statement is about the service, publishing, and the topic; what it leaves out or turns round is not read.
fn about(statement: &Value, topic: &str) -> Truth {
    let action = statement.get("Action").map_or(Truth::Unknown, |action| {
        // Actions are told apart without regard to case (IAM User Guide, "IAM JSON policy elements: Action").
        any(action, |text| like(&text.to_lowercase(), "sns:publish"))
    });
    let resource = statement
        .get("Resource")
        .map_or(Truth::Unknown, |resource| any(resource, |text| like(text, topic)));
    principal(statement.get("Principal")).min(action).min(resource)
}

fn principal(principal: Option<&Value>) -> Truth {
    let is_one =
        |kind: &str, text: &str| truth(text == "*" || (kind == "Service" && text == SERVICE));
    match principal {
        Some(Value::Object(map)) => {
            let kinds = map.iter().map(|(kind, value)| any(value, |text| is_one(kind, text)));
            kinds.max().unwrap_or(Truth::No)
        }
        Some(value) => any(value, |text| is_one("", text)),
        None => Truth::Unknown,
    }
}

/// Tells whether one text of a value, or of its list, does; what is no text is not read.
fn any(value: &Value, does: impl Fn(&str) -> Truth) -> Truth {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let each = list.iter().map(|it| it.as_str().map_or(Truth::Unknown, &does));
    each.max().unwrap_or(Truth::No)
}

/// Tells whether conditions hold for the budgets of an account.
fn conditions(conditions: Option<&Value>, account: &AccountId) -> Truth {
    let operators = match conditions {
        None => return Truth::Yes,
        Some(Value::Object(operators)) => operators,
        Some(_) => return Truth::Unknown,
    };
    let each = operators.iter().map(|(operator, keys)| {
        let Value::Object(keys) = keys else { return Truth::Unknown };
        let each = keys.iter().map(|(key, value)| {
            match (operator.as_str(), key.to_lowercase().as_str()) {
                ("StringEquals", "aws:sourceaccount") => any(value, |text| equal(text, account)),
                ("StringLike", "aws:sourceaccount") => {
                    any(value, |text| like(text, account.as_str()))
                }
                ("ArnLike" | "ArnEquals" | "StringLike", "aws:sourcearn") => {
                    any(value, |text| source(text, account))
                }
                _ => Truth::Unknown,
            }
        });
        each.min().unwrap_or(Truth::Yes)
    });
    each.min().unwrap_or(Truth::Yes)
}

fn truth(is: bool) -> Truth {
    if is { Truth::Yes } else { Truth::No }
}

fn equal(text: &str, account: &AccountId) -> Truth {
    if text.contains("${") { Truth::Unknown } else { truth(text == account.as_str()) }
}

/// Tells whether a pattern takes a text; one with a variable of the policy's is not read.
fn like(pattern: &str, text: &str) -> Truth {
    if pattern.contains("${") {
        return Truth::Unknown;
    }
    truth(wildcard::like(pattern, text))
}

/// Tells whether a pattern takes the ARNs of an account's budgets, whatever the partition: all of them, none, or perhaps some.
fn source(pattern: &str, account: &AccountId) -> Truth {
    if pattern == "*" {
        return Truth::Yes;
    }
    let own = ["arn", "", "budgets", "", account.as_str()];
    let parts: Vec<&str> = pattern.splitn(6, ':').collect();
    let of = |index: usize| match (index, parts.get(index)) {
        (1, Some(_)) => Truth::Yes,
        (_, Some(part)) => like(part, own[index]),
        (_, None) => Truth::Unknown,
    };
    let head = (0..own.len()).map(of).min().unwrap_or(Truth::Unknown);
    let some = match parts.get(5).map(|resource| like(resource, ANY_NAME)) {
        Some(Truth::Yes) => Truth::Yes,
        // Which budgets these are is not known here.
        _ => Truth::Unknown,
    };
    // A `*` takes colons, too, so that parts are not always what they seem.
    let is_plain = parts.len() == 6 && parts[..5].iter().all(|part| !part.contains('*'));
    if is_plain || head == Truth::Yes { head.min(some) } else { Truth::Unknown }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOPIC: &str = "arn:aws:sns:us-east-1:111122223333:cost";

    fn told(statements: &str) -> &'static str {
        let policy = format!("{{\"Statement\": [{}]}}", statements.replace('\'', "\""));
        match access(&policy, TOPIC, &AccountId::parse("111122223333").unwrap()) {
            Access::Open => "open",
            Access::Closed(_) => "closed",
            Access::Doubtful(_) => "doubtful",
        }
    }

    fn statement(effect: &str, who: &str, action: &str, more: &str) -> String {
        format!("{{'Effect': '{effect}', {who}, {action}, 'Resource': '{TOPIC}'{more}}}")
    }

    const BUDGETS: &str = "'Principal': {'Service': 'budgets.amazonaws.com'}";
    const PUBLISH: &str = "'Action': 'SNS:Publish'";

    #[test]
    fn a_policy_says_whether_budgets_may_publish() {
        let with = |condition: &str| {
            statement("Allow", BUDGETS, PUBLISH, &format!(", 'Condition': {condition}"))
        };
        let elsewhere =
            |resource: &str| format!("{{'Effect': 'Allow', {BUDGETS}, {PUBLISH}{resource}}}");
        for (statement, expected) in [
            (statement("Allow", BUDGETS, PUBLISH, ""), "open"),
            (statement("Allow", BUDGETS, "'Action': 'SNS:Publish*'", ""), "open"),
            (statement("Allow", BUDGETS, "'Action': ['SNS:Subscribe', 'SNS:Pub*']", ""), "open"),
            (statement("Allow", BUDGETS, "'Action': 'SNS:Subscribe'", ""), "closed"),
            (statement("Allow", BUDGETS, "'NotAction': 'SNS:Subscribe'", ""), "doubtful"),
            (
                statement("Allow", "'NotPrincipal': {'AWS': '999999999999'}", PUBLISH, ""),
                "doubtful",
            ),
            (
                statement(
                    "Allow",
                    "'Principal': {'Service': 'cloudwatch.amazonaws.com'}",
                    PUBLISH,
                    "",
                ),
                "closed",
            ),
            (statement("Permit", BUDGETS, PUBLISH, ""), "doubtful"),
            (elsewhere(", 'Resource': 'arn:aws:sns:us-east-1:111122223333:other'"), "closed"),
            (elsewhere(", 'Resource': 'arn:aws:sns:*:111122223333:c?st'"), "open"),
            (elsewhere(", 'NotResource': 'arn:aws:sns:us-east-1:111122223333:other'"), "doubtful"),
            (elsewhere(""), "doubtful"),
            (
                with(
                    "{'StringEquals': {'aws:SourceAccount': '111122223333'}, 'ArnLike': {'aws:SourceArn': 'arn:aws:budgets::111122223333:*'}}",
                ),
                "open",
            ),
            (with("{'StringEquals': {'aws:SourceAccount': '999999999999'}}"), "closed"),
            (
                with(
                    "{'StringEquals': {'aws:SourceAccount': '999999999999'}, 'Bool': {'aws:SecureTransport': 'true'}}",
                ),
                "closed",
            ),
            (with("{'StringLike': {'aws:SourceAccount': '1111*'}}"), "open"),
            (with("{'ArnLike': {'aws:SourceArn': 'arn:aws:budgets::999999999999:*'}}"), "closed"),
            (with("{'ArnLike': {'aws:SourceArn': 'arn:aws:budgets::*:budget/*'}}"), "open"),
            (
                with(
                    "{'ArnLike': {'aws:SourceArn': 'arn:aws:budgets::111122223333:budget/team-*'}}",
                ),
                "doubtful",
            ),
            (with("{'StringLike': {'aws:SourceArn': 'arn:*:budget/*'}}"), "doubtful"),
            (with("{'StringLike': {'aws:SourceArn': '*'}}"), "open"),
            (with("{'IpAddress': {'aws:SourceIp': '10.0.0.0/8'}}"), "doubtful"),
            (
                statement(
                    "Allow",
                    "'Principal': {'AWS': '*'}",
                    "'Action': 'sns:*'",
                    ", 'Condition': {'StringEquals': {'AWS:SourceOwner': '111122223333'}}",
                ),
                "doubtful",
            ),
            (String::new(), "closed"),
        ] {
            assert_eq!(told(&statement), expected, "{statement}");
        }
        let account = AccountId::parse("111122223333").unwrap();
        assert!(matches!(access("no", TOPIC, &account), Access::Doubtful(_)));
    }

    #[test]
    fn a_denial_is_weighed_against_all_that_allows() {
        let open = statement("Allow", BUDGETS, PUBLISH, "");
        let insecure = ", 'Condition': {'Bool': {'aws:SecureTransport': 'false'}}";
        let all = "'Principal': '*'";
        for (denial, expected, alone) in [
            (statement("Deny", all, "'Action': '*'", ""), "closed", "closed"),
            (statement("Deny", all, PUBLISH, insecure), "doubtful", "closed"),
            (
                statement("Deny", "'NotPrincipal': {'AWS': '111122223333'}", PUBLISH, ""),
                "doubtful",
                "closed",
            ),
            (statement("Deny", all, "'NotAction': 'SNS:Subscribe'", ""), "doubtful", "closed"),
            (statement("Deny", all, "'Action': 'SNS:Subscribe'", ""), "open", "closed"),
            (statement("Deny", all, PUBLISH, "").replace(":cost'", ":other'"), "open", "closed"),
            (
                statement(
                    "Deny",
                    all,
                    PUBLISH,
                    ", 'Condition': {'StringEquals': {'aws:SourceAccount': '999999999999'}}",
                ),
                "open",
                "closed",
            ),
        ] {
            assert_eq!(told(&denial), alone, "{denial}");
            for both in [format!("{open}, {denial}"), format!("{denial}, {open}")] {
                assert_eq!(told(&both), expected, "{both}");
            }
        }
    }
}
