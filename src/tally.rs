//! Owns tallies: what every owner and every team comes to by month and by day, each record type for itself.
//!
//! **Invariant:** lines and days are walked once for all budgets; a budget sums the places of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;

use jiff::civil::Date;

use crate::bearer::{Bearer, Register};
use crate::budget::{Budget, Scope};
use crate::charge::Charges;
use crate::course::DayRow;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::owner::Owner;
use crate::period::{Month, Period};
use crate::snapshot::Snapshot;
use crate::usage::is_run;
use crate::whose::holds;

/// Sums by whose they are, when, and the record type's number.
type Sums<T> = BTreeMap<(usize, T, u32), Amounts>;

/// What owners and teams come to.
pub struct Tally<'a> {
    charges: &'a Charges<'a>,
    types: Types,
    /// The owners of the days: a list of its own, since a day may have an owner that no line has.
    day_bearers: Vec<Bearer>,
    owner_months: Sums<Month>,
    owner_days: Sums<Date>,
    team_months: Sums<Month>,
    team_days: Sums<Date>,
    /// The first day that anything is known of.
    pub first_known: Option<Date>,
}

/// Record types by number.
#[derive(Default)]
struct Types {
    numbers: BTreeMap<String, u32>,
    names: Vec<String>,
}

/// What one budget counts: whose spend, in which metric, without which record types.
pub struct Watch<'a> {
    months: &'a Sums<Month>,
    days: &'a Sums<Date>,
    in_months: Vec<usize>,
    in_days: Vec<usize>,
    left_out: BTreeSet<u32>,
    runs: BTreeSet<u32>,
    metric: Metric,
}

impl Types {
    fn number(&mut self, name: &str) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).expect("record types are few");
        self.numbers.insert(name.to_owned(), number);
        self.names.push(name.to_owned());
        number
    }

    fn those(&self, is_meant: impl Fn(&str) -> bool) -> BTreeSet<u32> {
        (0..)
            .zip(&self.names)
            .filter(|(_, name)| is_meant(name))
            .map(|(number, _)| number)
            .collect()
    }
}

fn put<T: Ord>(sums: &mut Sums<T>, key: (usize, T, u32), amounts: &Amounts) {
    sums.entry(key).or_insert(Amounts::ZERO).add(amounts);
}

impl<'a> Tally<'a> {
    /// Walks the months from `first` on and all days; teams only where they are wanted.
    pub fn new(
        snapshot: &Snapshot,
        charges: &'a Charges<'a>,
        first: Month,
        with_teams: bool,
    ) -> Tally<'a> {
        let mut tally = Tally {
            charges,
            types: Types::default(),
            day_bearers: Vec::new(),
            owner_months: Sums::new(),
            owner_days: Sums::new(),
            team_months: Sums::new(),
            team_days: Sums::new(),
            first_known: None,
        };
        let ledger = charges.ledger;
        for line in ledger.lines.iter().filter(|line| line.month >= first) {
            let number = tally.types.number(ledger.names.text(line.record_type));
            put(&mut tally.owner_months, (line.bearer, line.month, number), &line.amounts);
        }
        tally.take_days(snapshot);
        if with_teams {
            let months = snapshot.manifest.months();
            for month in months.into_iter().filter(|month| *month >= first) {
                for charge in charges.of_month(month) {
                    let Some(team) = charge.team else { continue };
                    let number = tally.types.number(ledger.names.text(charge.record_type));
                    put(&mut tally.team_months, (team, month, number), &charge.amounts);
                }
            }
            tally.take_days_of_teams();
        }
        tally
    }

    /// Resolves the owner of each day; days kept from earlier are months apart, and would pass for days without spend.
    fn take_days(&mut self, snapshot: &Snapshot) {
        let manifest = &snapshot.manifest;
        let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
        let mut places: BTreeMap<(String, String), usize> = BTreeMap::new();
        for record in snapshot.days.iter() {
            if !manifest.days.is_some_and(|asked| asked.contains(record.start)) {
                continue;
            }
            let number = self.types.number(&record.record_type);
            let key = (record.slice, record.value);
            let place = places.get(&key).copied().unwrap_or_else(|| {
                self.day_bearers.push(register.resolve(&key.0, &key.1).0);
                places.insert(key, self.day_bearers.len() - 1);
                self.day_bearers.len() - 1
            });
            put(&mut self.owner_days, (place, record.start, number), &record.amounts);
            let first = self.first_known.unwrap_or(record.start);
            self.first_known = Some(first.min(record.start));
        }
    }

    /// Gives each owner's day to the team that the owner was in on that day.
    fn take_days_of_teams(&mut self) {
        let (ledger, membership) = (self.charges.ledger, &self.charges.membership);
        let places: BTreeMap<&Owner, usize> =
            ledger.bearers.iter().enumerate().map(|(place, it)| (&it.owner, place)).collect();
        let places: Vec<Option<usize>> =
            self.day_bearers.iter().map(|it| places.get(&it.owner).copied()).collect();
        for ((bearer, day, number), amounts) in &self.owner_days {
            let team = places[*bearer].and_then(|place| membership.on(*day, place));
            if let Some(team) = team {
                put(&mut self.team_days, (team, *day, *number), amounts);
            }
        }
    }

    /// Returns what is counted of a scope in a metric; of a budget of the configuration, what it leaves out is not.
    pub fn watch(&self, scope: &Scope, metric: Metric, budget: Option<&Budget>) -> Watch<'_> {
        let left_out = budget.map(|it| self.types.those(|name| it.excludes(name)));
        let mut watch = Watch {
            months: &self.owner_months,
            days: &self.owner_days,
            in_months: Vec::new(),
            in_days: Vec::new(),
            left_out: left_out.unwrap_or_default(),
            runs: self.types.those(is_run),
            metric,
        };
        if let Scope::Team(name) = scope {
            let place = self.charges.membership.teams.binary_search(name).ok();
            watch.in_months = place.into_iter().collect();
            watch.in_days.clone_from(&watch.in_months);
            (watch.months, watch.days) = (&self.team_months, &self.team_days);
        } else {
            let ledger = self.charges.ledger;
            watch.in_months = places(scope, &ledger.bearers);
            watch.in_days = places(scope, &self.day_bearers);
        }
        watch
    }

    /// Tells whether anybody of a scope bears any cost, or may.
    pub fn has(&self, scope: &Scope) -> bool {
        match scope {
            Scope::Team(name) => self.charges.membership.teams.binary_search(name).is_ok(),
            _ => self.charges.ledger.bearers.iter().any(|bearer| holds(scope, bearer)),
        }
    }
}

fn places(scope: &Scope, bearers: &[Bearer]) -> Vec<usize> {
    let held = bearers.iter().enumerate().filter(|(_, bearer)| holds(scope, bearer));
    held.map(|(place, _)| place).collect()
}

impl Watch<'_> {
    /// Returns what a month came to; absent where the metric was not delivered for some of it.
    pub fn month(&self, month: Month) -> Option<Money> {
        let range = |place: usize| -> RangeInclusive<(usize, Month, u32)> {
            (place, month, 0)..=(place, month, u32::MAX)
        };
        let sums = self.in_months.iter().flat_map(|place| self.months.range(range(*place)));
        let counted = sums.filter(|(key, _)| !self.left_out.contains(&key.2));
        let mut amounts = counted.map(|(_, amounts)| amounts.get(self.metric));
        amounts.try_fold(Money::ZERO, |sum, money| Some(sum + money?))
    }

    /// Returns what was spent on the days of a period, each owner and record type for itself.
    pub fn rows(&self, period: Period) -> Vec<DayRow> {
        let sums = self
            .in_days
            .iter()
            .flat_map(|place| self.days.range((*place, period.start, 0)..(*place, period.end, 0)));
        let counted = sums.filter(|(key, _)| !self.left_out.contains(&key.2));
        counted
            .map(|((_, day, number), amounts)| DayRow {
                day: *day,
                is_run: self.runs.contains(number),
                money: amounts.get(self.metric),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_watch_sums_its_own_places_without_what_is_left_out() {
        let money = |text: &str| Money::parse(text).unwrap();
        let amounts = |text: Option<&str>| {
            let mut amounts = Amounts::ZERO;
            amounts.put(Metric::UnblendedCost, text.map(money));
            amounts
        };
        let month = |text: &str| Month::parse(text).unwrap();
        let day = |text: &str| text.parse::<Date>().unwrap();
        let months = Sums::from([
            ((0, month("2026-11"), 0), amounts(Some("1"))),
            ((1, month("2026-11"), 0), amounts(Some("10"))),
            ((1, month("2026-11"), 1), amounts(Some("100"))),
            ((1, month("2026-11"), 2), amounts(None)),
            ((1, month("2026-12"), 0), amounts(Some("1000"))),
            ((2, month("2026-11"), 0), amounts(Some("10000"))),
        ]);
        let days = Sums::from([
            ((0, day("2026-11-01"), 0), amounts(Some("1"))),
            ((0, day("2026-11-02"), 1), amounts(Some("2"))),
            ((0, day("2026-12-01"), 0), amounts(Some("4"))),
            ((1, day("2026-11-01"), 0), amounts(Some("8"))),
        ]);
        for (in_months, left_out, november, on_days) in [
            (vec![0], vec![], Some("1"), "2026-11-01=1 2026-11-02=2"),
            (vec![0, 1], vec![2], Some("111"), "2026-11-01=1 2026-11-02=2"),
            (vec![0, 1], vec![1, 2], Some("11"), "2026-11-01=1"),
            (vec![0, 1], vec![1], None, "2026-11-01=1"),
            (vec![], vec![], Some("0"), "2026-11-01=1 2026-11-02=2"),
        ] {
            let watch = Watch {
                months: &months,
                days: &days,
                in_months,
                in_days: vec![0],
                left_out: left_out.into_iter().collect(),
                runs: BTreeSet::from([0]),
                metric: Metric::UnblendedCost,
            };
            assert_eq!(watch.month(month("2026-11")), november.map(money));
            let rows = watch.rows(month("2026-11").period());
            let told = rows.iter().map(|row| format!("{}={}", row.day, row.money.unwrap()));
            assert_eq!(told.collect::<Vec<String>>().join(" "), on_days);
            assert!(rows.iter().all(|row| row.is_run == (row.day.day() == 1)));
        }
    }
}
