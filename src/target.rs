//! Owns targets: everything of the inventory that can bear a domain tag, or tells whose such a thing is, by its ARN.
//!
//! **Invariant:** a domain is called gone only where domains were listed.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{Arn, DomainId, DomainKey};
use crate::inventory::{App, Domain, Inventory, Origin, Tags, Whereabouts};
use crate::key;
use crate::kind::{self, ResourceKind, TaggedBy};

/// A thing with all that is known of it.
#[derive(Clone, Debug)]
pub struct Target<'a> {
    /// Its ARN.
    pub arn: String,
    /// Its account and region.
    pub place: Whereabouts,
    /// The ARN's first segment.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its status, where it was told.
    pub status: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Whether its tags may be others than these, since they could not be read.
    pub is_unread: bool,
    /// The domain that its ARN lies in.
    pub home: Option<&'a Domain>,
    /// Where it comes from.
    pub origin: Option<&'a Origin>,
    /// The domain's ARN in the tag that SageMaker puts on a file system.
    pub managed_by: Option<&'a str>,
    /// Whether AWS bills nothing for it, whatever its type and status.
    pub is_free: bool,
}

/// Whether a domain exists, seen from a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Presence {
    /// In the thing's account and region.
    Here,
    /// Domains could not be listed there.
    Unknown,
    /// In another account or region, if at all.
    Elsewhere,
    /// No longer, or never.
    Gone,
}

/// The domains of an inventory.
#[derive(Debug)]
pub struct Domains<'a> {
    by_key: BTreeMap<&'a DomainKey, &'a Domain>,
    by_id: BTreeMap<&'a DomainId, Vec<&'a Domain>>,
    listed: &'a BTreeSet<Whereabouts>,
}

impl Target<'_> {
    /// Returns its type, where that is one that can bear tags.
    pub fn resource_kind(&self) -> Option<&'static ResourceKind> {
        kind::of(&self.kind)
    }

    /// Tells whether it still costs something by itself.
    pub fn costs(&self) -> bool {
        let status = self.status.as_deref();
        !self.is_free && self.resource_kind().is_some_and(|kind| kind.costs.at(status))
    }

    /// Tells whether a domain lies in its account and region.
    pub fn is_beside(&self, domain: &DomainKey) -> bool {
        self.place.account == domain.account && self.place.region == domain.region
    }
}

impl<'a> Domains<'a> {
    /// Indexes the domains.
    pub fn new(inventory: &'a Inventory) -> Domains<'a> {
        let mut by_id: BTreeMap<&DomainId, Vec<&Domain>> = BTreeMap::new();
        let by_key: BTreeMap<&DomainKey, &Domain> =
            inventory.domains.iter().map(|domain| (&domain.key, domain)).collect();
        for domain in by_key.values().copied() {
            by_id.entry(&domain.key.id).or_default().push(domain);
        }
        Domains { by_key, by_id, listed: &inventory.listed }
    }

    /// Finds a domain.
    pub fn get(&self, key: &DomainKey) -> Option<&'a Domain> {
        self.by_key.get(key).copied()
    }

    /// Finds the one domain of that id.
    pub fn by_id(&self, id: &DomainId) -> Option<&'a Domain> {
        match self.by_id.get(id)?.as_slice() {
            [only] => Some(only),
            _ => None,
        }
    }

    /// Returns the domains of an account and region.
    pub fn of(&self, place: &Whereabouts) -> impl Iterator<Item = &'a Domain> {
        self.by_key
            .values()
            .copied()
            .filter(|it| it.key.account == place.account && it.key.region == place.region)
    }

    /// Tells whether a domain exists, seen from a thing.
    pub fn presence(&self, target: &Target<'_>, key: &DomainKey) -> Presence {
        if !target.is_beside(key) {
            return Presence::Elsewhere;
        }
        match self.get(key) {
            // Without its ARN there is no value to put.
            Some(domain) if domain.arn.is_empty() => Presence::Unknown,
            Some(_) => Presence::Here,
            None if self.listed.contains(&target.place) => Presence::Gone,
            None => Presence::Unknown,
        }
    }
}

/// Returns everything of an inventory, each once, in the order of the ARNs.
pub fn all<'a>(inventory: &'a Inventory, domains: &Domains<'a>) -> Vec<Target<'a>> {
    let mut targets = Vec::with_capacity(inventory.resources.len());
    for profile in &inventory.user_profiles {
        let path = format!("user-profile/{}/{}", profile.domain, profile.name);
        let name = profile.name.to_string();
        targets.extend(within(domains, &profile.domain, &path, name, &profile.tags));
    }
    for space in &inventory.spaces {
        let path = format!("space/{}/{}", space.domain, space.name);
        let name = space.name.to_string();
        targets.extend(within(domains, &space.domain, &path, name, &space.tags));
    }
    for app in inventory.apps.iter().filter(|app| app.status != "Deleted") {
        let Some(path) = app_path(app) else { continue };
        let target = within(domains, &app.domain, &path, app.name.clone(), &app.tags);
        let status = Some(app.status.clone());
        targets.extend(target.map(|it| Target { status, is_free: is_free(app), ..it }));
    }
    targets.extend(inventory.resources.iter().map(|resource| Target {
        arn: resource.arn.clone(),
        place: Whereabouts { account: resource.account.clone(), region: resource.region.clone() },
        kind: resource.kind.clone(),
        name: resource.name.clone(),
        status: resource.status.clone(),
        tags: resource.tags.clone().unwrap_or_default(),
        is_unread: false,
        home: None,
        origin: Some(&resource.origin),
        managed_by: None,
        is_free: false,
    }));
    file_systems(inventory, &mut targets);
    let gaps: BTreeSet<(&str, &str, &str)> = inventory
        .gaps
        .iter()
        .map(|gap| (gap.account.as_str(), gap.region.as_str(), gap.operation.as_str()))
        .collect();
    for target in &mut targets {
        let (account, region) = (target.place.account.as_str(), target.place.region.as_str());
        let is_gap = |operation: &&str| gaps.contains(&(account, region, *operation));
        target.is_unread = target.tags.is_empty() && readers(target).iter().any(is_gap);
    }
    // A thing that was listed twice is kept as the one that comes first in an order of its own.
    targets.sort_by(|left, right| {
        (&left.arn, &left.tags, &left.status).cmp(&(&right.arn, &right.tags, &right.status))
    });
    targets.dedup_by(|later, earlier| later.arn == earlier.arn);
    targets
}

/// What lies in a domain; nothing when the domain is not known, since the ARN is not then either.
fn within<'a>(
    domains: &Domains<'a>,
    id: &DomainId,
    path: &str,
    name: String,
    tags: &Tags,
) -> Option<Target<'a>> {
    let domain = domains.by_id(id)?;
    let arn = Arn { resource: path.to_owned(), ..Arn::parse(&domain.arn)? };
    Some(Target {
        arn: arn.to_string(),
        place: Whereabouts {
            account: domain.key.account.clone(),
            region: domain.key.region.clone(),
        },
        kind: path.split('/').next().unwrap_or_default().to_owned(),
        name,
        status: None,
        tags: tags.clone(),
        is_unread: false,
        home: Some(domain),
        origin: None,
        managed_by: None,
        is_free: false,
    })
}

/// Tells of the app that shows Studio Classic itself: it runs on no instance of the account's, which AWS calls `system`,
/// and there is no charge for Studio Classic beyond instances (SageMaker Developer Guide, "Usage Metering for Amazon
/// SageMaker Studio Classic Notebooks").
/// Canvas apps run on `system` too, and are billed by the session.
fn is_free(app: &App) -> bool {
    app.app_type == "JupyterServer" && app.instance_type.as_deref() == Some("system")
}

/// The end of an app's ARN, in which AWS writes the app's type in small letters.
fn app_path(app: &App) -> Option<String> {
    let place = app.user_profile.as_ref().or(app.space.as_ref())?;
    Some(format!("app/{}/{place}/{}/{}", app.domain, app.app_type.to_lowercase(), app.name))
}

/// File systems; the partition of their ARNs is that of anything else in their region.
fn file_systems<'a>(inventory: &'a Inventory, targets: &mut Vec<Target<'a>>) {
    let mut partitions: BTreeMap<String, String> = BTreeMap::new();
    let arns = inventory.domains.iter().map(|it| &it.arn).chain(targets.iter().map(|it| &it.arn));
    for arn in arns.filter_map(|arn| Arn::parse(arn)) {
        partitions.entry(arn.region).or_insert(arn.partition);
    }
    for file_system in &inventory.file_systems {
        let managed_by = file_system.managed_by.as_deref();
        let named = managed_by.and_then(Arn::parse).map(|arn| arn.partition);
        let Some(partition) = named.or_else(|| partitions.get(&file_system.region).cloned()) else {
            continue;
        };
        let arn = Arn {
            partition,
            service: "elasticfilesystem".to_owned(),
            region: file_system.region.clone(),
            account: file_system.account.to_string(),
            resource: format!("file-system/{}", file_system.id),
        };
        targets.push(Target {
            arn: arn.to_string(),
            place: Whereabouts {
                account: file_system.account.clone(),
                region: file_system.region.clone(),
            },
            kind: "file-system".to_owned(),
            name: file_system.id.clone(),
            status: None,
            tags: file_system.tags.clone(),
            is_unread: false,
            home: None,
            origin: None,
            managed_by,
            is_free: false,
        });
    }
}

/// The gaps that leave open whether a thing without tags has some: `*` is all that was not asked any more.
fn readers(target: &Target<'_>) -> &'static [&'static str] {
    match target.resource_kind().map(|kind| kind.tagged_by) {
        // File systems are listed with their tags.
        Some(TaggedBy::TaggingApi) => &[],
        Some(TaggedBy::AddTags) => &["ListTags", "*"],
        _ => &["GetResources"],
    }
}

/// Returns the value of a thing's domain tag.
pub fn domain_tag<'t>(target: &'t Target<'_>) -> Option<&'t str> {
    target.tags.get(key::DOMAIN).map(String::as_str)
}
