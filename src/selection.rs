//! Owns selections: which lines a pool narrows its kind to, or sums its weights from.
//!
//! **Invariant:** every pattern that is given must match, and what a line does not have matches nothing.

use serde::Deserialize;

use crate::ledger::{Ledger, Line, Reason};
use crate::pattern::Pattern;
use crate::usage::{self, Component};

/// Patterns that a line must match, each where it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// The owner's domain, by id or name.
    pub domain: Option<Pattern>,
    /// The billed account, or the owner's.
    pub account: Option<Pattern>,
    /// The service.
    pub service: Option<Pattern>,
    /// The component's name in files.
    pub component: Option<Pattern>,
    /// The usage type.
    pub usage_type: Option<Pattern>,
    /// The record type, with or without spaces.
    pub record_type: Option<Pattern>,
    /// The reason's name in files.
    pub reason: Option<Pattern>,
}

/// A selection over a ledger: each name and owner is matched once, not once a line.
pub struct Selector {
    domains: Option<Vec<bool>>,
    /// By owner, and by the account that was billed.
    accounts: Option<(Vec<bool>, Vec<bool>)>,
    services: Option<Vec<bool>>,
    component: Option<Pattern>,
    usage_types: Option<Vec<bool>>,
    record_types: Option<Vec<bool>>,
    reason: Option<Pattern>,
}

impl Selection {
    /// Tells whether it selects everything.
    pub fn is_empty(&self) -> bool {
        *self == Selection::default()
    }

    /// Tells whether it asks for what only a line of an owner or of a usage type has.
    pub fn is_about_lines(&self) -> bool {
        let others = Selection {
            service: self.service.clone(),
            record_type: self.record_type.clone(),
            ..Selection::default()
        };
        *self != others
    }
}

impl Selector {
    /// Matches a selection against the names and owners of a ledger.
    pub fn new(selection: &Selection, ledger: &Ledger) -> Selector {
        let names = |pattern: &Option<Pattern>| {
            let matches = |pattern: &Pattern| {
                let is_match = |text: &str| pattern.matches(text);
                ledger.names.texts().map(is_match).collect::<Vec<bool>>()
            };
            pattern.as_ref().map(matches)
        };
        let record_types = selection.record_type.as_ref().map(|pattern| {
            let is_match =
                |text: &str| pattern.matches(text) || pattern.matches(&usage::unspaced(text));
            ledger.names.texts().map(is_match).collect()
        });
        let domains = selection.domain.as_ref().map(|pattern| {
            let bearers = ledger.bearers.iter().map(|bearer| {
                let id = bearer.owner.domain().map(|domain| domain.id.as_str());
                [id, bearer.domain_name.as_deref()]
                    .into_iter()
                    .flatten()
                    .any(|it| pattern.matches(it))
            });
            bearers.collect()
        });
        let accounts = selection.account.as_ref().map(|pattern| {
            let bearers = ledger.bearers.iter().map(|bearer| {
                bearer.owner.domain().is_some_and(|it| pattern.matches(it.account.as_str()))
            });
            (bearers.collect(), names(&selection.account).expect("the pattern is given"))
        });
        Selector {
            domains,
            accounts,
            services: names(&selection.service),
            component: selection.component.clone(),
            usage_types: names(&selection.usage_type),
            record_types,
            reason: selection.reason.clone(),
        }
    }

    /// Tells whether a line is selected.
    pub fn takes(&self, line: &Line) -> bool {
        let is_of_account = self.accounts.as_ref().is_none_or(|(owners, billed)| {
            owners[line.bearer] || line.billed_account.is_some_and(|it| billed[place(it)])
        });
        is_of_account
            && self.domains.as_ref().is_none_or(|bearers| bearers[line.bearer])
            && self.usage_types.as_ref().is_none_or(|names| names[place(line.usage_type)])
            && self.takes_names(line.service, line.record_type)
            && self.component.as_ref().is_none_or(|it| is_component(it, line.component))
            && self.reason.as_ref().is_none_or(|it| {
                line.reason.map(Reason::name).is_some_and(|reason| it.matches(reason))
            })
    }

    /// Tells whether a service and a record type are selected.
    pub fn takes_names(&self, service: u32, record_type: u32) -> bool {
        self.services.as_ref().is_none_or(|names| names[place(service)])
            && self.record_types.as_ref().is_none_or(|names| names[place(record_type)])
    }
}

fn is_component(pattern: &Pattern, component: Component) -> bool {
    pattern.matches(component.name())
}

fn place(number: u32) -> usize {
    usize::try_from(number).expect("a name's number is a place")
}
