//! Owns what a caller reaches: the things of its account and region that exist at the clock's time, and their tags.
//!
//! **Invariant:** nothing of another account or region, and nothing deleted, is ever handed out.

use std::borrow::Cow;
use std::collections::BTreeSet;

use jiff::Timestamp;

use super::organisation::{
    App, Domain, FileSystem, Organisation, Resource, Space, Tags, UserProfile,
};
use super::wire::Caller;
use super::world::World;

/// Where a taggable thing stands in the organisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Domain(usize),
    UserProfile(usize),
    Space(usize),
    App(usize),
    Resource(usize),
    FileSystem(usize),
}

/// A taggable thing that a caller reaches.
pub(super) struct Thing<'a> {
    /// Its true ARN.
    pub arn: String,
    /// The service and type, as the tagging API filters by them.
    pub service: &'static str,
    pub kind: Cow<'a, str>,
    pub tags: &'a Tags,
}

/// Returns the domains of the caller's account and region.
pub(super) fn domains<'a>(world: &'a World, caller: &Caller) -> Vec<&'a Domain> {
    let found = world.organisation.domains.iter();
    found.filter(|domain| reaches_domain(world.now, caller, domain)).collect()
}

/// Returns the user profiles of the caller's domains.
pub(super) fn user_profiles<'a>(world: &'a World, caller: &Caller) -> Vec<&'a UserProfile> {
    let domains = domain_ids(world, caller);
    let found = world.organisation.user_profiles.iter();
    found
        .filter(|profile| domains.contains(profile.domain.as_str()))
        .filter(|profile| exists(world.now, profile.created_at, profile.deleted_at))
        .collect()
}

/// Returns the spaces of the caller's domains.
pub(super) fn spaces<'a>(world: &'a World, caller: &Caller) -> Vec<&'a Space> {
    let domains = domain_ids(world, caller);
    let found = world.organisation.spaces.iter();
    found
        .filter(|space| domains.contains(space.domain.as_str()))
        .filter(|space| exists(world.now, space.created_at, space.deleted_at))
        .collect()
}

/// Returns the apps of the caller's domains, recently deleted ones included.
pub(super) fn apps<'a>(world: &'a World, caller: &Caller) -> Vec<&'a App> {
    let domains = domain_ids(world, caller);
    let found = world.organisation.apps.iter();
    found
        .filter(|app| domains.contains(app.domain.as_str()) && app.created_at <= world.now)
        .collect()
}

/// Returns the resources of one kind in the caller's account and region.
pub(super) fn resources<'a>(world: &'a World, caller: &Caller, kind: &str) -> Vec<&'a Resource> {
    let found = world.organisation.resources.iter();
    found
        .filter(|resource| resource.kind == kind && reaches_resource(world.now, caller, resource))
        .collect()
}

/// Returns the file systems of the caller's account and region.
pub(super) fn file_systems<'a>(world: &'a World, caller: &Caller) -> Vec<&'a FileSystem> {
    let found = world.organisation.file_systems.iter();
    found.filter(|system| reaches_file_system(world.now, caller, system)).collect()
}

/// Returns every taggable thing that the caller reaches, by ARN.
pub(super) fn things<'a>(world: &'a World, caller: &Caller) -> Vec<Thing<'a>> {
    let thing = |arn: String, service, kind, tags| Thing { arn, service, kind, tags };
    let sagemaker = |arn, kind: &'a str, tags| thing(arn, "sagemaker", Cow::Borrowed(kind), tags);
    let mut things = Vec::new();
    for domain in domains(world, caller) {
        things.push(sagemaker(domain_arn(caller, &domain.id), "domain", &domain.tags));
    }
    for profile in user_profiles(world, caller) {
        things.push(sagemaker(user_profile_arn(caller, profile), "user-profile", &profile.tags));
    }
    for space in spaces(world, caller) {
        things.push(sagemaker(space_arn(caller, space), "space", &space.tags));
    }
    for app in apps(world, caller).into_iter().filter(|app| app.status != "Deleted") {
        things.push(sagemaker(app_arn(caller, app), "app", &app.tags));
    }
    for resource in &world.organisation.resources {
        if reaches_resource(world.now, caller, resource) {
            let arn = resource_arn(resource).into_owned();
            things.push(sagemaker(arn, &resource.kind, &resource.tags));
        }
    }
    for system in file_systems(world, caller) {
        let kind = Cow::Borrowed("file-system");
        things.push(thing(file_system_arn(system), "elasticfilesystem", kind, &system.tags));
    }
    things.sort_by(|one, other| one.arn.cmp(&other.arn));
    things
}

/// Finds the taggable thing with exactly that ARN, case included.
pub(super) fn find(world: &World, caller: &Caller, arn: &str) -> Option<Place> {
    let organisation = &world.organisation;
    let (before, rest) = arn.split_at_checked(arn.match_indices(':').nth(4)?.0 + 1)?;
    let (kind, path) = rest.split_once('/')?;
    if before == format!("arn:aws:elasticfilesystem:{}:{}:", caller.region, caller.account) {
        let mut systems = organisation.file_systems.iter();
        return systems
            .position(|system| {
                reaches_file_system(world.now, caller, system) && file_system_arn(system) == arn
            })
            .map(Place::FileSystem);
    }
    if before != sagemaker_arn(caller, "") {
        return None;
    }
    let domain = path.split_once('/').map_or(path, |(domain, _)| domain);
    let reached = || {
        let mut domains = organisation.domains.iter();
        domains.any(|known| known.id == domain && reaches_domain(world.now, caller, known))
    };
    let now = world.now;
    match kind {
        "domain" => {
            let mut domains = organisation.domains.iter();
            domains
                .position(|domain| domain.id == path && reaches_domain(now, caller, domain))
                .map(Place::Domain)
        }
        "user-profile" if reached() => {
            let matches = |profile: &UserProfile| {
                profile.domain == domain
                    && user_profile_arn(caller, profile) == arn
                    && exists(now, profile.created_at, profile.deleted_at)
            };
            organisation.user_profiles.iter().position(matches).map(Place::UserProfile)
        }
        "space" if reached() => {
            let matches = |space: &Space| {
                space.domain == domain
                    && space_arn(caller, space) == arn
                    && exists(now, space.created_at, space.deleted_at)
            };
            organisation.spaces.iter().position(matches).map(Place::Space)
        }
        "app" if reached() => {
            let matches = |app: &App| {
                app.domain == domain
                    && app.status != "Deleted"
                    && app.created_at <= now
                    && app_arn(caller, app) == arn
            };
            organisation.apps.iter().position(matches).map(Place::App)
        }
        _ => {
            let matches = |resource: &Resource| {
                resource_arn(resource) == arn && reaches_resource(now, caller, resource)
            };
            organisation.resources.iter().position(matches).map(Place::Resource)
        }
    }
}

/// Returns the tags of a place.
pub(super) fn tags(organisation: &Organisation, place: Place) -> &Tags {
    match place {
        Place::Domain(index) => &organisation.domains[index].tags,
        Place::UserProfile(index) => &organisation.user_profiles[index].tags,
        Place::Space(index) => &organisation.spaces[index].tags,
        Place::App(index) => &organisation.apps[index].tags,
        Place::Resource(index) => &organisation.resources[index].tags,
        Place::FileSystem(index) => &organisation.file_systems[index].tags,
    }
}

/// Returns the tags of a place, to be changed.
pub(super) fn tags_mut(organisation: &mut Organisation, place: Place) -> &mut Tags {
    match place {
        Place::Domain(index) => &mut organisation.domains[index].tags,
        Place::UserProfile(index) => &mut organisation.user_profiles[index].tags,
        Place::Space(index) => &mut organisation.spaces[index].tags,
        Place::App(index) => &mut organisation.apps[index].tags,
        Place::Resource(index) => &mut organisation.resources[index].tags,
        Place::FileSystem(index) => &mut organisation.file_systems[index].tags,
    }
}

/// Returns an ARN of SageMaker in the caller's account and region.
pub(super) fn sagemaker_arn(caller: &Caller, resource: &str) -> String {
    format!("arn:aws:sagemaker:{}:{}:{resource}", caller.region, caller.account)
}

/// Returns a domain's ARN.
pub(super) fn domain_arn(caller: &Caller, id: &str) -> String {
    sagemaker_arn(caller, &format!("domain/{id}"))
}

/// Returns a user profile's ARN.
pub(super) fn user_profile_arn(caller: &Caller, profile: &UserProfile) -> String {
    sagemaker_arn(caller, &format!("user-profile/{}/{}", profile.domain, profile.name))
}

/// Returns a space's ARN.
pub(super) fn space_arn(caller: &Caller, space: &Space) -> String {
    sagemaker_arn(caller, &format!("space/{}/{}", space.domain, space.name))
}

/// Returns an app's ARN, in which AWS writes the app's type in small letters.
pub(super) fn app_arn(caller: &Caller, app: &App) -> String {
    let place = app.user_profile.as_ref().or(app.space.as_ref());
    let place = place.expect("an app belongs to a user profile or a space");
    let kind = app.app_type.to_lowercase();
    sagemaker_arn(caller, &format!("app/{}/{place}/{kind}/{}", app.domain, app.name))
}

/// Returns a resource's true ARN; that of an endpoint is in small letters whatever its name is.
pub(super) fn resource_arn(resource: &Resource) -> Cow<'_, str> {
    if resource.kind == "endpoint" {
        Cow::Owned(resource.arn.to_lowercase())
    } else {
        Cow::Borrowed(&resource.arn)
    }
}

/// Returns a file system's ARN.
pub(super) fn file_system_arn(system: &FileSystem) -> String {
    let FileSystem { account, region, id, .. } = system;
    format!("arn:aws:elasticfilesystem:{region}:{account}:file-system/{id}")
}

fn domain_ids<'a>(world: &'a World, caller: &Caller) -> BTreeSet<&'a str> {
    domains(world, caller).into_iter().map(|domain| domain.id.as_str()).collect()
}

fn reaches_domain(now: Timestamp, caller: &Caller, domain: &Domain) -> bool {
    domain.account == caller.account
        && domain.region == caller.region
        && exists(now, domain.created_at, domain.deleted_at)
}

fn reaches_resource(now: Timestamp, caller: &Caller, resource: &Resource) -> bool {
    resource.account == caller.account
        && resource.region == caller.region
        && exists(now, resource.created_at, resource.deleted_at)
}

fn reaches_file_system(now: Timestamp, caller: &Caller, system: &FileSystem) -> bool {
    system.account == caller.account && system.region == caller.region && system.created_at <= now
}

fn exists(now: Timestamp, created_at: Timestamp, deleted_at: Option<Timestamp>) -> bool {
    created_at <= now && deleted_at.is_none_or(|deleted_at| deleted_at > now)
}
