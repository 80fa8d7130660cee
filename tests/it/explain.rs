//! What `explain` says of the demonstration: every figure of its files, down to requests and pages, and it foots.

use std::collections::{BTreeMap, BTreeSet};

use apportion::charge;
use apportion::cli::config::Loaded;
use apportion::explain;
use apportion::explanation::{Billed, Explanation, Moved};
use apportion::inquiry::Inquiry;
use apportion::ledger::{self, Ledger};
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::records::{Builder, Record};
use apportion::render::explain::text;
use apportion::report::Report;
use apportion::snapshot::Snapshot;
use apportion::store::snapshots;
use apportion::terms::Terms;
use serde_json::Value;

use crate::run::{apportion, demo, read};
use crate::world::month;

/// Teams, and pools of every kind of flow: split, kept in a cascade, and beside the scope.
const TERMS: &str = r#"
assignment = [
    { team = "Research", domain = "research" },
    { team = "Vision", domain = "vision" },
    { team = "Platform", domain = "*" },
]
pool = [
    { name = "savings-plan", of = "savings_plan", into = "overhead" },
    { name = "unowned", of = "unattributed", into = "overhead", only = { usage_type = "*Host*" } },
    { name = "others", of = "unattributed", method = "even" },
    { name = "overhead", of = "pools", method = "proportional" },
    { name = "domains", of = "domain", method = "proportional" },
    { name = "homes", of = "home_efs", method = "even" },
    { name = "tax", of = "tax", method = "proportional", over = "owners" },
    { name = "credits", of = "credit", method = "even" },
]
"#;

fn snapshot() -> Snapshot {
    snapshots::load_newest(&demo().join("snapshots")).unwrap()
}

/// Explains several figures of the demonstration under a configuration.
fn explained<T>(configuration: &str, use_it: impl FnOnce(&Report<'_>) -> T) -> T {
    let (snapshot, loaded) = (snapshot(), Loaded::of(configuration).unwrap());
    let ledger: Ledger = ledger::post(&snapshot);
    let metric = Metric::NetAmortizedCost;
    let charges = charge::charge(&snapshot, &ledger, &loaded.terms, metric);
    use_it(&Report {
        snapshot: &snapshot,
        ledger: &ledger,
        charges: &charges,
        terms: &loaded.terms,
        month: month("2026-10"),
        metric,
    })
}

fn of_owner(path: &str) -> Inquiry {
    Inquiry { owner: Some(path.to_owned()), ..Inquiry::default() }
}

fn of_team(name: &str) -> Inquiry {
    Inquiry { team: Some(name.to_owned()), ..Inquiry::default() }
}

fn sum<'a>(amounts: impl Iterator<Item = &'a Amounts>) -> Amounts {
    amounts.sum()
}

/// Proves that every amount of an explanation is the sum of those below it, down to pages of requests.
fn foot(explanation: &Explanation) {
    let asked: BTreeMap<u32, u32> =
        explanation.requests.iter().map(|request| (request.number, request.pages)).collect();
    let line = |billed: &Billed| {
        let parts = &billed.records;
        for record in parts {
            assert!((1..=asked[&record.request]).contains(&record.page), "{record:?}");
        }
        match billed.kind {
            "line" => {
                assert!(!parts.is_empty(), "{billed:?}");
                if billed.steps.is_empty() {
                    assert_eq!(sum(parts.iter().map(|it| &it.sum.amounts)), billed.sum.amounts);
                }
            }
            "outside" => assert!(!billed.requests.is_empty() && !billed.steps.is_empty()),
            _ => assert!(billed.control.is_some(), "{billed:?}"),
        }
        for step in &billed.steps {
            assert!(step.rounding.unwrap().is_within_a_unit(), "{step:?}");
        }
    };
    let ids: BTreeSet<&str> = explanation.balances.iter().map(|it| it.id.as_str()).collect();
    let step = |moved: &Moved| {
        assert!(ids.contains(moved.balance.as_str()), "{moved:?}");
        assert!(moved.direction == "out" || !moved.steps.is_empty(), "{moved:?}");
        for step in &moved.steps {
            assert!(step.rounding.unwrap().is_within_a_unit(), "{step:?}");
        }
    };
    for share in &explanation.shares {
        let billed = share.billed.iter().map(|it| &it.sum.amounts);
        let moved = share.moved.iter().map(|it| &it.sum.amounts);
        assert_eq!(sum(billed.chain(moved)), share.sum.amounts, "{}", share.owner);
        assert!(!share.owner_because.is_empty() || share.billed.is_empty(), "{}", share.owner);
        assert!(!share.team_because.is_empty(), "{}", share.owner);
        share.billed.iter().for_each(line);
        share.moved.iter().for_each(step);
    }
    for balance in &explanation.balances {
        let billed = balance.billed.iter().map(|it| &it.sum.amounts);
        let fed = balance.fed.iter().map(|it| &it.sum.amounts);
        assert_eq!(sum(billed.chain(fed)), balance.sum.amounts, "{}", balance.id);
        balance.billed.iter().for_each(line);
        balance.fed.iter().for_each(step);
    }
    let shares = explanation.shares.iter().map(|share| &share.sum.amounts);
    assert_eq!(sum(shares), explanation.figure.sum.amounts);
}

#[test]
fn every_owner_and_team_is_explained_and_foots_to_its_figure() {
    explained(TERMS, |report| {
        let mut owners: BTreeMap<String, Amounts> = BTreeMap::new();
        let mut teams: BTreeMap<String, Amounts> = BTreeMap::new();
        for charge in report.charges.of_month(report.month) {
            let owner = report.charges.bearer(&charge).owner.to_string();
            owners.entry(owner).or_insert(Amounts::ZERO).add(&charge.amounts);
            if let Some(team) = report.charges.team(&charge) {
                teams.entry(team.to_string()).or_insert(Amounts::ZERO).add(&charge.amounts);
            }
        }
        assert!(owners.len() > 100 && teams.len() == 3, "{} {}", owners.len(), teams.len());
        for (path, amounts) in &owners {
            let explanation = explain::explain(report, &of_owner(path)).unwrap();
            assert_eq!(explanation.figure.sum.amounts, *amounts, "{path}");
            foot(&explanation);
        }
        for (name, amounts) in &teams {
            let explanation = explain::explain(report, &of_team(name)).unwrap();
            assert_eq!(explanation.figure.sum.amounts, *amounts, "{name}");
            assert_eq!(explanation.figure.handed.len(), 2, "the month, then the team");
            foot(&explanation);
        }
        let without = Inquiry { without_team: true, ..Inquiry::default() };
        foot(&explain::explain(report, &without).unwrap());
        let pool = Inquiry { pool: Some("overhead".to_owned()), ..Inquiry::default() };
        let pool = explain::explain(report, &pool).unwrap();
        assert!(pool.figure.sum.amounts.is_zero(), "what leaves a pool is what targets get");
        assert!(pool.balances.iter().any(|balance| balance.pool == "unowned"), "a cascade");
        foot(&pool);
    });
}

#[test]
fn owners_of_the_demonstration_are_what_its_file_says() {
    let file = String::from_utf8(read(&demo().join("2026-10/owners.csv"))).unwrap();
    let header: Vec<&str> = file.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|it| *it == name).unwrap();
    let [kind, domain, user, space, total] =
        ["owner_kind", "domain", "user_profile", "space", "total"].map(column);
    let mut totals: BTreeMap<String, Money> = BTreeMap::new();
    for row in file.lines().skip(1).filter(|row| !row.contains('"')) {
        let cells: Vec<&str> = row.split(',').collect();
        let path = match cells[kind] {
            "space" => format!("space/{}/{}", cells[domain], cells[space]),
            "user_profile" => format!("user-profile/{}/{}", cells[domain], cells[user]),
            "domain" => format!("domain/{}", cells[domain]),
            _ => continue,
        };
        // An owner that changed teams has a row for each.
        *totals.entry(path).or_default() += Money::parse(cells[total]).unwrap();
    }
    assert!(totals.len() > 50, "{totals:?}");
    // Every owner is explained in process by another test; a run of the program is for a few.
    for (path, total) in totals.iter().step_by(25) {
        let (json, stderr, _) = binary(&["--owner", path, "--format", "json"]);
        let json: Value = serde_json::from_str(&json).expect(&stderr);
        let exact = json["figure"]["amount"].as_str().unwrap();
        assert_eq!(Money::parse(exact).unwrap(), *total, "{path}");
    }
}

/// Runs the program on the demonstration's snapshot; returns stdout, stderr and the exit code.
fn binary(more: &[&str]) -> (String, String, i32) {
    // The demonstration has its configuration and the roster beside it compiled in.
    let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/src/cli/demo.toml");
    let mut arguments = vec!["--config", configuration, "explain", "--snapshots", "snapshots"];
    arguments.extend(more);
    let output = apportion(demo(), &arguments).run();
    (output.stdout, output.stderr, output.code)
}

#[test]
fn records_that_differ_in_the_spelling_of_their_tag_are_all_named() {
    let mut snapshot = snapshot();
    let mut records = Builder::default();
    let (mut path, mut values) = (String::new(), Vec::new());
    for record in snapshot.records.iter() {
        let space = record.value.ends_with("/maya-rossi-lab");
        let is_it = values.is_empty() && space && record.start == month("2026-10").start();
        if !is_it {
            records.push(&record);
            continue;
        }
        let (start, name) = record.value.rsplit_once('/').unwrap();
        path = format!("space/{}/{name}", start.rsplit_once('/').unwrap().1);
        let value = format!("{start}/{}", name.to_uppercase());
        let halves = record.amounts.split(&[Money::from_cents(1), Money::from_cents(2)]).unwrap();
        values = vec![value.clone(), record.value.clone()];
        records.push(&Record { amounts: halves[0], value, page: 2, ..record.clone() });
        records.push(&Record { amounts: halves[1], ..record });
    }
    snapshot.records = records.finish();
    let ledger = ledger::post(&snapshot);
    let (terms, metric) = (Terms::default(), Metric::NetAmortizedCost);
    let charges = charge::charge(&snapshot, &ledger, &terms, metric);
    let (snapshot, ledger, charges, terms) = (&snapshot, &ledger, &charges, &terms);
    let report = Report { snapshot, ledger, charges, terms, month: month("2026-10"), metric };
    let explanation = explain::explain(&report, &of_owner(&path)).unwrap();
    let lines = explanation.shares.iter().flat_map(|share| &share.billed);
    let line = lines.into_iter().find(|line| line.records.len() == 2).unwrap();
    let named: Vec<(&str, u32)> =
        line.records.iter().map(|record| (record.value.as_str(), record.page)).collect();
    assert_eq!(named, [(values[0].as_str(), 2), (values[1].as_str(), 1)]);
    assert_eq!(sum(line.records.iter().map(|it| &it.sum.amounts)), line.sum.amounts);
    assert!(explanation.shares[0].owner_because.iter().any(|it| it.contains("A3")));
}

#[test]
fn json_foots_and_text_names_request_and_page() {
    let (json, _, code) = binary(&["--domain", "vision", "--format", "json"]);
    assert_eq!(code, 0);
    let json: Value = serde_json::from_str(&json).unwrap();
    let money = |value: &Value| Money::parse(value["amount"].as_str().unwrap()).unwrap();
    let total: Money = json["shares"].as_array().unwrap().iter().map(money).sum();
    assert_eq!(total, money(&json["figure"]));
    for share in json["shares"].as_array().unwrap() {
        let parts = ["billed", "moved"].map(|kind| share[kind].as_array().unwrap());
        let parts: Money = parts.into_iter().flatten().map(money).sum();
        assert_eq!(parts, money(share), "{share}");
    }
    let (text, stderr, code) = binary(&["--domain", "vision", "--limit", "2"]);
    assert_eq!((code, stderr.as_str()), (0, ""));
    assert!(text.contains(", page 1") && text.contains("Requests to Cost Explorer"), "{text}");
    assert!(text.contains(" others, in the JSON"), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 100 || !line.contains("  ")), "{text}");
}

#[test]
fn what_matches_nothing_is_an_error_with_the_nearest_names() {
    let (stdout, stderr, code) = binary(&["--domain", "visin"]);
    assert_eq!((stdout.as_str(), code), ("", 1));
    assert_eq!(
        stderr,
        "error: nothing of 2026-10 matches: domain visin\n  \
         hint: name another domain; nearest to `visin`: `vision`\n"
    );
    let (_, stderr, code) = binary(&["--component", "hosting", "--record-type", "Credit"]);
    assert_eq!(code, 1, "{stderr}");
    assert_eq!(binary(&["--month", "2020-01"]).2, 2);
    assert_eq!(binary(&["--team", "a", "--without-team"]).2, 2);
}

#[test]
fn a_team_reads_from_its_figure_down_to_the_requests() {
    let text = explained(TERMS, |report| {
        text(&explain::explain(report, &of_owner("team/Vision")).unwrap(), 2)
    });
    insta::assert_snapshot!(text);
}
