//! Owns the long answers about one domain, user profile, space or app.
//!
//! **Invariant:** what does not exist is `ResourceNotFound`, never an empty answer.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::super::organisation::Domain;
use super::super::page::{hex, required, seconds, text};
use super::super::reach;
use super::super::wire::{Caller, Refusal};
use super::super::world::World;
use super::INVALID;
use super::identity::{domain_url, name_place, sharing_type, space_app_type};

/// Describes a domain.
pub(super) fn domain(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let domain = find_domain(world, caller, body)?;
    let mut answer = json!({
        "DomainArn": reach::domain_arn(caller, &domain.id),
        "DomainId": domain.id,
        "DomainName": domain.name,
        "Status": "InService",
        "CreationTime": seconds(domain.created_at),
        "LastModifiedTime": seconds(domain.created_at),
        "AuthMode": domain.auth_mode,
        "DefaultUserSettings": {
            "ExecutionRole": domain.execution_role,
            "SharingSettings": { "NotebookOutputOption": "Disabled" },
            "DefaultLandingUri": "studio::",
            "StudioWebPortal": "ENABLED",
            "SpaceStorageSettings": {
                "DefaultEbsStorageSettings": {
                    "DefaultEbsVolumeSizeInGb": 5,
                    "MaximumEbsVolumeSizeInGb": 100,
                },
            },
        },
        "DefaultSpaceSettings": {
            "ExecutionRole": domain.space_role.as_ref().unwrap_or(&domain.execution_role),
        },
        "AppNetworkAccessType": "PublicInternetOnly",
        "SubnetIds": [format!("subnet-{}", digits(&domain.id, 17))],
        "VpcId": format!("vpc-{}", digits(&domain.account, 17)),
        "Url": domain_url(domain),
    });
    if let Some(home) = &domain.home_efs {
        answer["HomeEfsFileSystemId"] = json!(home);
    }
    // A domain whose propagation was never set answers without the member: that means disabled.
    if let Some(propagation) = &domain.tag_propagation {
        answer["TagPropagation"] = json!(propagation);
    }
    if domain.auth_mode == "SSO" {
        let instance = digits(&domain.account, 16);
        answer["SingleSignOnApplicationArn"] = json!(format!(
            "arn:aws:sso::{}:application/ssoins-{instance}/apl-{}",
            domain.account,
            digits(&domain.id, 16)
        ));
    }
    Ok(answer)
}

/// Describes a user profile.
pub(super) fn user_profile(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let domain = find_domain(world, caller, body)?;
    let name = required(body, "UserProfileName", INVALID)?;
    let profiles = reach::user_profiles(world, caller);
    let of_domain = profiles.into_iter().filter(|profile| profile.domain == domain.id);
    let found = of_domain.enumerate().find(|(_, profile)| profile.name == name);
    let (index, profile) = found.ok_or_else(|| missing("UserProfile", name))?;
    let mut answer = json!({
        "DomainId": profile.domain,
        "UserProfileArn": reach::user_profile_arn(caller, profile),
        "UserProfileName": profile.name,
        "HomeEfsFileSystemUid": (200_001 + index).to_string(),
        "Status": "InService",
        "CreationTime": seconds(profile.created_at),
        "LastModifiedTime": seconds(profile.created_at),
        "UserSettings": {},
    });
    if let Some(role) = &profile.execution_role {
        answer["UserSettings"]["ExecutionRole"] = json!(role);
    }
    if let Some(value) = &profile.sso_value {
        answer["SingleSignOnUserIdentifier"] = json!("UserName");
        answer["SingleSignOnUserValue"] = json!(value);
    }
    Ok(answer)
}

/// Describes a space.
pub(super) fn space(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let domain = find_domain(world, caller, body)?;
    let name = required(body, "SpaceName", INVALID)?;
    let spaces = reach::spaces(world, caller);
    let found = spaces.into_iter().find(|space| space.domain == domain.id && space.name == name);
    let space = found.ok_or_else(|| missing("Space", name))?;
    Ok(json!({
        "DomainId": space.domain,
        "SpaceArn": reach::space_arn(caller, space),
        "SpaceName": space.name,
        "Status": "InService",
        "CreationTime": seconds(space.created_at),
        "LastModifiedTime": seconds(space.created_at),
        "SpaceSettings": {
            "AppType": space_app_type(world, space),
            "SpaceStorageSettings": {
                "EbsStorageSettings": { "EbsVolumeSizeInGb": space.volume_gib },
            },
        },
        "OwnershipSettings": { "OwnerUserProfileName": space.owner },
        "SpaceSharingSettings": { "SharingType": sharing_type(space) },
        "Url": domain_url(domain),
    }))
}

/// Describes an app of a user profile or of a space.
pub(super) fn app(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let domain = find_domain(world, caller, body)?;
    let name = required(body, "AppName", INVALID)?;
    let kind = required(body, "AppType", INVALID)?;
    let (user_profile, space) = (text(body, "UserProfileName"), text(body, "SpaceName"));
    if user_profile.is_some() == space.is_some() {
        return Err(Refusal::invalid(
            "Exactly one of UserProfileName and SpaceName has to be specified",
        ));
    }
    // A deleted app and its successor share their name: the youngest is meant.
    let apps = reach::apps(world, caller).into_iter().filter(|app| {
        app.domain == domain.id
            && app.name == name
            && app.app_type == kind
            && app.user_profile.as_deref() == user_profile
            && app.space.as_deref() == space
    });
    let app = apps.max_by_key(|app| app.created_at).ok_or_else(|| missing("App", name))?;
    let mut answer = json!({
        "AppArn": reach::app_arn(caller, app),
        "AppType": app.app_type,
        "AppName": app.name,
        "DomainId": app.domain,
        "Status": app.status,
        "CreationTime": seconds(app.created_at),
        "ResourceSpec": { "InstanceType": app.instance_type },
    });
    name_place(&mut answer, app);
    Ok(answer)
}

fn find_domain<'a>(world: &'a World, caller: &Caller, body: &Value) -> Result<&'a Domain, Refusal> {
    let id = required(body, "DomainId", INVALID)?;
    let domains = reach::domains(world, caller);
    domains.into_iter().find(|domain| domain.id == id).ok_or_else(|| missing("Domain", id))
}

/// Refuses what does not exist.
pub(super) fn missing(what: &str, name: &str) -> Refusal {
    Refusal::new("ResourceNotFound", format!("{what} [{name}] does not exist."))
}

/// Returns the same hexadecimal digits for the same text, for ids that nothing else knows.
pub(super) fn digits(text: &str, count: usize) -> String {
    hex(&Sha256::digest(text.as_bytes())).chars().take(count).collect()
}
