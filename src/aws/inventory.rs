//! Owns reading one region's inventory: SageMaker's lists, the tags and the home file systems.
//!
//! **Invariant:** it never fails; what could not be read is a gap, and the rest goes on.

use jiff::Timestamp;

use crate::arn::{AccountId, Arn};
use crate::inventory::{Gap, Inventory, Tags};

use super::error::{Error, Kind};
use super::sagemaker::identity::Described;
use super::session::Session;
use super::tagging::{self, TagIndex};
use super::{efs, sagemaker};

/// Reads what exists in one region of one account; `progress` is told each operation before it is called.
pub async fn read(
    session: &Session,
    account: &AccountId,
    region: &str,
    now: Timestamp,
    progress: &dyn Fn(&str),
) -> Inventory {
    let mut reader = Reader::new(account, region, now, progress);
    let Some(Entered { session, tags, are_tags_known }) = enter(session, &mut reader).await else {
        return reader.read;
    };
    let client = session.sagemaker();
    reader.turn();
    sagemaker::identity::read(&client, &mut reader, Described::WithSso).await;
    sagemaker::resource::read(&client, &mut reader).await;
    reader.turn();
    file_systems(&session, &mut reader).await;
    join_tags(&mut reader.read, &tags);
    if !are_tags_known {
        sagemaker::identity::read_domain_tags(&client, &mut reader).await;
    }
    reader.read.sort();
    reader.read
}

/// Reads the domains of one region, their user profiles and spaces, each with its roles, and nothing else.
pub async fn read_identities(
    session: &Session,
    account: &AccountId,
    region: &str,
    now: Timestamp,
) -> Inventory {
    let mut reader = Reader::new(account, region, now, &|_| {});
    match session.in_region(region) {
        Ok(session) => {
            reader.turn();
            sagemaker::identity::read(&session.sagemaker(), &mut reader, Described::All).await;
        }
        Err(error) => reader.gap(Some(error)),
    }
    reader.read.sort();
    reader.read
}

/// A region that can be read in.
pub(super) struct Entered {
    /// The session in it.
    pub(super) session: Session,
    /// Its tags, as far as they could be read.
    pub(super) tags: TagIndex,
    /// Whether they could be read to their end.
    pub(super) are_tags_known: bool,
}

/// Enters the reader's region and reads its tags; absent where there is no way in, which is a gap then.
pub(super) async fn enter(session: &Session, reader: &mut Reader<'_>) -> Option<Entered> {
    let session = match session.in_region(reader.region) {
        Ok(session) => session,
        Err(error) => {
            reader.gap(Some(error));
            return None;
        }
    };
    reader.begin(tagging::OPERATION);
    let (tags, error) = tagging::read(&session).await;
    let are_tags_known = error.is_none();
    reader.gap(error);
    Some(Entered { session, tags, are_tags_known })
}

/// Reads the home file systems of the domains that were read.
pub(super) async fn file_systems(session: &Session, reader: &mut Reader<'_>) {
    if reader.begin(efs::OPERATION) {
        let Reader { account, region, now, .. } = *reader;
        let (file_systems, error) =
            efs::read(session, account, region, &reader.read.domains, now).await;
        reader.read.file_systems = file_systems;
        reader.gap(error);
    }
}

/// What is being read, and what it has come to so far.
pub(super) struct Reader<'a> {
    pub(super) account: &'a AccountId,
    pub(super) region: &'a str,
    pub(super) now: Timestamp,
    pub(super) progress: &'a dyn Fn(&str),
    pub(super) read: Inventory,
    /// The partition, once an ARN has told it.
    pub(super) partition: Option<String>,
    /// Whether nothing more is worth asking for: no credentials, or the region is not enabled.
    over: bool,
    /// Whether there is no way to the service that is being read; another may have one.
    unreachable: bool,
}

impl<'a> Reader<'a> {
    /// Makes the reader of a region, which has read nothing yet.
    pub(super) fn new(
        account: &'a AccountId,
        region: &'a str,
        now: Timestamp,
        progress: &'a dyn Fn(&str),
    ) -> Reader<'a> {
        Reader {
            account,
            region,
            now,
            progress,
            read: Inventory::default(),
            partition: None,
            over: false,
            unreachable: false,
        }
    }

    /// Turns to another service, to which there may be a way.
    pub(super) fn turn(&mut self) {
        self.unreachable = false;
    }

    /// Tells of an operation, and whether it is to be called.
    pub(super) fn begin(&self, operation: &str) -> bool {
        let is_worth_asking = !self.over && !self.unreachable;
        if is_worth_asking {
            (self.progress)(&format!("{} {operation}", self.region));
        }
        is_worth_asking
    }

    /// Notes what could not be read; where it ends what is worth asking for, that is noted too.
    pub(super) fn gap(&mut self, error: Option<Error>) {
        let Some(error) = error else { return };
        self.over |= error.kind == Kind::Credentials;
        self.unreachable |= error.kind == Kind::Network && !error.charge_unknown;
        if self.over || self.unreachable {
            let (service, operation) = (error.service, error.operation);
            let text = format!("nothing more was asked of {service} after {operation}");
            self.note("*", "NotAsked".to_owned(), text);
        }
        self.note(error.operation, error.code, error.message);
    }

    /// Takes the partition from an ARN.
    pub(super) fn learn_partition(&mut self, arn: Option<&str>) {
        if let Some(arn) = arn.and_then(Arn::parse) {
            self.partition = Some(arn.partition);
        }
    }

    /// Notes a gap that is no failed call.
    pub(super) fn note(&mut self, operation: &str, code: String, message: String) {
        self.read.gaps.push(Gap {
            account: self.account.to_string(),
            region: self.region.to_owned(),
            operation: operation.to_owned(),
            code,
            message,
        });
    }
}

/// Gives each thing its tags, by the part of its ARN that follows the account.
pub(super) fn join_tags(inventory: &mut Inventory, index: &TagIndex) {
    let known = |resource: String| index.get(&resource).cloned();
    let tags = |resource: String| -> Tags { known(resource).unwrap_or_default() };
    for domain in &mut inventory.domains {
        domain.tags = tags(format!("domain/{}", domain.key.id));
    }
    for profile in &mut inventory.user_profiles {
        profile.tags = tags(format!("user-profile/{}/{}", profile.domain, profile.name));
    }
    for space in &mut inventory.spaces {
        space.tags = tags(format!("space/{}/{}", space.domain, space.name));
    }
    for resource in &mut inventory.resources {
        let path = resource.arn.splitn(6, ':').nth(5).unwrap_or(&resource.arn);
        resource.tags = known(path.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, session};
    use serde_json::json;
    use std::cell::RefCell;

    const ARN: &str = "arn:aws:sagemaker:eu-west-1:111122223333";

    fn region(operation: &str, body: &str) -> Answer {
        let tag = |resource: &str, value: &str| {
            let tags = json!([{"Key": "team", "Value": value}]);
            json!({"ResourceARN": format!("{ARN}:{resource}"), "Tags": tags})
        };
        let answer = match operation {
            "GetResources" => json!({"PaginationToken": "", "ResourceTagMappingList": [
                tag("domain/d-a", "one"), tag("hyper-parameter-tuning-job/MyTune", "two")]}),
            "ListDomains" => json!({"Domains": [
                {"DomainId": "d-a", "DomainName": "research", "DomainArn": format!("{ARN}:domain/d-a")},
                {"DomainId": "D A", "DomainName": "no id"}]}),
            "DescribeDomain" => json!({"AuthMode": "SSO", "HomeEfsFileSystemId": "fs-1",
                "DefaultUserSettings": {"ExecutionRole": "arn:aws:iam::1:role/x"}}),
            // The first page is empty and goes on.
            "ListUserProfiles" if !body.contains("NextToken") => {
                json!({"UserProfiles": [], "NextToken": "t"})
            }
            "ListUserProfiles" => {
                json!({"UserProfiles": [{"DomainId": "d-a", "UserProfileName": "ana"}]})
            }
            "DescribeUserProfile" => json!({"SingleSignOnUserValue": "ana@example.com"}),
            "ListSpaces" => json!({"Spaces": [{"DomainId": "d-a", "SpaceName": "s1",
                "SpaceSharingSettingsSummary": {"SharingType": "Private"},
                "OwnershipSettingsSummary": {"OwnerUserProfileName": "ana"}}]}),
            "ListTrainingJobs" => {
                let denied = json!({"__type": "AccessDeniedException", "message": "not you"});
                return Answer::Body(400, denied.to_string());
            }
            "ListHyperParameterTuningJobs" => json!({"HyperParameterTuningJobSummaries": [{
                "HyperParameterTuningJobName": "MyTune", "HyperParameterTuningJobStatus": "Completed",
                "HyperParameterTuningJobArn": format!("{ARN}:hyper-parameter-tuning-job/mytune"),
                "CreationTime": 1_790_000_000.5}]}),
            "file-systems" => json!({"FileSystems": [
                {"OwnerId": "1", "CreationToken": "d-a", "FileSystemId": "fs-1", "CreationTime": 0,
                 "LifeCycleState": "available", "NumberOfMountTargets": 0, "Tags": [],
                 "SizeInBytes": {"Value": 42}, "PerformanceMode": "generalPurpose"}]}),
            _ => json!({}),
        };
        Answer::Body(200, answer.to_string())
    }

    async fn read_all(script: fn(&str, &str) -> Answer) -> (Inventory, Vec<String>) {
        let session = session(script).await;
        let account = AccountId::parse("111122223333").unwrap();
        let now = "2026-11-22T00:00:00Z".parse().unwrap();
        let told = RefCell::new(Vec::new());
        let progress = |text: &str| told.borrow_mut().push(text.to_owned());
        let inventory = read(&session, &account, "eu-west-1", now, &progress).await;
        (inventory, told.take())
    }

    #[tokio::test]
    async fn a_gap_leaves_the_rest_readable() {
        let (inventory, told) = read_all(region).await;
        assert_eq!(told.len(), 20, "{told:?}");
        let domain = &inventory.domains[0];
        assert_eq!((domain.name.as_str(), domain.tags["team"].as_str()), ("research", "one"));
        assert_eq!(domain.home_efs.as_deref(), Some("fs-1"));
        let profile = &inventory.user_profiles[0];
        assert_eq!(profile.sso_value.as_deref(), Some("ana@example.com"));
        assert_eq!(inventory.spaces[0].shared, Some(false));
        let job = &inventory.resources[0];
        assert_eq!(job.arn, format!("{ARN}:hyper-parameter-tuning-job/MyTune"));
        assert_eq!(job.tags.as_ref().unwrap()["team"], "two");
        assert_eq!(job.created_at.unwrap().to_string(), "2026-09-21T14:13:20.5Z");
        assert_eq!(inventory.file_systems[0].size_bytes, 42);
        let expected = ["ListDomains NotName", "ListTrainingJobs AccessDeniedException"];
        assert_eq!(gaps(&inventory), expected);
    }

    fn gaps(inventory: &Inventory) -> Vec<String> {
        inventory.gaps.iter().map(|gap| format!("{} {}", gap.operation, gap.code)).collect()
    }

    #[tokio::test]
    async fn a_service_without_a_way_to_it_is_asked_once() {
        let (inventory, told) = read_all(|_, _| Answer::Refused).await;
        let expected =
            ["eu-west-1 GetResources", "eu-west-1 ListDomains", "eu-west-1 DescribeFileSystems"];
        assert_eq!(told, expected);
        let expected = [
            "* NotAsked",
            "* NotAsked",
            "* NotAsked",
            "DescribeFileSystems NoAnswer",
            "GetResources NoAnswer",
            "ListDomains NoAnswer",
        ];
        assert_eq!(gaps(&inventory), expected);
    }

    #[tokio::test]
    async fn a_region_that_does_not_know_the_credentials_is_asked_once() {
        let unknown = |_: &str, _: &str| {
            let body = json!({"__type": "UnrecognizedClientException", "message": "not enabled"});
            Answer::Body(400, body.to_string())
        };
        let (inventory, told) = read_all(unknown).await;
        assert_eq!(told, ["eu-west-1 GetResources"]);
        assert_eq!(gaps(&inventory), ["* NotAsked", "GetResources UnrecognizedClientException"]);
    }
}
