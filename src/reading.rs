//! Owns what the bill of a snapshot says under a filter of AWS Budgets: from the least to the most, by month and by day.
//!
//! What no record tells is in the most where it is positive, and in the least where it is negative.
//! **Invariant:** what was not read or not delivered has no bounds; it is never a zero.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde_json::Value;

use crate::band::{Band, Bounds, ends, meet};
use crate::criterion::Criterion;
use crate::doubt::{Doubt, Truth};
use crate::ground::{Ground, known_days};
use crate::key;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::period::{Month, Period};
use crate::place::{Keys, Place};
use crate::snapshot::{Snapshot, SpaceUser};

/// The bill under one filter.
#[derive(Debug, Default)]
pub struct Reading {
    months: BTreeMap<Month, Bounds>,
    days: BTreeMap<Date, Bounds>,
    beyond: BTreeMap<Month, Bounds>,
    /// Months in which services count that are not read by day.
    undated: BTreeSet<Month>,
    known_months: BTreeSet<Month>,
    /// The days that were read.
    known_days: BTreeSet<Date>,
}

/// Returns what the bill says under a filter in some days: whole months by their records, and others day by day.
pub fn evaluate(
    filter: Option<&Value>,
    snapshot: &Snapshot,
    metric: Metric,
    period: Period,
) -> Band {
    let reading = Ground::new(snapshot).read(&Criterion::parse(filter));
    let mut band = Band::zero();
    let months = Month::of(period.start).through(Month::of(period.last()));
    for days in months.into_iter().map(Month::period) {
        let (start, end) = (days.start.max(period.start), days.end.min(period.end));
        band = band.plus(if (start, end) == (days.start, days.end) {
            reading.month(metric, Month::of(start))
        } else {
            reading.days(metric, Period { start, end })
        });
    }
    band
}

impl Ground<'_> {
    /// Reads the bill under a filter, where SageMaker's own tags of one record name one domain.
    pub fn read(&self, filter: &Criterion) -> Reading {
        self.read_with(&self.keys, filter)
    }

    /// Reads the bill under a filter, where tags may contradict each other.
    pub fn read_doubting(&self, filter: &Criterion) -> Reading {
        self.read_with(&Keys { may_contradict: true, ..self.keys.clone() }, filter)
    }

    fn read_with(&self, keys: &Keys, filter: &Criterion) -> Reading {
        let known_months = self.manifest.months().into_iter().collect();
        let mut reading =
            Reading { known_months, known_days: known_days(self.manifest), ..Reading::default() };
        let names_user = filter.tags().iter().any(|leaf| leaf.key == key::USER_PROFILE);
        let mut spaces: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (index, (place, months)) in self.months.iter().enumerate() {
            if let Some(space) = place.space().filter(|_| names_user) {
                spaces.entry(space).or_default().push(index);
                continue;
            }
            take(keys, filter, place, months, &mut reading.months);
        }
        for (space, rows) in &spaces {
            self.take_space(keys, filter, space, rows, &mut reading.months);
        }
        for (place, days) in &self.days {
            take(keys, filter, place, days, &mut reading.days);
        }
        for (place, months) in &self.beyond {
            let mut truth = filter.takes(place, keys, None);
            let mut doubts = filter.doubts(place, keys);
            if truth == Truth::Yes && place.is_tax() && !filter.is_by_account_only() {
                // Cost Explorer leaves tax out as soon as anything but the account is filtered by (AWS Cost Management
                // User Guide, "Filtering the data that you want to view"); whether Budgets does, nothing says.
                truth = Truth::Unknown;
                doubts.insert(Doubt::Tax);
            }
            for (month, amounts) in months.iter().filter(|_| truth != Truth::No) {
                let bounds = reading.beyond.entry(*month).or_default();
                bounds.take(truth, amounts);
                bounds.doubts.extend(doubts.iter().cloned());
                let is_much =
                    |metric: &Metric| amounts.get(*metric).is_none_or(|money| money.cents() != 0);
                if !place.is_tax() && Metric::ALL.iter().any(is_much) {
                    reading.undated.insert(*month);
                }
            }
        }
        reading
    }

    /// Takes the records of a space, narrowed by the evidence of who worked in it.
    fn take_space(
        &self,
        keys: &Keys,
        filter: &Criterion,
        space: &str,
        rows: &[usize],
        to: &mut BTreeMap<Month, Bounds>,
    ) {
        let mut wide: BTreeMap<Month, Bounds> = BTreeMap::new();
        let mut of_month: BTreeMap<Month, Vec<(&Place, &Amounts)>> = BTreeMap::new();
        for (place, months) in rows.iter().map(|index| &self.months[*index]) {
            take(keys, filter, place, months, &mut wide);
            for (month, amounts) in months {
                of_month.entry(*month).or_default().push((place, amounts));
            }
        }
        for (month, mut bounds) in wide {
            if let Some(evidence) = self.evidence.get(&(month, space)) {
                let truths = by_user(keys, filter, &of_month[&month], evidence);
                for metric in Metric::ALL {
                    let ends = &mut bounds.ends[metric.index()];
                    let narrow = narrowed(metric, &of_month[&month], &truths);
                    *ends = ends.map(|wide| meet(wide, narrow));
                }
                if bounds.ends.iter().flatten().all(|(least, most)| least == most) {
                    bounds.doubts.clear();
                }
            }
            to.entry(month).or_default().join(&bounds);
        }
    }
}

fn take<Time: Ord + Copy>(
    keys: &Keys,
    filter: &Criterion,
    place: &Place,
    times: &BTreeMap<Time, Amounts>,
    to: &mut BTreeMap<Time, Bounds>,
) {
    let truth = filter.takes(place, keys, None);
    if truth == Truth::No {
        return;
    }
    let doubts = filter.doubts(place, keys);
    for (time, amounts) in times {
        let bounds = to.entry(*time).or_default();
        bounds.take(truth, amounts);
        bounds.doubts.extend(doubts.iter().cloned());
    }
}

/// Tells of each user of a space whether the filter takes all the records, or none, that are the user's.
fn by_user<'b>(
    keys: &Keys,
    filter: &Criterion,
    rows: &[(&Place, &Amounts)],
    evidence: &[&'b SpaceUser],
) -> Vec<(Truth, &'b Amounts)> {
    let of_user = |row: &&'b SpaceUser| {
        let user = Some(row.user_profile.as_str());
        let mut truths = rows.iter().map(|(place, _)| filter.takes(place, keys, user));
        let first = truths.next().unwrap_or(Truth::Unknown);
        (if truths.all(|it| it == first) { first } else { Truth::Unknown }, &row.amounts)
    };
    evidence.iter().map(of_user).collect()
}

/// Returns the bounds that evidence gives to a space's month; what the evidence does not explain may be anybody's.
fn narrowed(
    metric: Metric,
    rows: &[(&Place, &Amounts)],
    truths: &[(Truth, &Amounts)],
) -> Option<(Money, Money)> {
    let billed: Vec<Money> = rows.iter().map(|row| row.1.get(metric)).collect::<Option<_>>()?;
    let (mut least, mut most, mut told) = (Money::ZERO, Money::ZERO, Money::ZERO);
    for (truth, amounts) in truths {
        let money = amounts.get(metric)?;
        // Parts of a sum may lie beyond it where some are negative.
        if *truth == Truth::Unknown
            && (money < Money::ZERO || billed.iter().any(|it| *it < Money::ZERO))
        {
            return None;
        }
        let (low, high) = ends(*truth, money);
        (least, most, told) = (least + low, most + high, told + money);
    }
    let untold = (billed.into_iter().sum::<Money>() - told).abs();
    Some((least - untold, most + untold))
}

impl Reading {
    /// Returns what the bill says of a month.
    pub fn month(&self, metric: Metric, month: Month) -> Band {
        self.dated(metric, month).plus(self.beyond(metric, month))
    }

    /// Returns what a month's records say that days tell of as well.
    pub fn dated(&self, metric: Metric, month: Month) -> Band {
        if !self.known_months.contains(&month) {
            return Band::open(Doubt::NoMonths);
        }
        self.months.get(&month).map_or_else(Band::zero, |bounds| bounds.band(metric))
    }

    /// Returns what a month has that no day tells of.
    pub fn beyond(&self, metric: Metric, month: Month) -> Band {
        self.beyond.get(&month).map_or_else(Band::zero, |bounds| bounds.band(metric))
    }

    /// Tells whether services count in a month that are not read by day.
    pub fn is_undated(&self, month: Month) -> bool {
        self.undated.contains(&month)
    }

    /// Returns what some days say, without what no day tells of.
    pub fn days(&self, metric: Metric, period: Period) -> Band {
        let mut band = Band::zero();
        for day in period.days() {
            band = band.plus(if self.known_days.contains(&day) {
                self.days.get(&day).map_or_else(Band::zero, |bounds| bounds.band(metric))
            } else {
                Band::open(Doubt::NoDays)
            });
        }
        band
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::{Builder, Record, Records};
    use serde_json::json;

    const ROOT: &str = "arn:aws:sagemaker:eu-west-1:111122223333";

    fn snapshot(records: Records) -> Snapshot {
        let empty: [(); 0] = [];
        let manifest = json!({
            "version": 1, "id": "", "taken_at": "2026-11-20T08:00:00Z", "program": "",
            "caller": "111122223333", "payer": null, "billing_view": null,
            "scope": { "first": "2026-11", "last": "2026-11",
                "keys": [key::SPACE, key::USER_PROFILE, key::DOMAIN], "services": empty },
            "configured_keys": empty, "key_statuses": null, "backfills": null, "currency": "USD",
            "bill": empty, "controls": empty, "space_users": empty, "billed_accounts": empty,
            "days": null, "asked": empty, "segments": empty, "inventory_sha256": "",
            "budgets": empty, "forecasts": empty, "missing": empty, "moving": empty,
            "quote": { "least": 0, "expected": 0 },
            "receipt": { "requests": 0, "pages": 0, "failed": 0, "unknown": 0 }, "notes": empty,
        });
        let manifest = serde_json::from_value(manifest).unwrap();
        let days = Records::empty();
        Snapshot { manifest, records, days, inventory: crate::inventory::Inventory::default() }
    }

    fn amounts(cents: i128) -> Amounts {
        let mut amounts = Amounts::ZERO;
        amounts.put(Metric::UnblendedCost, Some(Money::from_cents(cents)));
        amounts
    }

    /// A space in which ana and ben worked, billed by two record types, and ana's own profile.
    fn shared(usage: i128, other: i128, by_user: &[(&str, i128)]) -> Snapshot {
        let mut builder = Builder::default();
        let space = format!("{ROOT}:space/d-a/lab");
        let user = |name: &str| format!("{ROOT}:user-profile/d-a/{name}");
        for (slice, value, record_type, cents) in [
            (key::SPACE, space.clone(), "Usage", usage),
            (key::SPACE, space.clone(), "SavingsPlanCoveredUsage", other),
            (key::USER_PROFILE, user("ana"), "Usage", 5),
        ] {
            builder.push(&Record {
                start: "2026-11-01".parse().unwrap(),
                slice: slice.to_owned(),
                value,
                account: None,
                service: "Amazon SageMaker".to_owned(),
                record_type: record_type.to_owned(),
                usage_type: String::new(),
                amounts: amounts(cents),
                usage: None,
                usage_unit: None,
                estimated: true,
                request: 1,
                page: 1,
            });
        }
        let mut snapshot = snapshot(builder.finish());
        snapshot.manifest.space_users = by_user
            .iter()
            .map(|(name, cents)| SpaceUser {
                month: Month::parse("2026-11").unwrap(),
                space: space.clone(),
                user_profile: if name.is_empty() { String::new() } else { user(name) },
                amounts: amounts(*cents),
            })
            .collect();
        snapshot
    }

    #[test]
    fn evidence_narrows_whose_a_space_is() {
        let ana = json!({ "Tags": { "Key": format!("user:{}", key::USER_PROFILE),
            "Values": [format!("{ROOT}:user-profile/d-a/ana")] } });
        let usage = json!({ "Dimensions": { "Key": "RECORD_TYPE", "Values": ["Usage"] } });
        let both = json!({ "And": [ana, usage] });
        let either = json!({ "Or": [{ "Not": ana }, usage] });
        let all: &[(&str, i128)] = &[("ana", 30), ("ben", 60), ("", 10)];
        for (snapshot, filter, expected) in [
            (shared(100, 0, &[]), &ana, (5, 105)),
            (shared(80, 20, all), &ana, (35, 35)),
            // What evidence does not tell of may be anybody's.
            (shared(80, 20, &all[..2]), &ana, (25, 45)),
            // Evidence has no record types: of ana's 30 all may be usage, and 70 of it is not hers.
            (shared(80, 20, all), &both, (5, 35)),
            (shared(80, 20, all), &either, (85, 105)),
            // Parts of what is partly negative have no bound in the sum.
            (shared(120, -20, all), &both, (5, 125)),
            (shared(120, -20, all), &ana, (35, 35)),
            (shared(80, 20, all), &json!({ "Not": ana }), (70, 70)),
        ] {
            let period = snapshot.manifest.scope.first.period();
            let band = evaluate(Some(filter), &snapshot, Metric::UnblendedCost, period);
            let cents = |money: Option<Money>| money.unwrap().cents();
            assert_eq!((cents(band.least), cents(band.most)), expected, "{filter}");
            assert_eq!(band.doubts.is_empty(), band.least == band.most, "{filter}");
        }
    }

    #[test]
    fn what_was_not_delivered_or_read_has_no_bounds() {
        let mut snapshot = shared(80, 20, &[]);
        let november = snapshot.manifest.scope.first;
        let days = Period { end: november.start().tomorrow().unwrap(), ..november.period() };
        let band =
            |snapshot: &Snapshot, period| evaluate(None, snapshot, Metric::UnblendedCost, period);
        assert_eq!(band(&snapshot, november.period()).least, Some(Money::from_cents(105)));
        assert_eq!(band(&snapshot, days), Band::open(Doubt::NoDays));
        assert_eq!(band(&snapshot, november.plus(1).period()), Band::open(Doubt::NoMonths));
        let mut builder = Builder::default();
        for record in snapshot.records.iter() {
            builder.push(&Record { amounts: Amounts::ABSENT, ..record });
        }
        snapshot.records = builder.finish();
        assert_eq!(band(&snapshot, november.period()), Band::open(Doubt::NotDelivered));
    }
}
