//! Owns restatement: what would be charged for a closed month now, beside what was, and why it differs.
//!
//! **Invariant:** the differences sum to what would be charged now less what was, in every delivered metric.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::books::{Adjustment, Cause};
use crate::charge::Charges;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::period::Month;
use crate::table::{Cell, Column, Kind, Table};
use crate::team::TeamName;
use crate::usage;

/// Where a charge of a month stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The team; absent for what is without one.
    pub team: Option<TeamName>,
    /// The owner, as a path.
    pub owner: String,
    /// The service, as the bill spells it.
    pub service: String,
    /// The record type, as the bill spells it.
    pub record_type: String,
    /// The component, by its word in files.
    pub component: String,
}

/// What a month charges, place by place; what is zero in every metric is not in it.
pub type Figures = BTreeMap<Place, Amounts>;

/// One place's difference by one cause.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The place.
    pub place: Place,
    /// The cause.
    pub cause: Cause,
    /// What it was before this cause.
    pub old: Amounts,
    /// What it is with it.
    pub new: Amounts,
    /// New less old.
    pub difference: Amounts,
}

/// The four states of a closed month's figures, each but the first with one thing more of the present.
pub struct States {
    /// As charged: what was closed, with what was booked since.
    pub charged: Figures,
    /// The same data and terms by this program.
    pub program: Figures,
    /// The data of now with the same terms.
    pub data: Figures,
    /// The data and terms of now.
    pub terms: Figures,
}

/// What would be charged for a closed month now, beside what was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restatement {
    /// The closed month.
    pub of: Month,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// The metric that it was closed in.
    pub metric: Metric,
    /// The currency of all amounts.
    pub currency: String,
    /// What was charged: closed, and booked since.
    pub old: Amounts,
    /// What would be charged now.
    pub new: Amounts,
    /// Every difference.
    pub rows: Vec<Row>,
}

/// Sums a month's charges by place.
pub fn figures(charges: &Charges<'_>, month: Month) -> Figures {
    // Places are looked up by numbers first; texts are made once a place.
    let mut sums: BTreeMap<_, Amounts> = BTreeMap::new();
    for charge in charges.of_month(month) {
        let key =
            (charge.team, charge.bearer, charge.service, charge.record_type, charge.component);
        sums.entry(key).or_insert(Amounts::ZERO).add(&charge.amounts);
    }
    let name = |number: u32| charges.ledger.names.text(number).to_owned();
    let mut figures = Figures::new();
    for ((team, bearer, service, record_type, component), amounts) in sums {
        let place = Place {
            team: team.map(|team| charges.membership.teams[team].clone()),
            owner: charges.bearers[bearer].owner.to_string(),
            service: name(service),
            record_type: name(record_type),
            component: component.name().to_owned(),
        };
        figures.entry(place).or_insert(Amounts::ZERO).add(&amounts);
    }
    figures.retain(|_, amounts| !amounts.is_zero());
    figures
}

/// Sums figures.
pub fn total(figures: &Figures) -> Amounts {
    figures.values().sum()
}

/// Adds booked differences to figures.
pub fn book(figures: &mut Figures, rows: &[Row]) {
    for row in rows {
        let sum = figures.entry(row.place.clone()).or_insert(Amounts::ZERO);
        sum.add(&row.difference);
    }
    figures.retain(|_, amounts| !amounts.is_zero());
}

/// Compares the states of a month; `is_backfilled` tells whether billing was backfilled in between.
pub fn compare(states: &States, is_backfilled: bool) -> Vec<Row> {
    let mut rows = step(&states.charged, &states.program, cell, |_, _| Cause::Program);
    // A cell of the bill whose total stays is one in which cost only moved.
    rows.extend(step(&states.program, &states.data, cell, |place, is_same| match is_same {
        true if is_backfilled => Cause::Backfill,
        true => Cause::Moved,
        false => of_record_type(&place.record_type),
    }));
    // An owner whose cost over all teams stays is one that changed teams.
    rows.extend(step(&states.data, &states.terms, borne, |_, is_same| {
        if is_same { Cause::Team } else { Cause::Pool }
    }));
    rows.sort_by(|left, right| left.place.cmp(&right.place));
    let mut sum: Amounts = rows.iter().map(|row| &row.difference).sum();
    sum.add(&total(&states.charged));
    let new = total(&states.terms);
    for metric in Metric::ALL {
        let both = sum.get(metric).zip(new.get(metric));
        assert!(both.is_none_or(|(sum, new)| sum == new), "the differences are the whole one");
    }
    rows
}

/// The cell of the bill that a place is in.
fn cell(place: &Place) -> Vec<&str> {
    vec![&place.service, &place.record_type]
}

/// What an owner bears, whichever team it belongs to.
fn borne(place: &Place) -> Vec<&str> {
    vec![&place.owner, &place.service, &place.record_type, &place.component]
}

/// The differences between two states; the cause may depend on whether the wider sum around a place is the same.
fn step(
    old: &Figures,
    new: &Figures,
    wider: impl Fn(&Place) -> Vec<&str>,
    cause: impl Fn(&Place, bool) -> Cause,
) -> Vec<Row> {
    let mut moved: BTreeMap<Vec<&str>, Amounts> = BTreeMap::new();
    let mut differences = Vec::new();
    let places: BTreeSet<&Place> = old.keys().chain(new.keys()).collect();
    for place in places {
        let of = |figures: &Figures| figures.get(place).copied().unwrap_or(Amounts::ZERO);
        let (was, is) = (of(old), of(new));
        let mut difference = is;
        difference.subtract(&was);
        if was != is {
            moved.entry(wider(place)).or_insert(Amounts::ZERO).add(&difference);
            differences.push((place, was, is, difference));
        }
    }
    let rows = differences.into_iter().map(|(place, old, new, difference)| {
        let cause = cause(place, moved[&wider(place)].is_zero());
        Row { place: place.clone(), cause, old, new, difference }
    });
    rows.collect()
}

/// The cause of a change in a cell's total.
fn of_record_type(record_type: &str) -> Cause {
    let name = usage::unspaced(record_type);
    if name.contains("Credit") || name.contains("Discount") {
        Cause::Credit
    } else if name.contains("Refund") {
        Cause::Refund
    } else {
        Cause::LateCharge
    }
}

impl Restatement {
    /// Returns what would be charged now less what was.
    pub fn difference(&self) -> Amounts {
        self.rows.iter().map(|row| &row.difference).sum()
    }

    /// Returns how much goes from some teams to others, whatever the whole month's difference is.
    pub fn between_teams(&self) -> Option<Money> {
        let mut teams: BTreeMap<_, Money> = BTreeMap::new();
        for row in &self.rows {
            *teams.entry(&row.place.team).or_default() += row.difference.get(self.metric)?;
        }
        let more: Money = teams.values().filter(|it| **it > Money::ZERO).copied().sum();
        let less: Money = teams.values().filter(|it| **it < Money::ZERO).copied().sum();
        Some(more.min(-less))
    }

    /// Sums the differences by cause.
    pub fn by_cause(&self) -> BTreeMap<Cause, Amounts> {
        let mut causes = BTreeMap::new();
        for row in &self.rows {
            causes.entry(row.cause).or_insert(Amounts::ZERO).add(&row.difference);
        }
        causes
    }
}

/// Returns booked differences as adjustments of the month that they are booked in: one a team, owner and cause.
pub fn adjustments(of: Month, booked_in: Month, rows: &[Row]) -> Vec<Adjustment> {
    let mut sums: BTreeMap<_, Amounts> = BTreeMap::new();
    for row in rows {
        let key = (&row.place.team, &row.place.owner, row.cause);
        sums.entry(key).or_insert(Amounts::ZERO).add(&row.difference);
    }
    let adjustments = sums.into_iter().map(|((team, owner, cause), amounts)| Adjustment {
        booked_in,
        of,
        team: team.clone(),
        owner: owner.clone(),
        cause,
        amounts,
    });
    adjustments.collect()
}

const fn column(name: &'static str, heading: &'static str, kind: Kind) -> Column {
    Column { name, heading, kind }
}

/// `restatement.csv`: one row a place and cause; `old`, `new` and `difference` in the metric that was closed.
pub fn table(restatement: &Restatement) -> Table<'_> {
    let columns = vec![
        column("month", "Month", Kind::Month),
        column("team", "Team", Kind::Text),
        column("owner", "Owner", Kind::Text),
        column("service", "Service", Kind::Text),
        column("record_type", "Record type", Kind::Text),
        column("component", "Component", Kind::Text),
        column("old", "Old", Kind::Money),
        column("new", "New", Kind::Money),
        column("difference", "Difference", Kind::Money),
        column("kind", "What changed", Kind::Text),
        column("cause", "Cause", Kind::Text),
        column("unblended_cost", "Unblended", Kind::Money),
        column("amortized_cost", "Amortized", Kind::Money),
        column("net_amortized_cost", "Net amortized", Kind::Money),
        column("net_unblended_cost", "Net unblended", Kind::Money),
        column("currency", "Currency", Kind::Text),
    ];
    let metric = restatement.metric;
    let rows = restatement.rows.iter().map(move |row| {
        let mut cells = vec![
            Cell::Month(restatement.of),
            Cell::text(row.place.team.as_ref().map_or("", TeamName::as_str)),
            Cell::text(row.place.owner.as_str()),
            Cell::text(row.place.service.as_str()),
            Cell::text(row.place.record_type.as_str()),
            Cell::text(row.place.component.as_str()),
            Cell::money(row.old.get(metric)),
            Cell::money(row.new.get(metric)),
            Cell::money(row.difference.get(metric)),
            Cell::text(row.cause.kind()),
            Cell::text(row.cause.name()),
        ];
        cells.extend(Metric::ALL.map(|metric| Cell::money(row.difference.get(metric))));
        cells.push(Cell::text(restatement.currency.as_str()));
        cells
    });
    Table { columns, rows: Box::new(rows) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;

    fn figures(text: &str) -> Figures {
        let mut figures = Figures::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let cells: Vec<&str> = line.split_whitespace().collect();
            let place = Place {
                team: (cells[0] != "-").then(|| TeamName::parse(cells[0]).unwrap()),
                owner: cells[1].to_owned(),
                service: "SageMaker".to_owned(),
                record_type: cells[2].to_owned(),
                component: "training".to_owned(),
            };
            let mut amounts = Amounts::ABSENT;
            amounts.put(Metric::UnblendedCost, Some(Money::parse(cells[3]).unwrap()));
            figures.insert(place, amounts);
        }
        figures
    }

    fn told(rows: &[Row]) -> String {
        let lines = rows.iter().map(|row| {
            let team = row.place.team.as_ref().map_or("-", TeamName::as_str);
            let difference = row.difference.get(Metric::UnblendedCost).unwrap();
            format!("{team} {} {} {difference}", row.place.owner, row.cause.name())
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn each_difference_has_its_cause_and_all_of_them_are_the_whole_one() {
        let states = States {
            charged: figures("a ana Usage 10\n a ben Usage 5\n - x Tax 1"),
            program: figures("a ana Usage 10\n a ben Usage 5\n - x Tax 1.01"),
            data: figures("a ana Usage 9\n a ben Usage 6\n - x Tax 1.01\n - x Credit -2"),
            terms: figures("b ana Usage 9\n a ben Usage 7\n - x Tax 0.01\n - x Credit -2"),
        };
        assert_eq!(
            told(&compare(&states, false)),
            "- x credit -2\n- x program 0.01\n- x pool -1\na ana moved -1\na ana team -9\n\
             a ben moved 1\na ben pool 1\nb ana team 9"
        );
        assert!(told(&compare(&states, true)).contains("a ana backfill -1"));
    }

    #[test]
    fn what_was_booked_is_charged_already() {
        let mut charged = figures("a ana Usage 10");
        let now = figures("a ana Usage 12.5\n a ben Usage 1");
        let states = |charged: &Figures| States {
            charged: charged.clone(),
            program: charged.clone(),
            data: now.clone(),
            terms: now.clone(),
        };
        let rows = compare(&states(&charged), false);
        assert_eq!(told(&rows), "a ana late_charge 2.5\na ben late_charge 1");
        book(&mut charged, &rows);
        assert_eq!(charged, now);
        assert!(compare(&states(&charged), false).is_empty());
        let month = Month::parse("2026-10").unwrap();
        let booked = adjustments(month, month.plus(1), &rows);
        assert_eq!(booked.iter().map(|it| &it.amounts).sum::<Amounts>(), {
            let mut sum = Amounts::ABSENT;
            sum.put(Metric::UnblendedCost, Some(Money::parse("3.5").unwrap()));
            sum
        });
    }
}
