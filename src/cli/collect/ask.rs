//! Owns asking Cost Explorer: every page of a request, within the spending limit.
//!
//! **Invariant:** a request is answered whole or not at all; a page token that expired starts it again from its first page.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::aws::cost_explorer::{CostExplorer, Forecast, GroupRow, Page};
use crate::aws::{self, Kind, Meter};
use crate::cli::clock::Clock;
use crate::course;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::period::{Month, Period};
use crate::query::{Filter, Granularity};
use crate::records::{Builder, Record};
use crate::render::text::dollars;
use crate::request::{Purpose, REST, Request};
use crate::snapshot::{Asked, PAGE_PRICE_CENTS};

/// Why a request was not answered.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// AWS refused, or could not be reached.
    #[error(transparent)]
    Aws(#[from] aws::Error),
    /// Even the least would cost more than allowed.
    #[error("nothing was asked: it takes at least ${}, and the limit is ${}", dollars(*least), dollars(*limit))]
    Quote {
        /// The least in dollars.
        least: Money,
        /// The limit in dollars.
        limit: Money,
    },
    /// The next page would cost more than allowed.
    #[error("stopped before asking for {purpose}: the next page would pass the limit of ${}", dollars(*limit))]
    Spend {
        /// The request that was to be made.
        purpose: String,
        /// The limit in dollars.
        limit: Money,
    },
    /// Two currencies in one bill.
    #[error("{purpose} is billed in {first} and in {second}, and one ledger has one currency")]
    Currency {
        /// The request.
        purpose: String,
        /// The currency seen first.
        first: String,
        /// Another one.
        second: String,
    },
    /// An answer about days that were not asked for.
    #[error("{purpose} was answered for {start}, which was not asked for")]
    Period {
        /// The request.
        purpose: String,
        /// The first day of the answer.
        start: Date,
    },
    /// A bill or a control that says nothing of a month: taken as it is, the month would cost zero.
    #[error("{purpose} was not answered for {month}")]
    Unanswered {
        /// The request.
        purpose: String,
        /// The first month that is lacking.
        month: Month,
    },
}

/// One group of an answer.
#[derive(Clone, Debug)]
pub struct Row {
    /// The first day of its period.
    pub start: Date,
    /// Whether AWS called it estimated.
    pub estimated: bool,
    /// Its keys.
    pub keys: Vec<String>,
    /// Its amounts.
    pub amounts: Amounts,
}

/// A request's whole answer.
pub struct Answer {
    /// The request as it goes into the manifest.
    pub asked: Asked,
    /// The groups, of everything but cells and days.
    pub rows: Vec<Row>,
    /// The groups of cells and days.
    pub records: Builder,
    /// The first days of the periods that were answered, with groups or without.
    pub covered: BTreeSet<Date>,
    /// Names of accounts that came along.
    pub account_names: Vec<(String, String)>,
}

/// Asks, counts and stops in time.
#[derive(Clone)]
pub struct Asker {
    /// Cost Explorer.
    pub explorer: CostExplorer,
    /// The count at the wire.
    pub meter: Meter,
    /// The most that may be spent.
    pub spend_max: Option<Money>,
    /// Requests under way at once.
    pub concurrency: usize,
    /// The clock.
    pub clock: Clock,
    /// Called after each answered page.
    pub on_page: Arc<dyn Fn(&Purpose) + Send + Sync>,
    currency: Arc<Mutex<Option<String>>>,
    under_way: Arc<UnderWay>,
}

/// The pages that are being asked for just now, and a call for when one of them is answered.
#[derive(Default)]
struct UnderWay {
    count: Mutex<u64>,
    freed: Notify,
}

/// A page that may be asked for; when dropped, it is paid or was not charged.
struct Reserved<'a>(&'a UnderWay);

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        *self.0.count.lock().expect("no holder of the count panics") -= 1;
        self.0.freed.notify_waiters();
    }
}

impl Asker {
    /// Makes an asker that has not seen a currency yet.
    pub fn new(
        explorer: CostExplorer,
        meter: Meter,
        spend_max: Option<Money>,
        concurrency: usize,
        clock: Clock,
        on_page: Arc<dyn Fn(&Purpose) + Send + Sync>,
    ) -> Asker {
        let (currency, under_way) = Default::default();
        Asker { explorer, meter, spend_max, concurrency, clock, on_page, currency, under_way }
    }

    /// Returns the one currency seen.
    pub fn currency(&self) -> Option<String> {
        self.currency.lock().expect("no holder of the currency panics").clone()
    }

    /// Asks several requests, some at once; the answers come in the requests' order.
    ///
    /// Numbers are given by that order, so they do not depend on which answer came first.
    pub async fn ask_all(
        &self,
        requests: &[Request],
        number_first: u32,
    ) -> Vec<Result<Answer, Error>> {
        let mut answers: Vec<Option<Result<Answer, Error>>> =
            requests.iter().map(|_| None).collect();
        let mut waiting = requests.iter().cloned().zip(number_first..).enumerate();
        let mut under_way = JoinSet::new();
        loop {
            while under_way.len() < self.concurrency.max(1)
                && let Some((index, (request, number))) = waiting.next()
            {
                let asker = self.clone();
                under_way.spawn(async move { (index, asker.ask(&request, number).await) });
            }
            match under_way.join_next().await {
                Some(joined) => {
                    let (index, answer) = joined.expect("asking does not panic");
                    answers[index] = Some(answer);
                }
                None => break,
            }
        }
        answers.into_iter().map(|answer| answer.expect("every request was asked")).collect()
    }

    /// Asks one request, page by page.
    pub async fn ask(&self, request: &Request, number: u32) -> Result<Answer, Error> {
        let mut restarts_left = 2;
        loop {
            match self.ask_once(request, number).await {
                Err(Error::Aws(error)) if error.kind == Kind::BadToken && restarts_left > 0 => {
                    restarts_left -= 1;
                }
                other => return other,
            }
        }
    }

    async fn ask_once(&self, request: &Request, number: u32) -> Result<Answer, Error> {
        let mut answer = Answer {
            asked: Asked {
                number,
                purpose: request.purpose.clone(),
                query: request.query.clone(),
                pages: 0,
                groups: 0,
                scales: [None; 4],
                asked_at: self.clock.now(),
            },
            rows: Vec::new(),
            records: Builder::default(),
            covered: BTreeSet::new(),
            account_names: Vec::new(),
        };
        let mut seen = BTreeSet::new();
        let mut page = self.fetch(request, None).await?;
        loop {
            let next = page.next.take();
            // Pages that go round in a circle would be paid for without end.
            if next.as_ref().is_some_and(|next| !seen.insert(next.clone())) {
                return Err(repeated().into());
            }
            // The next page is on its way while this one is taken in.
            let following = async {
                match &next {
                    Some(token) => self.fetch(request, Some(token)).await.map(Some),
                    None => Ok(None),
                }
            };
            let (fetched, taken) =
                tokio::join!(following, async { self.take(request, &mut answer, page) });
            taken?;
            match fetched? {
                Some(following) => page = following,
                None => return answer.checked(),
            }
        }
    }

    async fn fetch(&self, request: &Request, token: Option<&str>) -> Result<Page, Error> {
        let _reserved = self.reserve(&request.purpose).await?;
        Ok(self.explorer.page(&request.query, token).await?)
    }

    fn take(&self, request: &Request, answer: &mut Answer, page: Page) -> Result<(), Error> {
        answer.asked.pages += 1;
        for result in page.results {
            check_period(request, result.start)?;
            answer.covered.insert(result.start);
            for row in result.groups {
                self.check_currency(&request.purpose, row.currency.as_deref())?;
                answer.take(result.start, result.estimated, row);
            }
        }
        answer.account_names.extend(page.account_names);
        (self.on_page)(&request.purpose);
        Ok(())
    }

    /// Asks for a forecast, within the spending limit like any page.
    pub async fn forecast(
        &self,
        filter: Option<&Filter>,
        metric: Metric,
        period: Period,
    ) -> Result<Forecast, Error> {
        let _reserved = self.reserve(&Purpose::Forecast).await?;
        Ok(self.explorer.forecast(filter, metric, period).await?)
    }

    /// Sets a page aside before it is sent, so that several under way never pass the limit together.
    ///
    /// Near the limit it waits: what is under way may turn out to cost nothing.
    async fn reserve(&self, purpose: &Purpose) -> Result<Reserved<'_>, Error> {
        loop {
            let freed = self.under_way.freed.notified();
            {
                let mut count = self.under_way.count.lock().expect("no holder of the count panics");
                let receipt = self.meter.receipt();
                // A page under way may be among the unknown already; counted twice, it errs on the safe side.
                let pages = i128::from(receipt.pages + receipt.unknown + *count) + 1;
                let cost = Money::from_cents(pages * PAGE_PRICE_CENTS);
                match self.spend_max {
                    Some(limit) if cost > limit && *count == 0 => {
                        return Err(Error::Spend { purpose: purpose.to_string(), limit });
                    }
                    Some(limit) if cost > limit => {}
                    _ => {
                        *count += 1;
                        return Ok(Reserved(&self.under_way));
                    }
                }
            }
            freed.await;
        }
    }

    fn check_currency(&self, purpose: &Purpose, currency: Option<&str>) -> Result<(), Error> {
        let Some(currency) = currency else { return Ok(()) };
        let mut seen = self.currency.lock().expect("no holder of the currency panics");
        match seen.as_deref() {
            None => *seen = Some(currency.to_owned()),
            Some(first) if first == currency => {}
            Some(first) => {
                return Err(Error::Currency {
                    purpose: purpose.to_string(),
                    first: first.to_owned(),
                    second: currency.to_owned(),
                });
            }
        }
        Ok(())
    }
}

fn repeated() -> aws::Error {
    let text = "the same page token came twice, so the answer has no end";
    aws::Error::new("Cost Explorer", "GetCostAndUsage", Kind::Unparsable, "RepeatedToken", text)
}

/// A period answered twice or beside the question would be counted twice or wrongly.
fn check_period(request: &Request, start: Date) -> Result<(), Error> {
    let query = &request.query;
    let aligned = query.granularity == Granularity::Daily || Month::of(start).start() == start;
    if query.period.contains(start) && aligned {
        return Ok(());
    }
    Err(Error::Period { purpose: request.purpose.to_string(), start })
}

impl Answer {
    fn take(&mut self, start: Date, estimated: bool, row: GroupRow) {
        self.asked.groups += 1;
        for (finest, scale) in self.asked.scales.iter_mut().zip(row.scales) {
            *finest = (*finest).max(scale);
        }
        let purpose = &self.asked.purpose;
        let (slice, service, record_type) = match purpose {
            Purpose::Cells { slice, service, record_type } => (slice, service, Some(record_type)),
            Purpose::Days { slice } => (slice, &String::new(), None),
            _ => {
                self.rows.push(Row { start, estimated, keys: row.keys, amounts: row.amounts });
                return;
            }
        };
        let mut keys = row.keys.into_iter();
        let first = keys.next().unwrap_or_default();
        let second = keys.next().unwrap_or_default();
        let (account, value) =
            if slice == REST { (Some(first), String::new()) } else { (None, first) };
        let (record_type, usage_type) = match record_type {
            Some(record_type) => (record_type.clone(), second),
            None => (second, String::new()),
        };
        self.records.push(&Record {
            start,
            slice: slice.clone(),
            value,
            account,
            service: service.clone(),
            record_type,
            usage_type,
            amounts: row.amounts,
            usage: row.usage,
            usage_unit: row.usage_unit,
            estimated,
            request: self.asked.number,
            page: self.asked.pages,
        });
    }

    /// Refuses a total that lacks a month; of anything else that is told as missing.
    fn checked(self) -> Result<Answer, Error> {
        let purpose = &self.asked.purpose;
        match self.months_unanswered().first() {
            Some(month) if purpose.is_total() => {
                Err(Error::Unanswered { purpose: purpose.to_string(), month: *month })
            }
            _ => Ok(self),
        }
    }

    /// Returns the months that were asked for and not answered whole: of days, those whose data is complete count.
    pub fn months_unanswered(&self) -> Vec<Month> {
        let Asked { query, asked_at, .. } = &self.asked;
        let period = query.period;
        let last_complete = course::last_complete(*asked_at);
        let is_lacking = |day: Date| match query.granularity {
            Granularity::Monthly => Month::of(day).start() == day && !self.covered.contains(&day),
            Granularity::Daily => day <= last_complete && !self.covered.contains(&day),
        };
        let last = Month::of(period.end).plus(-1);
        let months = Month::of(period.start).through(last).into_iter();
        months.filter(|month| month.period().days().any(is_lacking)).collect()
    }
}
