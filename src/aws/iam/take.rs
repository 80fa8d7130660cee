//! Owns taking the steps of an isolation policy: each is the calls of IAM that it names.
//!
//! **Invariant:** the default version is never deleted but with its policy.

use aws_sdk_iam::Client;
use serde_json::Value;

use crate::aws::error::Error;
use crate::aws::session::Session;
use crate::isolation::{DESCRIPTION, Step, VERSION_COUNT_MAX};

use super::policy::{self, Version};
use super::{SERVICE, is_absent, place};

const CREATE: &str = "CreatePolicy";

/// Takes one step with the policy of an ARN, whose document is to be the one given.
pub async fn take(
    session: &Session,
    arn: &str,
    document: &Value,
    step: &Step,
) -> Result<(), Error> {
    let client = session.iam();
    match step {
        Step::Create => {
            let (path, name) = place(CREATE, "policy", arn)?;
            let request = client.create_policy().policy_name(name).path(path);
            let request = request.policy_document(document.to_string()).description(DESCRIPTION);
            ask!(CREATE, request).map(drop)
        }
        Step::Rewrite => {
            let versions = policy::versions(&client, arn).await?;
            if versions.len() >= VERSION_COUNT_MAX
                && let Some(oldest) = versions.iter().find(|version| !version.is_default)
            {
                delete(&client, arn, oldest).await?;
            }
            let request = client.create_policy_version().policy_arn(arn);
            let request = request.policy_document(document.to_string()).set_as_default(true);
            ask!("CreatePolicyVersion", request).map(drop)
        }
        Step::Attach(role) => {
            let request = client.attach_role_policy().role_name(role).policy_arn(arn);
            ask!("AttachRolePolicy", request).map(drop)
        }
        Step::Detach(role) => {
            let request = client.detach_role_policy().role_name(role).policy_arn(arn);
            ask!("DetachRolePolicy", request).map(drop)
        }
        Step::Delete => {
            let versions = policy::versions(&client, arn).await?;
            for version in versions.iter().filter(|version| !version.is_default) {
                delete(&client, arn, version).await?;
            }
            ask!("DeletePolicy", client.delete_policy().policy_arn(arn)).map(drop)
        }
    }
}

/// Deletes a version; that it is gone already is no error.
async fn delete(client: &Client, arn: &str, version: &Version) -> Result<(), Error> {
    let request = client.delete_policy_version().policy_arn(arn).version_id(&version.id);
    match ask!("DeletePolicyVersion", request) {
        Err(error) if !is_absent(&error) => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::iam::xml::{done, end, good, refusal, sent};
    use crate::aws::testing::{Answer, sequence};
    use serde_json::json;

    const ARN: &str = "arn:aws:iam::111122223333:policy/a/b/Studio-d-1";

    /// The versions as the list has them: the id, the day of its making, and `*` where it is the default.
    fn versions(list: &str) -> Answer {
        let members = list.split_whitespace().map(|it| {
            let (id, day) = it.trim_end_matches('*').split_once('@').unwrap();
            format!(
                "<member><VersionId>{id}</VersionId><IsDefaultVersion>{}</IsDefaultVersion>\
                 <CreateDate>2026-11-{day}T00:00:00Z</CreateDate></member>",
                it.ends_with('*')
            )
        });
        let members = members.collect::<String>();
        good(policy::VERSIONS, &format!("<Versions>{members}</Versions>{}", end(None)))
    }

    /// Takes a step, and returns the calls with what they name, and the error.
    async fn taken(step: &Step, answers: Vec<Answer>) -> (Vec<String>, Option<Error>) {
        let (session, bodies) = sequence(answers).await;
        let document = json!({"Id": "a b", "Statement": []});
        let error = take(&session, ARN, &document, step).await.err();
        let calls = bodies.lock().unwrap().iter().map(|body| told(body)).collect();
        (calls, error)
    }

    fn told(body: &str) -> String {
        let mut told = sent(body, "Action").unwrap().to_owned();
        for name in
            ["PolicyName", "Path", "PolicyDocument", "SetAsDefault", "VersionId", "RoleName"]
        {
            if let Some(value) = sent(body, name) {
                told = format!("{told} {value}");
            }
        }
        let arn = "arn%3Aaws%3Aiam%3A%3A111122223333%3Apolicy%2Fa%2Fb%2FStudio-d-1";
        assert!(sent(body, "PolicyArn").is_none_or(|it| it == arn), "{body}");
        told
    }

    const DOCUMENT: &str = "%7B%22Id%22%3A%22a%20b%22%2C%22Statement%22%3A%5B%5D%7D";

    #[tokio::test]
    async fn each_step_is_its_calls() {
        let create = || good("CreatePolicyVersion", "");
        let rewritten = format!("CreatePolicyVersion {DOCUMENT} true");
        let delete = || done("DeletePolicyVersion");
        let table: Vec<(Step, Vec<Answer>, Vec<&str>)> = vec![
            (
                Step::Attach("r".to_owned()),
                vec![done("AttachRolePolicy")],
                vec!["AttachRolePolicy r"],
            ),
            (
                Step::Detach("r".to_owned()),
                vec![done("DetachRolePolicy")],
                vec!["DetachRolePolicy r"],
            ),
            (
                Step::Rewrite,
                vec![versions("v4@04* v3@03 v2@02 v1@01"), create()],
                vec!["ListPolicyVersions", &rewritten],
            ),
            // By the date first, whatever the number is.
            (
                Step::Rewrite,
                vec![versions("v7@03 v4@01* v6@04 v5@05 v3@06"), delete(), create()],
                vec!["ListPolicyVersions", "DeletePolicyVersion v7", &rewritten],
            ),
            // On one day by the number, which is none of letters.
            (
                Step::Rewrite,
                vec![versions("v12@01 v11@01* v10@01 v9@01 v13@01"), delete(), create()],
                vec!["ListPolicyVersions", "DeletePolicyVersion v9", &rewritten],
            ),
            (
                Step::Rewrite,
                vec![versions("v5@05* v4@04 v3@03 v2@02 v1@01"), refusal("NoSuchEntity"), create()],
                vec!["ListPolicyVersions", "DeletePolicyVersion v1", &rewritten],
            ),
            (
                Step::Delete,
                vec![
                    versions("v3@03 v2@02* v1@01"),
                    refusal("NoSuchEntity"),
                    delete(),
                    done("DeletePolicy"),
                ],
                vec![
                    "ListPolicyVersions",
                    "DeletePolicyVersion v1",
                    "DeletePolicyVersion v3",
                    "DeletePolicy",
                ],
            ),
        ];
        for (step, answers, expected) in table {
            let (calls, error) = taken(&step, answers).await;
            assert!(error.is_none(), "{step}: {error:?}");
            assert_eq!(calls, expected, "{step}");
        }
    }

    #[tokio::test]
    async fn a_policy_is_created_under_its_name_and_path() {
        let (session, bodies) = sequence(vec![good(CREATE, ""), good(CREATE, "")]).await;
        let document = json!({"Id": "a b", "Statement": []});
        for (arn, expected) in [
            (ARN, "CreatePolicy Studio-d-1 %2Fa%2Fb%2F"),
            ("arn:aws-cn:iam::111122223333:policy/p", "CreatePolicy p %2F"),
        ] {
            take(&session, arn, &document, &Step::Create).await.unwrap();
            let body = bodies.lock().unwrap().pop().unwrap();
            assert_eq!(told(&body), format!("{expected} {DOCUMENT}"));
            let description = "Keeps%20resources%20of%20other%20SageMaker%20domains%20apart%3B%20\
                written%20by%20apportion.";
            assert_eq!(sent(&body, "Description"), Some(description));
        }
        let error = take(&session, "arn:aws:iam::111122223333:role/p", &document, &Step::Create);
        assert_eq!(error.await.unwrap_err().code, "NotArn");
    }

    #[tokio::test]
    async fn a_refusal_ends_a_step() {
        let full = || versions("v5@05* v4@04 v3@03 v2@02 v1@01");
        let nobody = "<Versions><member><VersionId>v1</VersionId>\
            <CreateDate>2026-11-01T00:00:00Z</CreateDate></member></Versions>";
        let table: Vec<(Step, Vec<Answer>, &str)> = vec![
            (
                Step::Create,
                vec![refusal("EntityAlreadyExists")],
                "CreatePolicy EntityAlreadyExists",
            ),
            (
                Step::Rewrite,
                vec![full(), refusal("AccessDenied")],
                "DeletePolicyVersion AccessDenied",
            ),
            (
                Step::Rewrite,
                vec![versions("v1@01*"), refusal("MalformedPolicyDocument")],
                "CreatePolicyVersion MalformedPolicyDocument",
            ),
            (
                Step::Rewrite,
                vec![good(policy::VERSIONS, nobody)],
                "ListPolicyVersions UnreadableAnswer",
            ),
            (
                Step::Attach("r".to_owned()),
                vec![refusal("LimitExceeded")],
                "AttachRolePolicy LimitExceeded",
            ),
            (
                Step::Detach("r".to_owned()),
                vec![refusal("NoSuchEntity")],
                "DetachRolePolicy NoSuchEntity",
            ),
            (
                Step::Delete,
                vec![versions("v1@01*"), refusal("DeleteConflict")],
                "DeletePolicy DeleteConflict",
            ),
            (Step::Delete, vec![refusal("NoSuchEntity")], "ListPolicyVersions NoSuchEntity"),
        ];
        for (step, answers, expected) in table {
            let error = taken(&step, answers).await.1.unwrap();
            assert_eq!(format!("{} {}", error.operation, error.code), expected);
        }
    }
}
