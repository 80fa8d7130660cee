//! Owns the bridge between metrics: from the report's net amortized cost to what the invoice says, step by step.
//!
//! **Invariant:** each step is the difference of two metrics' totals of the same scope; nowhere else do two metrics meet.

use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::pool::Kind;
use crate::report::Report;

/// A step of the bridge between metrics.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricStep {
    /// What is shown.
    pub what: String,
    /// Its amount; absent where a metric of it was not delivered.
    pub amount: Option<Money>,
    /// Whether it is what the steps above lead to.
    pub is_total: bool,
}

/// Returns the bridge of the report's month: net amortized, amortized, unblended, net unblended, invoice.
///
/// SageMaker's share of tax and support is added where the configuration charges it; else the last step says that it is not.
pub fn bridge(report: &Report<'_>) -> Vec<MetricStep> {
    let scope = report.ledger.total(report.month);
    let mut steps = Vec::new();
    let mut total = |metric: Metric| steps.push(total_of(&scope, metric));
    total(Metric::NetAmortizedCost);
    let between = [
        (Metric::AmortizedCost, "Negotiated discounts, as amortized"),
        (Metric::UnblendedCost, "Fees when they are paid, not spread"),
        (Metric::NetUnblendedCost, "Negotiated discounts, as billed"),
    ];
    let mut before = Metric::NetAmortizedCost;
    for (metric, what) in between {
        let amount = scope.get(metric).zip(scope.get(before)).map(|(now, then)| now - then);
        steps.push(MetricStep { what: what.to_owned(), amount, is_total: false });
        steps.push(total_of(&scope, metric));
        before = metric;
    }
    let outside = report.charges.shares(report.month);
    let mut invoice = scope.get(Metric::NetUnblendedCost);
    for (kind, amounts) in &outside {
        let amount = amounts.get(Metric::NetUnblendedCost);
        invoice = invoice.zip(amount).map(|(sum, amount)| sum + amount);
        let word = if *kind == Kind::Support { "support" } else { "tax" };
        let what = format!("SageMaker's share of {word}");
        steps.push(MetricStep { what, amount, is_total: false });
    }
    let what = if outside.is_empty() {
        "On the invoice, without tax and support"
    } else {
        "On the invoice, with SageMaker's share of what is charged beside it"
    };
    steps.push(MetricStep { what: what.to_owned(), amount: invoice, is_total: true });
    steps
}

fn total_of(scope: &Amounts, metric: Metric) -> MetricStep {
    let title = metric.title();
    let what = format!("{}{}", title[..1].to_uppercase(), &title[1..]);
    MetricStep { what, amount: scope.get(metric), is_total: true }
}
