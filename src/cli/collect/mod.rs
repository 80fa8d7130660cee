//! Owns collecting: the staged requests, the inventory and the budgets, into one snapshot.
//!
//! **Invariant:** nothing is stored here; a collection is a value until it is whole.

pub mod ask;
pub mod inventory;
mod standing;
pub mod state;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::aws::cost_explorer::CostExplorer;
use crate::aws::{Kind, Session};
use crate::budget::AwsBudget;
use crate::cli::clock::Clock;
use crate::metric::Metric;
use crate::money::Money;
use crate::note::{Note, NoteKind};
use crate::period::{Month, Period};
use crate::records::Records;
use crate::request::{self, Purpose, Quote, Request, Scope};
use crate::snapshot::{Forecast, Manifest, Missing, PAGE_PRICE_CENTS, Snapshot, VERSION};

use ask::{Asker, Error};
use standing::{changes, is_comparable, standing};
use state::State;

/// How many months before the current one Cost Explorer still answers for (management limits of Cost Explorer).
pub const MONTHS_BACK_MAX: i32 = 13;

/// What to collect and how.
#[derive(Clone)]
pub struct Options {
    /// The month that the report is about.
    pub month: Month,
    /// Months of history up to it, itself in.
    pub month_count: u32,
    /// Months before the report's that are read day by day as well.
    pub daily_month_count: u32,
    /// Claiming keys beyond SageMaker's own.
    pub keys: Vec<String>,
    /// The billing view to ask.
    pub billing_view: Option<String>,
    /// Where the inventory is.
    pub places: Vec<inventory::Place>,
    /// The most that may be spent on requests.
    pub spend_max: Option<Money>,
    /// Requests under way at once.
    pub concurrency: usize,
    /// Whether Cost Explorer is asked for a forecast, and of which metric.
    pub forecast: Option<Metric>,
    /// The clock.
    pub clock: Clock,
    /// Whether months are read again though they did not change.
    pub is_fresh: bool,
}

/// What tells the person about progress.
pub trait Progress {
    /// Shows the quote; false when the person does not want it.
    fn quote(&self, quote: &Quote) -> bool;
    /// Tells that a stage with so many requests begins.
    fn stage(&self, name: &str, count: usize);
    /// Tells one sentence.
    fn say(&self, text: &str);
    /// Returns what is called after each answered page.
    fn on_page(&self) -> Arc<dyn Fn(&Purpose) + Send + Sync>;
}

#[expect(
    clippy::too_many_lines,
    reason = "a manifest has many fields, and each is filled once, here"
)]
/// Collects a snapshot; `None` when the person did not want it at that price.
pub async fn collect(
    session: &Session,
    options: &Options,
    earlier: Option<&Snapshot>,
    progress: &dyn Progress,
) -> Result<Option<Snapshot>, Error> {
    let taken_at = options.clock.now();
    let explorer = CostExplorer::new(session, options.billing_view.clone());
    let standing = standing(session, &explorer, options).await?;
    let keys = request::claiming_keys(&options.keys, standing.statuses.as_deref());
    let comparable = earlier.filter(|earlier| is_comparable(earlier, options, &standing, &keys));
    // What the whole plan took, those pages included that were not asked for again.
    let usual = earlier
        .map(|earlier| earlier.manifest.asked.iter().map(|asked| u64::from(asked.pages)).sum());
    let quote = request::quote(keys.len(), usual, u64::from(options.forecast.is_some()));
    check_quote(&quote, options.spend_max)?;
    if !progress.quote(&quote) {
        return Ok(None);
    }
    let asker = Asker::new(
        explorer,
        session.meter().clone(),
        options.spend_max,
        options.concurrency,
        options.clock,
        progress.on_page(),
    );
    let mut run = Run { asker, options, progress, number: 1, state: State::default() };
    if let Some(earlier) = comparable {
        let last = earlier.manifest.asked.iter().map(|asked| asked.number).max();
        run.number = last.unwrap_or(0) + 1;
    }
    let mut notes = standing.notes.clone();
    let scope = run.bill_and_controls(keys, taken_at, &mut notes).await?;
    let days = run.days_period(&scope);
    let moving = run.detail(&scope, comparable, days).await?;
    let kept = comparable.map(|earlier| run.state.keep_days(earlier, &scope, days));
    let forecasts = run.forecast(&scope, taken_at).await;
    let caller = &standing.caller;
    let (mut inventory, budgets) =
        inventory::read(session, options, caller, &run.state, taken_at, progress, &mut notes).await;
    notes.extend(budgets.iter().filter_map(unreadable));
    inventory::name_accounts(session, &standing, &mut inventory, &run.state.account_names).await;
    let ours = earlier.filter(|earlier| standing.is_of(earlier));
    if let Some(earlier) = ours {
        inventory.carry_forward(&earlier.inventory, taken_at);
    }
    let changed = changes(ours, options, &run.state.bill, taken_at);
    let currency = run.asker.currency().unwrap_or_else(|| "USD".to_owned());
    let mut state = run.state;
    state.sort();
    let manifest = Manifest {
        version: VERSION,
        id: taken_at.strftime("%Y-%m-%dT%H%M%SZ").to_string(),
        taken_at,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        caller: standing.caller,
        payer: standing.payer,
        billing_view: options.billing_view.clone(),
        scope,
        configured_keys: options.keys.clone(),
        key_statuses: standing.statuses,
        backfills: standing.backfills,
        currency,
        bill: state.bill,
        controls: state.controls,
        space_users: state.space_users,
        billed_accounts: state.billed_accounts,
        days: Some(days),
        days_kept: kept.unwrap_or_default(),
        asked: state.asked,
        segments: Vec::new(),
        inventory_sha256: String::new(),
        budgets,
        forecasts,
        missing: state.missing,
        moving: moving.into_iter().collect(),
        changed,
        quote,
        receipt: session.meter().receipt(),
        notes,
    };
    let (records, days) = (Records::concat(&state.cells), Records::concat(&state.days));
    Ok(Some(Snapshot { manifest, records, days, inventory }))
}

fn unreadable(budget: &AwsBudget) -> Option<Note> {
    let why = budget.unreadable.as_ref()?;
    let text = format!("The budget `{}` could not be read: {why}", budget.name);
    Some(Note::new(NoteKind::NotRead, text))
}

/// Refuses a quote whose least is above the limit.
pub(in crate::cli) fn check_quote(quote: &Quote, spend_max: Option<Money>) -> Result<(), Error> {
    let least = Money::from_cents(i128::from(quote.least) * PAGE_PRICE_CENTS);
    match spend_max {
        Some(limit) if least > limit => Err(Error::Quote { least, limit }),
        _ => Ok(()),
    }
}

/// A collection under way.
struct Run<'a> {
    asker: Asker,
    options: &'a Options,
    progress: &'a dyn Progress,
    number: u32,
    state: State,
}

impl Run<'_> {
    /// Stages 1 and 2: without the bill or one of the controls there is no proof, so any error ends it.
    async fn bill_and_controls(
        &mut self,
        keys: Vec<String>,
        taken_at: Timestamp,
        notes: &mut Vec<Note>,
    ) -> Result<Scope, Error> {
        let open = Month::of(TimeZone::UTC.to_datetime(taken_at).date());
        let last = open.max(self.options.month);
        let count = i32::try_from(self.options.month_count.max(1)).unwrap_or(i32::MAX);
        let wanted = self.options.month.plus(1 - count.min(1200));
        let mut first = wanted.max(open.plus(-MONTHS_BACK_MAX));
        self.progress.stage("bill", 1);
        let answer = match self.ask(request::bill(first, last)).await {
            Err(Error::Aws(error)) if error.is_history_limit() && first < self.options.month => {
                first = first.plus(1);
                self.ask(request::bill(first, last)).await?
            }
            other => other?,
        };
        if first > wanted {
            let text = format!("Cost Explorer answers from {first} on; {wanted} was asked for.");
            notes.push(Note::new(NoteKind::NotDelivered, text));
        }
        self.state.take(answer);
        let services: BTreeSet<String> = self
            .state
            .bill
            .iter()
            .filter(|control| request::is_in_scope(&control.service))
            .map(|control| control.service.clone())
            .collect();
        let scope = Scope { first, last, keys, services: services.into_iter().collect() };
        let controls = self.controls(&scope).await?;
        self.state.join(controls);
        Ok(scope)
    }

    async fn controls(&mut self, scope: &Scope) -> Result<State, Error> {
        let requests = request::controls(scope);
        self.progress.stage("controls", requests.len());
        let mut part = State::default();
        for answer in self.ask_all(&requests).await {
            part.take(answer?);
        }
        Ok(part)
    }

    /// The months read by day: the report's, those before it that were asked for, and the open one.
    fn days_period(&self, scope: &Scope) -> Period {
        let extra = i32::try_from(self.options.daily_month_count).unwrap_or(i32::MAX).min(1200);
        Period::of_months(self.options.month.plus(-extra).max(scope.first), scope.last)
    }

    /// Stages 3 to 5, for the months that no earlier snapshot has; returns the months that moved twice.
    async fn detail(
        &mut self,
        scope: &Scope,
        earlier: Option<&Snapshot>,
        days: Period,
    ) -> Result<BTreeSet<Month>, Error> {
        let all: BTreeSet<Month> = scope.first.through(scope.last).into_iter().collect();
        let mut kept =
            earlier.map(|earlier| state::reusable(earlier, scope, &self.state)).unwrap_or_default();
        // Days are one question for all their months: they are kept when none of them changed.
        let in_days = |month: &Month| days.contains(month.start());
        let days_kept = earlier.is_some_and(|earlier| earlier.manifest.days == Some(days))
            && all.iter().filter(|month| in_days(month)).all(|month| kept.contains(month));
        if !days_kept {
            kept.retain(|month| !in_days(month));
        }
        let fresh: BTreeSet<Month> = all.difference(&kept).copied().collect();
        self.detail_of(scope, &fresh, days).await?;
        let moving = self.settle(scope, &fresh, days).await?;
        if let Some(earlier) = earlier {
            self.state.reuse(earlier, &kept, days);
        }
        Ok(moving)
    }

    async fn detail_of(
        &mut self,
        scope: &Scope,
        months: &BTreeSet<Month>,
        days: Period,
    ) -> Result<(), Error> {
        let (Some(first), Some(last)) = (months.first(), months.last()) else { return Ok(()) };
        let found = self.state.found(months);
        let mut requests = request::cells(scope, &found, *first, *last);
        requests.extend(request::evidence(scope, &found, *first, *last));
        let daily = (days.start.max(first.start()), days.end.min(last.plus(1).start()));
        if daily.0 < daily.1 {
            let period = Period { start: daily.0, end: daily.1 };
            let found =
                self.state.found(&Month::of(period.start).through(*last).into_iter().collect());
            requests.extend(request::days(scope, &found, period));
        }
        self.progress.stage("owners", requests.len());
        let answers = self.ask_all(&requests).await;
        let mut part = State::default();
        for (request, answer) in requests.into_iter().zip(answers) {
            match answer {
                Ok(answer) => part.take(answer),
                Err(Error::Aws(error)) if error.kind != Kind::Credentials => {
                    part.lack(request.purpose, request.query.period, &Error::Aws(error));
                }
                Err(error) => return Err(error),
            }
        }
        // Months that were read before stay as they are, and so do those between.
        part.keep_only(months);
        self.state.join(part);
        Ok(())
    }

    /// Asks the bill of the estimated months again; what moved is read once more.
    async fn settle(
        &mut self,
        scope: &Scope,
        fresh: &BTreeSet<Month>,
        days: Period,
    ) -> Result<BTreeSet<Month>, Error> {
        // The open month may move before it has a row of its own.
        let mut moved: BTreeSet<Month> = self.estimated(fresh);
        moved.extend(fresh.last().filter(|month| **month == scope.last));
        for attempt in 0..2 {
            let (Some(first), Some(last)) = (moved.first().copied(), moved.last().copied()) else {
                break;
            };
            self.progress.stage("bill again", 1);
            let request = request::bill_again(first, last);
            let period = request.query.period;
            let answer = match self.ask(request).await {
                Ok(answer) => answer,
                // What was read stands, and that it was not read again is said.
                Err(error @ (Error::Aws(_) | Error::Unanswered { .. })) => {
                    self.state.lack(Purpose::BillAgain, period, &error);
                    return Ok(BTreeSet::new());
                }
                Err(error) => return Err(error),
            };
            let again = state::controls("", &answer);
            self.state.asked.push(answer.asked);
            moved.retain(|month| !state::same_bill(&self.state.bill, &again, *month));
            if moved.is_empty() || attempt == 1 {
                break;
            }
            self.progress.say("The open month moved while it was read; it is read once more.");
            let (first, last) =
                (*moved.first().expect("not empty"), *moved.last().expect("not empty"));
            let part = Scope { first, last, ..scope.clone() };
            let mut controls = match self.controls(&part).await {
                Ok(controls) => controls,
                // The first reading stands, marked as one that moved.
                Err(error @ (Error::Aws(_) | Error::Unanswered { .. })) => {
                    self.state.lack(Purpose::BillAgain, period, &error);
                    return Ok(moved);
                }
                Err(error) => return Err(error),
            };
            self.state.forget(&moved);
            self.state.bill.extend(again.into_iter().filter(|row| moved.contains(&row.month)));
            controls.keep_only(&moved);
            self.state.join(controls);
            self.detail_of(&part, &moved, days).await?;
        }
        Ok(moved)
    }

    fn estimated(&self, months: &BTreeSet<Month>) -> BTreeSet<Month> {
        let rows =
            self.state.bill.iter().filter(|row| row.estimated && months.contains(&row.month));
        rows.map(|row| row.month).collect()
    }

    /// Asks Cost Explorer for what is left of the open month, when that was asked for.
    async fn forecast(&mut self, scope: &Scope, taken_at: Timestamp) -> Vec<Forecast> {
        let Some(metric) = self.options.forecast else { return Vec::new() };
        let today = TimeZone::UTC.to_datetime(taken_at).date();
        let period = Period { start: today, end: Month::of(today).plus(1).start() };
        if scope.services.is_empty() {
            // Without a service to ask for, the forecast would be one of something else.
            let error = "the bill has no service of SageMaker to forecast".to_owned();
            self.state.missing.push(Missing { purpose: Purpose::Forecast, period, error });
            return Vec::new();
        }
        self.progress.stage("forecast", 1);
        // What is paid for by now stands, so a forecast beyond the limit is only told as missing.
        match self.asker.forecast(request::whole(scope).as_ref(), metric, period).await {
            Ok(forecast) => vec![Forecast { period, metric, mean: forecast.mean }],
            Err(error) => {
                self.state.lack(Purpose::Forecast, period, &error);
                Vec::new()
            }
        }
    }

    async fn ask(&mut self, request: Request) -> Result<ask::Answer, Error> {
        let number = self.number;
        self.number += 1;
        self.asker.ask(&request, number).await
    }

    async fn ask_all(&mut self, requests: &[Request]) -> Vec<Result<ask::Answer, Error>> {
        let number = self.number;
        self.number += u32::try_from(requests.len()).expect("a plan has few requests");
        self.asker.ask_all(requests, number).await
    }
}
