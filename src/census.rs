//! Owns the census: everybody to whom cost may fall in a run of a budget, with the tag values that name each.
//!
//! **Invariant:** a value that the bill has shown is kept as it came; an ARN is made for those whom it has not shown yet.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::arn::{Arn, DomainKey};
use crate::bearer::{Bearer, Existence, Register};
use crate::facts;
use crate::key;
use crate::ledger::Ledger;
use crate::owner::Owner;
use crate::period::{Month, Period};
use crate::snapshot::Snapshot;

/// Everybody to whom cost may fall in a run.
#[derive(Clone, Debug, Default)]
pub struct Census {
    /// By owner: domains, user profiles and spaces.
    pub entries: BTreeMap<Owner, Entry>,
    by_domain: BTreeMap<DomainKey, Vec<Owner>>,
    seen: BTreeMap<String, BTreeSet<String>>,
}

/// One of them.
#[derive(Clone, Debug)]
pub struct Entry {
    /// All that is known of it.
    pub bearer: Bearer,
    /// The tag values that name it.
    pub values: BTreeSet<String>,
}

impl Census {
    /// Takes the census of a run: who exists, who was there within it though gone by now, and who cost something in it.
    pub fn new(snapshot: &Snapshot, ledger: &Ledger, run: Period) -> Census {
        let manifest = &snapshot.manifest;
        let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
        let mut census = Census::default();
        for (slice, value) in snapshot.records.distinct_values() {
            if key::PRECEDENCE.contains(&slice.as_str()) {
                census.take_in(register.resolve(&slice, &value).0, value);
            }
        }
        let arns: BTreeMap<&DomainKey, &str> = snapshot
            .inventory
            .domains
            .iter()
            .filter(|it| !it.arn.is_empty())
            .map(|it| (&it.key, it.arn.as_str()))
            .collect();
        for bearer in facts::bearers(&snapshot.inventory) {
            let listed = bearer.owner.domain().and_then(|domain| arns.get(domain).copied());
            if let Some((key, arn)) = arn(&bearer.owner, listed) {
                census.take_in(register.resolve(key, &arn).0, arn);
            }
        }
        let billed = billed(ledger, run);
        census.entries.retain(|owner, entry| {
            billed.contains(owner)
                || match entry.bearer.existence {
                    Existence::Listed | Existence::LastSeen(_) | Existence::Unknown => true,
                    Existence::Gone { gone_by, .. } => {
                        TimeZone::UTC.to_datetime(gone_by).date() >= run.start
                    }
                    Existence::NeverListed => false,
                }
        });
        for owner in census.entries.keys() {
            if let Some(domain) = owner.domain() {
                census.by_domain.entry(domain.clone()).or_default().push(owner.clone());
            }
        }
        for row in manifest.space_users.iter().filter(|row| !row.user_profile.is_empty()) {
            census.seen.entry(row.user_profile.clone()).or_default().insert(row.space.clone());
        }
        census
    }

    fn take_in(&mut self, bearer: Bearer, value: String) {
        // A value that names nobody is nobody's.
        if bearer.owner.domain().is_none() {
            return;
        }
        let entry = self.entries.entry(bearer.owner.clone());
        entry.or_insert_with(|| Entry { bearer, values: BTreeSet::new() }).values.insert(value);
    }

    /// Returns those of one domain.
    pub fn of(&self, domain: &DomainKey) -> impl Iterator<Item = &Entry> {
        let owners = self.by_domain.get(domain).into_iter().flatten();
        owners.map(|owner| &self.entries[owner])
    }

    /// Returns every domain that anybody is of.
    pub fn domains(&self) -> impl Iterator<Item = &DomainKey> {
        self.by_domain.keys()
    }

    /// Returns the values of spaces in which the bill has shown somebody whose tag has a value.
    pub fn seen_in(&self, user: &str) -> impl Iterator<Item = &str> {
        self.seen.get(user).into_iter().flatten().map(String::as_str)
    }
}

/// Returns the owners of any cost in a run.
fn billed(ledger: &Ledger, run: Period) -> BTreeSet<Owner> {
    let first = Month::of(run.start);
    let months = first.through(Month::of(run.last()));
    let lines = months.into_iter().flat_map(|month| ledger.of_month(month));
    lines
        .filter(|line| !line.amounts.is_zero())
        .map(|line| &ledger.bearer(line).owner)
        .cloned()
        .collect()
}

/// Returns the key and the ARN that name an owner; of a domain whose own was listed, in its partition.
fn arn(owner: &Owner, listed: Option<&str>) -> Option<(&'static str, String)> {
    let domain = owner.domain()?;
    let resource = |kind: &str, name: Option<&str>| {
        let partition = listed
            .and_then(Arn::parse)
            .map_or_else(|| partition(&domain.region).to_owned(), |arn| arn.partition);
        let name = name.map(|name| format!("/{name}")).unwrap_or_default();
        Arn {
            partition,
            service: "sagemaker".to_owned(),
            region: domain.region.clone(),
            account: domain.account.to_string(),
            resource: format!("{kind}/{}{name}", domain.id),
        }
        .to_string()
    };
    Some(match owner {
        Owner::Domain(_) => {
            (key::DOMAIN, listed.map_or_else(|| resource("domain", None), str::to_owned))
        }
        Owner::UserProfile(_, name) => {
            (key::USER_PROFILE, resource("user-profile", Some(name.as_str())))
        }
        Owner::Space(_, name) => (key::SPACE, resource("space", Some(name.as_str()))),
        Owner::Tag { .. } | Owner::Team(_) | Owner::Pool(_) | Owner::Unattributed => return None,
    })
}

/// Returns the partition of a region (AWS General Reference, "Amazon Resource Names").
fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::{AccountId, DomainId, SpaceName, UserProfileName};

    #[test]
    fn an_arn_lies_where_its_domain_does() {
        let domain = |region: &str| DomainKey {
            account: AccountId::parse("111122223333").unwrap(),
            region: region.to_owned(),
            id: DomainId::parse("d-a").unwrap(),
        };
        let user =
            |region| Owner::UserProfile(domain(region), UserProfileName::parse("ana").unwrap());
        let space = Owner::Space(domain("eu-west-1"), SpaceName::parse("lab").unwrap());
        let listed = "arn:aws-iso:sagemaker:eu-west-1:111122223333:domain/d-a";
        for (owner, listed, expected) in [
            (
                user("us-east-1"),
                None,
                "arn:aws:sagemaker:us-east-1:111122223333:user-profile/d-a/ana",
            ),
            (
                user("cn-north-1"),
                None,
                "arn:aws-cn:sagemaker:cn-north-1:111122223333:user-profile/d-a/ana",
            ),
            (space, Some(listed), "arn:aws-iso:sagemaker:eu-west-1:111122223333:space/d-a/lab"),
            (Owner::Domain(domain("eu-west-1")), Some(listed), listed),
            (
                Owner::Domain(domain("us-gov-west-1")),
                None,
                "arn:aws-us-gov:sagemaker:us-gov-west-1:111122223333:domain/d-a",
            ),
        ] {
            assert_eq!(arn(&owner, listed).unwrap().1, expected);
        }
        assert_eq!(arn(&Owner::Unattributed, None), None);
    }
}
