//! Owns the imitation of STS: who the caller is, and the way into another account.
//!
//! **Invariant:** credentials name their account in the access key, which is all that authenticates here.

use jiff::{Timestamp, ToSpan};
use serde_json::Value;

use super::page::{required, text, unknown};
use super::wire::{Body, Caller, Refusal};
use super::world::World;
use super::xml::{self, element};

/// What the access key of an assumed role starts with; the account follows.
pub const ASSUMED_KEY: &str = "ASIASANDBOX";

/// The namespace of answers and errors.
pub const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const INVALID: &str = "ValidationError";

/// Answers one operation of STS; `body` holds the members of the form.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    let result = match operation {
        "GetCallerIdentity" => identity(caller),
        "AssumeRole" => assume_role(world, caller, body)?,
        other => return Err(Refusal::new("InvalidAction", unknown(other).message)),
    };
    Ok(xml::answer(world, NAMESPACE, operation, &result))
}

fn identity(caller: &Caller) -> String {
    let account = &caller.account;
    let arn = format!("arn:aws:iam::{account}:user/sandbox");
    element("Arn", &arn)
        + &element("UserId", &format!("AIDASANDBOX{account}"))
        + &element("Account", account)
}

fn assume_role(world: &World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    let role_arn = required(body, "RoleArn", INVALID)?;
    let session = required(body, "RoleSessionName", INVALID)?;
    let (account, role) = read_role(role_arn)
        .ok_or_else(|| Refusal::new(INVALID, format!("{role_arn} is invalid")))?;
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "_+=,.@-".contains(letter);
    if !(2..=64).contains(&session.len()) || !session.chars().all(fits) {
        return Err(Refusal::new(INVALID, format!("The role session name {session} is invalid")));
    }
    if !world.organisation.accounts.iter().any(|known| known.id == account) {
        let message = format!(
            "User: arn:aws:iam::{}:user/sandbox is not authorized to perform: sts:AssumeRole on \
             resource: {role_arn}",
            caller.account
        );
        return Err(Refusal { status: 403, code: "AccessDenied".to_owned(), message });
    }
    let lasting = text(body, "DurationSeconds").map_or(Ok(3600), str::parse::<i64>);
    let lasting = lasting.ok().filter(|seconds| (900..=43_200).contains(seconds));
    let lasting = lasting.ok_or_else(|| {
        Refusal::new(INVALID, "DurationSeconds has to be a number from 900 to 43200")
    })?;
    let expires_at: Timestamp = world.now + lasting.seconds();
    let credentials = element("AccessKeyId", &format!("{ASSUMED_KEY}{account}"))
        + &element("SecretAccessKey", "sandbox")
        + &element("SessionToken", &format!("sandbox-session-of-{account}"))
        + &element("Expiration", &expires_at.to_string());
    // The session's ARN drops the role's path, as AWS does.
    let name = role.rsplit('/').next().unwrap_or(role);
    let user = element("AssumedRoleId", &format!("AROASANDBOX{account}:{session}"))
        + &element("Arn", &format!("arn:aws:sts::{account}:assumed-role/{name}/{session}"));
    Ok(format!("<Credentials>{credentials}</Credentials><AssumedRoleUser>{user}</AssumedRoleUser>"))
}

/// Reads account and path of `arn:aws:iam::<account>:role/<path/name>`.
fn read_role(arn: &str) -> Option<(&str, &str)> {
    let (account, role) = arn.strip_prefix("arn:aws:iam::")?.split_once(":role/")?;
    let digits = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (digits && !role.is_empty()).then_some((account, role))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::sample::{MEMBER, payer, world};
    use super::*;

    fn ask(operation: &str, body: &Value) -> Result<String, Refusal> {
        let answer = answer(&mut world(), &payer(), operation, body)?;
        let Body::Xml(xml) = answer else { panic!("STS speaks XML") };
        Ok(xml)
    }

    #[test]
    fn the_caller_is_told_who_it_is() {
        let xml = ask("GetCallerIdentity", &json!({})).unwrap();
        assert!(xml.starts_with("<GetCallerIdentityResponse xmlns="), "{xml}");
        assert!(xml.contains("<Account>111122223333</Account>"), "{xml}");
        assert!(xml.contains("<Arn>arn:aws:iam::111122223333:user/sandbox</Arn>"), "{xml}");
    }

    #[test]
    fn a_role_with_a_path_is_assumed_and_loses_it() {
        let role = format!("arn:aws:iam::{MEMBER}:role/billing/Reader");
        let body = json!({ "RoleArn": role, "RoleSessionName": "x", "DurationSeconds": "900" });
        assert_eq!(ask("AssumeRole", &body).unwrap_err().code, "ValidationError");
        let body = json!({ "RoleArn": role, "RoleSessionName": "run", "DurationSeconds": "900" });
        let xml = ask("AssumeRole", &body).unwrap();
        for part in [
            "<AccessKeyId>ASIASANDBOX444455556666</AccessKeyId>",
            "<Expiration>2026-11-22T16:15:00Z</Expiration>",
            "<Arn>arn:aws:sts::444455556666:assumed-role/Reader/run</Arn>",
        ] {
            assert!(xml.contains(part), "{part} in {xml}");
        }
    }

    #[test]
    fn accounts_outside_are_closed() {
        let body =
            json!({ "RoleArn": "arn:aws:iam::123456789012:role/R", "RoleSessionName": "run" });
        let refusal = ask("AssumeRole", &body).unwrap_err();
        assert_eq!((refusal.status, refusal.code.as_str()), (403, "AccessDenied"));
    }
}
