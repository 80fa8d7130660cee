//! Owns the bill of a snapshot as filters are put to it: by what is known of records, month by month and day by day.
//!
//! **Invariant:** the places sum to the whole bill: what is not in records is taken from controls.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::metric::Amounts;
use crate::period::Month;
use crate::place::{Keys, Place};
use crate::records::Record;
use crate::request::{Purpose, REST};
use crate::snapshot::{Manifest, Snapshot, SpaceUser};

/// The bill of a snapshot, made ready to be read under many filters.
pub struct Ground<'a> {
    pub(crate) manifest: &'a Manifest,
    pub(crate) keys: Keys,
    pub(crate) months: Vec<(Place, BTreeMap<Month, Amounts>)>,
    pub(crate) days: Vec<(Place, BTreeMap<Date, Amounts>)>,
    /// What the bill has beyond the slices, which no day tells of: other services, tax and support.
    pub(crate) beyond: Vec<(Place, BTreeMap<Month, Amounts>)>,
    pub(crate) evidence: BTreeMap<(Month, &'a str), Vec<&'a SpaceUser>>,
}

impl<'a> Ground<'a> {
    /// Takes in a snapshot.
    pub fn new(snapshot: &'a Snapshot) -> Ground<'a> {
        let manifest = &snapshot.manifest;
        let account = sole_account(manifest);
        // Days have no services: they are of those that the slice has in the month.
        let mut services: BTreeMap<(Month, &str, &str), Vec<String>> = BTreeMap::new();
        for it in &manifest.controls {
            let key = (it.month, it.slice.as_str(), it.record_type.as_str());
            services.entry(key).or_default().push(it.service.clone());
        }
        let place = |record: &Record, is_day: bool| {
            let value = Some(record.value.as_str());
            let place = Place::new(&record.slice, value, &record.service, &record.record_type);
            let place = place.billed_to(record.account.clone().or_else(|| account.clone()));
            if is_day {
                let key = (Month::of(record.start), &*record.slice, &*record.record_type);
                place.of_services(services.get(&key).cloned().unwrap_or_default())
            } else {
                place.of_usage(record.usage_type.clone())
            }
        };
        let mut months = Sums::default();
        for record in snapshot.records.iter() {
            months.add(place(&record, false), Month::of(record.start), &record.amounts);
        }
        for (place, month, amounts) in unread(manifest) {
            months.add(place, month, &amounts);
        }
        let mut days = Sums::default();
        for record in snapshot.days.iter() {
            days.add(place(&record, true), record.start, &record.amounts);
        }
        let mut beyond = Sums::default();
        for (place, month, amounts) in beyond_slices(manifest) {
            beyond.add(place, month, &amounts);
        }
        let mut evidence: BTreeMap<(Month, &str), Vec<&SpaceUser>> = BTreeMap::new();
        for row in &manifest.space_users {
            evidence.entry((row.month, row.space.as_str())).or_default().push(row);
        }
        let keys = Keys::of(manifest);
        let [months, beyond] = [months, beyond].map(|sums| sums.0.into_iter().collect());
        Ground { manifest, keys, months, days: days.0.into_iter().collect(), beyond, evidence }
    }

    /// Returns what is known of the tag keys.
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// Amounts by place and time.
struct Sums<Time>(BTreeMap<Place, BTreeMap<Time, Amounts>>);

impl<Time> Default for Sums<Time> {
    fn default() -> Sums<Time> {
        Sums(BTreeMap::new())
    }
}

impl<Time: Ord> Sums<Time> {
    fn add(&mut self, place: Place, time: Time, amounts: &Amounts) {
        self.0.entry(place).or_default().entry(time).or_insert(Amounts::ZERO).add(amounts);
    }
}

/// Returns the account that everything read was billed to, where there is one alone.
fn sole_account(manifest: &Manifest) -> Option<String> {
    if manifest.is_member() {
        return Some(manifest.caller.as_str().to_owned());
    }
    let accounts: BTreeSet<&str> =
        manifest.billed_accounts.iter().map(|it| it.account.as_str()).collect();
    accounts.first().filter(|_| accounts.len() == 1).map(|it| (*it).to_owned())
}

/// Returns what controls have of cells that were not answered: their slice is known, and not their value.
fn unread(manifest: &Manifest) -> impl Iterator<Item = (Place, Month, Amounts)> {
    let controls = manifest
        .controls
        .iter()
        .filter(|it| manifest.is_missing(it.month, &it.slice, &it.service, &it.record_type));
    controls
        .map(|it| (Place::new(&it.slice, None, &it.service, &it.record_type), it.month, it.amounts))
}

/// Returns what the bill has beyond the slices: it bears none of their keys.
fn beyond_slices(manifest: &Manifest) -> impl Iterator<Item = (Place, Month, Amounts)> {
    let mut left: BTreeMap<(Month, &str, &str), Amounts> = BTreeMap::new();
    for it in &manifest.bill {
        let key = (it.month, it.service.as_str(), it.record_type.as_str());
        left.entry(key).or_insert(Amounts::ZERO).add(&it.amounts);
    }
    for it in &manifest.controls {
        let key = (it.month, it.service.as_str(), it.record_type.as_str());
        left.entry(key).or_insert(Amounts::ZERO).subtract(&it.amounts);
    }
    let account = manifest.is_member().then(|| manifest.caller.as_str().to_owned());
    left.into_iter().filter(|(_, amounts)| !amounts.is_zero()).map(
        move |((month, service, record_type), amounts)| {
            let place = Place::new(REST, Some(""), service, record_type);
            (place.billed_to(account.clone()), month, amounts)
        },
    )
}

/// Returns the days that were read.
pub(crate) fn known_days(manifest: &Manifest) -> BTreeSet<Date> {
    let is_lost = |day: Date| {
        manifest.missing.iter().any(|missing| {
            matches!(missing.purpose, Purpose::Days { .. }) && missing.period.contains(day)
        })
    };
    let days = manifest.days.iter().flat_map(|period| period.days());
    days.filter(|day| !is_lost(*day)).collect()
}
