//! The dollars that `retag plan` shows, beside the report of the same snapshot.

use std::path::Path;

use apportion::mark::Marks;
use apportion::money::Money;
use apportion::plan::Plan;
use apportion::sandbox::generate;
use apportion::sandbox::scenario::Scenario;

use crate::retag::binary;
use crate::run::{NOW, Sandbox, apportion, read};

#[test]
fn the_amounts_of_a_plan_are_what_the_report_shows_without_a_tag() {
    let scenario = Scenario::named("legacy").unwrap();
    let sandbox = Sandbox::start_with(generate::world(&scenario, 7, 1, NOW.parse().unwrap()));
    let folder = tempfile::tempdir().unwrap();
    let run = apportion(folder.path(), &["--now", NOW, "run", "--max-spend", "1"]);
    let run = run.against(&sandbox).run();
    assert_eq!(run.code, 0, "{}", run.stderr);
    let planned = binary(folder.path(), &sandbox, &["plan", "--format", "json"]);
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    let plan: Plan<Marks> = serde_json::from_str(&planned.stdout).unwrap();
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/plans.md");
    let document = String::from_utf8(read(&document)).unwrap();
    let form: serde_json::Value = serde_json::from_str(&planned.stdout).unwrap();
    for name in form.as_object().unwrap().keys() {
        assert!(document.contains(&format!("`{name}`")), "docs/plans.md lacks `{name}`");
    }
    let report = read(&folder.path().join("apportion-out/2026-10/unattributed.csv"));
    let mut rows = csv::Reader::from_reader(report.as_slice());
    let header = rows.headers().unwrap().clone();
    let column = |name| header.iter().position(|it| it == name).unwrap();
    let (reason, account) = (column("reason"), column("billed_account"));
    let (region, amount) = (column("region"), column("net_amortized_cost"));
    let mut total = Money::ZERO;
    let mut hosting = Money::ZERO;
    for row in rows.records().map(Result::unwrap).filter(|row| &row[reason] == "no_tag") {
        let money = Money::parse(&row[amount]).unwrap();
        total += money;
        if (&row[account], &row[region], &row[column("component")])
            == ("777788889999", "eu-west-1", "hosting")
        {
            hosting += money;
        }
    }
    let amounts: Option<Vec<Money>> = plan.stakes.iter().map(|stake| stake.amount).collect();
    let amounts = amounts.expect("every request was answered");
    assert_eq!(amounts.into_iter().sum::<Money>(), total, "{:#?}", plan.stakes);
    assert!(total > Money::ZERO);
    let of = |what: &str| plan.stakes.iter().find(|stake| stake.what == what).unwrap().amount;
    assert_eq!(of("Hosting, eu-west-1, 777788889999"), Some(hosting));
}
