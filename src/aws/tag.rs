//! Owns changing tags, by the Resource Groups Tagging API and by SageMaker's own calls, and reading them back.
//!
//! What was asked for twice is the same as once, so a call whose answer got lost may be repeated.
//! **Invariant:** what AWS did not do for one resource of a call is told, with AWS's own code.

use std::collections::BTreeMap;

use aws_sdk_resourcegroupstagging::types::FailureInfo;
use aws_sdk_sagemaker::types::Tag;

use crate::inventory::Tags;

use super::efs;
use super::error::Error;
use super::pages;
use super::session::Session;
use super::tagging::{self, SERVICE};

const SAGEMAKER: &str = "SageMaker";

/// The most resources of one call of the tagging API.
pub const BATCH_SIZE: usize = 20;

/// The types whose tags are read back.
const TYPES: [&str; 2] = ["sagemaker", "elasticfilesystem:file-system"];

/// A resource of a call that AWS left as it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The resource.
    pub arn: String,
    /// AWS's error code.
    pub code: String,
    /// AWS's message.
    pub message: String,
}

/// Puts tags on up to 20 resources of the session's region (`TagResources`); returns those it refused.
pub async fn put(session: &Session, arns: &[String], tags: &Tags) -> Result<Vec<Refused>, Error> {
    assert!((1..=BATCH_SIZE).contains(&arns.len()), "a batch has 1 to 20 resources");
    assert!((1..=50).contains(&tags.len()), "1 to 50 tags are put at once");
    let tags = tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    let request = session.tagging().tag_resources().set_resource_arn_list(Some(arns.to_vec()));
    match request.set_tags(Some(tags)).send().await {
        Ok(answer) => Ok(refused(answer.failed_resources_map)),
        Err(error) => Err(Error::of(SERVICE, "TagResources", &error)),
    }
}

/// Takes tags off up to 20 resources of the session's region (`UntagResources`); returns those it refused.
pub async fn take(
    session: &Session,
    arns: &[String],
    keys: &[String],
) -> Result<Vec<Refused>, Error> {
    assert!((1..=BATCH_SIZE).contains(&arns.len()), "a batch has 1 to 20 resources");
    assert!((1..=50).contains(&keys.len()), "1 to 50 keys are taken at once");
    let request = session.tagging().untag_resources().set_resource_arn_list(Some(arns.to_vec()));
    match request.set_tag_keys(Some(keys.to_vec())).send().await {
        Ok(answer) => Ok(refused(answer.failed_resources_map)),
        Err(error) => Err(Error::of(SERVICE, "UntagResources", &error)),
    }
}

/// Puts tags on one SageMaker resource (`AddTags`), over those that it has under the same keys.
pub async fn add(session: &Session, arn: &str, tags: &Tags) -> Result<(), Error> {
    let tags = tags.iter().map(|(key, value)| Tag::builder().key(key).value(value).build());
    let request = session.sagemaker().add_tags().resource_arn(arn);
    match request.set_tags(Some(tags.collect())).send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::of(SAGEMAKER, "AddTags", &error)),
    }
}

/// Takes tags off one SageMaker resource (`DeleteTags`); keys that it does not have are no error.
pub async fn delete(session: &Session, arn: &str, keys: &[String]) -> Result<(), Error> {
    let request = session.sagemaker().delete_tags().resource_arn(arn);
    match request.set_tag_keys(Some(keys.to_vec())).send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::of(SAGEMAKER, "DeleteTags", &error)),
    }
}

/// Reads the tags of one resource from its own service; absent when that knows none by the ARN, case included.
///
/// Of SageMaker that is `ListTags`, of a file system its description.
pub async fn list(session: &Session, arn: &str) -> Result<Option<Tags>, Error> {
    if let Some((_, id)) = arn.split_once(":file-system/") {
        return efs::tags(session, id).await;
    }
    let request = session.sagemaker().list_tags().resource_arn(arn).max_results(100);
    let stream = request.into_paginator().send();
    let listed = pages::list(SAGEMAKER, "ListTags", stream, |page| (page.next_token, page.tags));
    match listed.await.whole() {
        Ok(tags) => {
            let tags = tags.into_iter().filter_map(|tag| Some((tag.key?, tag.value?)));
            Ok(Some(tags.collect()))
        }
        // No model says so; seen as a ValidationException (boto/boto3#4606).
        Err(error) if error.message.contains("does not exist") => Ok(None),
        Err(error) if error.code == "ResourceNotFound" => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads which tags the region's resources have under some keys, by ARN; a resource with none of them has no tags here.
pub async fn read_marks(session: &Session, keys: &[&str]) -> Result<BTreeMap<String, Tags>, Error> {
    let mut marks = BTreeMap::new();
    let error = tagging::each(session, &TYPES, |arn, mut tags| {
        tags.retain(|key, _| keys.contains(&key.as_str()));
        marks.insert(arn, tags);
    });
    match error.await {
        None => Ok(marks),
        Some(error) => Err(error),
    }
}

fn refused(failed: Option<impl IntoIterator<Item = (String, FailureInfo)>>) -> Vec<Refused> {
    let failed: BTreeMap<String, FailureInfo> = failed.into_iter().flatten().collect();
    let refused = failed.into_iter().map(|(arn, failure)| Refused {
        arn,
        code: failure.error_code.map_or_else(
            || format!("HTTP {}", failure.status_code),
            |code| code.as_str().to_owned(),
        ),
        message: failure.error_message.unwrap_or_default(),
    });
    refused.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, sequence};
    use serde_json::{Value, json};

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn good(body: &Value) -> Answer {
        Answer::Body(200, body.to_string())
    }

    fn refusal(code: &str, message: &str) -> Answer {
        Answer::Body(400, json!({ "__type": code, "message": message }).to_string())
    }

    #[tokio::test]
    async fn what_a_batch_did_not_do_is_told_with_any_code() {
        let failed = json!({"FailedResourcesMap": {
            "arn:b": {"StatusCode": 400, "ErrorCode": "ValidationException",
                "ErrorMessage": "Resource does not exist"},
            "arn:a": {"StatusCode": 403, "ErrorCode": "AccessDeniedException"},
            "arn:c": {"StatusCode": 500}}});
        let (session, bodies) = sequence(vec![good(&failed), good(&failed)]).await;
        let arns = ["arn:a", "arn:b", "arn:c", "arn:d"].map(str::to_owned);
        let refused = put(&session, &arns, &tags(&[("k", "v")])).await.unwrap();
        let told: Vec<String> = refused
            .iter()
            .map(|refused| format!("{} {} {}", refused.arn, refused.code, refused.message))
            .collect();
        let expected = [
            "arn:a AccessDeniedException ",
            "arn:b ValidationException Resource does not exist",
            "arn:c HTTP 500 ",
        ];
        assert_eq!(told, expected);
        assert_eq!(take(&session, &arns, &["k".to_owned()]).await.unwrap(), refused);
        let bodies = bodies.lock().unwrap();
        let sent: Vec<Value> =
            bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        assert_eq!(sent[0], json!({"ResourceARNList": arns, "Tags": {"k": "v"}}));
        assert_eq!(sent[1], json!({"ResourceARNList": arns, "TagKeys": ["k"]}));
    }

    #[tokio::test]
    async fn one_resource_is_changed_and_read_by_its_own_calls() {
        let page = |key: &str, next: Option<&str>| {
            good(&json!({"Tags": [{"Key": key, "Value": "v"}], "NextToken": next}))
        };
        let answers = vec![
            good(&json!({"Tags": []})),
            good(&json!({})),
            page("a", Some("t")),
            page("b", None),
            refusal("ValidationException", "Resource does not exist"),
            refusal("AccessDeniedException", "not you"),
        ];
        let (session, bodies) = sequence(answers).await;
        add(&session, "arn:x", &tags(&[("k", "v")])).await.unwrap();
        delete(&session, "arn:x", &["k".to_owned()]).await.unwrap();
        let read = list(&session, "arn:x").await.unwrap();
        assert_eq!(read, Some(tags(&[("a", "v"), ("b", "v")])));
        assert_eq!(list(&session, "arn:x").await.unwrap(), None);
        assert_eq!(list(&session, "arn:x").await.unwrap_err().code, "AccessDeniedException");
        let bodies = bodies.lock().unwrap();
        let sent: Value = serde_json::from_str(&bodies[0]).unwrap();
        assert_eq!(sent, json!({"ResourceArn": "arn:x", "Tags": [{"Key": "k", "Value": "v"}]}));
        assert!(bodies[1].contains("TagKeys"), "{}", bodies[1]);
    }

    #[tokio::test]
    async fn marks_are_read_to_the_end_and_arns_stay_as_they_are() {
        let page = |arn: &str, tags: Value, token: &str| {
            good(&json!({"PaginationToken": token,
                "ResourceTagMappingList": [{"ResourceARN": arn, "Tags": tags}]}))
        };
        let both = json!([{"Key": "k", "Value": "v"}, {"Key": "team", "Value": "x"}]);
        let (session, bodies) =
            sequence(vec![page("arn:B", both, "t"), page("arn:a", json!([]), "")]).await;
        let marks = read_marks(&session, &["k"]).await.unwrap();
        let expected = [("arn:B".to_owned(), tags(&[("k", "v")])), ("arn:a".to_owned(), tags(&[]))];
        assert_eq!(marks, BTreeMap::from(expected));
        assert!(bodies.lock().unwrap()[0].contains("elasticfilesystem:file-system"));
    }

    #[tokio::test]
    async fn a_patient_session_outlasts_throttling_that_another_gives_up_on() {
        let throttled = || refusal("ThrottledException", "Rate exceeded");
        let answers = (0..5).map(|_| throttled()).collect();
        let (session, _) = sequence(answers).await;
        let arns = ["arn:a".to_owned()];
        let put_one = async |session: &Session| put(session, &arns, &tags(&[("k", "v")])).await;
        assert_eq!(put_one(&session).await.unwrap_err().kind, crate::aws::Kind::Throttled);
        // A lost answer is asked for again, too: to put a tag twice is to put it once.
        let mut answers: Vec<Answer> = (0..9).map(|_| throttled()).collect();
        answers.extend([Answer::Lost, good(&json!({"FailedResourcesMap": {}}))]);
        let (session, bodies) = sequence(answers).await;
        assert_eq!(put_one(&session.patient()).await.unwrap(), []);
        assert_eq!(bodies.lock().unwrap().len(), 11);
    }
}
