//! Owns what each owner cost day by day: weights for moves and active days, never an amount of its own.
//!
//! **Invariant:** a day that was not read is no day without cost: a month is read whole, or its days are not given.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::bearer::Register;
use crate::metric::Amounts;
use crate::owner::Owner;
use crate::period::Month;
use crate::snapshot::Snapshot;

/// The days of the months that were read day by day.
#[derive(Clone, Debug, Default)]
pub struct Daily {
    days: BTreeMap<Owner, BTreeMap<Date, Amounts>>,
    read: BTreeSet<Month>,
}

impl Daily {
    /// Reads the days of a snapshot and resolves their owners.
    pub fn new(snapshot: &Snapshot) -> Daily {
        let manifest = &snapshot.manifest;
        let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
        // By slice and value, so that what stands in every day is resolved, and its owner looked up, once.
        let mut places: BTreeMap<String, BTreeMap<String, usize>> = BTreeMap::new();
        let mut by_value: Vec<BTreeMap<Date, Amounts>> = Vec::new();
        for record in snapshot.days.iter() {
            let known = places.get(&record.slice).and_then(|values| values.get(&record.value));
            let place = known.copied().unwrap_or_else(|| {
                by_value.push(BTreeMap::new());
                places.entry(record.slice).or_default().insert(record.value, by_value.len() - 1);
                by_value.len() - 1
            });
            by_value[place].entry(record.start).or_insert(Amounts::ZERO).add(&record.amounts);
        }
        let mut days: BTreeMap<Owner, BTreeMap<Date, Amounts>> = BTreeMap::new();
        for (slice, values) in &places {
            for (value, place) in values {
                let of_owner = days.entry(register.resolve(slice, value).0.owner).or_default();
                for (day, amounts) in std::mem::take(&mut by_value[*place]) {
                    of_owner.entry(day).or_insert(Amounts::ZERO).add(&amounts);
                }
            }
        }
        let read = manifest.daily_months();
        Daily { days, read }
    }

    /// Returns what an owner cost on each day of a month that has any; absent where the month was not read whole by day.
    pub fn of(
        &self,
        owner: &Owner,
        month: Month,
    ) -> Option<impl Iterator<Item = (Date, &Amounts)>> {
        let period = month.period();
        self.read.contains(&month).then(|| {
            let days = self.days.get(owner).into_iter();
            days.flat_map(move |days| days.range(period.start..period.end))
                .map(|(day, amounts)| (*day, amounts))
        })
    }
}
