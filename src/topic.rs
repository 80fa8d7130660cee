//! Owns whether the policy of an SNS topic lets AWS Budgets publish to it.
//!
//! AWS Cost Management User Guide, "Creating an Amazon SNS topic for budget notifications": the service
//! `budgets.amazonaws.com` publishes, under conditions on the source's account and ARN.
//! **Invariant:** what a policy says in a way that is not read here is in doubt, never taken for a yes or a no.

use serde_json::Value;

use crate::arn::AccountId;

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

/// Tells whether a topic's policy lets the budgets of an account publish.
pub fn access(policy: &str, account: &AccountId) -> Access {
    let Ok(policy) = serde_json::from_str::<Value>(policy) else {
        return Access::Doubtful("its policy is no JSON".to_owned());
    };
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    let mut access = Access::Closed(format!("no statement of its policy lets `{SERVICE}` publish"));
    for statement in statements {
        let is_about = names(statement.get("Principal"), &["Service"], SERVICE)
            && has_action(statement.get("Action"));
        if !is_about {
            continue;
        }
        let conditions = conditions(statement.get("Condition"), account);
        match (statement.get("Effect").and_then(Value::as_str), conditions) {
            (Some("Deny"), Some(true)) => {
                return Access::Closed("a statement of its policy denies it".to_owned());
            }
            (Some("Deny"), None) => {
                return Access::Doubtful(
                    "a statement of its policy may deny it under conditions".to_owned(),
                );
            }
            (Some("Allow"), Some(true)) => access = Access::Open,
            (Some("Allow"), None) if access != Access::Open => {
                access = Access::Doubtful(
                    "a statement of its policy lets it publish under conditions that are not read here"
                        .to_owned(),
                );
            }
            (Some("Allow"), Some(false)) if access != Access::Open => {
                access = Access::Closed(format!(
                    "its policy lets `{SERVICE}` publish for another account or source than {account}"
                ));
            }
            _ => {}
        }
    }
    access
}

fn names(principal: Option<&Value>, kinds: &[&str], name: &str) -> bool {
    let is_one = |value: &Value| texts(value).any(|it| it == name || it == "*");
    match principal {
        Some(Value::Object(map)) => map.iter().any(|(kind, value)| {
            (kinds.contains(&kind.as_str()) && is_one(value))
                || (kind == "AWS" && texts(value).any(|it| it == "*"))
        }),
        Some(value) => texts(value).any(|it| it == "*"),
        None => false,
    }
}

fn has_action(action: Option<&Value>) -> bool {
    let is_it = |text: &str| {
        let text = text.to_lowercase();
        ["sns:publish", "sns:*", "*"].contains(&text.as_str())
    };
    action.is_some_and(|action| texts(action).any(is_it))
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    let list = match value {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    list.iter().filter_map(Value::as_str)
}

/// Tells whether conditions hold for the budgets of an account; absent where one is not read here.
fn conditions(conditions: Option<&Value>, account: &AccountId) -> Option<bool> {
    let Some(Value::Object(operators)) = conditions else { return Some(true) };
    let source = format!("arn:aws:budgets::{account}:budget/x");
    let mut is_met = true;
    for (operator, keys) in operators {
        for (key, value) in keys.as_object()? {
            let pattern_fits = |text: &str| fits(text, &source);
            let is_one = match (operator.as_str(), key.to_lowercase().as_str()) {
                ("StringEquals" | "StringLike", "aws:sourceaccount") => {
                    texts(value).any(|it| it == account.as_str())
                }
                ("ArnLike" | "ArnEquals" | "StringLike", "aws:sourcearn") => {
                    texts(value).any(pattern_fits)
                }
                _ => return None,
            };
            is_met &= is_one;
        }
    }
    Some(is_met)
}

/// Tells whether an ARN with `*` for any text fits another, whatever their partitions.
fn fits(pattern: &str, arn: &str) -> bool {
    let after = |text: &str| text.splitn(3, ':').nth(2).map(str::to_owned);
    let (Some(pattern), Some(arn)) = (after(pattern), after(arn)) else { return false };
    glob::Pattern::new(&pattern).is_ok_and(|pattern| pattern.matches(&arn))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(statement: &str) -> &'static str {
        let policy = format!("{{\"Statement\": [{}]}}", statement.replace('\'', "\""));
        match access(&policy, &AccountId::parse("111122223333").unwrap()) {
            Access::Open => "open",
            Access::Closed(_) => "closed",
            Access::Doubtful(_) => "doubtful",
        }
    }

    #[test]
    fn a_policy_says_whether_budgets_may_publish() {
        let allow = "'Effect': 'Allow', 'Principal': {'Service': 'budgets.amazonaws.com'}, 'Action': 'SNS:Publish'";
        let with = |condition: &str| format!("{{{allow}, 'Condition': {condition}}}");
        let open = format!("{{{allow}}}");
        for (statement, expected) in [
            (open.clone(), "open"),
            (with("{'StringEquals': {'aws:SourceAccount': '111122223333'}, 'ArnLike': {'aws:SourceArn': 'arn:aws:budgets::111122223333:*'}}"), "open"),
            (with("{'StringEquals': {'aws:SourceAccount': '999999999999'}}"), "closed"),
            (with("{'ArnLike': {'aws:SourceArn': 'arn:aws:budgets::999999999999:*'}}"), "closed"),
            (with("{'IpAddress': {'aws:SourceIp': '10.0.0.0/8'}}"), "doubtful"),
            ("{'Effect': 'Allow', 'Principal': {'AWS': '*'}, 'Action': 'sns:*', 'Condition': {'StringEquals': {'AWS:SourceOwner': '111122223333'}}}".to_owned(), "doubtful"),
            ("{'Effect': 'Allow', 'Principal': {'Service': 'cloudwatch.amazonaws.com'}, 'Action': 'SNS:Publish'}".to_owned(), "closed"),
            (format!("{open}, {{'Effect': 'Deny', 'Principal': '*', 'Action': '*'}}"), "closed"),
            (String::new(), "closed"),
        ] {
            assert_eq!(told(&statement), expected, "{statement}");
        }
        assert!(matches!(
            access("no", &AccountId::parse("111122223333").unwrap()),
            Access::Doubtful(_)
        ));
    }
}
