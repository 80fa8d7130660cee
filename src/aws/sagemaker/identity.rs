//! Owns reading domains, user profiles, spaces and apps.
//!
//! Summaries of user profiles and spaces carry no ARN, and those of domains neither role nor home file system.
//! **Invariant:** a name that breaks its rule is a gap, never a changed name.

use std::collections::BTreeSet;

use aws_sdk_sagemaker::Client;
use aws_sdk_sagemaker::types::{AppDetails, AuthMode, SharingType, SpaceDetails};

use crate::arn::{DomainId, DomainKey, NotName, SpaceName, UserProfileName};
use crate::aws::error::{Error, Kind};
use crate::aws::inventory::Reader;
use crate::aws::pages;
use crate::aws::window::{WIDTH, Window};
use crate::inventory::{App, Domain, Space, Tags, UserProfile};

use super::{PAGE_SIZE, SERVICE};

/// Above this many user profiles in a region, they are not described one by one.
const DESCRIBED_PROFILE_COUNT_MAX: usize = 500;

/// Which user profiles are described, each of which is a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::aws) enum Described {
    /// Those of domains with single sign-on, for the people behind them.
    WithSso,
    /// All, for their execution roles.
    All,
}

/// Reads the identities of a region.
pub(in crate::aws) async fn read(client: &Client, reader: &mut Reader<'_>, described: Described) {
    let with_sso = domains(client, reader).await;
    user_profiles(client, reader).await;
    let is_described =
        |profile: &UserProfile| described == Described::All || with_sso.contains(&profile.domain);
    let indices: Vec<usize> = (0..reader.read.user_profiles.len())
        .filter(|index| is_described(&reader.read.user_profiles[*index]))
        .collect();
    if indices.len() > DESCRIBED_PROFILE_COUNT_MAX {
        let text = not_described(indices.len(), described);
        reader.note("DescribeUserProfile", "NotAsked".to_owned(), text);
    } else {
        // A collection goes one by one, as it always did: its people are few.
        let width = if described == Described::All { WIDTH } else { 1 };
        describe_user_profiles(client, reader, indices, width).await;
    }
    spaces(client, reader).await;
    apps(client, reader).await;
}

/// Reads the tags of each domain from SageMaker itself, for when nothing else tells them.
pub(in crate::aws) async fn read_domain_tags(client: &Client, reader: &mut Reader<'_>) {
    let operation = "ListTags";
    for index in 0..reader.read.domains.len() {
        let DomainKey { account, region, id } = reader.read.domains[index].key.clone();
        let Some(partition) = reader.partition.clone() else { return };
        if !reader.begin(operation) {
            return;
        }
        let arn = format!("arn:{partition}:sagemaker:{region}:{account}:domain/{id}");
        let stream = client.list_tags().resource_arn(arn).into_paginator().send();
        let listed =
            pages::list(SERVICE, operation, stream, |page| (page.next_token, page.tags)).await;
        reader.gap(listed.error);
        let tags = listed.items.into_iter().filter_map(|tag| Some((tag.key?, tag.value?)));
        reader.read.domains[index].tags = tags.collect();
    }
}

/// Lists and describes the domains; returns those whose people sign on by a provider.
async fn domains(client: &Client, reader: &mut Reader<'_>) -> BTreeSet<DomainId> {
    let operation = "ListDomains";
    let mut with_sso = BTreeSet::new();
    if !reader.begin(operation) {
        return with_sso;
    }
    let stream = client.list_domains().max_results(PAGE_SIZE).into_paginator().send();
    let listed =
        pages::list(SERVICE, operation, stream, |page| (page.next_token, page.domains)).await;
    reader.gap(listed.error);
    for details in listed.items {
        let Some(id) = named(reader, operation, DomainId::parse, details.domain_id) else {
            continue;
        };
        reader.learn_partition(details.domain_arn.as_deref());
        let mut domain = Domain {
            arn: details.domain_arn.unwrap_or_default(),
            key: DomainKey {
                account: reader.account.clone(),
                region: reader.region.to_owned(),
                id: id.clone(),
            },
            name: details.domain_name.unwrap_or_default(),
            execution_role: None,
            space_role: None,
            tag_propagation: None,
            home_efs: None,
            tags: Tags::new(),
            last_seen_at: reader.now,
            gone_by: None,
        };
        if describe_domain(client, reader, &mut domain).await == Some(AuthMode::Sso) {
            with_sso.insert(id);
        }
        reader.read.domains.push(domain);
    }
    with_sso
}

/// Fills in what only the description of a domain tells, and returns how its people sign on.
async fn describe_domain(
    client: &Client,
    reader: &mut Reader<'_>,
    domain: &mut Domain,
) -> Option<AuthMode> {
    let operation = "DescribeDomain";
    if !reader.begin(operation) {
        return None;
    }
    match client.describe_domain().domain_id(domain.key.id.as_str()).send().await {
        Ok(output) => {
            domain.execution_role =
                output.default_user_settings.and_then(|settings| settings.execution_role);
            domain.space_role =
                output.default_space_settings.and_then(|settings| settings.execution_role);
            domain.tag_propagation = output.tag_propagation.map(|value| value.as_str().to_owned());
            domain.home_efs = output.home_efs_file_system_id;
            output.auth_mode
        }
        Err(error) => {
            reader.gap(Some(Error::of(SERVICE, operation, &error)));
            None
        }
    }
}

async fn user_profiles(client: &Client, reader: &mut Reader<'_>) {
    let operation = "ListUserProfiles";
    if !reader.begin(operation) {
        return;
    }
    let stream = client.list_user_profiles().max_results(PAGE_SIZE).into_paginator().send();
    let listed =
        pages::list(SERVICE, operation, stream, |page| (page.next_token, page.user_profiles)).await;
    reader.gap(listed.error);
    for details in listed.items {
        let domain = named(reader, operation, DomainId::parse, details.domain_id);
        let name = named(reader, operation, UserProfileName::parse, details.user_profile_name);
        let (Some(domain), Some(name)) = (domain, name) else { continue };
        reader.read.user_profiles.push(UserProfile {
            domain,
            name,
            sso_value: None,
            execution_role: None,
            tags: Tags::new(),
            last_seen_at: reader.now,
            gone_by: None,
        });
    }
}

fn not_described(count: usize, described: Described) -> String {
    let most = DESCRIBED_PROFILE_COUNT_MAX;
    match described {
        Described::WithSso => format!(
            "{count} user profiles with single sign-on, more than {most}: the people behind them were not asked for"
        ),
        Described::All => format!(
            "{count} user profiles, more than {most}: their execution roles were not asked for"
        ),
    }
}

/// Fills in what only the description of a user profile tells: its person and its execution role.
async fn describe_user_profiles(
    client: &Client,
    reader: &mut Reader<'_>,
    indices: Vec<usize>,
    width: usize,
) {
    let operation = "DescribeUserProfile";
    let mut window = Window::new(width);
    let mut indices = indices.into_iter();
    loop {
        while !window.is_full()
            && let Some(index) = indices.next()
        {
            if !reader.begin(operation) {
                return;
            }
            let profile = &reader.read.user_profiles[index];
            let request = client
                .describe_user_profile()
                .domain_id(profile.domain.as_str())
                .user_profile_name(profile.name.as_str());
            window.push(async move { (index, request.send().await) });
        }
        let Some((index, answer)) = window.next().await else { return };
        match answer {
            Ok(output) => {
                let profile = &mut reader.read.user_profiles[index];
                profile.sso_value = output.single_sign_on_user_value;
                profile.execution_role =
                    output.user_settings.and_then(|settings| settings.execution_role);
            }
            Err(error) => {
                let error = Error::of(SERVICE, operation, &error);
                let is_denied = error.kind == Kind::AccessDenied;
                reader.gap(Some(error));
                if is_denied {
                    return;
                }
            }
        }
    }
}

async fn spaces(client: &Client, reader: &mut Reader<'_>) {
    let operation = "ListSpaces";
    if !reader.begin(operation) {
        return;
    }
    let stream = client.list_spaces().max_results(PAGE_SIZE).into_paginator().send();
    let listed =
        pages::list(SERVICE, operation, stream, |page| (page.next_token, page.spaces)).await;
    reader.gap(listed.error);
    for details in listed.items {
        if let Some(space) = space(reader, operation, details) {
            reader.read.spaces.push(space);
        }
    }
}

fn space(reader: &mut Reader<'_>, operation: &str, details: SpaceDetails) -> Option<Space> {
    let owner = details.ownership_settings_summary.and_then(|owner| owner.owner_user_profile_name);
    let sharing = details.space_sharing_settings_summary.and_then(|sharing| sharing.sharing_type);
    let volume = details
        .space_settings_summary
        .and_then(|settings| settings.space_storage_settings)
        .and_then(|storage| storage.ebs_storage_settings);
    Some(Space {
        domain: named(reader, operation, DomainId::parse, details.domain_id)?,
        name: named(reader, operation, SpaceName::parse, details.space_name)?,
        owner: owner
            .and_then(|owner| named(reader, operation, UserProfileName::parse, Some(owner))),
        shared: match sharing {
            Some(SharingType::Shared) => Some(true),
            Some(SharingType::Private) => Some(false),
            _ => None,
        },
        volume_gib: volume.and_then(|volume| volume.ebs_volume_size_in_gb),
        tags: Tags::new(),
        last_seen_at: reader.now,
        gone_by: None,
    })
}

async fn apps(client: &Client, reader: &mut Reader<'_>) {
    let operation = "ListApps";
    if !reader.begin(operation) {
        return;
    }
    let stream = client.list_apps().max_results(PAGE_SIZE).into_paginator().send();
    let listed = pages::list(SERVICE, operation, stream, |page| (page.next_token, page.apps)).await;
    reader.gap(listed.error);
    for details in listed.items {
        if let Some(app) = app(reader, operation, details) {
            reader.read.apps.push(app);
        }
    }
}

fn app(reader: &mut Reader<'_>, operation: &str, details: AppDetails) -> Option<App> {
    let instance_type = details.resource_spec.and_then(|spec| spec.instance_type);
    Some(App {
        domain: named(reader, operation, DomainId::parse, details.domain_id)?,
        user_profile: details.user_profile_name,
        space: details.space_name,
        app_type: details.app_type.map(|kind| kind.as_str().to_owned()).unwrap_or_default(),
        name: details.app_name.unwrap_or_default(),
        instance_type: instance_type.map(|instance_type| instance_type.as_str().to_owned()),
        tags: Tags::new(),
        status: details.status.map(|status| status.as_str().to_owned()).unwrap_or_default(),
        last_seen_at: reader.now,
    })
}

/// Parses a name; what is none becomes a gap.
fn named<T>(
    reader: &mut Reader<'_>,
    operation: &str,
    parse: impl Fn(&str) -> Result<T, NotName>,
    text: Option<String>,
) -> Option<T> {
    match parse(&text.unwrap_or_default()) {
        Ok(name) => Some(name),
        Err(error) => {
            reader.note(operation, "NotName".to_owned(), error.to_string());
            None
        }
    }
}
