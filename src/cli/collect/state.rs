//! Owns a bill while it is being collected: what each stage found, month by month.
//!
//! **Invariant:** a month is taken as a whole: from this run, or from an earlier snapshot whose controls still match.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;

use crate::metric::Amounts;
use crate::period::{Month, Period};
use crate::records::Records;
use crate::request::{Cell, Purpose, Scope};
use crate::snapshot::{Asked, BilledAccount, Control, Manifest, Missing, Snapshot, SpaceUser};

use super::ask::{Answer, Error, Row};

/// What was found so far.
#[derive(Default)]
pub struct State {
    /// The whole bill.
    pub bill: Vec<Control>,
    /// The slices' controls.
    pub controls: Vec<Control>,
    /// Who worked in which space.
    pub space_users: Vec<SpaceUser>,
    /// Which accounts were billed.
    pub billed_accounts: Vec<BilledAccount>,
    /// Frames of cells.
    pub cells: Vec<Records>,
    /// Frames of days.
    pub days: Vec<Records>,
    /// Answered requests.
    pub asked: Vec<Asked>,
    /// Requests that stayed unanswered.
    pub missing: Vec<Missing>,
    /// Names of accounts that came along.
    pub account_names: BTreeMap<String, String>,
}

/// Reads the answer to a question by service and record type.
pub fn controls(slice: &str, answer: &Answer) -> Vec<Control> {
    let mut sums: BTreeMap<(Month, String, String), (Amounts, bool)> = BTreeMap::new();
    for Row { start, estimated, keys, amounts } in &answer.rows {
        let key = (Month::of(*start), keys[0].clone(), keys[1].clone());
        // A group that goes on over a page is one group; Cost Explorer repeats none.
        let sum = sums.entry(key).or_insert((Amounts::ZERO, false));
        sum.0.add(amounts);
        sum.1 |= estimated;
    }
    sums.into_iter()
        .map(|((month, service, record_type), (amounts, estimated))| Control {
            slice: slice.to_owned(),
            month,
            service,
            record_type,
            amounts,
            estimated,
            request: answer.asked.number,
        })
        .collect()
}

impl State {
    /// Takes an answer of any stage after the bill; `months` are those whose detail is taken from this run.
    pub fn take(&mut self, mut answer: Answer) {
        for (id, name) in std::mem::take(&mut answer.account_names) {
            self.account_names.insert(id, name);
        }
        for month in answer.months_unanswered() {
            self.missing.push(Missing {
                purpose: answer.asked.purpose.clone(),
                period: month.period(),
                error: "the answer has nothing for this month".to_owned(),
            });
        }
        match &answer.asked.purpose {
            Purpose::Bill | Purpose::BillAgain => self.bill.extend(controls("", &answer)),
            Purpose::Control { slice } => self.controls.extend(controls(slice, &answer)),
            Purpose::SpaceUsers => {
                self.space_users.extend(answer.rows.iter().map(|row| SpaceUser {
                    month: Month::of(row.start),
                    space: row.keys[0].clone(),
                    user_profile: row.keys[1].clone(),
                    amounts: row.amounts,
                }));
            }
            Purpose::BilledAccounts => {
                self.billed_accounts.extend(answer.rows.iter().map(|row| BilledAccount {
                    month: Month::of(row.start),
                    account: row.keys[0].clone(),
                    record_type: row.keys[1].clone(),
                    amounts: row.amounts,
                }));
            }
            Purpose::Cells { .. } => self.cells.push(finish(&mut answer)),
            Purpose::Days { .. } => self.days.push(finish(&mut answer)),
            Purpose::Forecast | Purpose::Stake { .. } => {}
        }
        self.asked.push(answer.asked);
    }

    /// Takes what a request would have answered from the error that it met instead.
    pub fn lack(&mut self, purpose: Purpose, period: Period, error: &Error) {
        self.missing.push(Missing { purpose, period, error: describe(error) });
    }

    /// Forgets all detail and the controls of some months, before they are read once more.
    pub fn forget(&mut self, months: &BTreeSet<Month>) {
        self.bill.retain(|control| !months.contains(&control.month));
        self.controls.retain(|control| !months.contains(&control.month));
        self.space_users.retain(|row| !months.contains(&row.month));
        self.billed_accounts.retain(|row| !months.contains(&row.month));
        // What stays unanswered for any other month stays known.
        self.missing.retain(|missing| {
            let last = Month::of(missing.period.end).plus(-1);
            Month::of(missing.period.start).through(last).iter().any(|it| !months.contains(it))
        });
        self.cells = vec![without(&self.cells, months)];
        self.days = vec![without(&self.days, months)];
    }

    /// Adds what another reading found; no month may be in both.
    pub fn join(&mut self, other: State) {
        self.bill.extend(other.bill);
        self.controls.extend(other.controls);
        self.space_users.extend(other.space_users);
        self.billed_accounts.extend(other.billed_accounts);
        self.cells.extend(other.cells);
        self.days.extend(other.days);
        self.asked.extend(other.asked);
        self.missing.extend(other.missing);
        self.account_names.extend(other.account_names);
    }

    /// Drops every other month: a question over a range answers for those between, too.
    pub fn keep_only(&mut self, months: &BTreeSet<Month>) {
        self.controls.retain(|control| months.contains(&control.month));
        self.space_users.retain(|row| months.contains(&row.month));
        self.billed_accounts.retain(|row| months.contains(&row.month));
        self.missing.retain(|missing| {
            let last = Month::of(missing.period.end).plus(-1);
            Month::of(missing.period.start).through(last).iter().any(|it| months.contains(it))
        });
        self.cells = vec![within(&self.cells, months)];
        self.days = vec![within(&self.days, months)];
    }

    /// Takes the detail of some months from an earlier snapshot; their controls were found to be the same.
    pub fn reuse(&mut self, earlier: &Snapshot, months: &BTreeSet<Month>, days: Period) {
        let manifest = &earlier.manifest;
        let of = |month: &Month| months.contains(month);
        self.space_users.extend(manifest.space_users.iter().filter(|row| of(&row.month)).cloned());
        self.billed_accounts
            .extend(manifest.billed_accounts.iter().filter(|row| of(&row.month)).cloned());
        self.cells.extend(months.iter().map(|month| earlier.records.of_month(*month)));
        // Days that this collection is not about would contradict its manifest.
        let daily = months.iter().filter(|month| days.contains(month.start()));
        self.days.extend(daily.map(|month| earlier.days.of_month(*month)));
        self.cite(manifest);
    }

    /// Keeps the days of months that are not asked by day any more, and returns those months.
    ///
    /// What a month was charged by must not be forgotten when it is charged again; a month that was still open then
    /// is not known whole.
    pub fn keep_days(
        &mut self,
        earlier: &Snapshot,
        scope: &Scope,
        days: Period,
    ) -> BTreeSet<Month> {
        let manifest = &earlier.manifest;
        let taken = TimeZone::UTC.to_datetime(manifest.taken_at).date();
        let months: BTreeSet<Month> = manifest
            .daily_months()
            .into_iter()
            .filter(|month| scope.first <= *month && *month <= scope.last)
            .filter(|month| month.period().end <= taken && !days.contains(month.start()))
            .collect();
        self.days.extend(months.iter().map(|month| earlier.days.of_month(*month)));
        self.cite(manifest);
        months
    }

    /// Takes over the requests behind records that an earlier snapshot had.
    fn cite(&mut self, manifest: &Manifest) {
        let used: BTreeSet<u32> =
            self.cells.iter().chain(&self.days).flat_map(Records::requests).collect();
        let known: BTreeSet<u32> = self.asked.iter().map(|asked| asked.number).collect();
        let asked = manifest.asked.iter();
        let asked = asked
            .filter(|asked| used.contains(&asked.number) && !known.contains(&asked.number))
            .cloned();
        self.asked.extend(asked);
    }

    /// The cells that cost something in one of the months.
    pub fn found(&self, months: &BTreeSet<Month>) -> BTreeSet<Cell> {
        self.controls
            .iter()
            .filter(|control| months.contains(&control.month) && !control.amounts.is_zero())
            .map(|control| {
                let Control { slice, service, record_type, .. } = control;
                (slice.clone(), service.clone(), record_type.clone())
            })
            .collect()
    }

    /// Puts everything into its one order.
    pub fn sort(&mut self) {
        let key = |control: &Control| {
            (
                control.month,
                control.slice.clone(),
                control.service.clone(),
                control.record_type.clone(),
            )
        };
        self.bill.sort_by_cached_key(key);
        self.controls.sort_by_cached_key(key);
        self.space_users
            .sort_by_cached_key(|row| (row.month, row.space.clone(), row.user_profile.clone()));
        self.billed_accounts
            .sort_by_cached_key(|row| (row.month, row.account.clone(), row.record_type.clone()));
        self.asked.sort_by_key(|asked| asked.number);
        self.missing.sort_by_cached_key(|missing| (missing.purpose.clone(), missing.period));
    }
}

fn finish(answer: &mut Answer) -> Records {
    std::mem::take(&mut answer.records).finish()
}

fn within(frames: &[Records], months: &BTreeSet<Month>) -> Records {
    let all = Records::concat(frames);
    if all.months().iter().all(|month| months.contains(month)) {
        return all;
    }
    Records::concat(&months.iter().map(|month| all.of_month(*month)).collect::<Vec<_>>())
}

fn without(frames: &[Records], months: &BTreeSet<Month>) -> Records {
    let all = Records::concat(frames);
    let kept: BTreeSet<Month> =
        all.months().into_iter().filter(|month| !months.contains(month)).collect();
    Records::concat(&kept.iter().map(|month| all.of_month(*month)).collect::<Vec<_>>())
}

fn describe(error: &Error) -> String {
    use std::error::Error as _;
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// The months of an earlier snapshot whose bill and controls are the same, and whose detail is whole.
pub fn reusable(earlier: &Snapshot, scope: &Scope, state: &State) -> BTreeSet<Month> {
    let manifest = &earlier.manifest;
    // A month that did not add up then must be read again, though its controls are the same.
    let findings = crate::control::reconcile(manifest, earlier.records.iter());
    let failed: BTreeSet<Month> =
        findings.mismatches.iter().map(|mismatch| mismatch.place.month).collect();
    scope
        .first
        .through(scope.last)
        .into_iter()
        .filter(|month| {
            manifest.scope.first <= *month
                && *month <= manifest.scope.last
                && !manifest.moving.contains(month)
                && !failed.contains(month)
                && !manifest.missing.iter().any(|it| it.period.contains(month.start()))
                && same_bill(&manifest.bill, &state.bill, *month)
                && same_bill(&manifest.controls, &state.controls, *month)
        })
        .collect()
}

/// Tells whether two readings of a bill, or of its slices, say the same of a month.
pub fn same_bill(left: &[Control], right: &[Control], month: Month) -> bool {
    let of = |controls: &[Control]| {
        let mut rows: Vec<Control> = controls
            .iter()
            .filter(|control| control.month == month)
            .map(|control| Control { request: 0, ..control.clone() })
            .collect();
        rows.sort_by(|left, right| {
            (&left.slice, &left.service, &left.record_type).cmp(&(
                &right.slice,
                &right.service,
                &right.record_type,
            ))
        });
        rows
    };
    of(left) == of(right)
}
