//! Owns how the members of a request are read and refused.
//!
//! **Invariant:** reads the request alone and knows nothing of what exists.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::page::{member, required, text};
use super::super::wire::Refusal;
use super::{INVALID, document, refuse, too_many};

const ARN_LENGTH_MIN: usize = 20;
const DOCUMENT_LENGTH_MAX: usize = 131_072;
const PATH_LENGTH_MAX: usize = 512;
/// Characters of a managed policy, not counting white space: "IAM and AWS STS quotas" in the IAM User Guide.
const POLICY_SIZE_MAX: usize = 6144;

/// Returns the ARN of a policy.
pub(super) fn policy_arn(body: &Value) -> Result<&str, Refusal> {
    let arn = required(body, "PolicyArn", INVALID)?;
    if arn.len() < ARN_LENGTH_MIN {
        let bound = format!("have length greater than or equal to {ARN_LENGTH_MIN}");
        return Err(unfit("PolicyArn", arn, &bound));
    }
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let is_policy = matches!(parts[..], ["arn", "aws", "iam", "", account, resource]
        if !account.is_empty() && resource.starts_with("policy/"));
    if !is_policy {
        return Err(Refusal::new("InvalidInput", format!("ARN {arn} is not valid.")));
    }
    Ok(arn)
}

/// Returns a name of at most so many letters.
pub(super) fn name<'a>(body: &'a Value, key: &str, most: usize) -> Result<&'a str, Refusal> {
    let name = required(body, key, INVALID)?;
    if name.len() > most {
        return Err(unfit(key, name, &format!("have length less than or equal to {most}")));
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_+=,.@-".contains(&byte)) {
        let rule = "It must contain only alphanumeric characters and/or the following: +=,.@_-";
        return Err(invalid(key, rule));
    }
    Ok(name)
}

/// Returns a path, or `/` when none is given.
pub(super) fn path<'a>(body: &'a Value, key: &str) -> Result<&'a str, Refusal> {
    let path = text(body, key).unwrap_or("/");
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".,+@=_-/".contains(&byte);
    let is_path = path.starts_with('/') && path.ends_with('/') && !path.contains("//");
    if !is_path || path.len() > PATH_LENGTH_MAX || !path.bytes().all(fits) {
        let rule = "It must begin and end with / and contain only alphanumeric characters and/or \
                    / characters.";
        return Err(invalid(key, rule));
    }
    Ok(path)
}

/// Returns the id of a version.
pub(super) fn version_id(body: &Value) -> Result<&str, Refusal> {
    let id = required(body, "VersionId", INVALID)?;
    let number = id.strip_prefix('v').filter(|number| !number.starts_with('0'));
    let is_id = |number: &str| !number.is_empty() && number.bytes().all(|it| it.is_ascii_digit());
    if !number.is_some_and(is_id) {
        let rule = "satisfy regular expression pattern: v[1-9][0-9]*(\\.[A-Za-z0-9-]*)?";
        return Err(unfit("VersionId", id, rule));
    }
    Ok(id)
}

/// Returns a switch, which is off when it is not given.
pub(super) fn flag(body: &Value, key: &str) -> Result<bool, Refusal> {
    match text(body, key) {
        None | Some("false") => Ok(false),
        Some("true") => Ok(true),
        Some(other) => Err(unfit(key, other, "be a boolean")),
    }
}

/// Returns one of the values that a member may have, where it is given.
pub(super) fn choice<'a>(
    body: &'a Value,
    key: &str,
    values: &[&str],
) -> Result<Option<&'a str>, Refusal> {
    let Some(value) = text(body, key) else { return Ok(None) };
    if !values.contains(&value) {
        let rule = format!("satisfy enum value set: [{}]", values.join(", "));
        return Err(unfit(key, value, &rule));
    }
    Ok(Some(value))
}

/// Returns the document of a managed policy, checked.
pub(super) fn policy_document(body: &Value) -> Result<&str, Refusal> {
    let key = "PolicyDocument";
    let text = required(body, key, INVALID)?;
    let fits = |it: char| matches!(it, '\t' | '\n' | '\r' | ' '..='\u{ff}');
    if !text.chars().all(fits) {
        return Err(invalid(key, "It must contain only printable ASCII characters."));
    }
    if text.chars().count() > DOCUMENT_LENGTH_MAX {
        let bound = format!("have length less than or equal to {DOCUMENT_LENGTH_MAX}");
        return Err(unfit(key, "…", &bound));
    }
    document::check(text).map_err(|message| refuse(400, "MalformedPolicyDocument", message))?;
    if text.chars().filter(|it| !it.is_whitespace()).count() > POLICY_SIZE_MAX {
        return Err(too_many(format!("Cannot exceed quota for PolicySize: {POLICY_SIZE_MAX}")));
    }
    Ok(text)
}

/// Returns the tags of a request, which a form numbers from 1.
pub(super) fn tags(body: &Value) -> Result<BTreeMap<String, String>, Refusal> {
    let mut tags = BTreeMap::new();
    for nth in 1.. {
        let Some(key) = text(body, &format!("Tags.member.{nth}.Key")) else { break };
        let value = text(body, &format!("Tags.member.{nth}.Value")).unwrap_or_default();
        if tags.insert(key.to_owned(), value.to_owned()).is_some() {
            let message =
                "Duplicate tag keys found. Please note that Tag keys are case insensitive.";
            return Err(Refusal::new("InvalidInput", message));
        }
    }
    Ok(tags)
}

fn invalid(key: &str, rule: &str) -> Refusal {
    let message = format!("The specified value for {} is invalid. {rule}", member(key));
    Refusal::new(INVALID, message)
}

fn unfit(key: &str, value: &str, rule: &str) -> Refusal {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{}' failed to satisfy constraint: \
         Member must {rule}",
        member(key)
    );
    Refusal::new(INVALID, message)
}
