//! Owns what nobody's tags bear: the Savings Plan, credits, tax, support, and what was made outside Studio.
//!
//! **Invariant:** over a whole month, what the plan covers and what it leaves unused is what it costs.

use std::sync::Arc;

use jiff::civil::{Date, date};

use super::meter::{Rhythm, SAGEMAKER, Use, bill};
use super::{Making, instant, tags};
use crate::money::Money;
use crate::period::{Month, Period};
use crate::sandbox::bill::{Charge, Meter, Metric, Rates, Stretch};
use crate::sandbox::organisation::{FileSystem, Resource, Tags};

const HOUR: i64 = 1_000_000;
const PLAN: &str = "Savings Plans for AWS Machine Learning";

/// Makes all of it; tax comes last, since it is on everything.
pub(super) fn make(making: &mut Making<'_>) {
    outside(making);
    elsewhere(making);
    savings_plan(making);
    credits(making);
    support_and_tax(making);
}

fn plain(making: &mut Making<'_>, account: &str, service: &str, record_type: &str) -> Meter {
    Meter {
        account: making.text(account),
        region: making.text("global"),
        service: making.text(service),
        usage_type: making.text(record_type),
        operation: making.text("None"),
        record_type: making.text(record_type),
        unit: making.text("N/A"),
        tags: Arc::default(),
        truth: "none/organisation".into(),
    }
}

fn months(making: &Making<'_>) -> Vec<Month> {
    let last = Month::of(making.span.end).plus(-1);
    Month::of(making.span.start).through(last)
}

/// Bills what was made without Studio: older than the tags, or by script.
fn outside(making: &mut Making<'_>) {
    let places: Vec<(String, String, String)> = making
        .scenario
        .domains
        .iter()
        .take(5)
        .map(|it| (it.account.clone(), it.region.clone(), it.team.clone()))
        .collect();
    let old = date(2022, 5, 3);
    for (nth, (account, region, team)) in (0_u32..).zip(&places) {
        let (component, kind, instance, price, rhythm) = match nth % 3 {
            0 => (
                "Notebk:",
                "notebook-instance",
                "ml.t3.medium",
                500,
                Rhythm::Always { a_day: 24 * HOUR },
            ),
            1 => (
                "Train:",
                "training-job",
                "ml.m5.4xlarge",
                9220,
                Rhythm::Jobs { a_day: 5 * HOUR, percent: 35 },
            ),
            _ => ("Host:", "endpoint", "ml.m5.xlarge", 2300, Rhythm::Always { a_day: 24 * HOUR }),
        };
        let why = if nth % 3 == 1 { "outside-studio" } else { "before-tags" };
        bill(
            making,
            Use {
                account,
                region,
                service: SAGEMAKER,
                usage: format!("{component}{instance}"),
                price,
                unit: "Hrs",
                operation: "RunInstance",
                tags: Arc::default(),
                truth: format!("none/{why}"),
                rhythm,
                from: old,
                to: Date::MAX,
                covered: false,
            },
        );
        let name = format!("{team}-{}", if nth % 3 == 1 { "nightly-cli" } else { "legacy" });
        making.organisation.resources.push(Resource {
            account: account.clone(),
            region: region.clone(),
            kind: kind.to_owned(),
            arn: format!("arn:aws:sagemaker:{region}:{account}:{kind}/{name}"),
            name,
            status: if kind == "training-job" { "Completed" } else { "InService" }.to_owned(),
            // It runs as a role of its own, and the configuration that the endpoint was made from is gone.
            details: if kind == "endpoint" {
                serde_json::json!({ "EndpointConfigName": format!("{team}-legacy") })
            } else {
                let role = format!("arn:aws:iam::{account}:role/{team}-automation");
                serde_json::json!({ "RoleArn": role })
            },
            truth: None,
            tags: Tags::new(),
            created_at: instant(old),
            deleted_at: None,
        });
    }
}

/// Bills services that have nothing to do with SageMaker.
fn elsewhere(making: &mut Making<'_>) {
    let uses = [
        ("Amazon Elastic Compute Cloud - Compute", "BoxUsage:m5.xlarge", 1920, "Hrs", 72 * HOUR),
        ("Amazon Simple Storage Service", "TimedStorage-ByteHrs", 230, "GB-Mo", 400 * HOUR),
        ("Amazon Relational Database Service", "InstanceUsage:db.r5.large", 2400, "Hrs", 24 * HOUR),
        ("AmazonCloudWatch", "DataProcessing-Bytes", 5000, "GB", 3 * HOUR),
        ("Amazon Elastic File System", "TimedStorage-ByteHrs", 3000, "GB-Mo", 5 * HOUR),
    ];
    for account in &making.scenario.accounts {
        for (service, usage, price, unit, a_day) in uses {
            bill(
                making,
                Use {
                    account: &account.id,
                    region: "us-east-1",
                    service,
                    usage: usage.to_owned(),
                    price,
                    unit,
                    operation: "",
                    tags: tags(&[("team", "web")]),
                    truth: "none/other-service".to_owned(),
                    rhythm: Rhythm::Always { a_day },
                    from: making.span.start,
                    to: Date::MAX,
                    covered: false,
                },
            );
        }
        making.organisation.file_systems.push(FileSystem {
            account: account.id.clone(),
            region: "us-east-1".to_owned(),
            id: format!("fs-0{}", &account.id[..8]),
            creation_token: format!("web-{}", account.id),
            size_bytes: 150 << 30,
            tags: Tags::new(),
            created_at: instant(date(2021, 6, 1)),
        });
    }
}

fn savings_plan(making: &mut Making<'_>) {
    for ((account, region, usage_type), days) in std::mem::take(&mut making.plan.negated) {
        let days: Vec<(Date, i64)> = days.into_iter().collect();
        if days.is_empty() {
            continue;
        }
        let negation = plain(making, &account, SAGEMAKER, "SavingsPlanNegation");
        let operation = making.text("RunInstance");
        let truth = "pool/savings-plan".into();
        let meter = Meter { region, usage_type, operation, truth, ..negation };
        push(making, meter, Rates::spread(-1, 0), &days);
    }
    if making.plan.daily_ticks == 0 {
        return;
    }
    // The commitment is by the hour, to a hundredth of a cent; nobody covers every peak.
    let hourly = making.plan.daily_ticks / 24 / 1_000_000 * 1_000_000 + 1_000_000;
    let owner = if making.variants.fee_account.is_empty() {
        making.scenario.payer.clone()
    } else {
        making.variants.fee_account.clone()
    };
    let mut meter = plain(making, &owner, PLAN, "SavingsPlanRecurringFee");
    meter.usage_type = making.text("MachineLearningSP:1yrNoUpfront");
    meter.truth = "pool/savings-plan".into();
    let used = std::mem::take(&mut making.plan.used);
    let mut fees = Vec::new();
    let mut unused = Vec::new();
    for month in months(making) {
        let fee = hourly * 24 * i64::from(month.day_count());
        fees.push((month.start(), fee));
        unused.push((month.start(), fee - used.get(&month).copied().unwrap_or(0)));
    }
    if making.variants.all_upfront {
        meter.usage_type = making.text("MachineLearningSP:1yrAllUpfront");
    } else {
        push(making, meter.clone(), Rates::spread(1, 0), &fees);
    }
    push(making, meter, Rates::spread(0, 1), &unused);
}

fn push(making: &mut Making<'_>, meter: Meter, rates: Rates, days: &[(Date, i64)]) {
    let mut charge = Charge::on(meter, rates, days);
    charge.counted = false;
    making.charges.push(charge);
}

fn credits(making: &mut Making<'_>) {
    let months = months(making);
    let payer = making.scenario.payer.clone();
    let mut credit = plain(making, &payer, SAGEMAKER, "Credit");
    credit.usage_type = making.text("USE1-Studio:JupyterLab-ml.m5.xlarge");
    if making.variants.credits_tagged
        && let Some(domain) = making.organisation.domains.first()
    {
        let arn =
            format!("arn:aws:sagemaker:{}:{}:domain/{}", domain.region, domain.account, domain.id);
        credit.tags = tags(&[("sagemaker:domain-arn", &arn)]);
    }
    let last_day = |month: &Month| month.period().days().last().expect("a month has days");
    let grants: Vec<(Date, Money)> = months
        .iter()
        .step_by(2)
        .map(|month| (last_day(month), Money::from_cents(-25_037)))
        .collect();
    making.charges.push(Charge::amount(credit, &grants));
    let closed = months[months.len().saturating_sub(3)];
    let account = making.scenario.domains.first().map_or(payer, |domain| domain.account.clone());
    let mut refund = plain(making, &account, SAGEMAKER, "Refund");
    refund.usage_type = making.text("USE1-Host:ml.m5.xlarge");
    let amount = Money::parse("-41.2345678901").expect("a decimal");
    making.charges.push(Charge::amount(refund, &[(last_day(&closed), amount)]));
}

fn support_and_tax(making: &mut Making<'_>) {
    let months = months(making);
    let payer = making.scenario.payer.clone();
    let meter = plain(making, &payer, "AWS Support (Business)", "Fee");
    let fee = Money::from_cents(145_000);
    let fees: Vec<(Date, Money)> = months.iter().map(|month| (month.start(), fee)).collect();
    making.charges.push(Charge::amount(meter, &fees));
    for account in &making.scenario.accounts {
        let meter = plain(making, &account.id, "Tax", "Tax");
        let tax: Vec<(Date, Money)> = months
            .iter()
            .map(|month| {
                let Period { end, .. } = month.period();
                let stretch = Stretch::of(month.period());
                let of_account =
                    making.charges.iter().filter(|it| *it.meter.account == *account.id);
                let base = of_account
                    .map(|it| it.measure(Metric::UnblendedCost, it.quantity(stretch)))
                    .sum::<i128>();
                let base = Money::from_units(base * 100);
                let day = end.yesterday().expect("months end after year 1");
                // Seven percent, in whole cents, as an invoice states it.
                (day, Money::from_cents(base.cents() * 7 / 100))
            })
            .collect();
        making.charges.push(Charge::amount(meter, &tax));
    }
}
