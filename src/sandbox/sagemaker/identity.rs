//! Owns the lists of domains, user profiles, spaces and apps.
//!
//! **Invariant:** an app is listed with exactly one of a user profile's and a space's name.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::organisation::{App, Domain, Space, UserProfile};
use super::super::page::{cut, listed, seconds, text};
use super::super::reach;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::PAGING;

/// Lists the domains of the caller's account and region.
pub(super) fn list_domains(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let mut domains = reach::domains(world, caller);
    domains.sort_by_key(|domain| (domain.created_at, &domain.id));
    let (page, next) = cut(&PAGING, "ListDomains", body, &domains)?;
    let items = page.iter().map(|domain| domain_details(caller, domain)).collect();
    Ok(listed("Domains", items, "NextToken", next))
}

/// Lists user profiles, of one domain or of all.
pub(super) fn list_user_profiles(
    world: &World,
    caller: &Caller,
    body: &Value,
) -> Result<Value, Refusal> {
    let mut profiles = reach::user_profiles(world, caller);
    profiles.retain(|profile| {
        equals(body, "DomainIdEquals", Some(&profile.domain))
            && contains(body, "UserProfileNameContains", &profile.name)
    });
    sort(&mut profiles, body, |profile| (profile.created_at, &profile.name))?;
    let (page, next) = cut(&PAGING, "ListUserProfiles", body, &profiles)?;
    let items = page.iter().map(|profile| user_profile_details(profile)).collect();
    Ok(listed("UserProfiles", items, "NextToken", next))
}

/// Lists spaces, of one domain or of all.
pub(super) fn list_spaces(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let mut spaces = reach::spaces(world, caller);
    spaces.retain(|space| {
        equals(body, "DomainIdEquals", Some(&space.domain))
            && contains(body, "SpaceNameContains", &space.name)
    });
    sort(&mut spaces, body, |space| (space.created_at, &space.name))?;
    let (page, next) = cut(&PAGING, "ListSpaces", body, &spaces)?;
    let items = page.iter().map(|space| space_details(world, space)).collect();
    Ok(listed("Spaces", items, "NextToken", next))
}

/// Lists apps, of a user profile, of a space or of all; recently deleted ones with that status.
pub(super) fn list_apps(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    if text(body, "UserProfileNameEquals").is_some() && text(body, "SpaceNameEquals").is_some() {
        return Err(Refusal::invalid(
            "UserProfileName and SpaceName cannot both be specified at the same time",
        ));
    }
    let mut apps = reach::apps(world, caller);
    apps.retain(|app| {
        equals(body, "DomainIdEquals", Some(&app.domain))
            && equals(body, "UserProfileNameEquals", app.user_profile.as_deref())
            && equals(body, "SpaceNameEquals", app.space.as_deref())
    });
    sort(&mut apps, body, |app| (app.created_at, &app.name))?;
    let (page, next) = cut(&PAGING, "ListApps", body, &apps)?;
    let items = page.iter().map(|app| app_details(app)).collect();
    Ok(listed("Apps", items, "NextToken", next))
}

/// Returns the type of a space's apps; one that never ran an app is a JupyterLab space.
pub(super) fn space_app_type<'a>(world: &'a World, space: &Space) -> &'a str {
    let mut apps = world.organisation.apps.iter();
    let of_space =
        |app: &&App| app.domain == space.domain && app.space.as_ref() == Some(&space.name);
    apps.find(of_space).map_or("JupyterLab", |app| app.app_type.as_str())
}

/// Tells `Private` from `Shared`.
pub(super) fn sharing_type(space: &Space) -> &'static str {
    if space.shared { "Shared" } else { "Private" }
}

/// Returns the address of a domain's Studio.
pub(super) fn domain_url(domain: &Domain) -> String {
    format!("https://{}.studio.{}.sagemaker.aws", domain.id, domain.region)
}

/// Sorts by time of creation, then name; the request may ask for names, or turn the order round.
pub(super) fn sort<T>(
    items: &mut [&T],
    body: &Value,
    key: impl Fn(&T) -> (Timestamp, &String),
) -> Result<(), Refusal> {
    match text(body, "SortBy") {
        None
        | Some(
            "CreationTime" | "LastModifiedTime" | "CREATION_TIME" | "StartTime" | "Status"
            | "HubStatus" | "FeatureGroupStatus" | "OfflineStoreStatus",
        ) => items.sort_by(|one, other| key(one).cmp(&key(other))),
        Some("Name" | "NAME" | "TrainingPlanName" | "HubName" | "PipelineExecutionArn") => {
            items.sort_by(|one, other| key(one).1.cmp(key(other).1));
        }
        Some(other) => return Err(not_in_enum(other, "sortBy", "[CreationTime, Name]")),
    }
    match text(body, "SortOrder") {
        None | Some("Ascending") => {}
        Some("Descending") => items.reverse(),
        Some(other) => return Err(not_in_enum(other, "sortOrder", "[Ascending, Descending]")),
    }
    Ok(())
}

/// Tells whether a filter on part of a name lets it through.
pub(super) fn contains(body: &Value, key: &str, name: &str) -> bool {
    text(body, key).is_none_or(|part| name.to_lowercase().contains(&part.to_lowercase()))
}

/// Adds the one name of the two that the app has.
pub(super) fn name_place(details: &mut Value, app: &App) {
    match (&app.user_profile, &app.space) {
        (Some(name), None) => details["UserProfileName"] = json!(name),
        (None, Some(name)) => details["SpaceName"] = json!(name),
        _ => panic!("an app belongs to exactly one of a user profile and a space"),
    }
}

fn equals(body: &Value, key: &str, name: Option<&str>) -> bool {
    text(body, key).is_none_or(|wanted| Some(wanted) == name)
}

fn not_in_enum(value: &str, member: &str, values: &str) -> Refusal {
    Refusal::invalid(format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: \
         Member must satisfy enum value set: {values}"
    ))
}

fn domain_details(caller: &Caller, domain: &Domain) -> Value {
    json!({
        "DomainArn": reach::domain_arn(caller, &domain.id),
        "DomainId": domain.id,
        "DomainName": domain.name,
        "Status": "InService",
        "CreationTime": seconds(domain.created_at),
        "LastModifiedTime": seconds(domain.created_at),
        "Url": domain_url(domain),
    })
}

fn user_profile_details(profile: &UserProfile) -> Value {
    json!({
        "DomainId": profile.domain,
        "UserProfileName": profile.name,
        "Status": "InService",
        "CreationTime": seconds(profile.created_at),
        "LastModifiedTime": seconds(profile.created_at),
    })
}

fn space_details(world: &World, space: &Space) -> Value {
    json!({
        "DomainId": space.domain,
        "SpaceName": space.name,
        "Status": "InService",
        "CreationTime": seconds(space.created_at),
        "LastModifiedTime": seconds(space.created_at),
        "SpaceSettingsSummary": {
            "AppType": space_app_type(world, space),
            "SpaceStorageSettings": {
                "EbsStorageSettings": { "EbsVolumeSizeInGb": space.volume_gib },
            },
        },
        "SpaceSharingSettingsSummary": { "SharingType": sharing_type(space) },
        "OwnershipSettingsSummary": { "OwnerUserProfileName": space.owner },
    })
}

fn app_details(app: &App) -> Value {
    let mut details = json!({
        "DomainId": app.domain,
        "AppType": app.app_type,
        "AppName": app.name,
        "Status": app.status,
        "CreationTime": seconds(app.created_at),
        "ResourceSpec": { "InstanceType": app.instance_type },
    });
    name_place(&mut details, app);
    details
}
