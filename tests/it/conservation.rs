//! Owns the proof that nothing is lost or counted twice: lines, controls, files and days tell one sum.

use std::collections::BTreeMap;
use std::path::Path;

use apportion::control;
use apportion::ledger;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::period::Month;
use apportion::records::Records;
use apportion::render::text::dollars;
use apportion::sandbox::bill::Metric as Billed;
use apportion::sandbox::scenario::Scenario;
use apportion::snapshot::Snapshot;
use serde_json::{Value, json};

use crate::world::{Judged, PAYER, Site, alter, ask, judge, make, options, said, small};

/// Sums of the records by month and slice, in every metric.
fn sums(records: &Records) -> BTreeMap<(Month, String), [Money; 4]> {
    let mut sums: BTreeMap<(Month, String), [Money; 4]> = BTreeMap::new();
    for record in records.iter() {
        let sum = sums.entry((Month::of(record.start), record.slice.clone())).or_default();
        for (sum, metric) in sum.iter_mut().zip(Metric::ALL) {
            *sum += record.amounts.get(metric).unwrap();
        }
    }
    sums.retain(|_, sum| sum.iter().any(|money| !money.is_zero()));
    sums
}

#[test]
fn lines_sum_to_the_control_and_the_bridge_foots_in_every_month_and_metric() {
    for seed in 40..44 {
        let judged = judge(&make(&small(2), seed), &options());
        assert_eq!(judged.code(), 0, "seed {seed}: {:?}", judged.notes);
        let manifest = &judged.snapshot.manifest;
        assert_eq!(manifest.months().len(), 14);
        for month in manifest.months() {
            let total = judged.ledger.total(month);
            assert!(!total.is_zero(), "seed {seed}: {month} is empty");
            assert_eq!(total, control::scope_total(manifest, month), "seed {seed}: {month}");
            let gap = control::bridge_gap(&control::bridge(manifest, month));
            assert!(gap.is_zero(), "seed {seed}: {month}: {gap:?}");
        }
        assert!(judged.ledger.findings.residuals.is_empty(), "seed {seed}");
    }
}

#[test]
fn the_bill_is_what_was_charged_to_the_last_digit() {
    let world = make(&small(2), 46);
    let judged = judge(&world, &options());
    let manifest = &judged.snapshot.manifest;
    for month in manifest.months() {
        let bill = &control::bridge(manifest, month)[0].amounts;
        for (metric, billed) in [
            (Metric::UnblendedCost, Billed::UnblendedCost),
            (Metric::AmortizedCost, Billed::AmortizedCost),
            (Metric::NetAmortizedCost, Billed::NetAmortizedCost),
            (Metric::NetUnblendedCost, Billed::NetUnblendedCost),
        ] {
            let charged = alter(&world, |world| {
                let mut period = month.period();
                period.end = period.end.min(world.visible_end());
                world.bill.total(billed, period)
            });
            assert_eq!(bill.get(metric), Some(charged), "{month} {metric}");
        }
    }
}

#[test]
fn months_and_days_agree() {
    let judged = judge(&make(&small(2), 47), &options());
    let Snapshot { manifest, records, days, .. } = &judged.snapshot;
    let read = manifest.days.unwrap();
    let mut months = sums(records);
    months.retain(|(month, _), _| read.contains(month.start()));
    assert!(months.len() > 6, "{months:?}");
    assert_eq!(months, sums(days));
}

#[test]
fn the_order_of_answers_and_of_records_does_not_matter() {
    let world = make(&small(2), 48);
    let one = ask(&world, &apportion::cli::collect::Options { concurrency: 1, ..options() }, None);
    let many = ask(&world, &apportion::cli::collect::Options { concurrency: 7, ..options() }, None);
    assert_eq!(one.manifest, many.manifest);
    assert_eq!(ledger::post(&one).lines, ledger::post(&many).lines);
    let backwards: Vec<Records> =
        one.manifest.months().iter().rev().map(|month| one.records.of_month(*month)).collect();
    let turned = Snapshot { records: Records::concat(&backwards), ..one.clone() };
    let (straight, turned) = (Judged::of(one), Judged::of(turned));
    assert_eq!(straight.figures(), turned.figures());
    assert_eq!(straight.ledger.bearers, turned.ledger.bearers);
}

/// Sums a column of a CSV file over the rows of a month.
fn column_sum(file: &Path, month: &str, column: &str) -> Money {
    let mut reader = csv::Reader::from_path(file).unwrap();
    let headings = reader.headers().unwrap().clone();
    let place = |name: &str| headings.iter().position(|it| it == name).unwrap();
    let (months, amounts) = (place("month"), place(column));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert!(!rows.is_empty(), "{} has no rows", file.display());
    let of_month = rows.iter().filter(|row| &row[months] == month);
    of_month.map(|row| Money::parse(&row[amounts]).unwrap()).sum()
}

#[test]
fn every_file_of_a_report_tells_the_same_total() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::open(make(&Scenario::default(), 7));
    let ran = site.run(PAYER, folder.path(), &["--history"]);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    let out = folder.path().join("out/2026-10");
    let summary: Value =
        serde_json::from_slice(&std::fs::read(out.join("summary.json")).unwrap()).unwrap();
    assert_eq!(summary["control_total"], summary["ledger_total"]);
    for metric in Metric::ALL {
        let total = &summary["control_total"][metric.name()];
        let total = Money::parse(total.as_str().unwrap()).unwrap();
        for file in ["lines.csv", "trend.csv"] {
            let sum = column_sum(&out.join(file), "2026-10", metric.name());
            assert_eq!(sum, total, "{file} {metric}");
        }
    }
    let shown = Money::parse(summary["control_total"]["net_amortized_cost"].as_str().unwrap());
    let shown = shown.unwrap();
    for column in ["billed", "total"] {
        assert_eq!(column_sum(&out.join("owners.csv"), "2026-10", column), shown);
    }
    let nobody = column_sum(&out.join("unattributed.csv"), "2026-10", "net_amortized_cost");
    assert_eq!(summary["coverage"]["unattributed"], json!(nobody));
    let page = std::fs::read_to_string(out.join("report.html")).unwrap();
    assert!(page.contains(&dollars(shown)), "the page does not show {}", dollars(shown));
    assert_eq!(summary["receipt"]["pages"], json!(crate::world::paid(&site.world)));
    let other = column_sum(&out.join("lines.csv"), "2026-02", "unblended_cost");
    assert_eq!(column_sum(&out.join("trend.csv"), "2026-02", "unblended_cost"), other);
}

#[test]
fn an_altered_amount_is_named_and_the_earlier_report_stays() {
    let folder = tempfile::tempdir().unwrap();
    let site = Site::open(make(&small(2), 49));
    let ran = site.run(PAYER, folder.path(), &[]);
    assert_eq!(ran.status.code(), Some(0), "{}", said(&ran));
    let owners = folder.path().join("out/2026-10/owners.csv");
    let before = std::fs::read(&owners).unwrap();
    alter(&site.world, |world| {
        world.faults = serde_json::from_value(json!({
            "tamper": { "page": 1, "request_contains": "\"USAGE_TYPE\"", "delta": "0.01" }
        }))
        .unwrap();
    });
    let ran = site.run(PAYER, folder.path(), &["--fresh", "--concurrency", "1"]);
    assert_eq!(ran.status.code(), Some(4), "{}", said(&ran));
    let text = said(&ran);
    let line = text.lines().find(|line| line.contains("by its parts")).unwrap();
    // The first question by usage type is about spaces, whose key shows from that month on.
    for part in
        ["2026-03, ", "slice `sagemaker:space-arn`", "Amazon SageMaker, ", "difference -0.01"]
    {
        assert!(line.contains(part), "`{part}` is not in {line}");
    }
    assert!(line.contains("SavingsPlanCoveredUsage"), "the record type is not in {line}");
    assert_eq!(std::fs::read(&owners).unwrap(), before);
    assert!(folder.path().join("out/2026-10.rejected/report.html").exists());
}
