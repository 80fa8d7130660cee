//! Owns finding out where resources without their domain's tag come from, and what those come from in turn.
//!
//! **Invariant:** it ends: each resource is described once, and what names it does not matter.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sagemaker::Client;

use crate::arn::Arn;
use crate::aws::error::{Error, Kind};
use crate::aws::inventory::Reader;
use crate::aws::sagemaker::describe::{Subject, describe, operation};
use crate::aws::sagemaker::search;
use crate::aws::sagemaker::told::{Link, Told};
use crate::aws::tagging::TagIndex;
use crate::aws::window::{WIDTH, Window};
use crate::inventory::{Origin, Resource};
use crate::{key, kind};

/// The key under which a pipeline marks what one of its executions creates.
const PIPELINE_EXECUTION: &str = "sagemaker:pipeline-execution-arn";

/// Above this many resources of a type, their descriptions are searched for.
const DESCRIBED_COUNT_MAX: usize = 50;

/// Reads the origin of what lacks its domain's tag and costs something, of all that lacks it when `wide`,
/// and of what those were made by or use.
pub(super) async fn read(client: &Client, reader: &mut Reader<'_>, tags: &TagIndex, wide: bool) {
    let mut walk = Walk::new(reader, wide);
    let resources = &reader.read.resources;
    let mut wanted: Vec<usize> =
        (0..resources.len()).filter(|index| is_wanted(&resources[*index], wide)).collect();
    walk.seen.extend(wanted.iter().copied());
    while !wanted.is_empty() {
        let mut told = fetch(client, reader, &wanted).await;
        let mut next = Vec::new();
        for index in wanted {
            let told = told.remove(&index);
            if told.is_none() && walk.unlisted.contains(&index) {
                walk.gone.insert(index);
            }
            walk.follow(reader, tags, index, told.unwrap_or_default(), &mut next);
        }
        wanted = next;
    }
    // What was only named by others and could not be described is not known to exist.
    let mut index = 0;
    reader.read.resources.retain(|_| {
        index += 1;
        !walk.gone.contains(&(index - 1))
    });
}

fn is_wanted(resource: &Resource, wide: bool) -> bool {
    let is_tagged = resource.tags.as_ref().is_some_and(|tags| tags.contains_key(key::DOMAIN));
    let costs = || {
        let known = kind::of(&resource.kind);
        known.is_some_and(|kind| kind.costs.at(resource.status.as_deref()))
    };
    !is_tagged && (wide || costs())
}

/// Fetches what is told of some resources: in bulk where there are many of a type, else one by one.
async fn fetch(
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

/// What is known on the way.
struct Walk {
    /// The resources by what they may be called: the path of the ARN, or type and name; in lower case.
    called: BTreeMap<String, Vec<usize>>,
    /// Those that are described or about to be.
    seen: BTreeSet<usize>,
    /// Those that no list had, but another resource named.
    unlisted: BTreeSet<usize>,
    gone: BTreeSet<usize>,
    wide: bool,
}

impl Walk {
    fn new(reader: &Reader<'_>, wide: bool) -> Walk {
        let mut walk = Walk {
            called: BTreeMap::new(),
            seen: BTreeSet::new(),
            unlisted: BTreeSet::new(),
            gone: BTreeSet::new(),
            wide,
        };
        for (index, resource) in reader.read.resources.iter().enumerate() {
            walk.call(index, resource);
        }
        walk
    }

    fn call(&mut self, index: usize, resource: &Resource) {
        let path = path(&resource.arn).to_lowercase();
        let name = format!("{}/{}", resource.kind, resource.name).to_lowercase();
        if name != path {
            self.called.entry(name).or_default().push(index);
        }
        self.called.entry(path).or_default().push(index);
    }

    /// Finds a resource by what it is called: the only one, or else the one whose case is the same.
    fn find(&self, resources: &[Resource], called: &str) -> Option<usize> {
        let candidates = self.called.get(&called.to_lowercase())?;
        if let [only] = candidates.as_slice() {
            return Some(*only);
        }
        let name = called.split_once('/').map_or(called, |(_, name)| name);
        let is_exact = |index: &&usize| {
            let resource = &resources[**index];
            path(&resource.arn) == called || resource.name == name
        };
        candidates.iter().find(is_exact).copied()
    }

    /// Takes in what is told of a resource; what it was made by or uses is next, if it was not seen yet.
    fn follow(
        &mut self,
        reader: &mut Reader<'_>,
        tags: &TagIndex,
        index: usize,
        told: Told,
        next: &mut Vec<usize>,
    ) {
        let own_tags = reader.read.resources[index].tags.as_ref();
        let execution = own_tags.and_then(|tags| tags.get(PIPELINE_EXECUTION)).cloned();
        let mut origin = Origin {
            role: told.role,
            created_by: told.created_by,
            parents: Vec::new(),
            uses: Vec::new(),
        };
        for link in told.parents.into_iter().chain(execution).map(Link::Arn) {
            origin.parents.extend(self.arrive(reader, tags, link, next));
        }
        for link in told.uses {
            origin.uses.extend(self.arrive(reader, tags, link, next));
        }
        for arns in [&mut origin.parents, &mut origin.uses] {
            let mut seen = BTreeSet::new();
            arns.retain(|arn| seen.insert(arn.clone()));
        }
        let resource = &mut reader.read.resources[index];
        resource.status = resource.status.take().or(told.status);
        resource.origin = origin;
    }

    /// Returns the ARN that a link leads to, as it is listed where it is listed.
    fn arrive(
        &mut self,
        reader: &mut Reader<'_>,
        tags: &TagIndex,
        link: Link,
        next: &mut Vec<usize>,
    ) -> Option<String> {
        let found = match &link {
            Link::Name(kind, name) => self.find(&reader.read.resources, &format!("{kind}/{name}")),
            Link::Arn(arn) if is_own(reader, arn) => {
                let found = self.find(&reader.read.resources, path(arn));
                found.or_else(|| self.add(reader, tags, arn))
            }
            Link::Arn(_) => None,
        };
        if let Some(index) = found {
            if self.seen.insert(index) {
                next.push(index);
            }
            return Some(reader.read.resources[index].arn.clone());
        }
        match link {
            Link::Arn(arn) => Some(arn),
            Link::Name(kind, name) => {
                let (region, account) = (reader.region, reader.account);
                let partition = reader.partition.as_deref()?;
                Some(format!("arn:{partition}:sagemaker:{region}:{account}:{kind}/{name}"))
            }
        }
    }

    /// Adds what no list had, where that does not mean that it is gone: an execution, or a job that is over.
    fn add(&mut self, reader: &mut Reader<'_>, tags: &TagIndex, arn: &str) -> Option<usize> {
        let (segment, name) = path(arn).split_once('/')?;
        let is_execution = segment == "pipeline" && name.contains("/execution/");
        let is_job = !self.wide && segment.ends_with("-job");
        if !is_execution && !is_job {
            return None;
        }
        let kind = if is_execution { "pipeline-execution" } else { segment };
        operation(kind)?;
        let resource = Resource {
            account: reader.account.clone(),
            region: reader.region.to_owned(),
            kind: kind.to_owned(),
            name: name.to_owned(),
            arn: arn.to_owned(),
            status: None,
            tags: tags.get(path(arn)).cloned(),
            created_at: None,
            origin: Origin::default(),
            last_seen_at: reader.now,
        };
        let index = reader.read.resources.len();
        self.call(index, &resource);
        self.unlisted.insert(index);
        reader.read.resources.push(resource);
        Some(index)
    }
}

/// Returns what follows the account in an ARN.
fn path(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

/// Tells whether an ARN is one of SageMaker's in the account and region that are read.
fn is_own(reader: &Reader<'_>, arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| {
        arn.service == "sagemaker"
            && arn.account == reader.account.as_str()
            && arn.region == reader.region
    })
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::arn::AccountId;
    use crate::aws::testing::{Answer, session};
    use crate::inventory::Inventory;
    use serde_json::{Value, json};

    const ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333";

    /// Reads with a script, and returns what it was asked.
    async fn read_all(
        script: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
    ) -> (Inventory, Vec<String>) {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&asked);
        let session = session(move |operation, body| {
            noted.lock().unwrap().push(operation.to_owned());
            script(operation, body)
        })
        .await;
        let account = AccountId::parse("111122223333").unwrap();
        let now = "2026-11-20T08:00:00Z".parse().unwrap();
        let read =
            crate::aws::estate::read(&session, &account, "eu-west-1", now, false, &|_: &str| {});
        let inventory = Box::pin(read).await;
        let asked = asked.lock().unwrap().clone();
        (inventory, asked)
    }

    fn refused(code: &str) -> Answer {
        Answer::Body(400, json!({ "__type": code, "message": "no" }).to_string())
    }

    fn chain(operation: &str, _: &str) -> Answer {
        let execution = format!("{ARN}:pipeline/p/execution/x1");
        let named = |prefix: &str, name: &str, path: &str, status: &str| {
            json!([{ format!("{prefix}Name"): name, format!("{prefix}Arn"): format!("{ARN}:{path}"),
                format!("{prefix}Status"): status }])
        };
        let tagged = |path: &str, key: &str, value: &str| {
            let tags = json!([{ "Key": key, "Value": value }]);
            json!({ "ResourceARN": format!("{ARN}:{path}"), "Tags": tags })
        };
        let body: Value = match operation {
            "GetResources" => json!({ "PaginationToken": "", "ResourceTagMappingList": [
                tagged("training-job/Job", PIPELINE_EXECUTION, &execution),
                tagged("model/m", key::DOMAIN, "d")] }),
            "ListEndpoints" => {
                json!({ "Endpoints": named("Endpoint", "Ep", "endpoint/ep", "InService") })
            }
            "ListEndpointConfigs" => {
                json!({ "EndpointConfigs": named("EndpointConfig", "Cfg", "endpoint-config/cfg", "") })
            }
            "ListModels" => json!({ "Models": named("Model", "M", "model/m", "") }),
            "ListPipelines" => {
                json!({ "PipelineSummaries": named("Pipeline", "P", "pipeline/p", "") })
            }
            "ListTrainingJobs" => json!({ "TrainingJobSummaries":
                named("TrainingJob", "Job", "training-job/Job", "InProgress") }),
            "DescribeEndpoint" => json!({ "EndpointConfigName": "Cfg" }),
            "DescribeEndpointConfig" => json!({ "ProductionVariants": [{ "ModelName": "M" }],
                "ShadowProductionVariants": [{ "ModelName": "Gone" }, { "ModelName": "M" }] }),
            "DescribeModel" => json!({ "ExecutionRoleArn": "arn:aws:iam::1:role/r",
                "Containers": [{ "ModelPackageName": format!("{ARN}:model-package/g/3") }] }),
            "DescribeTrainingJob" => json!({ "RoleArn": "arn:aws:iam::1:role/r",
                "TuningJobArn": format!("{ARN}:hyper-parameter-tuning-job/sweep"),
                "AutoMLJobArn": format!("{ARN}:automl-job/gone") }),
            "DescribeHyperParameterTuningJob" => json!({
                "HyperParameterTuningJobStatus": "Completed",
                "TrainingJobDefinition": { "RoleArn": "arn:aws:iam::1:role/s" } }),
            "DescribeAutoMLJobV2" => return refused("ResourceNotFound"),
            "DescribePipelineExecution" => json!({ "PipelineExecutionStatus": "Succeeded",
                "PipelineArn": format!("{ARN}:pipeline/p"), "CreatedBy": { "DomainId": "d-a" } }),
            "DescribePipeline" => json!({ "RoleArn": "arn:aws:iam::1:role/p",
                "CreatedBy": { "IamIdentity": { "Arn": "arn:aws:iam::1:user/laptop" } } }),
            _ => json!({}),
        };
        Answer::Body(200, body.to_string())
    }

    #[tokio::test]
    async fn what_made_a_resource_and_what_it_uses_is_followed_to_the_end() {
        let (inventory, _) = read_all(chain).await;
        let short = |arns: &[String]| {
            let paths: Vec<&str> = arns.iter().map(|arn| path(arn)).collect();
            paths.join(" ")
        };
        let lines: Vec<String> = inventory
            .resources
            .iter()
            .map(|resource| {
                let Origin { role, created_by, parents, uses } = &resource.origin;
                let role = role.as_deref().map_or("-", |role| &role[role.len() - 1..]);
                let by = created_by.as_ref().map_or("-", |domain| domain.as_str());
                let status = resource.status.as_deref().unwrap_or("-");
                let kind = &resource.kind;
                format!("{kind} {status} | {role} {by} | {} | {}", short(parents), short(uses))
            })
            .collect();
        let expected = [
            "endpoint InService | - - |  | endpoint-config/cfg",
            "endpoint-config - | - - |  | model/m model/Gone",
            "hyper-parameter-tuning-job Completed | s - |  | ",
            "model - | r - |  | model-package/g/3",
            "pipeline - | p - |  | ",
            "pipeline-execution Succeeded | - d-a |  | pipeline/p",
            "training-job InProgress | r - | hyper-parameter-tuning-job/sweep automl-job/gone \
             pipeline/p/execution/x1 | ",
        ];
        assert_eq!(lines, expected);
        assert_eq!(inventory.gaps, []);
    }

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
                read_all(move |operation, body| many(operation, body, can_search)).await;
            let count = |wanted: &str| asked.iter().filter(|asked| *asked == wanted).count();
            assert_eq!((count("Search"), count("DescribeTrainingJob")), (searches, describes));
            let roles = inventory.resources.iter().map(|job| job.origin.role.as_deref().unwrap());
            let found = roles.filter(|role| *role == "found").count();
            assert_eq!((found, inventory.resources.len()), (60 - describes, 60));
            assert_eq!(inventory.gaps, []);
        }
    }

    #[tokio::test]
    async fn a_description_that_is_denied_is_a_gap_and_not_asked_for_again_and_again() {
        let (inventory, asked) = read_all(|operation, _| match operation {
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
        let asked = asked.iter().filter(|it| *it == "DescribeNotebookInstance").count();
        assert!(asked <= WIDTH, "{asked}");
        let gaps: Vec<&str> = inventory.gaps.iter().map(|gap| gap.operation.as_str()).collect();
        assert_eq!((gaps, inventory.resources.len()), (vec!["DescribeNotebookInstance"], 30));
    }
}
