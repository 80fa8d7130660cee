//! Owns the ledger: `post` turns what the bill said into lines with an owner, a cause and a reason.
//!
//! **Invariant:** the lines of a month sum to its control total in every metric that was delivered.

use std::collections::{BTreeMap, BTreeSet};

use crate::bearer::{Bearer, Doubt, Register};
use crate::control::{self, Findings, Mismatch, Place, Residual};
use crate::key;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
pub use crate::name::Names;
use crate::owner::{Owner, Pool};
use crate::period::Month;
use crate::request::REST;
use crate::snapshot::{Manifest, Snapshot};
use crate::usage::{self, Component};

/// Who bears what: lines, and the names that they refer to.
#[derive(Clone, Debug)]
pub struct Ledger {
    /// Owners; a line names one by its place.
    pub bearers: Vec<Bearer>,
    /// Services, record types, usage types, units and accounts; a line names each by its place.
    pub names: Names,
    /// The lines, sorted by month, owner, service, usage type and record type.
    pub lines: Vec<Line>,
    /// How the sums compare with their controls.
    pub findings: Findings,
    /// What was doubtful about tag values.
    pub doubts: BTreeSet<Doubt>,
}

/// One cost of one owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The month.
    pub month: Month,
    /// The owner's place in [`Ledger::bearers`].
    pub bearer: usize,
    /// The account that was billed, where it was asked by account.
    pub billed_account: Option<u32>,
    /// The service.
    pub service: u32,
    /// The component of SageMaker.
    pub component: Component,
    /// The usage type.
    pub usage_type: u32,
    /// The record type.
    pub record_type: u32,
    /// Where the line comes from.
    pub cause: Cause,
    /// Why it has no owner, or no closer one.
    pub reason: Option<Reason>,
    /// The usage in 10⁻¹² of its unit, where it was delivered.
    pub usage: Option<i128>,
    /// The usage's unit.
    pub usage_unit: Option<u32>,
    /// The amounts.
    pub amounts: Amounts,
    /// Whether AWS called them estimated.
    pub estimated: bool,
}

/// Where a line comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// What AWS billed, as answered on a page of a request.
    Billed {
        /// The request's number in the manifest.
        request: u32,
        /// The page, from 1.
        page: u32,
    },
    /// What a control has beyond its parts.
    Residual,
}

/// Why a line has no owner, or no closer one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// A claiming key shows nothing in that month, and does in another.
    KeyInactive,
    /// The record type carries no tag anywhere in the collected months.
    RecordTypeUntagged,
    /// The service carries no tag anywhere in the collected months.
    ServiceUntagged,
    /// The tag's value is not an ARN of its key's kind.
    NotAnArn,
    /// None of the claiming keys is on the line.
    NoTag,
    /// The request that would tell stayed unanswered.
    NotRead,
    /// Rounding, or a difference that the findings name.
    Residual,
}

impl Line {
    /// Tells whether the line stands for a difference that the findings name, or for rounding.
    pub fn is_residual(&self) -> bool {
        self.cause == Cause::Residual && self.reason == Some(Reason::Residual)
    }
}

impl Reason {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Reason::KeyInactive => "key_inactive",
            Reason::RecordTypeUntagged => "record_type_untagged",
            Reason::ServiceUntagged => "service_untagged",
            Reason::NotAnArn => "not_an_arn",
            Reason::NoTag => "no_tag",
            Reason::NotRead => "not_read",
            Reason::Residual => "residual",
        }
    }

    /// Returns the words for people.
    pub fn title(self) -> &'static str {
        match self {
            Reason::KeyInactive => "tag key not active in that month",
            Reason::RecordTypeUntagged => "record type that carries no tag",
            Reason::ServiceUntagged => "service that carries no tag",
            Reason::NotAnArn => "tag value is not an ARN of its kind",
            Reason::NoTag => "no tag",
            Reason::NotRead => "not read: a request stayed unanswered",
            Reason::Residual => "difference from the control",
        }
    }
}

impl std::fmt::Display for Cause {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Cause::Billed { request, page } => {
                write!(formatter, "billed: request {request} page {page}")
            }
            Cause::Residual => formatter.write_str("billed: residual"),
        }
    }
}

/// Posts a snapshot: every record becomes a line, and every residual one of its own.
pub fn post(snapshot: &Snapshot) -> Ledger {
    let manifest = &snapshot.manifest;
    let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
    let mut bearers: Vec<Bearer> = Vec::new();
    let mut places: BTreeMap<Owner, usize> = BTreeMap::new();
    let mut place_of = |bearer: Bearer| {
        *places.entry(bearer.owner.clone()).or_insert_with(|| {
            bearers.push(bearer);
            bearers.len() - 1
        })
    };
    let (nobody, _) = register.resolve(REST, "");
    let nobody_place = place_of(nobody.clone());
    let pool_place = place_of(Bearer { owner: Owner::Pool(Pool::SavingsPlan), ..nobody });
    let mut doubts = BTreeSet::new();
    let mut owners = Vec::new();
    for (slice, value) in snapshot.records.distinct_values() {
        let (bearer, doubt) = register.resolve(&slice, &value);
        doubts.extend(doubt);
        let place = u32::try_from(place_of(bearer)).expect("fewer than 2³² owners");
        owners.push(((slice, value), place));
    }
    let reasons = Reasons::new(manifest);
    let mut names = Names::default();
    let mut lines = Vec::with_capacity(snapshot.records.count());
    for (place, record) in snapshot.records.owned(&owners) {
        let month = Month::of(record.start);
        let place = usize::try_from(place).expect("an owner's number is a place");
        let is_pool = record.slice == REST && is_savings_plan(&record.service, &record.record_type);
        let place = if is_pool { pool_place } else { place };
        let cell = (record.service.as_str(), record.record_type.as_str());
        lines.push(Line {
            month,
            bearer: place,
            billed_account: record.account.as_deref().map(|account| names.number(account)),
            service: names.number(&record.service),
            component: Component::of(&record.service, &record.record_type, &record.usage_type),
            usage_type: names.number(&record.usage_type),
            record_type: names.number(&record.record_type),
            cause: Cause::Billed { request: record.request, page: record.page },
            reason: reasons.of(month, &record.slice, cell, place == nobody_place, is_pool),
            usage: record.usage,
            usage_unit: record.usage_unit.as_deref().map(|unit| names.number(unit)),
            amounts: record.amounts,
            estimated: record.estimated,
        });
    }
    let findings = control::reconcile(manifest, snapshot.records.iter());
    lines.extend(
        findings.residuals.iter().map(|residual| residual_line(residual, nobody_place, &mut names)),
    );
    // A share of these may be charged, and a charge names them like a line.
    for control in manifest.bill.iter().filter(|it| control::is_tax(it) || control::is_support(it))
    {
        names.number(&control.service);
        names.number(&control.record_type);
    }
    let mut ledger = Ledger { bearers, names, lines, findings, doubts };
    ledger.sort();
    let wrong: Vec<Mismatch> =
        manifest.months().into_iter().flat_map(|month| ledger.off(manifest, month)).collect();
    ledger.findings.mismatches.extend(wrong);
    ledger
}

/// A line for what a control has beyond its parts.
fn residual_line(residual: &Residual, bearer: usize, names: &mut Names) -> Line {
    let place = &residual.place;
    Line {
        month: place.month,
        bearer,
        billed_account: None,
        service: names.number(&place.service),
        component: Component::of(&place.service, &place.record_type, ""),
        usage_type: names.number(""),
        record_type: names.number(&place.record_type),
        cause: Cause::Residual,
        reason: Some(if residual.is_missing { Reason::NotRead } else { Reason::Residual }),
        usage: None,
        usage_unit: None,
        amounts: residual.amounts,
        estimated: residual.estimated,
    }
}

impl Ledger {
    fn sort(&mut self) {
        let mut order: Vec<usize> = (0..self.bearers.len()).collect();
        order.sort_by(|left, right| self.bearers[*left].owner.cmp(&self.bearers[*right].owner));
        let mut rank = vec![0; order.len()];
        for (position, place) in order.iter().enumerate() {
            rank[*place] = position;
        }
        self.bearers = order.iter().map(|place| self.bearers[*place].clone()).collect();
        for line in &mut self.lines {
            line.bearer = rank[line.bearer];
        }
        let names = &self.names;
        self.lines.sort_by(|left, right| {
            let text = |number: u32| names.text(number);
            let key = |line: &Line| (line.month, line.bearer);
            key(left)
                .cmp(&key(right))
                .then_with(|| text(left.service).cmp(text(right.service)))
                .then_with(|| text(left.usage_type).cmp(text(right.usage_type)))
                .then_with(|| text(left.record_type).cmp(text(right.record_type)))
                .then_with(|| left.billed_account.map(text).cmp(&right.billed_account.map(text)))
                .then_with(|| left.cause.cmp(&right.cause))
        });
    }

    /// Returns the lines of one month.
    pub fn of_month(&self, month: Month) -> &[Line] {
        let start = self.lines.partition_point(|line| line.month < month);
        let end = self.lines.partition_point(|line| line.month <= month);
        &self.lines[start..end]
    }

    /// Returns the sum of a month's lines.
    pub fn total(&self, month: Month) -> Amounts {
        self.of_month(month).iter().map(|line| &line.amounts).sum()
    }

    /// The last proof: the lines, residuals included, against the scope's control total.
    fn off(&self, manifest: &Manifest, month: Month) -> Vec<Mismatch> {
        let (lines, controls) = (self.total(month), control::scope_total(manifest, month));
        let place = Place {
            month,
            slice: control::WHOLE_SCOPE.to_owned(),
            service: "every service".to_owned(),
            record_type: "every record type".to_owned(),
        };
        let both = Metric::ALL
            .into_iter()
            .filter_map(|metric| Some((metric, controls.get(metric)?, lines.get(metric)?)));
        both.filter(|(_, control, sum)| control != sum)
            .map(|(metric, control, sum)| {
                let (place, tolerance) = (place.clone(), Money::ZERO);
                Mismatch { place, metric, control, sum, tolerance }
            })
            .collect()
    }

    /// Returns the owner of a line.
    pub fn bearer(&self, line: &Line) -> &Bearer {
        &self.bearers[line.bearer]
    }
}

/// Rule A5: what a Savings Plan costs and negates, where no tag claims it.
fn is_savings_plan(service: &str, record_type: &str) -> bool {
    let record_type = usage::unspaced(record_type);
    service.starts_with("Savings Plans")
        || ["SavingsPlanNegation", "SavingsPlanRecurringFee", "SavingsPlanUpfrontFee"]
            .contains(&record_type.as_str())
}

/// What the controls prove about tags: in which months a key shows, and which services and record types carry any.
struct Reasons {
    present: BTreeMap<String, BTreeSet<Month>>,
    tagged_cells: BTreeSet<(String, String)>,
    tagged_services: BTreeSet<String>,
    none_active: bool,
}

impl Reasons {
    fn new(manifest: &Manifest) -> Reasons {
        let mut present: BTreeMap<String, BTreeSet<Month>> = BTreeMap::new();
        let mut tagged_cells = BTreeSet::new();
        let mut tagged_services = BTreeSet::new();
        let tagged = manifest.controls.iter().filter(|control| control.slice != REST);
        for control in tagged.filter(|control| !control.amounts.is_zero()) {
            present.entry(control.slice.clone()).or_default().insert(control.month);
            tagged_cells.insert((control.service.clone(), control.record_type.clone()));
            tagged_services.insert(control.service.clone());
        }
        for row in manifest.space_users.iter().filter(|row| !row.user_profile.is_empty()) {
            present.entry(key::USER_PROFILE.to_owned()).or_default().insert(row.month);
        }
        let none_active = manifest
            .key_statuses
            .as_ref()
            .is_some_and(|statuses| statuses.iter().all(|status| status.active == Some(false)));
        Reasons { present, tagged_cells, tagged_services, none_active }
    }

    /// Whether a key shows in some month and not in this one.
    fn is_inactive(&self, key: &str, month: Month) -> bool {
        self.present.get(key).is_some_and(|months| !months.contains(&month))
    }

    fn of(
        &self,
        month: Month,
        slice: &str,
        (service, record_type): (&str, &str),
        is_nobody: bool,
        is_pool: bool,
    ) -> Option<Reason> {
        if is_pool {
            return None;
        }
        if slice == key::DOMAIN {
            let closer = [key::SPACE, key::USER_PROFILE];
            let inactive = closer.iter().any(|key| self.is_inactive(key, month));
            return if is_nobody {
                Some(Reason::NotAnArn)
            } else {
                inactive.then_some(Reason::KeyInactive)
            };
        }
        if !is_nobody {
            return None;
        }
        if slice != REST {
            return Some(Reason::NotAnArn);
        }
        let shows_now = self.present.values().any(|months| months.contains(&month));
        let shows_or_cannot = !self.present.is_empty() || self.none_active;
        let cell = (service.to_owned(), record_type.to_owned());
        Some(if !shows_now && shows_or_cannot {
            Reason::KeyInactive
        } else if !self.tagged_services.contains(service) {
            Reason::ServiceUntagged
        } else if !self.tagged_cells.contains(&cell) {
            Reason::RecordTypeUntagged
        } else {
            Reason::NoTag
        })
    }
}
