//! Owns what a budget's scope means to AWS: the tag values whose cost it is, and the filter that says so.
//!
//! A record may bear several of SageMaker's tags; whose it is follows from their order (rule A1 of `docs/allocation.md`),
//! which a filter without conditions on absence cannot follow everywhere. What is lost by that is told in dollars.
//! **Invariant:** an owner whom a filter would reach with somebody else's cost is not reached at all.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use crate::arn::DomainKey;
use crate::budget::Scope;
use crate::census::{Census, Entry};
use crate::charge::Charges;
use crate::expression;
use crate::key;
use crate::owner::Owner;
use crate::snapshot::Snapshot;
use crate::team::TeamName;

/// What a filter finds cost by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    /// Services, whoever's they are.
    pub services: BTreeSet<String>,
    /// Values of the domain's keys: whole domains.
    pub domains: BTreeSet<String>,
    /// Values of the user profile's key.
    pub users: BTreeSet<String>,
    /// Values of the space's keys.
    pub spaces: BTreeSet<String>,
    /// Values of the space's keys under which these users work and whose cost is not theirs.
    pub strange_spaces: BTreeSet<String>,
    /// Values of configured keys, on anything.
    pub tags: BTreeMap<String, BTreeSet<String>>,
    /// Keys with a value that count only where no key before them in precedence is there.
    pub alone: BTreeMap<String, BTreeSet<String>>,
    /// The owners whose lines are found.
    pub owners: BTreeSet<Owner>,
    /// Owners in the scope whom only conditions on absence would find.
    pub hidden: BTreeSet<Owner>,
}

/// What is looked at to tell what a scope means.
pub struct Ground<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// Its charges.
    pub charges: &'a Charges<'a>,
    /// Everybody to whom cost may fall in the run.
    pub census: &'a Census,
    /// The present day.
    pub today: Date,
    /// Whether filters may have conditions on the absence of a key.
    pub match_absent: bool,
}

/// Returns what a scope means.
pub fn reach(scope: &Scope, ground: &Ground<'_>) -> Reach {
    let census = ground.census;
    let mut reach = Reach::default();
    match scope {
        Scope::All => everything(ground, &mut reach),
        Scope::Domain(id) => {
            for domain in census.domains().filter(|it| it.id == *id) {
                reach.whole(domain, ground);
            }
        }
        Scope::UserProfile(id, name) => {
            let is_theirs = |entry: &Entry| entry.bearer.user_profile.as_ref() == Some(name);
            for domain in census.domains().filter(|it| it.id == *id) {
                reach.some(domain, ground, &is_theirs);
            }
        }
        Scope::Space(id, name) => {
            let is_it = |entry: &Entry| matches!(&entry.bearer.owner, Owner::Space(home, space) if home.id == *id && space == name);
            for domain in census.domains().filter(|it| it.id == *id) {
                reach.some(domain, ground, &is_it);
            }
        }
        Scope::Team(team) => of_team(team, ground, &mut reach),
        Scope::Foreign(_) => {}
    }
    if ground.match_absent {
        for owner in std::mem::take(&mut reach.hidden) {
            reach.alone(&owner, census);
        }
    }
    reach
}

/// The services of SageMaker, and of other services what bears a key: SageMaker's own name a domain wherever they are.
fn everything(ground: &Ground<'_>, reach: &mut Reach) {
    let manifest = &ground.snapshot.manifest;
    reach.services = manifest.scope.services.iter().cloned().collect();
    for domain in ground.census.domains() {
        reach.domain_values(domain, ground.census);
    }
    for (slice, value) in ground.snapshot.records.distinct_values() {
        if manifest.configured_keys.contains(&slice) {
            reach.tags.entry(slice).or_default().insert(value);
        }
    }
    reach.owners = ground.charges.ledger.bearers.iter().map(|it| it.owner.clone()).collect();
}

fn of_team(team: &TeamName, ground: &Ground<'_>, reach: &mut Reach) {
    let membership = &ground.charges.membership;
    let index = membership.index(&ground.snapshot.inventory);
    let team_of = |entry: &Entry| {
        let facts = index.of(&entry.bearer)?;
        membership.team_on(ground.today, &facts)
    };
    let census = ground.census;
    for domain in census.domains() {
        let people = || census.of(domain).filter(|it| !matches!(it.bearer.owner, Owner::Domain(_)));
        let is_theirs = |entry: &Entry| team_of(entry).as_ref() == Some(team);
        let own = Owner::Domain(domain.clone());
        let domain_team = census.entries.get(&own).and_then(team_of);
        let is_whole = domain_team.as_ref().is_none_or(|it| it == team)
            && people().next().is_some()
            && people().all(is_theirs);
        if is_whole {
            reach.whole(domain, ground);
        } else {
            reach.some(domain, ground, &|entry| {
                !matches!(entry.bearer.owner, Owner::Domain(_)) && is_theirs(entry)
            });
            reach.hidden.extend((domain_team.as_ref() == Some(team)).then_some(own));
        }
    }
    for bearer in &ground.charges.ledger.bearers {
        if matches!(bearer.owner, Owner::Tag { .. }) {
            let facts = index.of(bearer);
            let theirs = facts.and_then(|facts| membership.team_on(ground.today, &facts));
            reach.hidden.extend((theirs.as_ref() == Some(team)).then(|| bearer.owner.clone()));
        }
    }
}

impl Reach {
    /// Tells whether nothing at all is reached.
    pub fn is_empty(&self) -> bool {
        self.filter(&BTreeSet::new(), &[]).is_none()
    }

    fn domain_values(&mut self, domain: &DomainKey, census: &Census) {
        let entry = census.entries.get(&Owner::Domain(domain.clone()));
        self.domains.extend(entry.into_iter().flat_map(|it| it.values.iter().cloned()));
    }

    /// Takes in a whole domain: its tag, its file system's, and its users' and spaces'.
    ///
    /// Who is gone is found by the domain's tag, which is on all that SageMaker tags.
    fn whole(&mut self, domain: &DomainKey, ground: &Ground<'_>) {
        self.domain_values(domain, ground.census);
        for entry in ground.census.of(domain) {
            self.take_in(entry);
        }
        let billed = ground.charges.ledger.bearers.iter().map(|it| &it.owner);
        self.owners.extend(billed.filter(|it| it.domain() == Some(domain)).cloned());
    }

    fn take_in(&mut self, entry: &Entry) {
        let values = entry.values.iter().cloned();
        match entry.bearer.owner {
            Owner::UserProfile(..) => self.users.extend(values),
            Owner::Space(..) => self.spaces.extend(values),
            _ => {}
        }
        self.owners.insert(entry.bearer.owner.clone());
    }

    /// Takes in some of a domain, without what is the others'.
    fn some(
        &mut self,
        domain: &DomainKey,
        ground: &Ground<'_>,
        is_theirs: &dyn Fn(&Entry) -> bool,
    ) {
        let census = ground.census;
        let (theirs, others): (Vec<&Entry>, Vec<&Entry>) =
            census.of(domain).partition(|it| is_theirs(it));
        for entry in &theirs {
            self.take_in(entry);
        }
        let users: BTreeSet<_> = theirs
            .iter()
            .filter(|it| matches!(it.bearer.owner, Owner::UserProfile(..)))
            .filter_map(|it| it.bearer.user_profile.as_ref())
            .collect();
        if users.is_empty() {
            return;
        }
        let values = theirs.iter().flat_map(|it| it.values.iter());
        let seen: BTreeSet<&str> = values.flat_map(|value| census.seen_in(value)).collect();
        // A user's tag is also on what they do in a shared space, and that is the space's; so it is wherever the bill
        // has shown them in somebody else's.
        let is_strange = |entry: &&Entry| {
            let owner = entry.bearer.user_profile.as_ref();
            matches!(entry.bearer.owner, Owner::Space(..))
                && (owner.is_none_or(|owner| users.contains(owner))
                    || entry.values.iter().any(|value| seen.contains(value.as_str())))
        };
        let strange = others.into_iter().filter(is_strange);
        self.strange_spaces.extend(strange.flat_map(|it| it.values.iter().cloned()));
    }

    fn alone(&mut self, owner: &Owner, census: &Census) {
        match owner {
            Owner::Domain(_) => {
                let values = census.entries.get(owner).into_iter().flat_map(|it| it.values.iter());
                for key in [key::DOMAIN, key::MANAGED_BY] {
                    let alone = self.alone.entry(key.to_owned()).or_default();
                    alone.extend(values.clone().cloned());
                }
            }
            Owner::Tag { key, value } => {
                self.alone.entry(key.clone()).or_default().insert(value.clone());
            }
            _ => return,
        }
        self.owners.insert(owner.clone());
    }

    /// Returns the filter, without the record types given; `keys` are the claiming keys in order of precedence.
    ///
    /// Absent where there is nothing that it could find.
    pub fn filter(&self, excluded: &BTreeSet<String>, keys: &[String]) -> Option<Value> {
        let mut found = expression::dimension("SERVICE", self.services.iter().cloned());
        let sets = [
            (key::DOMAIN, &self.domains),
            (key::MANAGED_BY, &self.domains),
            (key::USER_PROFILE, &self.users),
            (key::SPACE, &self.spaces),
            (key::SHARED_SPACE, &self.spaces),
        ];
        for (key, values) in sets {
            found.extend(expression::tag(key, values.iter().cloned()));
        }
        for (key, values) in &self.tags {
            found.extend(expression::tag(key, values.iter().cloned()));
        }
        for (key, values) in &self.alone {
            let before = keys.iter().take_while(|it| *it != key);
            let absent: Vec<Value> = before.map(|key| expression::absent(key)).collect();
            for leaf in expression::tag(key, values.iter().cloned()) {
                found.extend(expression::all([vec![leaf], absent.clone()].concat()));
            }
        }
        let mut conditions = vec![expression::any(found)?];
        for key in [key::SPACE, key::SHARED_SPACE] {
            let strange = expression::tag(key, self.strange_spaces.iter().cloned());
            conditions.extend(strange.iter().map(expression::not));
        }
        let excluded = expression::dimension("RECORD_TYPE", excluded.iter().cloned());
        conditions.extend(excluded.iter().map(expression::not));
        expression::all(conditions).map(|filter| expression::tidy(&filter))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(values: &str) -> BTreeSet<String> {
        values.split(' ').filter(|it| !it.is_empty()).map(str::to_owned).collect()
    }

    fn told(reach: &Reach, excluded: &str) -> String {
        let keys = key::PRECEDENCE.map(str::to_owned).to_vec();
        let keys = [keys, vec!["team".to_owned()]].concat();
        let filter = reach.filter(&set(excluded), &keys);
        let told = filter.as_ref().map_or_else(|| "none".to_owned(), expression::told);
        told.replace("user:sagemaker:", "").replace("user:", "")
    }

    #[test]
    fn a_filter_finds_what_is_reached_and_leaves_out_what_is_not() {
        let domain = Reach { domains: set("d"), users: set("u"), ..Reach::default() };
        let user = Reach {
            users: set("u"),
            spaces: set("s"),
            strange_spaces: set("x y"),
            ..Reach::default()
        };
        let alone =
            BTreeMap::from([(key::DOMAIN.to_owned(), set("d")), ("team".to_owned(), set("a b"))]);
        for (reach, excluded, expected) in [
            (Reach::default(), "Credit", "none"),
            (Reach { services: set("S"), ..Reach::default() }, "", "SERVICE = S"),
            (
                domain.clone(),
                "",
                "ManagedByAmazonSageMakerResource = d or domain-arn = d or user-profile-arn = u",
            ),
            (
                domain,
                "Credit Refund",
                "not RECORD_TYPE is one of Credit, Refund and \
                 (ManagedByAmazonSageMakerResource = d or domain-arn = d or user-profile-arn = u)",
            ),
            (
                user,
                "",
                "not shared-space-arn is one of x, y and not space-arn is one of x, y and \
                 (shared-space-arn = s or space-arn = s or user-profile-arn = u)",
            ),
            (
                Reach { alone, ..Reach::default() },
                "",
                "(ManagedByAmazonSageMakerResource [\"ABSENT\"] and domain-arn [\"ABSENT\"] and \
                 shared-space-arn [\"ABSENT\"] and space-arn [\"ABSENT\"] and user-profile-arn [\"ABSENT\"] and \
                 team is one of a, b) or (domain-arn = d and shared-space-arn [\"ABSENT\"] and \
                 space-arn [\"ABSENT\"] and user-profile-arn [\"ABSENT\"])",
            ),
        ] {
            assert_eq!(told(&reach, excluded), expected);
            assert_eq!(reach.is_empty(), expected == "none");
        }
    }
}
