//! Owns presence: what of a team was billed and still exists, what runs now, and who worked in its shared spaces.
//!
//! **Invariant:** it is about what exists and who, and has no amounts.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::arn::{DomainId, DomainKey, Identity, UserProfileName};
use crate::bearer::Bearer;
use crate::facts::Index;
use crate::inventory::{App, Resource};
use crate::key;
use crate::owner::Owner;
use crate::report::{self, Report};
use crate::terms::People;

/// The status of what runs.
const IN_SERVICE: &str = "InService";

/// What is known of one team's owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Presence {
    /// Owners that were billed in the month, by their places.
    pub billed: Vec<usize>,
    /// What runs, as of the snapshot.
    pub running: Vec<Running>,
    /// Who worked in its shared spaces in the month.
    pub workers: Vec<Worker>,
    /// Private spaces whose user is in other teams all the month, and is not named here; by their places.
    pub guests: BTreeSet<usize>,
}

/// Something that runs, as of the snapshot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Running {
    /// The owner, by its place.
    pub bearer: usize,
    /// What it is: an app's type, `endpoint` or `notebook-instance`.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// The instance type, where the inventory tells it.
    pub instance_type: Option<String>,
}

/// Somebody who worked in a shared space.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Worker {
    /// The space, by its owner's place.
    pub space: usize,
    /// The domain of the user profile.
    pub domain: DomainKey,
    /// The user profile.
    pub name: UserProfileName,
    /// The user profile's place as an owner, where it is one.
    pub bearer: Option<usize>,
    /// The team that the user profile belongs to, by its place; absent without one.
    pub team: Option<usize>,
}

/// Returns a short text that stands for a user profile and stays the same from month to month.
pub fn pseudonym(domain: &DomainKey, name: &UserProfileName) -> String {
    let text = format!("{}/{}/{}/{name}", domain.account, domain.region, domain.id);
    let digest = Sha256::digest(text.as_bytes());
    let number = digest[..5].iter().fold(0_u64, |number, byte| (number << 8) | u64::from(*byte));
    format!("{number:010x}")
}

/// What a team's statement shows of an owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The owner, in words.
    pub label: String,
    /// The person that it is, `""` where none is known or told.
    pub person: String,
    /// The user profile, `""` where there is none or it is not told.
    pub user_profile: String,
    /// The space, `""` where it is none or it is not told.
    pub space: String,
}

impl Presence {
    /// Returns what the team's statement shows of an owner: of a guest no more than the terms allow.
    pub fn show(&self, report: &Report<'_>, place: usize) -> Shown {
        let bearer = &report.charges.bearers[place];
        if let (Owner::Space(domain, _), Some(user)) = (&bearer.owner, &bearer.user_profile)
            && self.guests.contains(&place)
        {
            let who = match report.terms.style.people {
                People::Ids => pseudonym(domain, user),
                _ => "somebody of another team".to_owned(),
            };
            let home = bearer.domain_name.as_deref().unwrap_or(domain.id.as_str());
            let label = format!("private space of {who} ({home})");
            return Shown { label, ..Shown::default() };
        }
        Shown {
            label: report::bearer_label(bearer),
            person: report.person(place).unwrap_or_default().to_owned(),
            user_profile: bearer.user_profile.as_ref().map(ToString::to_string).unwrap_or_default(),
            space: match &bearer.owner {
                Owner::Space(_, space) => space.to_string(),
                _ => String::new(),
            },
        }
    }
}

/// Owners by what the inventory knows them by.
struct Places<'a> {
    owners: BTreeMap<&'a Owner, usize>,
    spaces: BTreeMap<(&'a DomainId, &'a str), usize>,
    user_profiles: BTreeMap<(&'a DomainId, &'a str), usize>,
    /// A private space of each user: a user whose every cost is in private spaces is no owner.
    private_spaces: BTreeMap<(&'a DomainKey, &'a UserProfileName), usize>,
}

impl<'a> Places<'a> {
    fn new(report: &'a Report<'a>) -> Places<'a> {
        let mut places = Places {
            owners: BTreeMap::new(),
            spaces: BTreeMap::new(),
            user_profiles: BTreeMap::new(),
            private_spaces: BTreeMap::new(),
        };
        for (place, bearer) in report.charges.bearers.iter().enumerate() {
            places.owners.insert(&bearer.owner, place);
            match &bearer.owner {
                Owner::Space(domain, name) => {
                    places.spaces.insert((&domain.id, name.as_str()), place);
                    let user =
                        bearer.user_profile.as_ref().filter(|_| bearer.shared == Some(false));
                    if let Some(user) = user {
                        places.private_spaces.entry((domain, user)).or_insert(place);
                    }
                }
                Owner::UserProfile(domain, name) => {
                    places.user_profiles.insert((&domain.id, name.as_str()), place);
                }
                _ => {}
            }
        }
        places
    }

    fn app(&self, app: &App) -> Option<usize> {
        let of = |names: &BTreeMap<(&DomainId, &str), usize>, name: &Option<String>| {
            names.get(&(&app.domain, name.as_deref()?)).copied()
        };
        of(&self.spaces, &app.space).or_else(|| of(&self.user_profiles, &app.user_profile))
    }

    /// The owner that a resource's own tags name, as they would claim its cost.
    fn resource(&self, resource: &Resource, keys: &[String]) -> Option<usize> {
        let tags = resource.tags.as_ref()?;
        let named = key::PRECEDENCE.iter().find_map(|key| tags.get(*key));
        if let Some(value) = named {
            return self.owners.get(&Owner::from(Identity::parse(value)?)).copied();
        }
        let key = keys.iter().find(|key| tags.contains_key(*key))?;
        let owner = Owner::Tag { key: key.clone(), value: tags[key].clone() };
        self.owners.get(&owner).copied()
    }
}

/// Returns what is known of each team's owners, in the order of teams, and last of those without a team.
pub fn of(report: &Report<'_>) -> Vec<Presence> {
    let count = report.charges.membership.teams.len();
    let mut presences = vec![Presence::default(); count + 1];
    let at_end = |place: usize| report.charges.team_at_end(report.month, place).unwrap_or(count);
    let places = Places::new(report);
    let billed: BTreeSet<(usize, usize)> = report
        .charges
        .of_month(report.month)
        .filter(|charge| charge.cause.is_billed() && !charge.amounts.is_zero())
        .filter(|charge| charge.bearer < report.ledger.bearers.len())
        .map(|charge| (charge.team.unwrap_or(count), charge.bearer))
        .collect();
    let index = report.charges.membership.index(&report.snapshot.inventory);
    for (team, place) in billed {
        // What has no team is no team's to see.
        if team < count && is_guest(report, &index, place, team) {
            presences[team].guests.insert(place);
        }
        presences[team].billed.push(place);
    }
    for running in running(report, &places) {
        presences[at_end(running.bearer)].running.push(running);
    }
    for worker in workers(report, &places) {
        presences[at_end(worker.space)].workers.push(worker);
    }
    presences
}

/// Tells whether an owner is the private space of a user who is never in the team that it is charged to.
fn is_guest(report: &Report<'_>, index: &Index<'_>, place: usize, team: usize) -> bool {
    let bearer = &report.charges.bearers[place];
    let (Owner::Space(domain, _), Some(user)) = (&bearer.owner, &bearer.user_profile) else {
        return false;
    };
    if report.terms.style.people == People::Names {
        return false;
    }
    let profile = Owner::UserProfile(domain.clone(), user.clone());
    let facts = index.of(&Bearer { owner: profile, ..bearer.clone() });
    facts.is_some_and(|it| !report.charges.membership.is_ever_in(team, report.month, &it))
}

fn running(report: &Report<'_>, places: &Places<'_>) -> BTreeSet<Running> {
    let inventory = &report.snapshot.inventory;
    let apps = inventory.apps.iter().filter(|app| app.status == IN_SERVICE);
    let apps = apps.filter_map(|app| {
        Some(Running {
            bearer: places.app(app)?,
            kind: app.app_type.clone(),
            name: app.name.clone(),
            instance_type: app.instance_type.clone(),
        })
    });
    let is_server = |resource: &&Resource| {
        ["endpoint", "notebook-instance"].contains(&resource.kind.as_str())
            && resource.status.as_deref() == Some(IN_SERVICE)
    };
    let keys = &report.snapshot.manifest.configured_keys;
    let servers = inventory.resources.iter().filter(is_server).filter_map(|resource| {
        Some(Running {
            bearer: places.resource(resource, keys)?,
            kind: resource.kind.clone(),
            name: resource.name.clone(),
            instance_type: None,
        })
    });
    apps.chain(servers).collect()
}

fn workers(report: &Report<'_>, places: &Places<'_>) -> BTreeSet<Worker> {
    let month = report.month;
    let rows = report.snapshot.manifest.space_users.iter();
    let rows = rows.filter(|row| row.month == month && !row.amounts.is_zero());
    let workers = rows.filter_map(|row| {
        let space = Owner::from(Identity::parse(&row.space)?);
        let space = *places.owners.get(&space)?;
        let Some(Identity::UserProfile(domain, name)) = Identity::parse(&row.user_profile) else {
            return None;
        };
        // A private space is one person's, whom its cost names already.
        if report.charges.bearers[space].shared == Some(false) {
            return None;
        }
        let profile = Owner::UserProfile(domain.clone(), name.clone());
        let bearer = places.owners.get(&profile).copied();
        let team = bearer.or_else(|| places.private_spaces.get(&(&domain, &name)).copied());
        let team = team.and_then(|place| report.charges.team_at_end(month, place));
        Some(Worker { space, domain, name, bearer, team })
    });
    workers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::AccountId;

    #[test]
    fn a_pseudonym_is_short_lasting_and_one_profiles_own() {
        let domain = |id: &str| DomainKey {
            account: AccountId::parse("111122223333").unwrap(),
            region: "us-east-1".to_owned(),
            id: DomainId::parse(id).unwrap(),
        };
        let ana = UserProfileName::parse("ana").unwrap();
        let ben = UserProfileName::parse("ben").unwrap();
        let text = pseudonym(&domain("d-a"), &ana);
        assert_eq!(text, pseudonym(&domain("d-a"), &ana));
        assert_eq!(text.len(), 10);
        assert_ne!(text, pseudonym(&domain("d-b"), &ana));
        assert_ne!(text, pseudonym(&domain("d-a"), &ben));
    }
}
