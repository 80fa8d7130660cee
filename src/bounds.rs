//! Owns what AWS Budgets takes: names, addresses, and how many of each.
//!
//! Billing and Cost Management API Reference, `Budget`, `Subscriber` and `CreateBudget`; its text says five
//! notifications, its shape ten.

use std::collections::BTreeSet;

use crate::arn::Arn;
use crate::budget::Subscriber;
use crate::money::Money;

/// Notifications of one budget at most.
pub const NOTIFICATION_COUNT_MAX: usize = 10;
/// E-mail addresses that one notification tells at most; besides them one SNS topic.
pub const EMAIL_COUNT_MAX: usize = 10;
/// Characters of a budget's name at most.
pub const NAME_LENGTH_MAX: usize = 100;

/// Reads whom a notification tells.
pub fn subscribers(
    emails: &[String],
    topic: Option<&String>,
) -> Result<BTreeSet<Subscriber>, String> {
    let mut all = BTreeSet::new();
    for email in emails {
        let is_address = email.split_once('@').is_some_and(|(name, host)| {
            !name.is_empty() && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
        });
        if !is_address || email.contains(|it: char| it.is_whitespace() || it.is_control()) {
            return Err(format!("not an e-mail address: `{email}`"));
        }
        all.insert(Subscriber::Email(email.clone()));
    }
    if all.len() > EMAIL_COUNT_MAX {
        return Err(format!("AWS takes {EMAIL_COUNT_MAX} e-mail addresses a threshold"));
    }
    if let Some(topic) = topic {
        let is_topic = Arn::parse(topic).is_some_and(|arn| {
            arn.service == "sns" && !arn.region.is_empty() && !arn.resource.contains(':')
        });
        if !is_topic {
            return Err(format!("not the ARN of an SNS topic: `{topic}`"));
        }
        all.insert(Subscriber::Sns(topic.clone()));
    }
    Ok(all)
}

/// Says why AWS would refuse a budget's name.
pub fn check_name(name: &str) -> Result<(), String> {
    let length = name.chars().count();
    if !(1..=NAME_LENGTH_MAX).contains(&length) {
        return Err(format!(
            "a budget's name in AWS has 1 to {NAME_LENGTH_MAX} characters, and this has {length}: `{name}`"
        ));
    }
    if name.contains([':', '\\']) || name.chars().any(char::is_control) {
        return Err(format!("AWS takes no `:`, `\\` or control character in a name: `{name}`"));
    }
    if name.contains("/action/") || name.to_lowercase().contains("<script>") {
        return Err(format!("AWS takes no `/action/` and no `<script>` in a name: `{name}`"));
    }
    Ok(())
}

/// Says why AWS would refuse a threshold, or not keep it as it is.
pub fn check_threshold(value: Money) -> Result<(), String> {
    // The API takes 0 to 15,000,000,000,000, as a double, which holds 15 digits whatever they are.
    let most = Money::from_cents(15_000_000_000_000 * 100);
    if value <= Money::ZERO || value > most {
        return Err(format!("a threshold is above zero and not above {most}: `{value}`"));
    }
    if value.to_string().chars().filter(char::is_ascii_digit).count() > 15 {
        return Err(format!("a threshold has 15 digits at most: `{value}`"));
    }
    Ok(())
}
