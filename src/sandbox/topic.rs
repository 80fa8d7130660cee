//! Owns an SNS topic and what its policy lets a service do.
//!
//! **Invariant:** a condition that is not understood here is not met, so nothing is allowed by accident.

use serde_json::{Value, json};

/// An SNS topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// The ARN, which names region and owner.
    pub arn: String,
    /// The policy, as JSON text.
    pub policy: String,
    /// Whether its messages are encrypted with a key of KMS.
    pub encrypted: bool,
}

/// A service that asks to publish, and on whose behalf.
pub(super) struct Publisher<'a> {
    /// `budgets.amazonaws.com` …
    pub service: &'a str,
    /// `aws:SourceAccount`.
    pub account: &'a str,
    /// `aws:SourceArn`.
    pub arn: &'a str,
}

impl Topic {
    /// Makes a topic whose policy lets its owner do all, and AWS Budgets publish for its owner when `budgets` says so.
    pub fn new(account: &str, region: &str, name: &str, budgets: bool) -> Topic {
        let arn = format!("arn:aws:sns:{region}:{account}:{name}");
        let mut statements = vec![json!({
            "Sid": "__default_statement_ID",
            "Effect": "Allow",
            "Principal": { "AWS": "*" },
            "Action": ["SNS:GetTopicAttributes", "SNS:SetTopicAttributes", "SNS:Publish"],
            "Resource": arn,
            "Condition": { "StringEquals": { "AWS:SourceOwner": account } },
        })];
        if budgets {
            statements.push(json!({
                "Sid": "AWSBudgetsSNSPublishingPermissions",
                "Effect": "Allow",
                "Principal": { "Service": "budgets.amazonaws.com" },
                "Action": "SNS:Publish",
                "Resource": arn,
                "Condition": {
                    "StringEquals": { "aws:SourceAccount": account },
                    "ArnLike": { "aws:SourceArn": format!("arn:aws:budgets::{account}:*") },
                },
            }));
        }
        let policy = json!({ "Version": "2008-10-17", "Id": "__default_policy_ID",
            "Statement": statements });
        Topic { arn, policy: policy.to_string(), encrypted: false }
    }

    /// Returns the account that owns it.
    pub fn owner(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }

    /// Tells whether the policy lets a service publish; a denial prevails.
    pub(super) fn lets_publish(&self, publisher: &Publisher<'_>) -> bool {
        let policy: Value = serde_json::from_str(&self.policy).unwrap_or_default();
        let statements = list(policy.get("Statement"));
        let says = |effect: &str| {
            statements.iter().any(|statement| {
                statement.get("Effect").and_then(Value::as_str) == Some(effect)
                    && self.is_about(statement, publisher)
            })
        };
        says("Allow") && !says("Deny")
    }

    fn is_about(&self, statement: &Value, publisher: &Publisher<'_>) -> bool {
        let any = |value: Option<&Value>, test: &dyn Fn(&str) -> bool| {
            list(value).iter().filter_map(|it| it.as_str()).any(test)
        };
        let principal = statement.get("Principal");
        let everybody = principal.and_then(Value::as_str) == Some("*");
        let services = principal.and_then(|principal| principal.get("Service"));
        (everybody || any(services, &|it| it == publisher.service))
            && any(statement.get("Action"), &|it| is_like(&it.to_ascii_lowercase(), "sns:publish"))
            && any(statement.get("Resource"), &|it| is_like(it, &self.arn))
            && is_met(statement.get("Condition"), publisher)
    }
}

/// Tells whether all of a statement's conditions are met.
fn is_met(conditions: Option<&Value>, publisher: &Publisher<'_>) -> bool {
    let Some(operators) = conditions.and_then(Value::as_object) else {
        return conditions.is_none();
    };
    operators.iter().all(|(operator, keys)| {
        let keys = keys.as_object();
        keys.is_some_and(|keys| {
            keys.iter().all(|(key, wanted)| {
                let is = match key.to_ascii_lowercase().as_str() {
                    "aws:sourceaccount" => publisher.account,
                    "aws:sourcearn" => publisher.arn,
                    _ => return false,
                };
                list(Some(wanted)).iter().filter_map(|it| it.as_str()).any(|wanted| match operator
                    .as_str()
                {
                    "StringEquals" => wanted == is,
                    "StringLike" | "ArnLike" | "ArnEquals" => is_like(wanted, is),
                    _ => false,
                })
            })
        })
    })
}

/// Returns the items of a list, or the one item that stands for a list of one.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(item) => vec![item],
        None => Vec::new(),
    }
}

/// Tells whether a text is of a pattern in which `*` stands for any text and `?` for any letter.
fn is_like(pattern: &str, text: &str) -> bool {
    let mut pattern = pattern.chars();
    match pattern.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = pattern.as_str();
            let cuts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            cuts.into_iter().any(|at| is_like(rest, &text[at..]))
        }
        Some(letter) => {
            let mut letters = text.chars();
            letters.next().is_some_and(|it| letter == '?' || it == letter)
                && is_like(pattern.as_str(), letters.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_lets_publish_whom_it_names_under_its_conditions() {
        let budgets = |account: &'static str| Publisher {
            service: "budgets.amazonaws.com",
            account,
            arn: "arn:aws:budgets::111122223333:budget/a",
        };
        let own = Topic::new("111122223333", "us-east-1", "cost", true);
        assert_eq!(own.owner(), "111122223333");
        assert!(own.lets_publish(&budgets("111122223333")));
        assert!(!own.lets_publish(&budgets("444455556666")));
        let closed = Topic::new("111122223333", "us-east-1", "cost", false);
        assert!(!closed.lets_publish(&budgets("111122223333")));
        let arn = &own.arn;
        let allow = json!({ "Effect": "Allow", "Principal": { "Service": ["budgets.amazonaws.com"] },
            "Action": "sns:*", "Resource": "*" });
        let with = |name: &str, value: Value| {
            let mut statement = allow.clone();
            statement[name] = value;
            statement
        };
        let like = |arn: &str| json!({ "StringLike": { "AWS:SourceArn": [arn] } });
        for (statements, expected) in [
            (json!(allow), true),
            (json!([allow, with("Effect", json!("Deny"))]), false),
            (json!([with("Principal", json!("*"))]), true),
            (json!([with("Principal", json!({ "AWS": "*" }))]), false),
            (json!([with("Action", json!(["SNS:Subscribe"]))]), false),
            (json!([with("Resource", json!(arn))]), true),
            (json!([with("Resource", json!(format!("{arn}-other")))]), false),
            (json!([with("Condition", like("arn:aws:budgets::1111????3333:*"))]), true),
            (json!([with("Condition", like("arn:aws:budgets::444455556666:*"))]), false),
            (
                json!([with("Condition", json!({ "Bool": { "aws:SecureTransport": "true" } }))]),
                false,
            ),
        ] {
            let policy = json!({ "Statement": statements }).to_string();
            let topic = Topic { policy, ..own.clone() };
            assert_eq!(topic.lets_publish(&budgets("111122223333")), expected, "{statements}");
        }
    }
}
