//! Owns the proof that moving pools loses nothing, makes nothing, and depends on no order of input.

mod oracle;
mod organisation;

use std::collections::BTreeMap;

use apportion::allocate::Allocation;
use apportion::charge::{Charge, Charges};
use apportion::control;
use apportion::files;
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::period::Month;
use apportion::records::{Builder, Record};
use apportion::render::csv;
use apportion::snapshot::Snapshot;

use crate::specification::bill::Posted;
use organisation::{Dice, draw};

/// Seeds that are drawn.
const SEEDS: std::ops::Range<u64> = 0..120;

/// Sums of amounts by whatever.
type Sums<K> = BTreeMap<K, Amounts>;

fn sums<K: Ord>(rows: impl Iterator<Item = (K, Amounts)>) -> Sums<K> {
    let mut sums = Sums::new();
    for (key, amounts) in rows {
        sums.entry(key).or_insert(Amounts::ZERO).add(&amounts);
    }
    sums
}

fn total<'a>(amounts: impl Iterator<Item = &'a Amounts>) -> Amounts {
    amounts.sum()
}

fn months(posted: &Posted) -> Vec<Month> {
    posted.snapshot.manifest.months()
}

/// What the organisations drawn have shown, so that no property holds for want of cases.
#[derive(Default)]
struct Seen {
    moves: usize,
    moved_between_teams: usize,
    outside: usize,
    kept: usize,
    cascades: usize,
}

impl Seen {
    fn take(&mut self, charges: &Charges<'_>, month: Month) {
        let Allocation { spreads, outside, month_notes, .. } = &charges.allocation;
        self.moves += spreads.iter().map(|it| it.balances.len() * it.targets.len()).sum::<usize>();
        self.outside += outside.len();
        self.kept += month_notes.get(&month).map_or(0, Vec::len);
        let flows = spreads.iter().filter(|it| charges.pools[it.pool].into.is_some());
        self.cascades += flows.count();
        let places = 0..charges.ledger.bearers.len();
        self.moved_between_teams +=
            places.filter(|place| charges.membership.of(month, *place).len() > 1).count();
    }
}

#[test]
fn nothing_is_lost_or_made_in_any_metric_month_or_record_type() {
    let mut seen = Seen::default();
    for seed in SEEDS {
        let posted = draw(seed);
        let charges = posted.charges();
        for month in months(&posted) {
            let all: Vec<Charge> = charges.of_month(month).collect();
            let before = sums(
                all.iter().filter(|it| it.cause.is_billed()).map(|it| (it.record_type, it.amounts)),
            );
            let after = sums(all.iter().map(|it| (it.record_type, it.amounts)));
            assert_eq!(before, after, "seed {seed}, {month}: totals by record type");
            let moved = all.iter().filter(|it| !it.cause.is_billed());
            for (record_type, sum) in sums(moved.map(|it| (it.record_type, it.amounts))) {
                for metric in Metric::ALL {
                    let sum = sum.get(metric).unwrap_or_default();
                    assert!(sum.is_zero(), "seed {seed}, {month}, {record_type}: {metric} {sum}");
                }
            }
            let lines = sums(posted.ledger.of_month(month).iter().map(|it| ((), it.amounts)));
            let outside = charges.allocation.outside.iter().filter(|it| it.month == month);
            let mut control = control::scope_total(&posted.snapshot.manifest, month);
            assert_eq!(lines[&()], control, "seed {seed}, {month}: the ledger");
            control.add(&total(outside.map(|it| &it.amounts)));
            for (what, sum) in [
                ("teams", total(sums(all.iter().map(|it| (it.team, it.amounts))).values())),
                ("owners", total(sums(all.iter().map(|it| (it.bearer, it.amounts))).values())),
                ("the total", charges.total(month)),
            ] {
                assert_eq!(sum, control, "seed {seed}, {month}: {what}");
            }
            seen.take(&charges, month);
        }
    }
    assert!(seen.moves > 5_000 && seen.outside > 100, "{} {}", seen.moves, seen.outside);
    assert!(seen.kept > 30 && seen.cascades > 100, "{} {}", seen.kept, seen.cascades);
    assert!(seen.moved_between_teams > 100, "{}", seen.moved_between_teams);
}

/// What a pool gives away it had: where all of it is moved, owner and team are left with nothing, not even a rounding.
#[test]
fn a_pool_that_is_moved_is_empty() {
    let mut emptied = 0;
    for seed in SEEDS {
        let posted = draw(seed);
        let charges = posted.charges();
        for month in months(&posted) {
            let all: Vec<Charge> = charges.of_month(month).collect();
            let of_pools = all.iter().filter(|it| {
                let spreads = &charges.allocation.spreads;
                spreads.iter().any(|spread| {
                    spread.month == month
                        && charges.pools[spread.pool].only.is_empty()
                        && spread.balances.iter().any(|balance| {
                            (balance.from, balance.service, balance.component, balance.record_type)
                                == (it.bearer, it.service, it.component, it.record_type)
                        })
                })
            });
            // A domain may be a target too where another pool is split over owners.
            let of_pools = of_pools.filter(|it| {
                charges.bearer(it).owner.domain().is_none()
                    || !charges
                        .pools
                        .iter()
                        .any(|pool| pool.over() == apportion::pool::Over::Owners)
            });
            let key = |it: &Charge| (it.bearer, it.team, it.service, it.component, it.record_type);
            for (key, sum) in sums(of_pools.map(|it| (key(it), it.amounts))) {
                for metric in Metric::ALL {
                    let left = sum.get(metric).unwrap_or_default();
                    assert!(left.is_zero(), "seed {seed}, {month}, {key:?}: {left}");
                }
                emptied += 1;
            }
        }
    }
    assert!(emptied > 300, "{emptied}");
}

#[test]
fn whoever_weighs_nothing_gets_nothing() {
    for seed in SEEDS {
        let posted = draw(seed);
        let charges = posted.charges();
        for spread in &charges.allocation.spreads {
            assert!(!spread.targets.is_empty() && !spread.balances.is_empty(), "seed {seed}");
            assert!(spread.targets.iter().all(|it| it.weight > Money::ZERO), "seed {seed}");
            let places: Vec<usize> = spread.targets.iter().map(|it| it.bearer).collect();
            let mut once = places.clone();
            once.sort_unstable();
            once.dedup();
            assert_eq!(once, places, "seed {seed}: each target once, in the order of owners");
        }
    }
}

fn shuffled(records: impl Iterator<Item = Record>, dice: &mut Dice) -> apportion::records::Records {
    let mut records: Vec<Record> = records.collect();
    dice.shuffle(&mut records);
    let mut builder = Builder::default();
    for record in &records {
        builder.push(record);
    }
    builder.finish()
}

fn rendered(posted: &Posted) -> Vec<u8> {
    let charges = posted.charges();
    let months = months(posted);
    let report = posted.report(&charges, posted.last());
    let mut bytes = Vec::new();
    csv::write(files::lines(&report, &months), &mut bytes).unwrap();
    csv::write(files::owners(&report), &mut bytes).unwrap();
    for note in apportion::notes::of(&report) {
        bytes.extend(format!("{note:?}\n").into_bytes());
    }
    bytes
}

#[test]
fn the_order_of_input_changes_no_byte() {
    for seed in SEEDS.step_by(5) {
        let posted = draw(seed);
        let expected = rendered(&posted);
        let mut dice = Dice::new(seed);
        organisation::entries(&mut dice);
        let pools = organisation::pools(&mut dice);
        // The same organisation from here on, in other orders.
        let mut dice = Dice::new(seed + 1_000_000);
        let mut manifest = posted.snapshot.manifest.clone();
        dice.shuffle(&mut manifest.bill);
        dice.shuffle(&mut manifest.controls);
        dice.shuffle(&mut manifest.billed_accounts);
        let snapshot = Snapshot {
            manifest,
            records: shuffled(posted.snapshot.records.iter(), &mut dice),
            days: shuffled(posted.snapshot.days.iter(), &mut dice),
            inventory: posted.snapshot.inventory.clone(),
        };
        let terms = organisation::terms(&pools, &organisation::files(&mut dice));
        let turned = rendered(&Posted::of(snapshot, terms));
        // Lines of files move with their rows, and notes name them.
        let plain = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            let rows = text.lines().filter(|line| !line.contains(".csv`"));
            rows.map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(expected.len() > 1_000);
        let (expected, turned) = (plain(expected), plain(turned));
        let differ = expected.iter().zip(&turned).find(|(left, right)| left != right);
        assert_eq!(differ, None, "seed {seed}");
        assert_eq!(expected.len(), turned.len(), "seed {seed}");
    }
}
