//! Owns the examples of controls: what rounding can hide, and what becomes of a difference.

use apportion::cli::condition;
use apportion::control::reconcile;
use apportion::inventory::Inventory;
use apportion::key;
use apportion::ledger::Reason;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::period::Month;
use apportion::query::{Granularity, Query};
use apportion::records::{Builder, Record, Records};
use apportion::request::Purpose;
use apportion::snapshot::{Asked, Control, Manifest, Missing, Snapshot};
use apportion::terms::Terms;

use super::Comparison;
use super::bill::{self, Posted};
use super::document::{Block, cells, halves, stated};
use super::notation::{plain, printed};

const CONTROL: u32 = 1;
const RECORDS: u32 = 2;
const SERVICE: &str = "Amazon SageMaker";
const RECORD_TYPE: &str = "Usage";

/// A control and its records, as answered: amounts and the finest decimal places of both answers.
#[derive(Clone)]
struct Answers {
    control: Money,
    records: Vec<Money>,
    scales: [Option<u32>; 2],
    is_missing: bool,
}

/// Runs a control with its records.
pub(crate) fn run(block: &Block) -> Comparison {
    let rows: Vec<(&str, &str)> =
        block.sections[0].iter().map(|row| halves(row).unwrap()).collect();
    let mut answers =
        Answers { control: Money::ZERO, records: Vec::new(), scales: [None; 2], is_missing: false };
    for (left, _) in &rows {
        let [name, text] = cells(left)[..] else { panic!("{left}") };
        let Ok(parsed) = Money::parse_with_scale(text) else {
            assert_eq!((name, text), ("records", "no answer"));
            answers.is_missing = true;
            continue;
        };
        let at = usize::from(name == "record");
        answers.scales[at] = answers.scales[at].max(Some(parsed.scale));
        match name {
            "control" => answers.control = parsed.money,
            "record" => answers.records.push(parsed.money),
            other => panic!("no {other} in a control"),
        }
    }
    let mut comparison = Comparison { stated: Vec::new(), done: Vec::new() };
    for (left, right) in rows {
        let left = cells(left).join(" ");
        comparison.stated.push(format!("{left}: {}", stated(right).join(", ")));
        comparison.done.push(format!("{left}: {}", answers.hiding(&left)));
    }
    for row in block.outcome() {
        let words: Vec<String> = stated(row).into_iter().map(plain).collect();
        comparison.stated.push(words.join(", "));
    }
    comparison.done.extend(answers.outcome());
    comparison
}

impl Answers {
    /// What one row's amount can hide: the tolerance of a comparison in which it stands alone.
    fn hiding(&self, row: &str) -> String {
        let is_record = row.starts_with("record ");
        let Some(scale) =
            self.scales[usize::from(is_record)].filter(|_| row != "records no answer")
        else {
            return "nothing to compare".to_owned();
        };
        let one = Money::from_cents(100);
        let alone = Answers {
            control: if is_record { Money::ZERO } else { one },
            records: if is_record { vec![one] } else { Vec::new() },
            is_missing: false,
            scales: if is_record { [None, Some(scale)] } else { [Some(scale), None] },
        };
        format!("finest place {scale}, hides {}", printed(alone.tolerance()))
    }

    /// The tolerance: what the program says when the control is off by more.
    fn tolerance(&self) -> Option<Money> {
        let far = Answers { control: self.control + Money::from_cents(1_000), ..self.clone() };
        let (manifest, records) = far.answered();
        let findings = reconcile(&manifest, records.iter());
        let tolerance = findings.mismatches.first()?.tolerance;
        // The bound itself is within, one unit more is beyond.
        for (more, count) in [(Money::ZERO, 0), (Money::from_units(1), Metric::ALL.len())] {
            let sum: Money = self.records.iter().copied().sum();
            let near = Answers { control: sum + tolerance + more, ..self.clone() };
            let (manifest, records) = near.answered();
            assert_eq!(reconcile(&manifest, records.iter()).mismatches.len(), count);
        }
        Some(tolerance)
    }

    fn outcome(&self) -> Vec<String> {
        let sum: Money = self.records.iter().copied().sum();
        let mut rows = vec![format!("sum of records, {sum}")];
        if !self.is_missing {
            rows.push(format!("tolerance, {}", printed(self.tolerance())));
        }
        let (manifest, records) = self.answered();
        let (month, inventory) = (manifest.scope.last, Inventory::default());
        let snapshot = Snapshot { manifest, records, days: Records::empty(), inventory };
        let posted = Posted::of(snapshot, Terms::default());
        let charges = posted.charges();
        let report = posted.report(&charges, month);
        let code = condition::code(&condition::of(&report));
        let verdict = match (posted.ledger.findings.mismatches.is_empty(), self.is_missing) {
            (_, true) => "not read",
            (true, false) => "within",
            (false, false) => "beyond",
        };
        let is_residual =
            |reason: Option<Reason>| matches!(reason, Some(Reason::Residual | Reason::NotRead));
        let lines = posted.ledger.lines.iter().filter(|line| is_residual(line.reason));
        for line in lines {
            let amount = printed(line.amounts.get(bill::METRIC));
            let owner = &posted.ledger.bearer(line).owner;
            let reason = line.reason.map_or("", Reason::name);
            rows.push(format!(
                "residual, {amount}, {verdict}, {owner}, reason: {reason}, exit {code}"
            ));
        }
        // Whatever happens, the ledger sums to the control.
        assert_eq!(report.total(month), Some(self.control));
        rows
    }

    fn answered(&self) -> (Manifest, Records) {
        let month = Month::parse(bill::MONTH).unwrap();
        let mut manifest = bill::manifest(month, month);
        let purpose = Purpose::Cells {
            slice: key::DOMAIN.to_owned(),
            service: SERVICE.to_owned(),
            record_type: RECORD_TYPE.to_owned(),
        };
        let control = Control {
            slice: key::DOMAIN.to_owned(),
            month,
            service: SERVICE.to_owned(),
            record_type: RECORD_TYPE.to_owned(),
            amounts: bill::alike(self.control),
            estimated: false,
            request: CONTROL,
        };
        manifest.bill.push(Control { slice: String::new(), ..control.clone() });
        manifest.controls.push(control);
        for (number, scale) in [CONTROL, RECORDS].into_iter().zip(self.scales) {
            manifest.asked.push(Asked {
                number,
                purpose: purpose.clone(),
                query: Query {
                    period: month.period(),
                    granularity: Granularity::Monthly,
                    filter: None,
                    group_by: Vec::new(),
                },
                pages: 1,
                groups: 1,
                scales: [scale; 4],
                asked_at: bill::TAKEN_AT.parse().unwrap(),
            });
        }
        if self.is_missing {
            let error = "throttled".to_owned();
            manifest.missing.push(Missing { purpose, period: month.period(), error });
        }
        let mut builder = Builder::default();
        for (index, money) in self.records.iter().enumerate() {
            builder.push(&record(month, index, *money));
        }
        (manifest, builder.finish())
    }
}

fn record(month: Month, index: usize, money: Money) -> Record {
    Record {
        start: month.start(),
        slice: key::DOMAIN.to_owned(),
        value: "arn:aws:sagemaker:eu-west-1:111122223333:domain/d-a".to_owned(),
        account: None,
        service: SERVICE.to_owned(),
        record_type: RECORD_TYPE.to_owned(),
        usage_type: bill::marked("", index),
        amounts: bill::alike(money),
        usage: None,
        usage_unit: None,
        estimated: false,
        request: RECORDS,
        page: 1,
    }
}
