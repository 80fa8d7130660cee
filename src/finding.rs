//! Owns findings about the budgets of AWS, and their table.
//!
//! **Invariant:** an amount is a cell of the table, and no text is made from one.

use crate::band::Band;
use crate::metric::Metric;
use crate::money::Money;
use crate::table::{self, Cell, Column, Table};

/// Something found about a budget of AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The budget's name in AWS.
    pub budget: String,
    /// What it is.
    pub kind: Kind,
    /// How grave it is.
    pub severity: Severity,
    /// How long the budget runs before it begins anew, as the configuration says it, else as AWS does.
    pub cycle: String,
    /// The metric; absent where AWS named none of ours.
    pub metric: Option<Metric>,
    /// What AWS shows.
    pub shown: Option<Money>,
    /// What the bill explains: the least, and the most.
    pub band: Band,
    /// By how much AWS's figure lies beyond that.
    pub off_by: Option<Money>,
    /// The currency of the amounts.
    pub currency: String,
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub fix: String,
}

/// What is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A tag key lacks `user:`, so that the budget counts nothing.
    MissingPrefix,
    /// A tag key of the filter is not active.
    KeyNotActive,
    /// A filter expression without a metric.
    NoMetric,
    /// AWS cannot calculate it.
    Unhealthy,
    /// It shows nothing, and the bill has something.
    ShowsNothing,
    /// It counts in another metric than it should.
    WrongMetric,
    /// It shows what no lag explains.
    Off,
    /// A value of the filter that nobody knows.
    UnknownValue,
    /// It cannot be judged.
    Unjudged,
    /// It is not judged yet.
    Skipped,
    /// It shows what the bill explains.
    Fine,
}

/// How grave a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The budget watches the wrong money, or none.
    Error,
    /// It may.
    Warning,
    /// It is as it should be, or nobody can tell.
    Info,
}

impl Kind {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Kind::MissingPrefix => "missing_prefix",
            Kind::KeyNotActive => "key_not_active",
            Kind::NoMetric => "no_metric",
            Kind::Unhealthy => "unhealthy",
            Kind::ShowsNothing => "shows_nothing",
            Kind::WrongMetric => "wrong_metric",
            Kind::Off => "off",
            Kind::UnknownValue => "unknown_value",
            Kind::Unjudged => "unjudged",
            Kind::Skipped => "skipped",
            Kind::Fine => "fine",
        }
    }
}

impl Severity {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        }
    }
}

/// What is said of a budget, before the figures are put beside it.
pub(crate) struct Said {
    pub(crate) kind: Kind,
    pub(crate) severity: Severity,
    pub(crate) text: String,
    pub(crate) fix: String,
}

impl Said {
    pub(crate) fn new(
        kind: Kind,
        severity: Severity,
        text: impl Into<String>,
        fix: impl Into<String>,
    ) -> Said {
        Said { kind, severity, text: text.into(), fix: fix.into() }
    }
}

/// Returns the table of findings: its columns are an interface.
pub fn table(findings: &[Finding]) -> Table<'_> {
    let column = |name, heading, kind| Column { name, heading, kind };
    let columns = vec![
        column("budget", "budget", table::Kind::Text),
        column("finding", "finding", table::Kind::Text),
        column("severity", "severity", table::Kind::Text),
        column("cycle", "cycle", table::Kind::Text),
        column("metric", "metric", table::Kind::Text),
        column("shown", "shown", table::Kind::Money),
        column("least", "least", table::Kind::Money),
        column("most", "most", table::Kind::Money),
        column("off_by", "off by", table::Kind::Money),
        column("currency", "currency", table::Kind::Text),
        column("text", "what", table::Kind::Text),
        column("fix", "fix", table::Kind::Text),
    ];
    let rows = findings.iter().map(|it| {
        vec![
            Cell::text(it.budget.as_str()),
            Cell::text(it.kind.name()),
            Cell::text(it.severity.name()),
            Cell::text(it.cycle.as_str()),
            Cell::text(it.metric.map_or("", Metric::name)),
            Cell::money(it.shown),
            Cell::money(it.band.least),
            Cell::money(it.band.most),
            Cell::money(it.off_by),
            Cell::text(it.currency.as_str()),
            Cell::text(it.text.as_str()),
            Cell::text(it.fix.as_str()),
        ]
    });
    Table { columns, rows: Box::new(rows) }
}
