//! Owns the timing program of chargeback: 1,000 teams, 20,000 owners, 13 months, 12 pools, in memory.
//!
//! Timed are teams, targets and weights, and then every part, summed by team and by owner.
//! **Invariant:** one seed is one ledger, and the sums must meet it, or the program fails.

use std::fmt::Write as _;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use apportion::charge::{self, Charges};
use apportion::cli::config;
use apportion::key;
use apportion::ledger::{self, Ledger};
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::period::{Month, Period};
use apportion::records::{Builder, Record, Records};
use apportion::request::REST;
use apportion::snapshot::{Control, Manifest, Snapshot, VERSION};
use apportion::store::disk;
use apportion::terms::{Files, Terms};

const TEAMS: usize = 1_000;
const OWNERS: usize = 20_000;
const DOMAINS: usize = 100;
const SAGEMAKER: &str = "Amazon SageMaker";
const SAVINGS_PLAN: &str = "Savings Plans for AWS Machine Learning";
const FILE_SYSTEM: &str = "Amazon Elastic File System";

type Failure = Box<dyn std::error::Error>;

/// Twelve pools: every kind, every method, two cascades, and each of the three that can bear a part.
const POOLS: &str = r#"
[teams]
file = "roster.csv"
[[pool]]
name = "hosting of domains"
of = "domain"
only.usage_type = "*-Host:*"
method = "active_days"
[[pool]]
name = "domains"
of = "domain"
method = "even"
[[pool]]
name = "home directories"
of = "home_efs"
method = "weights"
file = "bytes.csv"
[[pool]]
name = "savings-plan"
of = "savings_plan"
method = "proportional"
by.record_type = "Usage"
[[pool]]
name = "credits"
of = "credit"
over = "owners"
method = "proportional"
[[pool]]
name = "refunds"
of = "refund"
method = "proportional"
metric = "unblended_cost"
[[pool]]
name = "training of nobody"
of = "unattributed"
only.usage_type = "*-Train:*"
method = "even"
[[pool]]
name = "rest"
of = "unattributed"
into = "platform"
[[pool]]
name = "tax"
of = "tax"
method = "proportional"
[[pool]]
name = "support"
of = "support"
into = "platform"
[[pool]]
name = "platform"
of = "pools"
into = "everything"
[[pool]]
name = "everything"
of = "pools"
method = "proportional"
"#;

fn main() -> Result<(), Failure> {
    let snapshot = snapshot()?;
    let ledger = ledger::post(&snapshot);
    let config = config::parse(POOLS)?;
    let terms = Terms::make(config.tables(POOLS), &files()?)?;
    let begun = Instant::now();
    let charges = charge::charge(&snapshot, &ledger, &terms, Metric::NetAmortizedCost);
    let ready = begun.elapsed();
    let counts = sum(&charges, &ledger)?;
    let all = begun.elapsed();
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "{} lines, {} charges, {} spreads: {:.3} s for teams, targets and weights, {:.3} s with every part summed; peak {} in all",
        ledger.lines.len(),
        counts,
        charges.allocation.spreads.len(),
        ready.as_secs_f64(),
        all.as_secs_f64(),
        peak()?
    )?;
    Ok(())
}

/// Sums every charge by team and by owner, and holds both against the ledger and what lies outside.
fn sum(charges: &Charges<'_>, ledger: &Ledger) -> Result<usize, Failure> {
    let mut count = 0;
    for month in Month::parse("2025-10")?.through(Month::parse("2026-10")?) {
        let mut teams = vec![Amounts::ZERO; charges.membership.teams.len() + 1];
        let mut owners = vec![Amounts::ZERO; charges.bearers.len()];
        for charge in charges.of_month(month) {
            let team = charge.team.unwrap_or(charges.membership.teams.len());
            teams[team].add(&charge.amounts);
            owners[charge.bearer].add(&charge.amounts);
            count += 1;
        }
        let total = charges.total(month);
        let (teams, owners): (Amounts, Amounts) = (teams.iter().sum(), owners.iter().sum());
        if teams != total || owners != total || total == ledger.total(month) {
            return Err(format!("{month} does not foot: {teams:?} {owners:?} {total:?}").into());
        }
    }
    Ok(count)
}

/// The peak resident set of the process, ledger and snapshot included.
fn peak() -> Result<String, Failure> {
    let status = String::from_utf8(disk::read(Path::new("/proc/self/status"))?)?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    Ok(line.unwrap_or("unknown").trim().to_owned())
}

/// Draws numbers one after another.
struct Dice(u64);

impl Dice {
    fn below(&mut self, count: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % count
    }

    /// An amount up to so many currency units with ten places.
    fn amounts(&mut self, most: u64) -> Amounts {
        let mut amounts = Amounts::ZERO;
        for metric in Metric::ALL {
            let units = i128::from(self.below(most)) * 1_000_000_000_000
                + i128::from(self.below(10_000_000_000)) * 100;
            amounts.put(metric, Some(Money::from_units(units)));
        }
        amounts
    }
}

fn domain(index: usize) -> String {
    format!("d-{:012}", index % DOMAINS)
}

/// One record of a month.
fn record(month: Month, slice: &str, value: String, cell: [&str; 3], amounts: Amounts) -> Record {
    let [service, record_type, usage_type] = cell;
    Record {
        start: month.start(),
        slice: slice.to_owned(),
        value,
        account: (slice == REST).then(|| "111122223333".to_owned()),
        service: service.to_owned(),
        record_type: record_type.to_owned(),
        usage_type: usage_type.to_owned(),
        amounts,
        usage: None,
        usage_unit: None,
        estimated: false,
        request: 1,
        page: 1,
    }
}

fn arn(kind: &str) -> String {
    format!("arn:aws:sagemaker:us-east-1:111122223333:{kind}")
}

/// The records of a month: two an owner, three a domain, and what nobody owns.
fn month_records(month: Month, dice: &mut Dice) -> Vec<Record> {
    let mut records = Vec::new();
    let studio = [SAGEMAKER, "Usage", "USE1-Studio:JupyterLab-ml.m5.xlarge"];
    for owner in 0..OWNERS {
        let value = arn(&format!("user-profile/{}/u{owner:05}", domain(owner)));
        records.push(record(month, key::USER_PROFILE, value.clone(), studio, dice.amounts(300)));
        let training = [SAGEMAKER, "Usage", "USE1-Train:ml.g5.xlarge"];
        records.push(record(month, key::USER_PROFILE, value, training, dice.amounts(40)));
    }
    for index in 0..DOMAINS {
        let value = arn(&format!("domain/{}", domain(index)));
        for usage_type in ["USE1-Host:ml.m5.xlarge", "USE1-Canvas:Session-Hrs"] {
            let cell = [SAGEMAKER, "Usage", usage_type];
            records.push(record(month, key::DOMAIN, value.clone(), cell, dice.amounts(900)));
        }
        let cell = [FILE_SYSTEM, "Usage", "TimedStorage-ByteHrs"];
        records.push(record(month, key::MANAGED_BY, value, cell, dice.amounts(500)));
    }
    for (service, record_type, usage_type, sign) in [
        (SAVINGS_PLAN, "SavingsPlanRecurringFee", "ComputeSP", 1),
        (SAGEMAKER, "SavingsPlanNegation", "USE1-Studio:JupyterLab-ml.m5.xlarge", -1),
        (SAGEMAKER, "Credit", "", -1),
        (SAGEMAKER, "Refund", "", -1),
        (SAGEMAKER, "Usage", "USE1-Train:ml.p4d.24xlarge", 1),
        (SAGEMAKER, "Usage", "USE1-LabeledObject", 1),
    ] {
        let amounts = dice.amounts(90_000);
        let amounts = if sign < 0 { amounts.negated() } else { amounts };
        let cell = [service, record_type, usage_type];
        records.push(record(month, REST, String::new(), cell, amounts));
    }
    records
}

/// Thirteen months, the last of them by day.
fn snapshot() -> Result<Snapshot, Failure> {
    let (first, last) = (Month::parse("2025-10")?, Month::parse("2026-10")?);
    let mut manifest = manifest(first, last)?;
    let (mut cells, mut days) = (Builder::default(), Builder::default());
    let mut dice = Dice(7);
    for month in first.through(last) {
        let records = month_records(month, &mut dice);
        for record in &records {
            cells.push(record);
            put(&mut manifest, record);
            if month == last {
                for day in [2, 9, 16, 23] {
                    let usage_type = String::new();
                    let start = month.start().with().day(day).build()?;
                    days.push(&Record { start, usage_type, ..record.clone() });
                }
            }
        }
        for (service, record_type, most) in [
            ("Tax", "Tax", 2_000_000),
            ("AWS Support (Business)", "Fee", 500_000),
            ("Amazon Elastic Compute Cloud - Compute", "Usage", 20_000_000),
        ] {
            let cell = [service, record_type, ""];
            bill(&mut manifest, &record(month, "", String::new(), cell, dice.amounts(most)));
        }
    }
    manifest.days = Some(Period::of_months(last, last));
    let (records, days): (Records, Records) = (cells.finish(), days.finish());
    Ok(Snapshot { manifest, records, days, inventory: apportion::inventory::Inventory::default() })
}

fn bill(manifest: &mut Manifest, record: &Record) {
    add(&mut manifest.bill, "", record);
}

/// Adds a record to its control, and to the bill.
fn put(manifest: &mut Manifest, record: &Record) {
    add(&mut manifest.controls, &record.slice, record);
    bill(manifest, record);
}

fn add(controls: &mut Vec<Control>, slice: &str, record: &Record) {
    let month = Month::of(record.start);
    let same = controls.iter_mut().rev().take_while(|it| it.month == month).find(|it| {
        (it.slice.as_str(), &it.service, &it.record_type)
            == (slice, &record.service, &record.record_type)
    });
    match same {
        Some(control) => control.amounts.add(&record.amounts),
        None => controls.push(Control {
            slice: slice.to_owned(),
            month,
            service: record.service.clone(),
            record_type: record.record_type.clone(),
            amounts: record.amounts,
            estimated: false,
            request: 1,
        }),
    }
}

fn manifest(first: Month, last: Month) -> Result<Manifest, Failure> {
    let empty: [(); 0] = [];
    let manifest = serde_json::json!({
        "version": VERSION, "id": "benchmark", "taken_at": "2026-11-20T08:00:00Z", "program": "",
        "caller": "111122223333", "payer": null, "billing_view": null,
        "scope": { "first": first, "last": last, "keys": key::PRECEDENCE, "services": [SAGEMAKER, SAVINGS_PLAN] },
        "configured_keys": empty, "key_statuses": null, "backfills": null, "currency": "USD",
        "bill": empty, "controls": empty, "space_users": empty, "billed_accounts": empty,
        "days": null, "asked": empty, "segments": empty, "inventory_sha256": "",
        "budgets": empty, "forecasts": empty, "missing": empty, "moving": empty,
        "quote": { "least": 0, "expected": 0 },
        "receipt": { "requests": 0, "pages": 0, "failed": 0, "unknown": 0 }, "notes": empty,
    });
    Ok(serde_json::from_value(manifest)?)
}

/// The roster, in which every tenth person moves within the last month, and the bytes of each home directory.
fn files() -> Result<Files, Failure> {
    let mut roster = "domain,user_profile,team,valid_from,valid_to\n".to_owned();
    let mut bytes = "domain,user_profile,weight\n".to_owned();
    let mut dice = Dice(11);
    for owner in 0..OWNERS {
        let (domain, team) = (domain(owner), owner % TEAMS);
        if owner % 10 == 0 {
            writeln!(roster, "{domain},u{owner:05},t{team:04},2025-01-01,2026-10-14")?;
            let team = (team + 1) % TEAMS;
            writeln!(roster, "{domain},u{owner:05},t{team:04},2026-10-15,")?;
        } else {
            writeln!(roster, "{domain},u{owner:05},t{team:04},,")?;
        }
        writeln!(bytes, "{domain},u{owner:05},{}", dice.below(50_000_000_000))?;
    }
    let files = [("roster.csv", roster), ("bytes.csv", bytes)];
    Ok(files.map(|(name, text)| (name.to_owned(), text.into_bytes())).into())
}
