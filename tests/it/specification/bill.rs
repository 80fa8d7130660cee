//! Owns snapshots made of what an example bills: slices, controls and evidence as Cost Explorer would answer them.
//!
//! **Invariant:** which slice a record falls into is decided by the program's own filters, never by the test.

use std::collections::BTreeMap;

use apportion::charge::{self, Charges};
use apportion::inventory::Inventory;
use apportion::key::{self, KeyStatus};
use apportion::ledger::{self, Ledger};
use apportion::metric::{Amounts, Metric};
use apportion::money::Money;
use apportion::note::Note;
use apportion::notes;
use apportion::period::{Month, Period};
use apportion::query::Filter;
use apportion::records::{Builder, Record};
use apportion::report::Report;
use apportion::request::{REST, Slice, claiming_keys, is_in_scope, slices};
use apportion::snapshot::{BilledAccount, Control, Manifest, Snapshot, SpaceUser, VERSION};

use apportion::terms::Terms;
use jiff::civil::Date;

use super::notation::{ACCOUNT, TEAM};

/// When the snapshots of examples are taken.
pub(crate) const TAKEN_AT: &str = "2026-11-20T08:00:00Z";
/// The month of a record that names none.
pub(crate) const MONTH: &str = "2026-10";
/// The metric of reports about examples.
pub(crate) const METRIC: Metric = Metric::NetAmortizedCost;

/// What the bill says in one row of an example.
pub(crate) struct Entry {
    pub(crate) month: Month,
    /// The day, where the example is told by day.
    pub(crate) day: Option<Date>,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) account: String,
    pub(crate) service: String,
    pub(crate) record_type: String,
    pub(crate) usage_type: String,
    pub(crate) amounts: Amounts,
}

/// A posted snapshot.
pub(crate) struct Posted {
    pub(crate) snapshot: Snapshot,
    pub(crate) ledger: Ledger,
    pub(crate) terms: Terms,
}

/// The same amount in every metric.
pub(crate) fn alike(money: Money) -> Amounts {
    let mut amounts = Amounts::ZERO;
    for metric in Metric::ALL {
        amounts.put(metric, Some(money));
    }
    amounts
}

impl Entry {
    /// An untagged use of SageMaker.
    pub(crate) fn new(money: Money) -> Entry {
        Entry {
            month: Month::parse(MONTH).unwrap(),
            day: None,
            tags: BTreeMap::new(),
            account: ACCOUNT.to_owned(),
            service: "Amazon SageMaker".to_owned(),
            record_type: "Usage".to_owned(),
            usage_type: String::new(),
            amounts: alike(money),
        }
    }

    /// Whether a filter lets the entry through: an empty value of a tag is none.
    fn passes(&self, filter: &Filter) -> bool {
        match filter {
            Filter::And(filters) => filters.iter().all(|filter| self.passes(filter)),
            Filter::Or(filters) => filters.iter().any(|filter| self.passes(filter)),
            Filter::Not(filter) => !self.passes(filter),
            Filter::TagAbsent { key } => self.tags.get(key).is_none_or(String::is_empty),
            Filter::Tag { key, values } => {
                self.tags.get(key).is_some_and(|value| values.contains(value))
            }
            Filter::Dimension { key, values } => {
                assert_eq!(key, "SERVICE", "slices leave out by service and tag alone");
                values.contains(&self.service)
            }
        }
    }

    /// The one slice that the entry falls into; none for what is outside the scope.
    ///
    /// Cost Explorer leaves tax out of whatever has such a filter.
    fn slice<'s>(&self, slices: &'s [Slice]) -> Option<&'s str> {
        let is_tax = self.record_type == "Tax" || self.service == "Tax";
        let mut found = slices.iter().filter(|slice| !is_tax && self.passes(&slice.filter));
        let slice = found.next();
        assert!(found.next().is_none(), "slices are disjoint");
        slice.map(|slice| slice.name.as_str())
    }
}

/// A manifest without figures.
pub(crate) fn manifest(first: Month, last: Month) -> Manifest {
    let empty: [(); 0] = [];
    let manifest = serde_json::json!({
        "version": VERSION, "id": "example", "taken_at": TAKEN_AT, "program": "",
        "caller": ACCOUNT, "payer": null, "billing_view": null,
        "scope": { "first": first, "last": last, "keys": empty, "services": empty },
        "configured_keys": [TEAM], "key_statuses": null, "backfills": null, "currency": "USD",
        "bill": empty, "controls": empty, "space_users": empty, "billed_accounts": empty,
        "days": null, "asked": empty, "segments": empty, "inventory_sha256": "",
        "budgets": empty, "forecasts": empty, "missing": empty, "moving": empty,
        "quote": { "least": 0, "expected": 0 },
        "receipt": { "requests": 0, "pages": 0, "failed": 0, "unknown": 0 }, "notes": empty,
    });
    serde_json::from_value(manifest).unwrap()
}

/// The usage type that marks an entry's line, so that it is found again.
pub(crate) fn marked(usage_type: &str, index: usize) -> String {
    format!("{usage_type}#{index}")
}

fn add(controls: &mut Vec<Control>, slice: &str, entry: &Entry) {
    let same = controls.iter_mut().find(|it| {
        (it.month, it.slice.as_str(), &it.service, &it.record_type)
            == (entry.month, slice, &entry.service, &entry.record_type)
    });
    match same {
        Some(control) => control.amounts.add(&entry.amounts),
        None => controls.push(Control {
            slice: slice.to_owned(),
            month: entry.month,
            service: entry.service.clone(),
            record_type: entry.record_type.clone(),
            amounts: entry.amounts,
            estimated: false,
            request: 0,
        }),
    }
}

/// What stands beside the bill.
#[derive(Default)]
pub(crate) struct Setting {
    pub(crate) inventory: Inventory,
    pub(crate) statuses: Option<Vec<KeyStatus>>,
    pub(crate) terms: Terms,
}

/// Bills entries: records, controls and evidence, then the ledger.
pub(crate) fn post(entries: &[Entry], setting: Setting) -> Posted {
    let months: Vec<Month> = entries.iter().map(|entry| entry.month).collect();
    let (first, last) = (*months.iter().min().unwrap(), *months.iter().max().unwrap());
    let mut manifest = manifest(first, last);
    manifest.scope.keys = claiming_keys(&manifest.configured_keys, setting.statuses.as_deref());
    manifest.key_statuses = setting.statuses;
    if entries.iter().any(|entry| entry.day.is_some()) {
        manifest.days = Some(Period::of_months(first, last));
    }
    for entry in entries.iter().filter(|entry| is_in_scope(&entry.service)) {
        if !manifest.scope.services.contains(&entry.service) {
            manifest.scope.services.push(entry.service.clone());
        }
    }
    let slices = slices(&manifest.scope);
    let (mut cells, mut days) = (Builder::default(), Builder::default());
    for (index, entry) in entries.iter().enumerate() {
        add(&mut manifest.bill, "", entry);
        let Some(slice) = entry.slice(&slices) else { continue };
        add(&mut manifest.controls, slice, entry);
        let get = |key: &str| entry.tags.get(key).cloned().unwrap_or_default();
        if slice == key::SPACE {
            manifest.space_users.push(SpaceUser {
                month: entry.month,
                space: get(key::SPACE),
                user_profile: get(key::USER_PROFILE),
                amounts: entry.amounts,
            });
        }
        manifest.billed_accounts.push(BilledAccount {
            month: entry.month,
            account: entry.account.clone(),
            record_type: entry.record_type.clone(),
            amounts: entry.amounts,
        });
        let cell = Record {
            start: entry.month.start(),
            slice: slice.to_owned(),
            value: if slice == REST { String::new() } else { get(slice) },
            account: (slice == REST).then(|| entry.account.clone()),
            service: entry.service.clone(),
            record_type: entry.record_type.clone(),
            usage_type: marked(&entry.usage_type, index),
            amounts: entry.amounts,
            usage: None,
            usage_unit: None,
            estimated: false,
            request: 0,
            page: 1,
        };
        cells.push(&cell);
        if let Some(day) = entry.day {
            days.push(&Record { start: day, usage_type: String::new(), ..cell });
        }
    }
    let (records, days, inventory) = (cells.finish(), days.finish(), setting.inventory);
    let snapshot = Snapshot { manifest, records, days, inventory };
    let posted = Posted::of(snapshot, setting.terms);
    assert_eq!(posted.ledger.findings, apportion::control::Findings::default());
    posted
}

impl Posted {
    /// Posts a snapshot.
    pub(crate) fn of(snapshot: Snapshot, terms: Terms) -> Posted {
        Posted { ledger: ledger::post(&snapshot), snapshot, terms }
    }

    /// Who is charged what.
    pub(crate) fn charges(&self) -> Charges<'_> {
        charge::charge(&self.snapshot, &self.ledger, &self.terms, METRIC)
    }

    /// The report of a month.
    pub(crate) fn report<'a>(&'a self, charges: &'a Charges<'a>, month: Month) -> Report<'a> {
        let Posted { snapshot, ledger, terms } = self;
        Report { snapshot, ledger, charges, terms, month, metric: METRIC }
    }

    /// The last month.
    pub(crate) fn last(&self) -> Month {
        self.snapshot.manifest.scope.last
    }

    /// The notes of the last month.
    pub(crate) fn notes(&self) -> Vec<Note> {
        notes::of(&self.report(&self.charges(), self.last()))
    }
}
