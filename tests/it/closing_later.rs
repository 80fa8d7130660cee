//! What later reports and explanations say of a closed month is what was charged for it, whatever has become of it since.

use std::collections::BTreeMap;
use std::path::Path;

use apportion::books::Cause;
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::restate::{self, Figures, Place, States};
use apportion::sandbox::bill::Charge;
use apportion::team::TeamName;
use jiff::civil::date;

use crate::closing::{LATER, at, by_cause, bytes, json, money, post, with_demo};
use crate::run::{Sandbox, apportion, read, write};
use crate::world::month;

const TERMS: &str = "fiscal_year_start = 10
[[team]]
name = \"everybody\"
budget = \"100000\"
[[assignment]]
team = \"everybody\"
domain = \"*\"
";

/// The cells of `teams.csv` by team and column.
fn teams(folder: &Path, month: &str) -> BTreeMap<(String, String), String> {
    let path = folder.join(format!("apportion-out/{month}/teams.csv"));
    let text = String::from_utf8(read(&path)).unwrap();
    let mut lines = text.lines().map(|line| line.split(',').map(str::to_owned).collect());
    let header: Vec<String> = lines.next().unwrap();
    let rows: Vec<Vec<String>> = lines.collect();
    let cells = rows.iter().flat_map(|row| {
        let team = &row[1];
        header.iter().zip(row).map(move |(name, cell)| ((team.clone(), name.clone()), cell.clone()))
    });
    cells.collect()
}

#[test]
fn late_usage_is_the_difference_and_later_months_count_what_was_charged() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    write(&folder.join("apportion.toml"), TERMS.as_bytes());
    let sandbox = Sandbox::start();
    let run = |now: &str, arguments: &[&str]| {
        post(&sandbox, "/_sandbox/clock", &format!("{{\"now\": \"{now}\"}}"));
        let mut all = arguments.to_vec();
        all.extend(["--now", now]);
        let output = apportion(folder, &all).against(&sandbox).run();
        assert_eq!(output.code, 0, "{arguments:?}: {}", output.stderr);
        output.stderr
    };
    let asked = ["run", "--yes", "--month", "2026-10", "--months", "3"];
    run("2026-11-20T08:00:00Z", &asked);
    run("2026-11-20T09:00:00Z", &["close", "2026-10"]);
    let frozen = bytes(&folder.join("apportion-out/2026-10"));
    let of = |at: &str, column: &str| {
        let cells = teams(folder, at);
        Money::parse(&cells[&("everybody".to_owned(), column.to_owned())]).unwrap()
    };
    let charged = of("2026-10", "total");
    // Somebody's usage comes late.
    let late = Money::parse("12.3456").unwrap();
    {
        let mut world = sandbox.world.lock().unwrap();
        let is_usage = |it: &&Charge| {
            it.meter.record_type.as_ref() == "Usage" && it.meter.truth.starts_with("space/")
        };
        let meter = world.bill.charges.iter().find(is_usage).unwrap().meter.clone();
        world.bill.add_charge(Charge::amount(meter, &[(date(2026, 10, 31), late)]));
    }
    run("2026-12-20T09:00:00Z", &asked);
    assert_eq!(frozen, bytes(&folder.join("apportion-out/2026-10")));
    assert_eq!(by_cause(folder), BTreeMap::from([("late_charge".to_owned(), late)]));
    let place = folder.join("apportion-out/2026-10.restatement");
    let rows = json(&place.join("restatement.json"))["rows"].as_array().unwrap().len();
    assert_eq!(rows, 1, "one owner's charge is one row");
    // The next month looks back on what was charged, and not on what would be.
    run("2026-12-20T10:00:00Z", &["report", "--month", "2026-11"]);
    let total = of("2026-11", "total");
    assert_eq!(of("2026-11", "previous_total"), charged);
    assert_eq!(of("2026-11", "year_to_date"), charged + total);
    run("2026-12-20T11:00:00Z", &["close", "2026-10", "--book-in", "2026-11"]);
    run("2026-12-20T12:00:00Z", &["report", "--month", "2026-11"]);
    assert_eq!(of("2026-11", "total"), total);
    assert_eq!(of("2026-11", "previous_total"), charged);
    assert_eq!(of("2026-11", "due"), total + late);
    assert_eq!(of("2026-11", "year_to_date"), charged + total + late);
    assert_eq!(of("2026-11", "quarter_to_date"), charged + total + late);
    assert_eq!(
        of("2026-11", "budget_left"),
        Money::parse("100000").unwrap() - total - late,
        "what is due is spent"
    );
    // Once closed, it is looked back on in the same way, and what was booked in it stays in the year.
    run("2026-12-20T13:00:00Z", &["close", "2026-11"]);
    run("2026-12-20T14:00:00Z", &["report", "--month", "2026-12"]);
    assert_eq!(of("2026-12", "previous_total"), total);
    assert_eq!(of("2026-12", "year_to_date"), charged + total + late + of("2026-12", "total"));
}

#[test]
fn a_team_that_nobody_names_any_more_keeps_what_it_was_charged() {
    let folder = with_demo();
    let folder = folder.path();
    write(&folder.join("apportion.toml"), TERMS.as_bytes());
    assert_eq!(at(folder, LATER, &["close", "2026-10"]).code, 0);
    let closed = json(&folder.join(".apportion/closed/2026-10/closed.json"));
    let charged = money(&closed["teams"]["everybody"]["net_amortized_cost"]);
    write(&folder.join("apportion.toml"), TERMS.replace("everybody", "all").as_bytes());
    let output = at(folder, LATER, &["report", "--month", "2026-11"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let cells = teams(folder, "2026-11");
    let of = |team: &str, column: &str| {
        Money::parse(&cells[&(team.to_owned(), column.to_owned())]).unwrap()
    };
    assert_eq!(of("everybody", "previous_total"), charged);
    assert_eq!(of("everybody", "total"), Money::ZERO);
    assert_eq!(of("all", "previous_total"), Money::ZERO);
    assert_eq!(of("all", "year_to_date"), of("all", "total"));
    // The total of the month is as it was, and yet its teams are not.
    let summary =
        String::from_utf8(read(&folder.join("apportion-out/2026-11/summary.json"))).unwrap();
    assert!(summary.contains("2026-10 was closed on 2026-11-25 with other figures"), "{summary}");
}

#[test]
fn an_explanation_of_a_closed_month_is_of_what_was_closed() {
    let folder = with_demo();
    let folder = folder.path();
    write(&folder.join("apportion.toml"), TERMS.as_bytes());
    assert_eq!(at(folder, LATER, &["close", "2026-10"]).code, 0);
    let closed = json(&folder.join(".apportion/closed/2026-10/closed.json"));
    let charged = &closed["teams"]["everybody"];
    let explain = ["explain", "--month", "2026-10", "--format", "json", "--team"];
    let ask = |arguments: &[&str]| {
        let mut all = explain.to_vec();
        all.extend(arguments);
        at(folder, LATER, &all)
    };
    let others = format!("metric = \"unblended_cost\"\n{}", TERMS.replace("everybody", "all"));
    write(&folder.join("apportion.toml"), others.as_bytes());
    for arguments in [&["everybody"][..], &["everybody", "--metric", "amortized_cost"]] {
        let output = ask(arguments);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let told: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
        assert_eq!(told["metric"], "net_amortized_cost");
        assert_eq!(&told["figure"]["amounts"], charged);
        assert!(output.stderr.contains("This explains what was closed"), "{}", output.stderr);
    }
    assert_eq!(ask(&["all"]).code, 1, "nobody was charged under that name");
    let snapshot = closed["basis"]["snapshot"].as_str().unwrap();
    let output = ask(&["all", "--snapshot", snapshot]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("what would be charged now"), "{}", output.stderr);
}

/// The next of a row of numbers that look drawn.
fn draw(state: &mut u64, below: u64) -> u64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 33) % below
}

fn drawn(state: &mut u64) -> Figures {
    let mut figures = Figures::new();
    for _ in 0..draw(state, 12) {
        let mut text = |words: &[&str]| {
            let count = u64::try_from(words.len()).unwrap();
            words[usize::try_from(draw(state, count)).unwrap()].to_owned()
        };
        let team = text(&["", "red", "blue"]);
        let place = Place {
            team: TeamName::parse(&team).ok(),
            owner: text(&["space/d-a/lab", "space/d-b/lab", "unattributed"]),
            service: text(&["Amazon SageMaker", "Tax"]),
            record_type: text(&["Usage", "Credit", "Refund", "Tax"]),
            component: text(&["training", "other"]),
        };
        let mut amounts = Amounts::ABSENT;
        for metric in Metric::ALL {
            let units = i128::from(draw(state, 2_000_000)) - 1_000_000;
            amounts.put(metric, Some(Money::from_units(units)));
        }
        figures.insert(place, amounts);
    }
    figures
}

/// The same amounts in other places.
fn placed(figures: &Figures, change: impl Fn(&mut Place)) -> Figures {
    let mut changed = Figures::new();
    for (place, amounts) in figures {
        let mut place = place.clone();
        change(&mut place);
        changed.entry(place).or_insert(Amounts::ZERO).add(amounts);
    }
    changed
}

#[test]
fn whatever_changes_the_differences_are_the_whole_and_book_to_the_present() {
    let mut causes: BTreeMap<Cause, u32> = BTreeMap::new();
    for seed in 0..500_u64 {
        let mut state = seed;
        let [charged, program, data, terms] = [(); 4].map(|()| drawn(&mut state));
        // A step is often none at all, or moves all that is there.
        let mut step = |from: &Figures, to: Figures| match draw(&mut state, 4) {
            0 => to,
            1 => from.clone(),
            2 => placed(from, |place| "space/d-c/lab".clone_into(&mut place.owner)),
            _ => placed(from, |place| place.team = TeamName::parse("green").ok()),
        };
        let program = step(&charged, program);
        let data = step(&program, data);
        let terms = step(&data, terms);
        let states = States { charged: charged.clone(), program, data, terms: terms.clone() };
        let rows = restate::compare(&states, seed % 2 == 0);
        let mut sum = restate::total(&charged);
        for row in &rows {
            sum.add(&row.difference);
            *causes.entry(row.cause).or_default() += 1;
        }
        for metric in Metric::ALL {
            let now = restate::total(&terms).get(metric).unwrap_or(Money::ZERO);
            assert_eq!(sum.get(metric), Some(now), "seed {seed}, {metric}");
        }
        let booked = restate::adjustments(month("2026-10"), month("2026-11"), &rows);
        let booked: Amounts = booked.iter().map(|it| &it.amounts).sum();
        let differences: Amounts = rows.iter().map(|it| &it.difference).sum();
        assert_eq!(booked, differences, "seed {seed}");
        let mut after = charged;
        restate::book(&mut after, &rows);
        let mut now = terms;
        now.retain(|_, amounts| !amounts.is_zero());
        assert_eq!(after, now, "seed {seed}: what is booked once leaves nothing to book");
    }
    assert_eq!(causes.len(), 8, "{causes:?}");
}
