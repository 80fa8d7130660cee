//! Owns a snapshot: records, inventory, controls, when they were fetched and by which requests.
//!
//! **Invariant:** no network after this; a report is a pure function of a snapshot and the configuration.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::arn::AccountId;
use crate::budget::AwsBudget;
use crate::inventory::Inventory;
use crate::key::{Backfill, KeyStatus};
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::note::Note;
use crate::period::{Month, Period};
use crate::query::Query;
use crate::records::Records;
use crate::request::{Purpose, Quote, Scope};

/// The version of the manifest's form that this program writes.
pub const VERSION: u32 = 1;

/// Everything that was fetched.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// What is in it and whence.
    pub manifest: Manifest,
    /// The cells of every month.
    pub records: Records,
    /// The days of the report month and the open month.
    pub days: Records,
    /// What exists, and what did.
    pub inventory: Inventory,
}

/// What a snapshot holds and whence it came; written last, so that a snapshot is whole or not there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The version of this form.
    pub version: u32,
    /// The snapshot's name: when it was begun.
    pub id: String,
    /// When it was begun.
    pub taken_at: Timestamp,
    /// The program's version.
    pub program: String,
    /// The account that asked.
    pub caller: AccountId,
    /// The organization's payer; absent when unknown or standalone.
    pub payer: Option<AccountId>,
    /// The billing view that was asked for.
    pub billing_view: Option<String>,
    /// Months, keys and services.
    pub scope: Scope,
    /// The configured extra keys.
    pub configured_keys: Vec<String>,
    /// What billing says of the keys; absent when it would not say.
    pub key_statuses: Option<Vec<KeyStatus>>,
    /// Billing backfills; absent when billing would not say.
    pub backfills: Option<Vec<Backfill>>,
    /// The one currency.
    pub currency: String,
    /// The whole bill.
    pub bill: Vec<Control>,
    /// The control of each slice.
    pub controls: Vec<Control>,
    /// Who worked in which space.
    pub space_users: Vec<SpaceUser>,
    /// Which accounts were billed.
    pub billed_accounts: Vec<BilledAccount>,
    /// The days that were asked for day by day.
    pub days: Option<Period>,
    /// Months beyond those whose days are known from an earlier snapshot: they weigh, and nothing is summed from them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub days_kept: BTreeSet<Month>,
    /// The requests behind the figures.
    pub asked: Vec<Asked>,
    /// The stored frames.
    pub segments: Vec<Segment>,
    /// The hash of the stored inventory.
    pub inventory_sha256: String,
    /// Budgets of AWS.
    pub budgets: Vec<AwsBudget>,
    /// Forecasts by Cost Explorer, where they were asked for.
    pub forecasts: Vec<Forecast>,
    /// Requests that stayed unanswered after every retry.
    pub missing: Vec<Missing>,
    /// Months that moved while they were read, twice.
    pub moving: Vec<Month>,
    /// When the bill of a month was last seen to change after the month was over.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub changed: BTreeMap<Month, Timestamp>,
    /// What was quoted before.
    pub quote: Quote,
    /// What was counted after.
    pub receipt: Receipt,
    /// What the reader must know.
    pub notes: Vec<Note>,
}

/// A control total: one month, service and record type, of the bill or of a slice.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// The slice; empty for the bill.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub slice: String,
    /// The month.
    pub month: Month,
    /// The service.
    pub service: String,
    /// The record type.
    pub record_type: String,
    /// The amounts.
    pub amounts: Amounts,
    /// Whether AWS called them estimated.
    pub estimated: bool,
    /// The request's number.
    pub request: u32,
}

/// What a user profile's tag and a space's tag say together of a month.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpaceUser {
    /// The month.
    pub month: Month,
    /// The space's tag.
    pub space: String,
    /// The user profile's tag; empty where there was none.
    pub user_profile: String,
    /// The amounts.
    pub amounts: Amounts,
}

/// What an account was billed for the scope.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BilledAccount {
    /// The month.
    pub month: Month,
    /// The account.
    pub account: String,
    /// The record type.
    pub record_type: String,
    /// The amounts.
    pub amounts: Amounts,
}

/// One request that was answered, all pages together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Its number in this snapshot and those that use its months again.
    pub number: u32,
    /// Why it was made.
    pub purpose: Purpose,
    /// What was asked.
    pub query: Query,
    /// Pages answered.
    pub pages: u32,
    /// Groups answered.
    pub groups: u64,
    /// The finest decimal scale seen, a metric.
    pub scales: [Option<u32>; 4],
    /// When it was asked.
    pub asked_at: Timestamp,
}

/// A request that stayed unanswered; its months are whole in their controls and lack the detail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Missing {
    /// Why it was made.
    pub purpose: Purpose,
    /// The days it was about.
    pub period: Period,
    /// What AWS said.
    pub error: String,
}

/// What a stored frame holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SegmentKind {
    /// The cells of a month.
    Cells,
    /// The days of a month.
    Days,
}

/// A stored frame.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Segment {
    /// The month.
    pub month: Month,
    /// What it holds.
    pub kind: SegmentKind,
    /// The hash of its bytes, and its name on disk.
    pub sha256: String,
    /// Records in it.
    pub count: usize,
}

/// A forecast by Cost Explorer for the open month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// The days forecast.
    pub period: Period,
    /// The metric.
    pub metric: Metric,
    /// The mean of the forecast.
    pub mean: Money,
}

/// What the requests cost, counted at the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Attempts at charged operations.
    pub requests: u64,
    /// Pages that were answered: each is charged.
    pub pages: u64,
    /// Attempts that were answered with an error or never left: free.
    pub failed: u64,
    /// Attempts whose answer was lost: charged or not, nobody can tell.
    pub unknown: u64,
}

/// The price of a page of Cost Explorer in cents (AWS pricing page of Cost Explorer).
pub const PAGE_PRICE_CENTS: i128 = 1;

impl Receipt {
    /// Returns what the answered pages cost.
    pub fn usd(&self) -> Money {
        Money::from_cents(i128::from(self.pages) * PAGE_PRICE_CENTS)
    }

    /// Returns what was paid at most, if every lost answer was charged.
    pub fn usd_at_most(&self) -> Money {
        Money::from_cents(i128::from(self.pages + self.unknown) * PAGE_PRICE_CENTS)
    }
}

impl Manifest {
    /// Tells whether any figure of the month is estimated.
    pub fn is_estimated(&self, month: Month) -> bool {
        self.bill.iter().any(|control| control.month == month && control.estimated)
    }

    /// Returns the months whose days are known whole: asked for and answered, or kept from an earlier snapshot.
    pub fn daily_months(&self) -> BTreeSet<Month> {
        let is_answered = |month: &Month| {
            !self.missing.iter().any(|missing| {
                matches!(missing.purpose, Purpose::Days { .. })
                    && missing.period.start < month.period().end
                    && month.period().start < missing.period.end
            })
        };
        let is_asked = |month: &Month| self.days.is_some_and(|asked| asked.contains(month.start()));
        let asked = self.months().into_iter().filter(is_asked).filter(is_answered);
        asked.chain(self.days_kept.iter().copied()).collect()
    }

    /// Returns the months of the scope.
    pub fn months(&self) -> Vec<Month> {
        self.scope.first.through(self.scope.last)
    }

    /// Returns the finest scale that a request's answer had, for a metric.
    pub fn scale(&self, request: u32, metric: Metric) -> Option<u32> {
        self.asked.iter().find(|asked| asked.number == request)?.scales[metric.index()]
    }

    /// Tells whether the cells of a place were asked for and never answered.
    pub fn is_missing(&self, month: Month, slice: &str, service: &str, record_type: &str) -> bool {
        self.missing.iter().any(|missing| {
            missing.period.contains(month.start())
                && matches!(&missing.purpose, Purpose::Cells { slice: s, service: v, record_type: r }
                    if s == slice && v == service && r == record_type)
        })
    }

    /// Tells whether another manifest is of the same organization, or of the same account without one.
    pub fn is_akin(&self, other: &Manifest) -> bool {
        self.caller == other.caller || (self.payer.is_some() && self.payer == other.payer)
    }

    /// Tells whether it is a member account that asked.
    pub fn is_member(&self) -> bool {
        self.payer.as_ref().is_some_and(|payer| *payer != self.caller)
    }
}
