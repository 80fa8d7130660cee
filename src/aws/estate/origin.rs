//! Owns finding out where resources without their domain's tag come from, and what those come from in turn.
//!
//! **Invariant:** it ends: each resource is described once, and what names it does not matter.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_sagemaker::Client;

use crate::arn::Arn;
use crate::aws::inventory::Reader;
use crate::aws::sagemaker::describe::operation;
use crate::aws::sagemaker::told::{Link, Told};
use crate::aws::tagging::TagIndex;
use crate::inventory::{Origin, Resource};
use crate::key;
use crate::kind;

use super::fetch::fetch;

/// The key under which a pipeline marks what one of its executions creates.
const PIPELINE_EXECUTION: &str = "sagemaker:pipeline-execution-arn";

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
    use super::*;
    use crate::aws::estate::tests::{ARN, read_with, refused};
    use crate::aws::testing::Answer;
    use serde_json::{Value, json};

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
        let (inventory, _) = read_with(false, chain).await;
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
}
