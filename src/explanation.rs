//! Owns the form of an explanation: what its JSON holds, and under which names.
//!
//! `docs/explain.md` documents it; fields may be added.
//! **Invariant:** a figure is the exact sum of what stands below it, in every metric that was delivered.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::inquiry::Inquiry;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::period::{Month, Period};
use crate::rounding::Rounding;

/// The version of this form.
pub const SCHEMA: u32 = 1;

/// Everything under one figure.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Explanation {
    /// The version of this form.
    pub schema: u32,
    /// What was asked.
    pub asked: Inquiry,
    /// The month.
    pub month: Month,
    /// The metric of each `amount`.
    pub metric: Metric,
    /// The currency.
    pub currency: String,
    /// The snapshot's id.
    pub snapshot: String,
    /// When the snapshot was begun.
    pub taken_at: Timestamp,
    /// The figure: the sum of the shares.
    pub figure: Figure,
    /// What each owner and team has in it, largest first.
    pub shares: Vec<Share>,
    /// The rules that moved any of it.
    pub rules: Vec<Rule>,
    /// The balances that were moved, each once, with all that they were fed by.
    pub balances: Vec<Balance>,
    /// The requests to Cost Explorer that answered it.
    pub requests: Vec<Request>,
}

/// An amount in the metric asked for, and in all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sum {
    /// In the metric asked for; absent where it was not delivered.
    pub amount: Option<Money>,
    /// In every metric that was delivered.
    pub amounts: Amounts,
}

/// The figure that is explained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Figure {
    /// The exact amount.
    #[serde(flatten)]
    pub sum: Sum,
    /// What of it AWS billed.
    pub billed: Option<Money>,
    /// What of it rules moved.
    pub shared: Option<Money>,
    /// The cents that are printed: those of statements where they print the figure, else rounded half to even.
    pub cents: Option<Money>,
    /// By how much the cents exceed the exact amount.
    pub rounded_by: Option<Money>,
    /// How statements come by the cents, from the month down; empty where they print no such figure.
    pub handed: Vec<Handed>,
}

/// A level at which the cents of a whole were handed to its parts, the largest remainders first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handed {
    /// The month, the team or the owner.
    pub of: String,
    /// Its exact amount.
    pub exact: Money,
    /// The whole cents below it.
    pub floor: Money,
    /// The cents that it got.
    pub cents: Money,
    /// Why.
    pub because: String,
}

/// What one owner and team have in the figure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The owner, as a path.
    pub owner: String,
    /// The owner's account.
    pub account: Option<String>,
    /// The owner's region.
    pub region: Option<String>,
    /// The name of the owner's domain.
    pub domain_name: Option<String>,
    /// The user profile that the owner is counted to.
    pub user_profile: Option<String>,
    /// The team.
    pub team: Option<String>,
    /// The sum of what was billed and moved.
    #[serde(flatten)]
    pub sum: Sum,
    /// Why it is this owner's: rules of `docs/allocation.md`, by their numbers.
    pub owner_because: Vec<String>,
    /// Why it is this team's.
    pub team_because: Vec<String>,
    /// Every team of the owner in the month, by days.
    pub team_parts: Vec<TeamPart>,
    /// The requests for days that the weights of several parts are summed from.
    pub weight_requests: Vec<u32>,
    /// What AWS billed.
    pub billed: Vec<Billed>,
    /// What rules took from it or gave to it.
    pub moved: Vec<Moved>,
}

/// The days in which an owner belonged to one team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TeamPart {
    /// The team.
    pub team: Option<String>,
    /// The days.
    pub days: Period,
    /// Its weight, where there are several parts.
    pub weight: Option<Money>,
    /// What says so.
    pub source: String,
    /// Other sources that match, in the order in which they would have counted.
    pub passed_over: Vec<String>,
}

/// One line, or a share of what lies outside the scope.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Billed {
    /// `line`, `residual`, `not_read` or `outside`.
    pub kind: &'static str,
    /// The service.
    pub service: String,
    /// The component.
    pub component: &'static str,
    /// The usage type.
    pub usage_type: Option<String>,
    /// The record type.
    pub record_type: String,
    /// The billed account, where it was asked by account.
    pub billed_account: Option<String>,
    /// Why it has no owner, or no closer one.
    pub reason: Option<&'static str>,
    /// The usage.
    pub usage: Option<Money>,
    /// The usage's unit.
    pub usage_unit: Option<String>,
    /// Whether AWS called it estimated.
    pub estimated: bool,
    /// The amount.
    #[serde(flatten)]
    pub sum: Sum,
    /// How the amount was made of the whole, where it is not the whole.
    pub steps: Vec<Step>,
    /// The records that the whole is the sum of.
    pub records: Vec<Origin>,
    /// The control and the sum that the whole is the difference of.
    pub control: Option<Compared>,
    /// The requests behind the whole and the weights of a share of what lies outside the scope.
    pub requests: Vec<u32>,
    /// What else is to be said of it.
    pub because: Vec<String>,
}

/// What an amount was split from, by which weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What the weight is of.
    pub by: String,
    /// What was split.
    pub whole: Option<Money>,
    /// The weight of this part.
    pub weight: Money,
    /// The weight of all parts.
    pub weight_total: Money,
    /// The part.
    pub part: Option<Money>,
    /// By how many 10⁻¹² the part exceeds whole × weight / weights: an exact fraction.
    pub rounding: Option<Rounding>,
}

/// One record behind a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Origin {
    /// The request's number.
    pub request: u32,
    /// The page of its answer, from 1.
    pub page: u32,
    /// The slice: the tag key that claimed it, or `rest`.
    pub slice: String,
    /// The tag's value as AWS returned it.
    pub value: String,
    /// The usage.
    pub usage: Option<Money>,
    /// The amount.
    #[serde(flatten)]
    pub sum: Sum,
}

/// A control total and what was summed beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The slice, or `scope` for the bill.
    pub slice: String,
    /// The request that answered the control; absent where there is none.
    pub request: Option<u32>,
    /// The control.
    pub control: Sum,
    /// The sum of its parts.
    pub parts: Sum,
}

/// What a rule took from an owner or gave to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// `out` or `in`.
    pub direction: &'static str,
    /// The pool.
    pub pool: String,
    /// The rule, by its id in `rules`.
    pub rule: String,
    /// The balance, by its id in `balances`.
    pub balance: String,
    /// The record type.
    pub record_type: String,
    /// The component.
    pub component: &'static str,
    /// The amount.
    #[serde(flatten)]
    pub sum: Sum,
    /// How it was split from the balance.
    pub steps: Vec<Step>,
}

/// A pool's rule in the month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    /// Its id in this explanation.
    pub id: String,
    /// The pool.
    pub pool: String,
    /// What the pool holds and how it was split, in words.
    pub because: Vec<String>,
    /// The weight of all targets.
    pub weight_total: Money,
    /// Who got a part.
    pub targets: Vec<Target>,
}

/// Who got a part, and by which weight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// The owner, as a path.
    pub owner: String,
    /// Its weight.
    pub weight: Money,
}

/// What a rule split as one amount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Balance {
    /// Its id in this explanation.
    pub id: String,
    /// The rule that split it, by its id.
    pub rule: String,
    /// The pool.
    pub pool: String,
    /// The owner whom it left, as a path.
    pub owner: String,
    /// The service.
    pub service: String,
    /// The component.
    pub component: &'static str,
    /// The record type.
    pub record_type: String,
    /// The billed account, where it was asked by account.
    pub billed_account: Option<String>,
    /// Why it had no owner, or no closer one.
    pub reason: Option<&'static str>,
    /// Whether AWS called it estimated.
    pub estimated: bool,
    /// The amount: the sum of what was billed and of what earlier rules moved into it.
    #[serde(flatten)]
    pub sum: Sum,
    /// The lines in it.
    pub billed: Vec<Billed>,
    /// What earlier rules gave.
    pub fed: Vec<Moved>,
}

/// A request to Cost Explorer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Request {
    /// Its number.
    pub number: u32,
    /// Why it was made.
    pub purpose: String,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Pages answered.
    pub pages: u32,
    /// Groups answered.
    pub groups: u64,
    /// The days asked for.
    pub period: Period,
    /// The length of each result.
    pub granularity: &'static str,
    /// The keys that it was grouped by.
    pub group_by: Vec<String>,
    /// The filter in words; absent without one.
    pub filter_words: Option<String>,
    /// The filter as Cost Explorer takes it; `null` without one.
    pub filter: Value,
}

impl Sum {
    /// Returns the amounts with the one of the metric.
    pub fn new(amounts: Amounts, metric: Metric) -> Sum {
        Sum { amount: amounts.get(metric), amounts }
    }
}

impl Figure {
    /// Returns the figure of an exact sum and its two parts.
    pub fn new(sum: Sum, [billed, shared]: [Option<Money>; 2], handed: Vec<Handed>) -> Figure {
        let alone = sum.amount.map(|amount| Money::from_cents(amount.cents()));
        let cents = handed.last().map(|handed| handed.cents).or(alone);
        let rounded_by = cents.zip(sum.amount).map(|(cents, amount)| cents - amount);
        Figure { sum, billed, shared, cents, rounded_by, handed }
    }
}

impl Step {
    /// Returns the step from a whole to one of its parts.
    pub fn new(
        by: impl Into<String>,
        [whole, part]: [&Amounts; 2],
        weight: Money,
        weight_total: Money,
        metric: Metric,
    ) -> Step {
        let (whole, part) = (whole.get(metric), part.get(metric));
        let rounding = whole
            .zip(part)
            .and_then(|(whole, part)| Rounding::of(part, whole, weight, weight_total));
        Step { by: by.into(), whole, weight, weight_total, part, rounding }
    }
}
