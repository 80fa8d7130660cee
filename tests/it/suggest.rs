//! What is suggested for owners whose behaviour is known, against the table of `docs/suggest.md`, and what never moves a suggestion.

use std::collections::{BTreeMap, BTreeSet};

use apportion::backtest::{BackTest, Watch, backtest};
use apportion::money::Money;
use apportion::outlook::{NoSuggestion, Options};
use apportion::period::{Month, Period};
use apportion::rhythm::{History, Spend};
use apportion::suggest::{Suggestion, suggest};
use jiff::ToSpan;
use jiff::civil::Date;
use proptest::prelude::*;

const DOCUMENT: &str = include_str!("../../docs/suggest.md");
const FIRST: &str = "2025-10-01";
const LAST: &str = "2026-11-18";
/// The owners of the document's table.
const OWNERS: [&str; 11] = [
    "steady",
    "growing",
    "shrinking",
    "weekly",
    "spiky",
    "runaway",
    "step",
    "fee",
    "erratic",
    "new",
    "gone",
];

fn date(text: &str) -> Date {
    text.parse().unwrap()
}

fn month(text: &str) -> Month {
    Month::parse(text).unwrap()
}

/// A number from 0 to 99 that looks like chance and is none.
fn chance(seed: u64, day: Date) -> i128 {
    let mut state = seed ^ u64::try_from((day - date("2000-01-01")).get_days()).unwrap();
    for _ in 0..2 {
        state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    }
    i128::from(state % 100)
}

/// What an owner costs on a day, in cents, before chance.
fn cents(owner: &str, day: Date) -> i128 {
    let first = Month::of(date(FIRST));
    let months = first.through(Month::of(day)).len() - 1;
    let by = |percent: i128| (0..months).fold(4_000, |cents, _| cents * percent / 100);
    let is_within = |start: &str, days: i64| {
        Period { start: date(start), end: date(start) + days.days() }.contains(day)
    };
    match owner {
        "growing" => by(105),
        "shrinking" => by(95),
        "weekly" if day.weekday().to_monday_zero_offset() > 4 => 100,
        "weekly" => 6_000,
        "spiky" => {
            let bursts = ["2025-11-10", "2026-02-04", "2026-05-18", "2026-08-11", "2026-10-05"];
            if bursts.iter().any(|start| is_within(start, 7)) { 15_000 } else { 2_000 }
        }
        "runaway" if is_within("2026-07-14", 18) => 16_000,
        "step" if day >= date("2026-05-12") => 9_000,
        "new" if day < date("2026-10-08") => 0,
        "gone" if day > date("2026-08-18") => 0,
        _ => 4_000,
    }
}

/// The days of an owner, chance included: a tenth up or down, of an erratic one everything.
fn days(owner: &str, seed: u64) -> Vec<Spend> {
    let period = Period { start: date(FIRST), end: date(LAST) + 1.day() };
    let mut days = Vec::new();
    for day in period.days() {
        let percent = match owner {
            "erratic" => chance(seed, day) * chance(seed + 1_000, day) / 25,
            _ => 90 + chance(seed, day) / 5,
        };
        let amount = Money::from_cents(cents(owner, day) * percent / 100);
        days.push(Spend { day, amount, is_run: true });
        if owner == "fee" && day == day.first_of_month() {
            days.push(Spend { day, amount: Money::from_cents(50_000), is_run: false });
        }
    }
    days.retain(|spend| !spend.amount.is_zero());
    days
}

/// The history of days that are all known.
fn history(days: &[Spend]) -> History {
    let known = Month::of(date(FIRST)).through(Month::of(date(LAST)));
    let mut months: BTreeMap<Month, Money> =
        known.iter().map(|month| (*month, Money::ZERO)).collect();
    for spend in days {
        *months.get_mut(&Month::of(spend.day)).unwrap() += spend.amount;
    }
    History::new(months, days.iter().copied(), known, date(LAST))
}

fn suggested(history: &History) -> Result<Suggestion, NoSuggestion> {
    suggest(history, month("2026-11"), None, Options::default())
}

/// The cells of an owner's row.
fn row(owner: &str) -> Vec<String> {
    let history = history(&days(owner, 1));
    let suggestion = suggested(&history);
    let all = [Watch::actual(100), Watch::forecast(100)];
    let (told, watches, back_test) = if let Ok(it) = &suggestion {
        let percents = |percents: &[u32]| {
            let texts: Vec<String> = percents.iter().map(u32::to_string).collect();
            if texts.is_empty() { "none".to_owned() } else { texts.join(" ") }
        };
        let behaviour = format!("{:?}", it.basis.behaviour).to_lowercase();
        let thresholds = [percents(&it.thresholds), percents(&it.forecast_thresholds)];
        let told = [vec![behaviour, it.limit.to_string()], thresholds.to_vec()].concat();
        (told, it.watches(), it.back_test.clone())
    } else {
        assert_eq!(suggestion, Err(NoSuggestion::Gone { last: date("2026-08-18") }));
        let told = ["gone", "none", "none", "none"].map(str::to_owned).to_vec();
        (told, all.to_vec(), backtest(&history, Options::default()))
    };
    let tally = back_test.tally(&watches);
    let counts = [
        tally.tested_count,
        tally.over_count,
        tally.in_time_count,
        tally.false_count,
        tally.missed_count,
    ];
    let late = tally.days_late.iter().map(i32::to_string).collect::<Vec<String>>().join(" ");
    let overshoot = back_test.overshoot.unwrap();
    let rounded = |amount: Money| Money::from_cents(amount.cents());
    let last = [
        if late.is_empty() { "none".to_owned() } else { late },
        format!("{} to {}", rounded(overshoot.in_8_hours), rounded(overshoot.in_12_hours)),
        overshoot.day.to_string(),
    ];
    let first = [vec![owner.to_owned()], told].concat();
    [first, counts.iter().map(usize::to_string).collect(), last.to_vec()].concat()
}

#[test]
fn the_table_of_the_document_is_what_is_computed() {
    let rows = DOCUMENT.lines().filter(|line| line.starts_with("| "));
    let cells = |line: &str| {
        line.trim_matches('|')
            .split('|')
            .map(|cell| cell.trim().to_owned())
            .collect::<Vec<String>>()
    };
    let stated: Vec<Vec<String>> =
        rows.map(cells).filter(|cells| OWNERS.contains(&cells[0].as_str())).collect();
    let done: Vec<Vec<String>> = OWNERS.iter().map(|owner| row(owner)).collect();
    let text = |rows: &[Vec<String>]| {
        rows.iter()
            .map(|row| format!("| {} |", row.join(" | ")))
            .collect::<Vec<String>>()
            .join("\n")
    };
    assert_eq!(
        stated,
        done,
        "the document states\n{}\nand done is\n{}",
        text(&stated),
        text(&done)
    );
}
/// What the owners of most seeds would have been told, chosen thresholds only.
#[test]
fn real_overruns_are_told_and_few_alerts_are_for_nothing() {
    let (mut over_count, mut within_count, mut false_count) = (0, 0, 0);
    for owner in OWNERS {
        for seed in 2..8 {
            let history = history(&days(owner, seed));
            let Ok(suggestion) = suggested(&history) else {
                assert_eq!(owner, "gone");
                continue;
            };
            assert!(suggestion.thresholds.contains(&100), "{owner} {seed}");
            let back_test = &suggestion.back_test;
            let tally = back_test.tally(&suggestion.watches());
            // A limit that is passed by less than a day's cost is passed on the last day, which AWS tells of on the next.
            let told = back_test.months.iter().filter(|it| it.is_over()).all(|tested| {
                let last = tested.month.period().last();
                tested.told_on(&suggestion.watches()).is_some() || tested.passed_on == Some(last)
            });
            assert!(told, "{owner} {seed}: {back_test:?}");
            assert!(tally.false_count <= 2, "{owner} {seed}: {back_test:?}");
            if !["spiky", "runaway", "step", "erratic"].contains(&owner) {
                assert!(tally.over_count <= 1, "{owner} {seed}: {back_test:?}");
            }
            over_count += tally.over_count;
            within_count += tally.tested_count - tally.over_count;
            false_count += tally.false_count;
        }
    }
    assert!(over_count > 40, "{over_count}");
    assert!(false_count * 20 < within_count, "{false_count} of {within_count}");
}

#[test]
fn ten_times_the_cost_is_ten_times_the_limit() {
    for owner in OWNERS {
        for seed in 1..4 {
            let days = days(owner, seed);
            let dearer = days.iter().map(|spend| {
                let amount = Money::from_units(spend.amount.units() * 10);
                Spend { amount, ..*spend }
            });
            let dearer = suggested(&history(&dearer.collect::<Vec<Spend>>()));
            let (Ok(suggestion), Ok(dearer)) = (suggested(&history(&days)), dearer) else {
                assert_eq!(owner, "gone");
                continue;
            };
            assert_eq!(dearer.limit.units(), suggestion.limit.units() * 10, "{owner} {seed}");
            assert_eq!(dearer.watches(), suggestion.watches(), "{owner} {seed}");
        }
    }
}

#[test]
fn a_past_without_cost_changes_nothing() {
    for owner in OWNERS {
        let days = days(owner, 1);
        let known = month("2024-10").through(Month::of(date(LAST)));
        let mut months: BTreeMap<Month, Money> =
            known.iter().map(|month| (*month, Money::ZERO)).collect();
        for spend in &days {
            *months.get_mut(&Month::of(spend.day)).unwrap() += spend.amount;
        }
        let longer = History::new(months, days.clone(), known, date(LAST));
        assert_eq!(suggested(&longer), suggested(&history(&days)), "{owner}");
    }
}

#[test]
fn what_happens_after_a_month_changes_nothing_of_its_test() {
    for owner in OWNERS {
        let days = days(owner, 1);
        let whole = backtest(&history(&days), Options::default());
        for tested in &whole.months {
            let last = tested.month.period().last();
            let changed = days.iter().map(|spend| {
                let times = if spend.day > last { 7 } else { 1 };
                Spend { amount: Money::from_units(spend.amount.units() * times), ..*spend }
            });
            let changed = history(&changed.collect::<Vec<Spend>>());
            for history in [changed.clone(), changed.as_of(last)] {
                let BackTest { months, .. } = backtest(&history, Options::default());
                assert!(months.contains(tested), "{owner} {}", tested.month);
            }
        }
    }
}

#[test]
fn what_happens_later_in_a_month_moves_no_alert_that_came_before() {
    let told = |days: &[Spend], month: Month, until: Date| {
        let months = backtest(&history(days), Options::default()).months;
        let tested = months.into_iter().find(|it| it.month == month).unwrap();
        let alerts = tested.alerts.into_iter().filter(|(_, day)| *day <= until);
        (tested.limit, alerts.collect::<BTreeMap<Watch, Date>>())
    };
    let mut alert_count = 0;
    for owner in ["spiky", "runaway", "step", "erratic"] {
        let days = days(owner, 1);
        for month in month("2026-02").through(month("2026-10")) {
            let last = month.start() + 17.days();
            let changed = days.iter().map(|spend| {
                let times = if spend.day > last { 5 } else { 1 };
                Spend { amount: Money::from_units(spend.amount.units() * times), ..*spend }
            });
            let changed: Vec<Spend> = changed.collect();
            let until = last + 1.day();
            let before = told(&days, month, until);
            assert_eq!(told(&changed, month, until), before, "{owner} {month}");
            alert_count += before.1.len();
        }
    }
    assert!(alert_count > 20, "{alert_count}");
}

#[test]
fn what_was_not_read_is_said_and_a_limit_is_proposed_all_the_same() {
    let all = days("steady", 1);
    let months = history(&all).months().clone();
    let with = |known: &[&str]| {
        let known: BTreeSet<Month> = known.iter().map(|name| month(name)).collect();
        let days = all.iter().copied().filter(|spend| known.contains(&Month::of(spend.day)));
        suggested(&History::new(months.clone(), days, known.clone(), date(LAST))).unwrap()
    };
    for (known, tested, sentence) in [
        (
            &[][..],
            0,
            "The days of 2025-10, 2025-11, 2025-12, 2026-01, 2026-02, 2026-03, 2026-04, 2026-05, 2026-06, 2026-07, 2026-08, 2026-09, 2026-10 were not read; `collect --daily-months 13` reads them.",
        ),
        (
            &["2026-09", "2026-10", "2026-11"],
            2,
            "Thresholds are the usual ones: 2 months could be tested, and 3 are needed to judge them.",
        ),
        (
            &["2026-07", "2026-08", "2026-09", "2026-10", "2026-11"],
            4,
            "Tested on 4 months: 0 ended over the limit, 0 told in time, 0 missed, 0 alerts for nothing.",
        ),
    ] {
        let suggestion = with(known);
        assert_eq!(suggestion.limit, Money::from_cents(140_000), "{known:?}");
        assert_eq!(suggestion.back_test.months.len(), tested, "{known:?}");
        let why = &suggestion.why;
        assert!(why.iter().any(|it| it == sentence), "{known:?}: {why:#?}");
        if tested < 3 {
            assert_eq!(
                (&suggestion.thresholds[..], &suggestion.forecast_thresholds[..]),
                (&[80, 100][..], &[100][..])
            );
        }
    }
}

#[test]
fn reasons_name_what_the_limit_rests_on() {
    let history = history(&days("growing", 1));
    let forecast = Money::from_cents(250_000);
    let open = month("2026-11");
    let suggestion = suggest(&history, open, Some(forecast), Options::default()).unwrap();
    let example = DOCUMENT.split("```").nth(1).unwrap();
    let stated: Vec<&str> = example.lines().skip(1).collect();
    assert_eq!(suggestion.why, stated, "{}", suggestion.why.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn the_order_and_the_pieces_of_input_do_not_matter(
        keys in prop::collection::vec(any::<u32>(), 900),
        owner in prop::sample::select(OWNERS.to_vec()),
    ) {
        let all = days(owner, 1);
        let mut pieces: Vec<Spend> = Vec::new();
        for spend in &all {
            let piece = Money::from_cents(7);
            pieces.push(Spend { amount: spend.amount - piece, ..*spend });
            pieces.push(Spend { amount: piece, ..*spend });
        }
        let mut order: Vec<usize> = (0..pieces.len()).collect();
        order.sort_by_key(|index| keys[*index]);
        let mixed: Vec<Spend> = order.into_iter().map(|index| pieces[index]).collect();
        prop_assert_eq!(suggested(&history(&mixed)), suggested(&history(&all)));
    }
}
