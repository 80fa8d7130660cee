//! Owns asking Cost Explorer what a backfill is worth: quoted before, limited, with a receipt after.
//!
//! **Invariant:** what was not answered is unknown and said, never zero.

use std::collections::BTreeMap;

use crate::backfill::Radius;
use crate::cli::collect::ask::{Answer, Asker, Error};
use crate::cli::collect::{Progress, check_quote, state};
use crate::cli::commands::Context;
use crate::cli::error::Failure;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::{Month, Period};
use crate::plan::Stake;
use crate::recovery::{self, Cell, Subject, Sums};
use crate::render::text::{Heading, dollars, table};
use crate::request::{self, Quote, Request};

use super::{Site, Wish, act};

/// Requests under way at once: these are few.
const CONCURRENCY: usize = 2;

/// Dollars by key and month.
pub(super) type Grid = Vec<(String, BTreeMap<Month, Cell>)>;

/// What was found out.
#[derive(Default)]
pub(super) struct Dollars {
    /// What each key at risk has to lose.
    pub(super) at_risk: Vec<Stake>,
    /// What can be recovered, where that was asked for.
    pub(super) grid: Grid,
    /// What could not be found out.
    pub(super) gaps: Vec<String>,
}

/// Asks for the dollars of the keys at risk, and for those of the wanted keys where `subjects` holds any.
pub(super) async fn ask(
    context: &Context,
    site: &Site,
    wish: &Wish,
    radius: &Radius,
    spend_max: Option<Money>,
    has_grid: bool,
) -> Result<Dollars, Failure> {
    let mut dollars = Dollars::default();
    let Some(from) = wish.from else { return Ok(dollars) };
    let now = context.clock.now();
    let open = Month::of(jiff::tz::TimeZone::UTC.to_datetime(now).date());
    let months = from.through(open);
    let period = Period::of_months(from, open);
    let subjects =
        if has_grid { recovery::subjects(&wish.wanted, &site.known, now) } else { Vec::new() };
    let count = radius.at_risk.len()
        + if subjects.is_empty() { 0 } else { 1 + recovery::request_count(&subjects) };
    if count == 0 {
        return Ok(dollars);
    }
    let count = u64::try_from(count).expect("keys can be counted");
    let quote = Quote { least: count, expected: count };
    let limit = spend_max.or((!context.ui.is_terminal()).then(|| Money::from_cents(100)));
    check_quote(&quote, limit)?;
    if !context.ui.quote(&quote) {
        dollars.gaps.push("the dollars, since they were not asked for".to_owned());
        return Ok(dollars);
    }
    let asker = Asker::new(
        site.explorer.clone(),
        site.session.meter().clone(),
        limit,
        CONCURRENCY,
        context.clock,
        context.ui.on_page(),
    );
    let mut asking = Asking { asker, metric: context.metric(None), gaps: Vec::new() };
    context.ui.stage("what a backfill changes", usize::try_from(count).unwrap_or(usize::MAX));
    let requests: Vec<Request> =
        radius.at_risk.keys().map(|key| recovery::history_of(key, period)).collect();
    let answers = asking.sums(&requests).await;
    dollars.at_risk =
        radius.at_risk.keys().zip(&answers).map(|(key, answer)| stake(key, from, answer)).collect();
    if !subjects.is_empty() {
        dollars.grid = asking.grid(&subjects, &months, period).await;
    }
    context.ui.finish();
    context.ui.receipt(&site.session.meter().receipt());
    dollars.gaps.append(&mut asking.gaps);
    Ok(dollars)
}

fn stake(key: &str, from: Month, answer: &Sums) -> Stake {
    let amount = recovery::history_sum(answer);
    let text = match (amount, answer) {
        (Some(_), _) => {
            "what Cost Explorer has attributed to it, all services; the backfill takes that away"
        }
        (None, Some(_)) => {
            "Cost Explorer answers nothing for it, which need not mean that there is nothing to lose"
        }
        (None, None) => "Cost Explorer did not answer",
    };
    Stake { what: act::at_risk(key, from), amount, text: text.to_owned() }
}

struct Asking {
    asker: Asker,
    metric: Metric,
    gaps: Vec<String>,
}

impl Asking {
    async fn sums(&mut self, requests: &[Request]) -> Vec<Sums> {
        let answers = self.asker.ask_all(requests, 1).await;
        let both = requests.iter().zip(answers);
        both.map(|(request, answer)| match answer {
            Ok(answer) => Some(summed(&answer, self.metric)),
            Err(error) => {
                self.lack(request, &error);
                None
            }
        })
        .collect()
    }

    /// The bill comes first: it alone tells how SageMaker's services are spelled.
    async fn grid(&mut self, subjects: &[Subject], months: &[Month], period: Period) -> Grid {
        let (Some(first), Some(last)) = (months.first(), months.last()) else { return Vec::new() };
        let bill = request::bill(*first, *last);
        let mut services: Vec<String> = match self.asker.ask(&bill, 1).await {
            Ok(answer) => {
                let rows = state::controls("", &answer).into_iter().map(|row| row.service);
                rows.filter(|service| request::is_in_scope(service)).collect()
            }
            Err(error) => {
                self.lack(&bill, &error);
                return recovery::cells(subjects, &[], months);
            }
        };
        services.sort();
        services.dedup();
        if services.is_empty() {
            self.gaps.push(format!("the grid, since the bill from {first} on has no SageMaker"));
            return Vec::new();
        }
        let requests = recovery::requests(subjects, &services, period);
        let answers = self.sums(&requests).await;
        recovery::cells(subjects, &answers, months)
    }

    fn lack(&mut self, request: &Request, error: &Error) {
        let cause =
            std::error::Error::source(error).map(|it| format!(": {it}")).unwrap_or_default();
        self.gaps.push(format!("{}: {error}{cause}", request.purpose));
    }
}

fn summed(answer: &Answer, metric: Metric) -> BTreeMap<jiff::civil::Date, Option<Money>> {
    let mut sums = BTreeMap::new();
    for row in &answer.rows {
        let sum = sums.entry(row.start).or_insert(Some(Money::ZERO));
        *sum = (*sum).zip(row.amounts.get(metric)).map(|(sum, money)| sum + money);
    }
    sums
}

/// Lays the grid out for a terminal, with the sum of each key.
pub(super) fn text(grid: &Grid, metric: Metric) -> String {
    let money = |money: Option<Money>| money.map_or_else(|| "unknown".to_owned(), dollars);
    let mut rows = Vec::new();
    for (name, cells) in grid {
        let row = |month: String, cell: &Cell| {
            let Cell { attributed, while_inactive, while_active } = *cell;
            let [attributed, inactive, active] =
                [attributed, while_inactive, while_active].map(money);
            vec![name.clone(), month, attributed, inactive, active]
        };
        rows.extend(cells.iter().map(|(month, cell)| row(month.to_string(), cell)));
        let add = |part: fn(&Cell) -> Option<Money>| {
            cells.values().try_fold(Money::ZERO, |sum, cell| Some(sum + part(cell)?))
        };
        let sum = Cell {
            attributed: add(|cell| cell.attributed),
            while_inactive: add(|cell| cell.while_inactive),
            while_active: add(|cell| cell.while_active),
        };
        rows.push(row("all".to_owned(), &sum));
    }
    let headings = [
        Heading::left("key"),
        Heading::left("month"),
        Heading::right("attributed"),
        Heading::right("recoverable at most"),
        Heading::right("not recoverable"),
    ];
    let mut bytes = format!(
        "\nSageMaker by {}: attributed; without the key while it was inactive (the most that a backfill recovers); \
         without it\nwhile it was active (no backfill recovers that).\n\n",
        metric.title()
    )
    .into_bytes();
    table(&headings, &rows, None, &mut bytes).expect("writing to memory does not fail");
    String::from_utf8_lossy(&bytes).into_owned()
}
