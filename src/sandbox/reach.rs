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
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
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
    pub arn: &'a str,
    /// The service and type, as the tagging API filters by them.
    pub service: &'static str,
    pub kind: &'a str,
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

/// Returns the resources of one kind in the caller's account and region, in order of creation and name.
pub(super) fn resources<'a>(world: &'a World, caller: &Caller, kind: &str) -> Vec<&'a Resource> {
    let found =
        world.index.of_kind(caller, kind).iter().map(|at| &world.organisation.resources[*at]);
    found.filter(|resource| exists(world.now, resource.created_at, resource.deleted_at)).collect()
}

/// Returns the file systems of the caller's account and region.
pub(super) fn file_systems<'a>(world: &'a World, caller: &Caller) -> Vec<&'a FileSystem> {
    let found = world.organisation.file_systems.iter();
    found.filter(|system| reaches_file_system(world.now, caller, system)).collect()
}

/// Returns every taggable thing that the caller reaches from a position on, in order of the ARN.
pub(super) fn things<'a>(
    world: &'a World,
    caller: &Caller,
    start: usize,
) -> impl Iterator<Item = (usize, Thing<'a>)> {
    let prefixes = [file_systems_arn(caller), sagemaker_arn(caller, "")];
    let ranges = prefixes.map(|prefix| world.index.range(&prefix));
    let places = ranges.into_iter().flatten().filter(move |at| *at >= start);
    places.filter_map(|at| {
        let (arn, place) = world.index.entry(at);
        let (service, kind) = kind(&world.organisation, place);
        let tags = tags(&world.organisation, place);
        is_there(world, place).then_some((at, Thing { arn, service, kind, tags }))
    })
}

/// Finds the taggable thing with exactly that ARN, case included.
pub(super) fn find(world: &World, caller: &Caller, arn: &str) -> Option<Place> {
    let here = [sagemaker_arn(caller, ""), file_systems_arn(caller)];
    if !here.iter().any(|prefix| arn.starts_with(prefix)) {
        return None;
    }
    world.index.at(arn).find(|place| is_there(world, *place))
}

/// Returns the service and the type of a place, as the tagging API filters by them.
pub(super) fn kind(organisation: &Organisation, place: Place) -> (&'static str, &str) {
    match place {
        Place::Domain(_) => ("sagemaker", "domain"),
        Place::UserProfile(_) => ("sagemaker", "user-profile"),
        Place::Space(_) => ("sagemaker", "space"),
        Place::App(_) => ("sagemaker", "app"),
        Place::Resource(index) => ("sagemaker", &organisation.resources[index].kind),
        Place::FileSystem(_) => ("elasticfilesystem", "file-system"),
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

fn file_systems_arn(caller: &Caller) -> String {
    format!("arn:aws:elasticfilesystem:{}:{}:", caller.region, caller.account)
}

/// Tells whether a thing exists at the clock's time, with the domain that it belongs to.
fn is_there(world: &World, place: Place) -> bool {
    let organisation = &world.organisation;
    let now = world.now;
    let stands = |domain: &Domain| exists(now, domain.created_at, domain.deleted_at);
    let in_domain = |id: &str| {
        let domain = world.index.domain(id).map(|at| &organisation.domains[at]);
        domain.is_some_and(stands)
    };
    match place {
        Place::Domain(index) => stands(&organisation.domains[index]),
        Place::UserProfile(index) => {
            let profile = &organisation.user_profiles[index];
            exists(now, profile.created_at, profile.deleted_at) && in_domain(&profile.domain)
        }
        Place::Space(index) => {
            let space = &organisation.spaces[index];
            exists(now, space.created_at, space.deleted_at) && in_domain(&space.domain)
        }
        Place::App(index) => {
            let app = &organisation.apps[index];
            app.status != "Deleted" && app.created_at <= now && in_domain(&app.domain)
        }
        Place::Resource(index) => {
            let resource = &organisation.resources[index];
            exists(now, resource.created_at, resource.deleted_at)
        }
        Place::FileSystem(index) => organisation.file_systems[index].created_at <= now,
    }
}

fn domain_ids<'a>(world: &'a World, caller: &Caller) -> BTreeSet<&'a str> {
    domains(world, caller).into_iter().map(|domain| domain.id.as_str()).collect()
}

fn reaches_domain(now: Timestamp, caller: &Caller, domain: &Domain) -> bool {
    domain.account == caller.account
        && domain.region == caller.region
        && exists(now, domain.created_at, domain.deleted_at)
}

fn reaches_file_system(now: Timestamp, caller: &Caller, system: &FileSystem) -> bool {
    system.account == caller.account && system.region == caller.region && system.created_at <= now
}

fn exists(now: Timestamp, created_at: Timestamp, deleted_at: Option<Timestamp>) -> bool {
    created_at <= now && deleted_at.is_none_or(|deleted_at| deleted_at > now)
}
