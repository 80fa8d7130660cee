//! Owns fetching the descriptions of many resources: by `Search` where that spares calls, else one by one.
//!
//! **Invariant:** what could not be described for another reason than that it is gone is a gap.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sagemaker::Client;

use crate::aws::error::{Error, Kind};
use crate::aws::inventory::Reader;
use crate::aws::sagemaker::describe::{Subject, describe, operation};
use crate::aws::sagemaker::search;
use crate::aws::sagemaker::told::Told;
use crate::aws::window::{WIDTH, Window};
use crate::inventory::Resource;

/// Above this many resources of a type, their descriptions are searched for.
const DESCRIBED_COUNT_MAX: usize = 50;

/// Fetches what is told of some resources: in bulk where there are many of a type, else one by one.
pub(super) async fn fetch(
    client: &Client,
    reader: &mut Reader<'_>,
    wanted: &[usize],
) -> BTreeMap<usize, Told> {
    let mut by_kind: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for index in wanted {
        by_kind.entry(reader.read.resources[*index].kind.clone()).or_default().push(*index);
    }
    let mut told = BTreeMap::new();
    for (kind, mut indices) in by_kind {
        let Some(operation) = operation(&kind) else { continue };
        if indices.len() > DESCRIBED_COUNT_MAX
            && let Some(resource_type) = search::resource_type(&kind)
        {
            let arn = |index: &usize| reader.read.resources[*index].arn.to_lowercase();
            let arns: BTreeSet<String> = indices.iter().map(arn).collect();
            let mut found = search::find(client, reader, resource_type, &arns).await;
            // Two ARNs that differ in case alone cannot be told apart here, so they are described.
            if arns.len() == indices.len() {
                indices.retain(|index| match found.remove(&arn(index)) {
                    Some(found) => told.insert(*index, found).is_some(),
                    None => true,
                });
            }
        }
        describe_each(client, reader, operation, indices, &mut told).await;
    }
    told
}

async fn describe_each(
    client: &Client,
    reader: &mut Reader<'_>,
    operation: &'static str,
    indices: Vec<usize>,
    told: &mut BTreeMap<usize, Told>,
) {
    let mut window = Window::new(WIDTH);
    let mut indices = indices.into_iter();
    loop {
        while !window.is_full()
            && let Some(index) = indices.next()
        {
            if !reader.begin(operation) {
                return;
            }
            let Resource { kind, name, arn, .. } = &reader.read.resources[index];
            let subject = Subject { kind: kind.clone(), name: name.clone(), arn: arn.clone() };
            let client = client.clone();
            window.push(async move { (index, describe(client, subject).await) });
        }
        let Some((index, answer)) = window.next().await else { return };
        match answer {
            Ok(answer) => drop(told.insert(index, answer)),
            // Gone since it was listed, or since it made what names it.
            Err(error) if is_absent(&error) => {}
            Err(error) => {
                let is_denied = error.kind == Kind::AccessDenied;
                reader.gap(Some(error));
                if is_denied {
                    return;
                }
            }
        }
    }
}

fn is_absent(error: &Error) -> bool {
    error.code == "ResourceNotFound"
        || error.code == "ValidationException" && error.message.starts_with("Could not find")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::estate::tests::{ARN, read_with, refused};
    use crate::aws::testing::Answer;
    use serde_json::{Value, json};

    fn many(operation: &str, body: &str, can_search: bool) -> Answer {
        let arn = |number: usize| format!("{ARN}:training-job/job-{number}");
        let answer = match operation {
            "ListTrainingJobs" => {
                let job = |number: usize| {
                    json!({ "TrainingJobName": format!("job-{number}"),
                        "TrainingJobArn": arn(number), "TrainingJobStatus": "InProgress" })
                };
                json!({ "TrainingJobSummaries": (0..60).map(job).collect::<Vec<Value>>() })
            }
            "Search" if !can_search => return refused("AccessDeniedException"),
            "Search" => {
                assert!(body.contains(r#""Name":"Tags.sagemaker:domain-arn""#), "{body}");
                let second = body.contains("NextToken");
                let page = if second { 30..58 } else { 0..30 };
                let record = |number: usize| json!({ "TrainingJob": { "TrainingJobArn": arn(number), "RoleArn": "found" } });
                let results: Vec<Value> = page.map(record).collect();
                json!({ "Results": results, "NextToken": if second { "" } else { "t" } })
            }
            "DescribeTrainingJob" => json!({ "RoleArn": "described" }),
            _ => json!({}),
        };
        Answer::Body(200, answer.to_string())
    }

    #[tokio::test]
    async fn many_of_a_type_are_searched_for_and_only_the_rest_is_described() {
        for (can_search, searches, describes) in [(true, 2, 2), (false, 1, 60)] {
            let (inventory, asked) =
                read_with(false, move |operation, body| many(operation, body, can_search)).await;
            let count = |wanted: &str| {
                asked.iter().filter(|it| it.split(' ').next() == Some(wanted)).count()
            };
            assert_eq!((count("Search"), count("DescribeTrainingJob")), (searches, describes));
            let roles = inventory.resources.iter().map(|job| job.origin.role.as_deref().unwrap());
            let found = roles.filter(|role| *role == "found").count();
            assert_eq!((found, inventory.resources.len()), (60 - describes, 60));
            assert_eq!(inventory.gaps, []);
        }
    }

    #[tokio::test]
    async fn a_description_that_is_denied_is_a_gap_and_not_asked_for_again_and_again() {
        let (inventory, asked) = read_with(false, |operation, _| match operation {
            "ListNotebookInstances" => {
                let notebook = |number: usize| {
                    json!({ "NotebookInstanceName": format!("n{number}"),
                        "NotebookInstanceArn": format!("{ARN}:notebook-instance/n{number}") })
                };
                let notebooks: Vec<Value> = (0..30).map(notebook).collect();
                Answer::Body(200, json!({ "NotebookInstances": notebooks }).to_string())
            }
            "DescribeNotebookInstance" => refused("AccessDeniedException"),
            _ => Answer::Body(200, "{}".to_owned()),
        })
        .await;
        let asked = asked.iter().filter(|it| it.starts_with("DescribeNotebookInstance ")).count();
        assert!(asked <= WIDTH, "{asked}");
        let gaps: Vec<&str> = inventory.gaps.iter().map(|gap| gap.operation.as_str()).collect();
        assert_eq!((gaps, inventory.resources.len()), (vec!["DescribeNotebookInstance"], 30));
    }
}
