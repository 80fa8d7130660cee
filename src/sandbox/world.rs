//! Owns the state of the imitation: the clock, the organisation, its bill, what it counts and how it misbehaves.
//!
//! **Invariant:** the clock moves by hand only.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::bill::Bill;
use super::ce::Pages;
use super::faults::Faults;
use super::index::Index;
use super::organisation::{Backfill, Organisation};
use super::past::Past;
use crate::period::Month;

/// Everything the imitation knows.
#[derive(Debug)]
pub struct World {
    /// The present.
    pub now: Timestamp,
    /// What exists.
    pub organisation: Organisation,
    /// What it costs.
    pub bill: Bill,
    /// Which of AWS's possible behaviours it has.
    pub variants: Variants,
    /// What goes wrong.
    pub faults: Faults,
    /// What was asked.
    pub counts: Counts,
    /// What was changed in AWS Budgets, oldest first; what was refused is not in it, and what was lost is.
    pub changes: Vec<Change>,
    /// What was changed in IAM, oldest first; what was refused is not in it, and what was lost is.
    pub iam_changes: Vec<IamChange>,
    /// What was published to SNS topics, oldest first.
    pub messages: Vec<Message>,
    pub(super) pages: Pages,
    pub(super) index: Index,
    pub(super) past: Past,
}

/// A world that the server and its callers share.
pub type Shared = Arc<Mutex<World>>;

/// Behaviours that differ between real organisations, or that nobody has documented.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent choice in a TOML table")]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Variants {
    /// Negations bear the tags of the usage that they offset.
    pub negation_tagged: bool,
    /// The account that is billed for the Savings Plan; the payer when empty.
    pub fee_account: String,
    /// The Savings Plan was paid upfront, more than a year ago.
    pub all_upfront: bool,
    /// A negotiated discount in percent; zero for none.
    pub discount_percent: u8,
    /// Discount records bear the tags of the usage that they lower.
    pub discounts_tagged: bool,
    /// Credits bear the tags of a domain.
    pub credits_tagged: bool,
    /// The volumes of shared spaces bear tags.
    pub shared_volumes_tagged: bool,
    /// Hours that the bill lags behind the clock.
    pub lag_hours: u8,
    /// Days into a month for which the month before is still estimated.
    pub estimated_days: u8,
    /// Groups on one page of Cost Explorer.
    pub page_groups: u32,
    /// Unknown keys alone fail their entries (200 with `Errors`) and not the whole call.
    pub unknown_keys_partial: bool,
    /// An unknown key among known ones fails the whole call and not its entry.
    pub mixed_keys_refused: bool,
    /// Hours until a key that a visible charge bears is listed.
    pub listing_hours: u8,
    /// Hours until a key's change of status shows in the bill.
    pub activation_hours: u8,
    /// How many keys may be active at once.
    pub active_keys_max: u32,
    /// One active key too many is a `LimitExceededException`, as throttling is, and no `ServiceQuotaExceededException`.
    pub quota_as_throttle: bool,
    /// Hours after its end until a backfill shows in Cost Explorer.
    pub backfill_lag_hours: u8,
    /// Backfills end as `FAILED`, without effect.
    pub backfill_fails: bool,
    /// Without a change of status a backfill is skipped even when it reaches further back than the last one.
    pub backfill_skips_further: bool,
    /// Cost Explorer answers for an inactive key as if it had never been active.
    pub inactive_keys_hidden: bool,
    /// SageMaker refuses to change or to remove its own tags (`sagemaker:…-arn`) once they are there.
    pub own_tags_fixed: bool,
    /// Seconds by which the tagging API is behind the tags.
    pub tag_lag_seconds: u32,
    /// How many notifications a budget may have, at most ten.
    pub budget_notifications_max: u8,
    /// Budgets refuses a tag leaf with `ABSENT`.
    pub budget_absent_refused: bool,
    /// Limits that were planned for past periods are still told.
    pub planned_past_kept: bool,
    /// Budgets counts a tag leaf without `user:` as if it had it.
    pub budget_prefix_optional: bool,
    /// Budgets takes `UNBLENDED_COST` for `UnblendedCost`.
    pub budget_metrics_upper: bool,
    /// Items on one page of IAM.
    pub iam_page_items: u32,
    /// How many managed policies may be attached to a role.
    pub iam_attached_max: u8,
    /// The first two domains of an account and region have one execution role.
    pub shared_role: bool,
}

impl Default for Variants {
    fn default() -> Variants {
        Variants {
            negation_tagged: false,
            fee_account: String::new(),
            all_upfront: false,
            discount_percent: 0,
            discounts_tagged: false,
            credits_tagged: false,
            shared_volumes_tagged: true,
            lag_hours: 8,
            estimated_days: 5,
            page_groups: 5000,
            unknown_keys_partial: false,
            mixed_keys_refused: false,
            listing_hours: 24,
            activation_hours: 24,
            active_keys_max: 500,
            quota_as_throttle: true,
            backfill_lag_hours: 24,
            backfill_fails: false,
            backfill_skips_further: false,
            inactive_keys_hidden: false,
            own_tags_fixed: false,
            tag_lag_seconds: 0,
            budget_notifications_max: 10,
            budget_absent_refused: false,
            planned_past_kept: false,
            budget_prefix_optional: false,
            budget_metrics_upper: false,
            iam_page_items: 100,
            iam_attached_max: 20,
            shared_role: false,
        }
    }
}

/// How often the imitation was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Cost Explorer answers that AWS charges $0.01 for, lost ones included.
    pub paid: u64,
    /// Attempts of any kind that reached a service, refused ones included.
    pub attempts: u64,
    /// Answers that were computed and then lost on the wire.
    pub lost: u64,
    /// Attempts by `service:Operation`.
    pub by_operation: BTreeMap<String, u64>,
}

/// A change of AWS Budgets that took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// `CreateBudget`, `UpdateNotification` …
    pub operation: String,
    /// The budget's name.
    pub budget: String,
    /// The request.
    pub body: Value,
}

/// A change of IAM that took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IamChange {
    /// `CreatePolicy`, `AttachRolePolicy` …
    pub operation: String,
    /// The account.
    pub account: String,
    /// The policy's ARN.
    pub policy: String,
    /// The role's name, where there is one.
    pub role: Option<String>,
    /// The members of the request.
    pub body: Value,
}

/// A message that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// The topic's ARN.
    pub topic: String,
    /// The subject, where there is one.
    pub subject: Option<String>,
    /// The text.
    pub body: String,
}

impl World {
    /// Makes a world without faults.
    pub fn new(
        now: Timestamp,
        organisation: Organisation,
        bill: Bill,
        variants: Variants,
    ) -> World {
        World {
            now,
            organisation,
            bill,
            variants,
            faults: Faults::default(),
            counts: Counts::default(),
            changes: Vec::new(),
            iam_changes: Vec::new(),
            messages: Vec::new(),
            pages: Pages::default(),
            index: Index::default(),
            past: Past::default(),
        }
    }

    /// Wraps the world for sharing.
    pub fn share(self) -> Shared {
        Arc::new(Mutex::new(self))
    }

    /// Returns the current day in UTC.
    pub fn today(&self) -> Date {
        TimeZone::UTC.to_datetime(self.now).date()
    }

    /// Returns the first day that the bill does not show yet.
    pub fn visible_end(&self) -> Date {
        self.visible_end_at(self.now)
    }

    /// Returns the first day that the bill did not show yet at some moment.
    pub fn visible_end_at(&self, at: Timestamp) -> Date {
        let then = at - i64::from(self.variants.lag_hours).hours();
        TimeZone::UTC.to_datetime(then).date()
    }

    /// Tells whether the figures of a day may still change.
    pub fn is_estimated(&self, day: Date) -> bool {
        let today = self.today();
        let open = Month::of(today);
        let early = today.day() <= i8::try_from(self.variants.estimated_days).unwrap_or(i8::MAX);
        Month::of(day) >= if early { open.plus(-1) } else { open }
    }

    /// Tells whether a tag on a resource shows in the bill of that day.
    pub fn is_active(&self, key: &str, day: Date) -> bool {
        let Organisation { tag_keys, backfills, .. } = &self.organisation;
        let Some(key) = tag_keys.iter().find(|it| it.key == key) else { return false };
        if self.variants.inactive_keys_hidden && !key.status_on(self.today()) {
            return false;
        }
        let lag = i64::from(self.variants.backfill_lag_hours).hours();
        let shows = |it: &&Backfill| {
            !it.failed && it.completed_at.is_some_and(|completed_at| completed_at + lag <= self.now)
        };
        key.active_on(day, backfills.iter().filter(shows))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: &str) -> World {
        World::new(
            now.parse().unwrap(),
            Organisation::default(),
            Bill::default(),
            Variants::default(),
        )
    }

    #[test]
    fn the_bill_lags_behind_the_clock() {
        assert_eq!(at("2026-11-22T16:00:00Z").visible_end().to_string(), "2026-11-22");
        assert_eq!(at("2026-11-22T04:00:00Z").visible_end().to_string(), "2026-11-21");
    }

    #[test]
    fn the_open_month_is_estimated_and_the_last_one_for_a_few_days() {
        let october = jiff::civil::date(2026, 10, 31);
        assert!(at("2026-11-05T16:00:00Z").is_estimated(october));
        assert!(!at("2026-11-06T16:00:00Z").is_estimated(october));
        assert!(at("2026-11-22T16:00:00Z").is_estimated(jiff::civil::date(2026, 11, 1)));
    }
}
