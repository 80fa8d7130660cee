//! Owns the proof that budgets are judged by what is spent and charged: every scope, cycle and limit.

use std::collections::{BTreeMap, BTreeSet};

use apportion::alert::{self, Alert, Source, State};
use apportion::charge::{self, Charges};
use apportion::cli::clock::Clock;
use apportion::cli::collect::Options;
use apportion::cli::config::Loaded;
use apportion::course;
use apportion::each::Someone;
use apportion::ledger::{self, Ledger};
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::owner::Owner;
use apportion::sandbox::generate;
use apportion::snapshot::Snapshot;
use jiff::Timestamp;
use jiff::civil::Date;

use crate::world::{ask, make, month, now, options, small, with_inventory};

const METRIC: Metric = Metric::NetAmortizedCost;

/// Judges a snapshot by a configuration, and hands the charges on.
fn judged<T>(
    snapshot: &Snapshot,
    config: &str,
    files: &[(&str, &str)],
    then: impl FnOnce(&[Alert], &Charges<'_>, &Ledger) -> T,
) -> T {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()));
    let loaded = Loaded::with(&config.replace('\'', "\""), files.collect()).unwrap();
    let ledger = ledger::post(snapshot);
    let charges = charge::charge(snapshot, &ledger, &loaded.terms, METRIC);
    let everybody = Someone::everybody(&snapshot.inventory, charges.membership.teams.iter());
    let budgets = loaded.config.budgets_of(&everybody).unwrap();
    let alerts = alert::judge(snapshot, &charges, &budgets, &loaded.config.budgets, METRIC);
    then(&alerts, &charges, &ledger)
}

fn named<'a>(alerts: &'a [Alert], name: &str) -> Vec<&'a Alert> {
    alerts.iter().filter(|alert| alert.budget == name).collect()
}

/// What lines of some months come to in a metric, by whether their record type counts.
fn lines(ledger: &Ledger, months: &[&str], metric: Metric, counts: fn(&str) -> bool) -> Money {
    let lines = months.iter().flat_map(|at| ledger.of_month(month(at)));
    let counted = lines.filter(|line| counts(ledger.names.text(line.record_type)));
    counted.map(|line| line.amounts.get(metric).unwrap()).sum()
}

#[test]
fn a_budget_counts_its_metric_its_record_types_and_its_run() {
    let snapshot = ask(&make(&small(2), 141), &options(), None);
    let config = "
        [[budget]]\nname = 'plain'\nall = true\nlimit = '1'
        [[budget]]\nname = 'own'\nall = true\nlimit = '1'\nmetric = 'unblended_cost'
        [[budget]]\nname = 'less'\nall = true\nlimit = '1'\nexclude = ['Credit', 'savings plan covered usage']
        [[budget]]\nname = 'quarter'\nall = true\nlimit = '1000000'\nperiod = 'quarterly'
        [[budget]]\nname = 'year'\nall = true\nlimit = '1000000'\nperiod = 'annually'
        [[budget]]\nname = 'planned'\nall = true\nperiod = 'quarterly'\nplanned = ['1', '2', '3', '4']
    ";
    judged(&snapshot, config, &[], |alerts, _, ledger| {
        let november = ["2026-11"];
        let quarter = ["2026-10", "2026-11"];
        let year: Vec<String> = (1..=11).map(|it| format!("2026-{it:02}")).collect();
        let year: Vec<&str> = year.iter().map(String::as_str).collect();
        let counts = |name: &str| !["Credit", "SavingsPlanCoveredUsage"].contains(&name);
        for (name, expected) in [
            ("plain", lines(ledger, &november, METRIC, |_| true)),
            ("own", lines(ledger, &november, Metric::UnblendedCost, |_| true)),
            ("less", lines(ledger, &november, METRIC, counts)),
            ("quarter", lines(ledger, &quarter, METRIC, |_| true)),
            ("year", lines(ledger, &year, METRIC, |_| true)),
        ] {
            let rows = named(alerts, name);
            assert_eq!(rows.len(), 2, "{name}");
            for alert in rows {
                assert_eq!(alert.actual, Some(expected), "{name}");
                assert!(alert.forecast.unwrap() >= expected, "{name}");
                assert_eq!((alert.remark.as_str(), alert.source), ("", Source::Configuration));
            }
        }
        let plain = named(alerts, "plain")[0];
        assert_ne!(named(alerts, "less")[0].actual, plain.actual);
        // A longer run has the same days ahead up to the month's end, and then a month more.
        let ahead = |name: &str| {
            let alert = named(alerts, name)[0];
            alert.forecast.unwrap() - alert.actual.unwrap()
        };
        assert!(ahead("quarter") > ahead("plain") + ahead("plain"), "12 days, and 43");
        assert_eq!(ahead("quarter"), ahead("year"));
        let runs: BTreeMap<&str, String> = alerts
            .iter()
            .filter(|alert| alert.source == Source::Configuration)
            .map(|alert| (alert.budget.as_str(), alert.run.unwrap().to_string()))
            .collect();
        assert_eq!(runs["plain"], "2026-11-01..2026-12-01");
        assert_eq!(runs["quarter"], "2026-10-01..2027-01-01");
        assert_eq!(runs["year"], "2026-01-01..2027-01-01");
        assert_eq!(named(alerts, "planned")[0].limit, Some(Money::from_cents(400)));
    });
}

#[test]
fn a_run_that_begins_before_the_snapshot_is_unknown() {
    let short = Options { month_count: 3, ..options() };
    let snapshot = ask(&make(&small(1), 142), &short, None);
    let config = "
        [[budget]]\nname = 'year'\nall = true\nlimit = '1'\nperiod = 'annually'
        [[budget]]\nname = 'quarter'\nall = true\nlimit = '1'\nperiod = 'quarterly'
        [[budget]]\nname = 'nobody'\nteam = 'Nobody'\nlimit = '1'
        [[budget]]\nname = 'adjusted'\nall = true\nauto_adjust = 'forecast'
    ";
    judged(&snapshot, config, &[], |alerts, _, _| {
        for (name, state, words) in [
            ("year", State::Unknown, "The snapshot begins with 2026-08, and the run with 2026-01"),
            ("quarter", State::Crossed, ""),
            ("nobody", State::Unknown, "Nobody belongs to the team Nobody"),
            ("adjusted", State::Unknown, "no budget `apportion/adjusted` of AWS"),
        ] {
            for alert in named(alerts, name) {
                assert_eq!(alert.state, state, "{name}");
                assert!(alert.remark.contains(words), "{name}: {}", alert.remark);
                assert_eq!(alert.remark.is_empty(), words.is_empty(), "{name}: {}", alert.remark);
            }
        }
        let year = named(alerts, "year")[0];
        assert_eq!((year.actual, year.forecast), (None, None));
        assert_eq!(named(alerts, "adjusted")[0].limit, None);
    });
}

#[test]
fn a_run_that_is_over_is_told_while_it_may_change() {
    let config = "
        [[budget]]\nname = 'low'\nall = true\nlimit = '1'\nthresholds = [100]
        [[budget]]\nname = 'high'\nall = true\nlimit = '100000000'\nthresholds = [100]
        [[budget]]\nname = 'adjusted'\nall = true\nauto_adjust = 'forecast'\nthresholds = [100]
        [[budget]]\nname = 'quarter'\nall = true\nperiod = 'quarterly'\nthresholds = [100]
        planned = ['100000000', '100000000', '100000000', '2']
        [[budget]]\nname = 'year'\nall = true\nlimit = '1'\nperiod = 'annually'\nthresholds = [100]
    ";
    let year: Vec<String> = (1..=12).map(|it| format!("2026-{it:02}")).collect();
    let year: Vec<&str> = year.iter().map(String::as_str).collect();
    for (at, reported, over) in [
        ("2026-12-02T08:00:00Z", "2026-11", vec![("low", "2026-11", &year[10..11])]),
        ("2026-12-20T08:00:00Z", "2026-11", vec![]),
        (
            "2027-01-02T08:00:00Z",
            "2026-12",
            vec![
                ("low", "2026-12", &year[11..]),
                ("quarter", "2026-10 to 2026-12", &year[9..]),
                ("year", "2026-01 to 2026-12", &year[..]),
            ],
        ),
    ] {
        let at: Timestamp = at.parse().unwrap();
        let world = generate::world(&small(1), 149, 1, at).share();
        let options = Options { month: month(reported), clock: Clock::Fixed(at), ..options() };
        let snapshot = ask(&world, &options, None);
        judged(&snapshot, config, &[], |alerts, _, ledger| {
            for name in ["low", "high", "adjusted", "quarter", "year"] {
                let rows = named(alerts, name);
                let is_over =
                    |alert: &&&Alert| alert.run.unwrap().end <= month(reported).plus(1).start();
                let told = rows.iter().find(is_over);
                let expected = over.iter().find(|it| it.0 == name);
                assert_eq!(rows.len(), 1 + expected.iter().len(), "{at} {name}: {rows:?}");
                let Some((alert, (_, span, months))) = told.zip(expected) else { continue };
                assert_eq!((alert.span().as_str(), alert.state), (*span, State::Crossed));
                assert_eq!(alert.actual, Some(lines(ledger, months, METRIC, |_| true)), "{name}");
                assert_eq!(alert.remark, "The run is over; its last days may still change.");
                assert_eq!(alert.forecast, None);
                let limit = if name == "quarter" { 200 } else { 100 };
                assert_eq!(alert.limit, Some(Money::from_cents(limit)));
            }
        });
    }
}

/// Teams for everybody, and rules for all that nobody owns.
const WHOLE: &str = "
    [[assignment]]\nteam = 'Research'\ndomain = 'research*'
    [[assignment]]\nteam = 'Rest'\ndomain = '*'
    [[pool]]\nname = 'plans'\nof = 'savings_plan'\nmethod = 'proportional'\nover = 'teams'
    [[pool]]\nname = 'credits'\nof = 'credit'\nmethod = 'proportional'\nover = 'teams'
    [[pool]]\nname = 'refunds'\nof = 'refund'\nmethod = 'proportional'\nover = 'teams'
    [[pool]]\nname = 'nobody'\nof = 'unattributed'\nmethod = 'proportional'\nover = 'teams'
    [[pool]]\nname = 'tax'\nof = 'tax'\nmethod = 'proportional'\nover = 'teams'
";

#[test]
fn budgets_of_teams_sum_to_what_is_charged() {
    for seed in 143..146 {
        let snapshot = ask(&make(&small(2), seed), &with_inventory(), None);
        let config = format!(
            "{WHOLE}
            [[budget]]\nname = 'm {{team}}'\neach = 'team'\nlimit = '1'\nthresholds = [100]
            [[budget]]\nname = 'q {{team}}'\neach = 'team'\nlimit = '1'\nperiod = 'quarterly'\nthresholds = [100]
            [[budget]]\nname = 'whole'\nall = true\nlimit = '1'\nthresholds = [100]
            [[budget]]\nname = 'x {{team}}'\neach = 'team'\nlimit = '1'\nexclude = ['Usage']\nthresholds = [100]"
        );
        judged(&snapshot, &config, &[], |alerts, charges, ledger| {
            let total = |at: &str| charges.total(month(at)).get(METRIC).unwrap();
            let nobodys = |at: &str| charges.of_month(month(at)).filter(|it| it.team.is_none());
            let nobodys =
                |at: &str| -> Money { nobodys(at).map(|it| it.amounts.get(METRIC).unwrap()).sum() };
            assert!(nobodys("2026-11").is_zero() && nobodys("2026-10").is_zero(), "seed {seed}");
            let sum = |kind: &str| -> Money {
                let rows = alerts.iter().filter(|alert| alert.budget.starts_with(kind));
                rows.map(|alert| alert.actual.unwrap()).sum()
            };
            assert_eq!(alerts.iter().filter(|it| it.budget.starts_with("m ")).count(), 2);
            assert_eq!(sum("m "), total("2026-11"), "seed {seed}");
            assert_eq!(sum("q "), total("2026-10") + total("2026-11"), "seed {seed}");
            let usage = charges.of_month(month("2026-11"));
            let usage = usage.filter(|it| ledger.names.text(it.record_type) == "Usage");
            let usage: Money = usage.map(|it| it.amounts.get(METRIC).unwrap()).sum();
            assert!(!usage.is_zero(), "seed {seed}");
            assert_eq!(sum("x "), total("2026-11") - usage, "seed {seed}");
            let [whole] = named(alerts, "whole")[..] else { panic!("{alerts:?}") };
            assert_eq!(whole.remark, "SageMaker's share of tax and support is not in it.");
            assert_eq!(whole.actual, Some(lines(ledger, &["2026-11"], METRIC, |_| true)));
            for alert in alerts.iter().filter(|alert| alert.budget.starts_with("m ")) {
                assert!(alert.remark.contains("What pools move is in the actual"));
                assert!(alert.forecast.unwrap() >= alert.actual.unwrap());
                assert_eq!(alert.day, None, "what pools move has no day");
            }
        });
    }
}

/// What an owner's days come to.
fn on(snapshot: &Snapshot, owner: Option<&Owner>, day: Date) -> Money {
    let daily = apportion::daily::Daily::new(snapshot);
    let ledger = ledger::post(snapshot);
    let owners: BTreeSet<&Owner> = ledger.bearers.iter().map(|it| &it.owner).collect();
    let meant = owners.into_iter().filter(|it| owner.is_none_or(|owner| owner == *it));
    let days = meant.flat_map(|it| daily.of(it, month("2026-11")).unwrap().collect::<Vec<_>>());
    days.filter(|(at, _)| *at == day).map(|(_, amounts)| amounts.get(METRIC).unwrap()).sum()
}

#[test]
fn a_daily_budget_is_judged_on_the_last_complete_day_and_on_later_ones_once_they_crossed() {
    let snapshot = ask(&make(&small(2), 147), &options(), None);
    let last = course::last_complete(now());
    assert_eq!(last.to_string(), "2026-11-18");
    let config = "
        [[budget]]\nname = 'low'\nall = true\nlimit = '0.01'\nperiod = 'daily'\nthresholds = [100]
        [[budget]]\nname = 'high'\nall = true\nlimit = '1000000'\nperiod = 'daily'
    ";
    judged(&snapshot, config, &[], |alerts, _, _| {
        let [high] = named(alerts, "high")[..] else { panic!("one threshold, one day") };
        assert_eq!((high.state, high.run.unwrap().start), (State::Within, last));
        assert_eq!(high.actual, Some(on(&snapshot, None, last)));
        assert_eq!((high.forecast, high.remark.as_str()), (None, ""));
        let low = named(alerts, "low");
        assert!(low.len() > 1, "something was spent since: {low:?}");
        for alert in low {
            let day = alert.run.unwrap().start;
            assert_eq!((alert.state, alert.day), (State::Crossed, Some(day)));
            assert_eq!(alert.actual, Some(on(&snapshot, None, day)));
            assert_eq!(alert.remark == "The day is not complete.", day > last, "{day}");
        }
    });
}

#[test]
fn a_day_belongs_to_the_team_of_that_day() {
    let snapshot = ask(&make(&small(3), 148), &with_inventory(), None);
    let last = course::last_complete(now());
    let ledger = ledger::post(&snapshot);
    let is_user = |owner: &Owner| matches!(owner, Owner::UserProfile(..));
    let users = ledger.bearers.iter().map(|it| &it.owner).filter(|owner| is_user(owner));
    let user = users.max_by_key(|owner| on(&snapshot, Some(owner), last)).unwrap();
    let Owner::UserProfile(domain, name) = user else { panic!("{user:?}") };
    let spent = on(&snapshot, Some(user), last);
    assert!(!spent.is_zero());
    let config = "[teams]\nfile = 'teams.csv'
        [[budget]]\nname = '{team}'\neach = 'team'\nlimit = '1000000'\nperiod = 'daily'
        [[budget]]\nname = 'm {team}'\neach = 'team'\nlimit = '1'\nthresholds = [100]";
    let id = &domain.id;
    for (moved, red, blue) in
        [("2026-11-18", Money::ZERO, spent), ("2026-11-19", spent, Money::ZERO)]
    {
        let until = moved.parse::<Date>().unwrap().yesterday().unwrap();
        let roster = format!(
            "domain,user_profile,space,team,valid_from,valid_to\n\
             {id},{name},,Red,,{until}\n{id},{name},,Blue,{moved},\n"
        );
        judged(&snapshot, config, &[("teams.csv", &roster)], |alerts, charges, _| {
            let spaces: Money = ledger
                .bearers
                .iter()
                .filter(|it| !is_user(&it.owner) && it.user_profile.as_ref() == Some(name))
                .filter(|it| it.owner.domain().is_some_and(|it| it.id == *id))
                .map(|it| on(&snapshot, Some(&it.owner), last))
                .sum();
            let of = |team: &str| named(alerts, team)[0].actual.unwrap();
            let with_spaces = |money: Money| if money.is_zero() { money } else { money + spaces };
            assert_eq!(of("Red"), with_spaces(red), "moved on {moved}");
            assert_eq!(of("Blue"), with_spaces(blue), "moved on {moved}");
            let both = named(alerts, "m Red")[0].actual.unwrap()
                + named(alerts, "m Blue")[0].actual.unwrap();
            let charged = charges.of_month(month("2026-11")).filter(|it| it.team.is_some());
            let charged: Money = charged.map(|it| it.amounts.get(METRIC).unwrap()).sum();
            assert_eq!(both, charged);
        });
    }
}

#[test]
fn a_budget_that_aws_has_of_ours_alarms_once_and_lends_its_limit() {
    let snapshot = ask(&make(&small(1), 7), &options(), None);
    let theirs = snapshot.manifest.budgets.iter().find(|it| it.name.starts_with("sagemaker-"));
    let theirs = theirs.expect("the organisation has budgets");
    let name = theirs.name.trim_start_matches("sagemaker-");
    let own = format!(
        "[budgets]\nname = 'sagemaker-{{name}}'
        [[budget]]\nname = '{name}'\nall = true\nauto_adjust = {{ historical = 3 }}\nthresholds = [100]"
    );
    judged(&snapshot, &own, &[], |alerts, _, _| {
        assert!(named(alerts, &theirs.name).is_empty());
        let [ours] = named(alerts, name)[..] else { panic!("{alerts:?}") };
        assert_eq!((ours.limit, ours.source), (theirs.limit, Source::Configuration));
        assert_eq!(ours.remark, "");
        let others = alerts.iter().filter(|alert| alert.source == Source::Aws).count();
        assert!(others > 0, "those of others stay");
    });
    judged(&snapshot, "", &[], |alerts, _, _| assert!(!named(alerts, &theirs.name).is_empty()));
}
