//! Owns the tables of a report's files: their names and columns are an interface.
//!
//! Columns may be added at the end; `docs/monthly-run.md` lists them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::alert::Alert;
use crate::bearer::{Bearer, Existence};
use crate::charge::Charge;
use crate::ledger::Reason;
use crate::limit::Cycle;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::report::Report;
use crate::table::{Cell, Column, Kind, Table};
use crate::team::TeamName;

pub(crate) const fn column(name: &'static str, heading: &'static str, kind: Kind) -> Column {
    Column { name, heading, kind }
}

const METRICS: [Column; 4] = [
    column("unblended_cost", "Unblended", Kind::Money),
    column("amortized_cost", "Amortized", Kind::Money),
    column("net_amortized_cost", "Net amortized", Kind::Money),
    column("net_unblended_cost", "Net unblended", Kind::Money),
];

fn metrics<'a>(amounts: &Amounts) -> impl Iterator<Item = Cell<'a>> + use<'a> {
    Metric::ALL.map(|metric| Cell::money(amounts.get(metric))).into_iter()
}

/// `lines.csv`: one row a line of the given months.
pub fn lines<'a>(report: &'a Report<'a>, months: &'a [Month]) -> Table<'a> {
    let mut columns = vec![
        column("month", "Month", Kind::Month),
        column("owner_kind", "Owner's kind", Kind::Text),
        column("owner_account", "Owner's account", Kind::Text),
        column("billed_account", "Billed account", Kind::Text),
        column("region", "Region", Kind::Text),
        column("domain", "Domain", Kind::Text),
        column("user_profile", "User profile", Kind::Text),
        column("space", "Space", Kind::Text),
        column("team", "Team", Kind::Text),
        column("service", "Service", Kind::Text),
        column("component", "Component", Kind::Text),
        column("usage_type", "Usage type", Kind::Text),
        column("record_type", "Record type", Kind::Text),
        column("cause", "Cause", Kind::Text),
        column("reason", "Reason", Kind::Text),
        column("usage_quantity", "Usage", Kind::Quantity),
        column("usage_unit", "Unit", Kind::Text),
        column("estimated", "Estimated", Kind::Flag),
    ];
    columns.extend(METRICS);
    columns.push(column("currency", "Currency", Kind::Text));
    columns.push(column("tag", "Tag", Kind::Text));
    let rows = months.iter().flat_map(|month| report.charges.of_month(*month));
    Table { columns, rows: Box::new(rows.map(|charge| line_row(report, &charge))) }
}

fn line_row<'a>(report: &'a Report<'a>, charge: &Charge) -> Vec<Cell<'a>> {
    let bearer = report.charges.bearer(charge);
    let name = |number: u32| report.ledger.names.text(number);
    let mut cells = vec![Cell::Month(charge.month), Cell::text(bearer.owner.kind())];
    let [account, domain, user, space] = owner_cells(bearer);
    cells.extend([account, Cell::text(report.billed_account(charge).unwrap_or_default())]);
    cells.extend([Cell::text(report.region(charge).unwrap_or_default()), domain, user, space]);
    cells.extend([
        Cell::text(report.charges.team(charge).map_or("", TeamName::as_str)),
        Cell::text(name(charge.service)),
        Cell::text(charge.component.name()),
        Cell::text(charge.usage_type.map_or("", name)),
        Cell::text(name(charge.record_type)),
        Cell::text(report.charges.cause(charge)),
        Cell::text(charge.reason.map_or("", Reason::name)),
        charge.usage.map_or(Cell::Blank, Cell::Quantity),
        charge.usage_unit.map_or(Cell::Blank, |unit| Cell::text(name(unit))),
        Cell::Flag(charge.estimated),
    ]);
    cells.extend(metrics(&charge.amounts));
    cells.push(Cell::text(report.snapshot.manifest.currency.as_str()));
    cells.push(tag_cell(&bearer.owner));
    cells
}

/// The cells of account, domain, user profile and space.
pub(crate) fn owner_cells(bearer: &Bearer) -> [Cell<'_>; 4] {
    let domain = bearer.owner.domain();
    let space = match &bearer.owner {
        Owner::Space(_, space) => Cell::text(space.as_str()),
        _ => Cell::Blank,
    };
    [
        domain.map_or(Cell::Blank, |domain| Cell::text(domain.account.as_str())),
        domain.map_or(Cell::Blank, |domain| Cell::text(domain.id.as_str())),
        bearer.user_profile.as_ref().map_or(Cell::Blank, |user| Cell::text(user.as_str())),
        space,
    ]
}

/// The cell of what an owner is by a tag, a team or a pool.
pub(crate) fn tag_cell(owner: &Owner) -> Cell<'_> {
    match owner {
        Owner::Tag { key, value } => Cell::text(format!("{key}={value}")),
        Owner::Team(team) => Cell::text(format!("team={team}")),
        Owner::Pool(pool) => Cell::text(format!("pool={}", pool.name())),
        _ => Cell::Blank,
    }
}

/// What an owner bears in a month: once a team, and the unattributed once a reason.
struct OwnerTotal<'a> {
    bearer: &'a Bearer,
    reason: Option<Reason>,
    team: Option<&'a TeamName>,
    billed: Option<Money>,
    shared: Option<Money>,
}

fn owner_totals<'a>(report: &'a Report<'a>) -> Vec<OwnerTotal<'a>> {
    type Sums = [Option<Money>; 2];
    let mut totals: BTreeMap<(usize, Option<Reason>, Option<usize>), Sums> = BTreeMap::new();
    for charge in report.charges.of_month(report.month) {
        let is_nobody = report.charges.bearer(&charge).owner == Owner::Unattributed;
        let key = (charge.bearer, charge.reason.filter(|_| is_nobody), charge.team);
        let sums = totals.entry(key).or_insert([Some(Money::ZERO); 2]);
        let sum = &mut sums[usize::from(!charge.cause.is_billed())];
        *sum = sum.zip(charge.amounts.get(report.metric)).map(|(sum, money)| sum + money);
    }
    let mut totals: Vec<OwnerTotal<'a>> = totals
        .into_iter()
        .map(|((place, reason, team), [billed, shared])| OwnerTotal {
            bearer: &report.charges.bearers[place],
            reason,
            team: team.map(|team| &report.charges.membership.teams[team]),
            billed,
            shared,
        })
        .collect();
    totals.sort_by(|left, right| {
        let key = |total: &OwnerTotal<'a>| (total.reason, total.team);
        left.bearer.owner.cmp(&right.bearer.owner).then_with(|| key(left).cmp(&key(right)))
    });
    totals
}

/// `owners.csv`: one row an owner of the report's month, pools and the unattributed included.
pub fn owners<'a>(report: &'a Report<'a>) -> Table<'a> {
    let columns = vec![
        column("month", "Month", Kind::Month),
        column("owner_kind", "Kind", Kind::Text),
        column("owner_account", "Account", Kind::Text),
        column("region", "Region", Kind::Text),
        column("domain", "Domain", Kind::Text),
        column("domain_name", "Domain's name", Kind::Text),
        column("user_profile", "User profile", Kind::Text),
        column("space", "Space", Kind::Text),
        column("team", "Team", Kind::Text),
        column("billed", "Billed", Kind::Money),
        column("shared", "Shared", Kind::Money),
        column("total", "Total", Kind::Money),
        column("currency", "Currency", Kind::Text),
        column("share_percent", "Share", Kind::Percent),
        column("reason", "Reason", Kind::Text),
        column("settlement", "Settlement", Kind::Text),
        column("tag", "Tag", Kind::Text),
        column("status", "Status", Kind::Text),
        column("last_seen", "Last seen", Kind::Text),
        column("gone_by", "Gone by", Kind::Text),
    ];
    let whole = report.total(report.month);
    let rows = owner_totals(report).into_iter().map(move |total| {
        let bearer = total.bearer;
        let [last_seen, gone_by] = life(bearer, report.snapshot.manifest.taken_at);
        let [account, domain, user, space] = owner_cells(bearer);
        let region = bearer.owner.domain().map_or("", |domain| domain.region.as_str());
        let both = total.billed.zip(total.shared).map(|(billed, shared)| billed + shared);
        let share = both.zip(whole).and_then(|(part, whole)| part.basis_points_of(whole));
        vec![
            Cell::Month(report.month),
            Cell::text(bearer.owner.kind()),
            account,
            Cell::text(region),
            domain,
            Cell::text(bearer.domain_name.as_deref().unwrap_or_default()),
            user,
            space,
            Cell::text(total.team.map_or("", TeamName::as_str)),
            Cell::money(total.billed),
            Cell::money(total.shared),
            Cell::money(both),
            Cell::text(report.snapshot.manifest.currency.as_str()),
            share.map_or(Cell::Blank, Cell::Percent),
            Cell::text(total.reason.map_or("", Reason::name)),
            Cell::text(report.settlement(report.month).name()),
            tag_cell(&bearer.owner),
            Cell::text(status(bearer)),
            last_seen.map_or(Cell::Blank, Cell::text),
            gone_by.map_or(Cell::Blank, Cell::text),
        ]
    });
    Table { columns, rows: Box::new(rows) }
}

fn status(bearer: &Bearer) -> &'static str {
    match bearer.existence {
        Existence::Listed => "exists",
        Existence::Gone { .. } => "gone",
        Existence::NeverListed => "not in inventory",
        Existence::LastSeen(_) | Existence::Unknown => "",
    }
}

/// The day on which an owner was last listed, and the day by which it was gone: its end lies between them.
fn life(bearer: &Bearer, taken_at: Timestamp) -> [Option<String>; 2] {
    let (last_seen_at, gone_by) = match bearer.existence {
        Existence::Listed => (Some(taken_at), None),
        Existence::Gone { last_seen_at, gone_by } => (Some(last_seen_at), Some(gone_by)),
        Existence::LastSeen(at) => (Some(at), None),
        Existence::NeverListed | Existence::Unknown => (None, None),
    };
    [last_seen_at, gone_by].map(|at| at.map(|at| TimeZone::UTC.to_datetime(at).date().to_string()))
}

/// `unattributed.csv`: the lines of the report's month that nobody bears, with the reason.
pub fn unattributed<'a>(report: &'a Report<'a>) -> Table<'a> {
    let mut columns = vec![
        column("month", "Month", Kind::Month),
        column("reason", "Reason", Kind::Text),
        column("billed_account", "Billed account", Kind::Text),
        column("region", "Region", Kind::Text),
        column("service", "Service", Kind::Text),
        column("component", "Component", Kind::Text),
        column("usage_type", "Usage type", Kind::Text),
        column("record_type", "Record type", Kind::Text),
        column("estimated", "Estimated", Kind::Flag),
    ];
    columns.extend(METRICS);
    columns.push(column("currency", "Currency", Kind::Text));
    let charges = report.charges.of_month(report.month);
    let is_nobody = |charge: &Charge| report.charges.bearer(charge).owner == Owner::Unattributed;
    let charges = charges.filter(move |charge| charge.cause.is_billed() && is_nobody(charge));
    let rows = charges.map(move |charge| {
        let name = |number: u32| Cell::text(report.ledger.names.text(number));
        let mut cells = vec![
            Cell::Month(charge.month),
            Cell::text(charge.reason.map_or("", Reason::name)),
            Cell::text(report.billed_account(&charge).unwrap_or_default()),
            Cell::text(report.region(&charge).unwrap_or_default()),
            name(charge.service),
            Cell::text(charge.component.name()),
            charge.usage_type.map_or(Cell::Blank, name),
            name(charge.record_type),
            Cell::Flag(charge.estimated),
        ];
        cells.extend(metrics(&charge.amounts));
        cells.push(Cell::text(report.snapshot.manifest.currency.as_str()));
        cells
    });
    Table { columns, rows: Box::new(rows) }
}

/// `trend.csv`: each domain, pool and the unattributed in each month of the snapshot.
pub fn trend<'a>(report: &'a Report<'a>) -> Table<'a> {
    let mut columns = vec![
        column("month", "Month", Kind::Month),
        column("owner_kind", "Kind", Kind::Text),
        column("domain", "Domain", Kind::Text),
        column("domain_name", "Domain's name", Kind::Text),
        column("tag", "Tag", Kind::Text),
    ];
    columns.extend(METRICS);
    columns.extend([
        column("currency", "Currency", Kind::Text),
        column("settlement", "Settlement", Kind::Text),
        column("comparable", "Compares with the month before", Kind::Flag),
    ]);
    let mut totals: BTreeMap<(Month, String, String), (&Bearer, Amounts)> = BTreeMap::new();
    let charges = report.months().into_iter().flat_map(|month| report.charges.of_month(month));
    for charge in charges {
        let bearer = report.charges.bearer(&charge);
        let (kind, name) = match bearer.owner.domain() {
            Some(domain) => ("domain", domain.id.to_string()),
            None => (bearer.owner.kind(), bearer.owner.to_string()),
        };
        let key = (charge.month, kind.to_owned(), name);
        totals.entry(key).or_insert((bearer, Amounts::ZERO)).1.add(&charge.amounts);
    }
    let incomparable = crate::notes::coverage_changes(&report.snapshot.manifest);
    let rows = totals.into_iter().map(move |((month, kind, _), (bearer, amounts))| {
        let domain = bearer.owner.domain();
        let mut cells = vec![
            Cell::Month(month),
            Cell::text(kind),
            domain.map_or(Cell::Blank, |domain| Cell::text(domain.id.as_str())),
            Cell::text(bearer.domain_name.as_deref().unwrap_or_default()),
            tag_cell(&bearer.owner),
        ];
        cells.extend(metrics(&amounts));
        cells.push(Cell::text(report.snapshot.manifest.currency.as_str()));
        cells.push(Cell::text(report.settlement(month).name()));
        cells.push(Cell::Flag(!incomparable.contains_key(&month)));
        cells
    });
    Table { columns, rows: Box::new(rows) }
}

/// The columns of alerts that fit a page or a terminal.
pub const ALERTS_SHOWN: [&str; 10] = [
    "budget",
    "limit",
    "watches",
    "threshold",
    "actual",
    "forecast",
    "state",
    "day",
    "remark",
    "period",
];

/// `alerts.csv`: one row a threshold of a budget in a run.
pub fn alerts(alerts: &[Alert]) -> Table<'_> {
    let columns = vec![
        column("budget", "Budget", Kind::Text),
        column("source", "Source", Kind::Text),
        column("scope", "Scope", Kind::Text),
        column("month", "Month", Kind::Month),
        column("metric", "Metric", Kind::Text),
        column("limit", "Limit", Kind::Money),
        column("watches", "Watches", Kind::Text),
        column("threshold", "Threshold", Kind::Money),
        column("threshold_percent", "Threshold", Kind::Percent),
        column("actual", "Actual", Kind::Money),
        column("forecast", "Forecast", Kind::Money),
        column("forecast_source", "Forecast by", Kind::Text),
        column("state", "State", Kind::Text),
        column("day", "Day", Kind::Day),
        column("currency", "Currency", Kind::Text),
        column("remark", "Remark", Kind::Text),
        column("period", "Period", Kind::Text),
        column("period_start", "From", Kind::Day),
        column("period_end", "To", Kind::Day),
        column("owner", "Owner", Kind::Text),
    ];
    let rows = alerts.iter().map(|alert| {
        vec![
            Cell::text(alert.budget.as_str()),
            Cell::text(alert.source.name()),
            Cell::text(alert.scope.as_str()),
            Cell::Month(alert.month),
            Cell::text(alert.metric.map_or("", Metric::name)),
            Cell::money(alert.limit),
            Cell::text(alert.watches.name()),
            Cell::money(alert.threshold),
            alert.threshold_percent.map_or(Cell::Blank, Cell::Percent),
            Cell::money(alert.actual),
            Cell::money(alert.forecast),
            Cell::text(alert.forecast_source),
            Cell::text(alert.state.name()),
            alert.day.map_or(Cell::Blank, Cell::Day),
            Cell::text(alert.currency.as_str()),
            Cell::text(alert.remark.as_str()),
            Cell::text(alert.cycle.map_or("", Cycle::name)),
            alert.run.map_or(Cell::Blank, |run| Cell::Day(run.start)),
            alert.run.map_or(Cell::Blank, |run| Cell::Day(run.last())),
            Cell::text(alert.owner.as_str()),
        ]
    });
    Table { columns, rows: Box::new(rows) }
}
