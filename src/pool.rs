//! Owns pools: what is shared cost, and how the configuration wants it moved.
//!
//! **Invariant:** the first pool that selects a line takes it, so no line is in two pools.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::ledger::{Ledger, Line};
use crate::metric::Metric;
use crate::money::Money;
use crate::owner::{self, Owner};
use crate::selection::{Selection, Selector};
use crate::team::TeamName;
use crate::usage::{self, Component};
use crate::weight::WeightTable;

/// A pool of the configuration and its rule: a `[[pool]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pool {
    /// Its line in the configuration.
    #[serde(skip)]
    pub line: u64,
    /// The name, said in files and on pages.
    pub name: String,
    /// What kind of shared cost it holds.
    pub of: Kind,
    /// Narrows the kind to the lines that match.
    #[serde(default)]
    pub only: Selection,
    /// How it is split; absent with `into`.
    pub method: Option<Method>,
    /// The pool that it flows into as a whole.
    pub into: Option<String>,
    /// Over whom it is split; the kind's usual where not given.
    pub over: Option<Over>,
    /// The metric of proportional weights; the report's where not given.
    pub metric: Option<Metric>,
    /// Narrows the lines that proportional weights are summed from.
    #[serde(default)]
    pub by: Selection,
    /// Fixed shares in percent, by team.
    #[serde(default)]
    pub shares: BTreeMap<TeamName, Money>,
    /// The CSV of weights.
    pub file: Option<String>,
    /// What the CSV says.
    #[serde(skip)]
    pub weights: WeightTable,
    /// What becomes of it in a month in which nobody has any weight.
    #[serde(default)]
    pub without_weight: WithoutWeight,
}

/// What kind of shared cost a pool holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// What only a domain is known of, without its home file system.
    Domain,
    /// A domain's home file system.
    HomeEfs,
    /// Fees, untagged negations and the unused commitment of Savings Plans.
    SavingsPlan,
    /// Credits that nobody owns.
    Credit,
    /// Refunds that nobody owns.
    Refund,
    /// What else nobody owns.
    Unattributed,
    /// SageMaker's share of tax.
    Tax,
    /// SageMaker's share of support.
    Support,
    /// Nothing of its own: what other pools flow into.
    Pools,
}

/// How a pool is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The same for each.
    Even,
    /// By what each was billed.
    Proportional,
    /// By shares that the configuration states.
    Fixed,
    /// By weights of a file.
    Weights,
    /// By the days of the month on which each cost anything.
    ActiveDays,
    /// Not at all: it stays where it is.
    Keep,
}

/// Over whom a pool is split.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Teams as wholes.
    Teams,
    /// Every space, user profile, domain and tag that was billed in the month beside the pools.
    Owners,
    /// The users and shared spaces of the domain that the cost is of.
    Users,
}

/// What becomes of a pool in a month in which nobody has any weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutWeight {
    /// It stays where it is, and a note says so.
    #[default]
    Keep,
    /// It is split evenly, and a note says so.
    Even,
}

impl Kind {
    /// Tells what kind of shared cost a line is, by its owner, component and record type; none where it has an owner.
    pub fn of(owner: &Owner, component: Component, unspaced_record_type: &str) -> Option<Kind> {
        match owner {
            Owner::Domain(_) if component == Component::HomeEfs => Some(Kind::HomeEfs),
            Owner::Domain(_) => Some(Kind::Domain),
            Owner::Pool(owner::Pool::SavingsPlan) => Some(Kind::SavingsPlan),
            Owner::Unattributed => Some(match unspaced_record_type {
                "Credit" => Kind::Credit,
                "Refund" => Kind::Refund,
                _ => Kind::Unattributed,
            }),
            _ => None,
        }
    }

    /// Returns the pool that holds this kind from the start, by the name that it has without any rule.
    pub(crate) fn built_in(self) -> Option<owner::Pool> {
        match self {
            Kind::SavingsPlan => Some(owner::Pool::SavingsPlan),
            Kind::Tax => Some(owner::Pool::Tax),
            Kind::Support => Some(owner::Pool::Support),
            _ => None,
        }
    }

    /// Tells whether all of it is of domains.
    pub(crate) fn is_of_domain(self) -> bool {
        matches!(self, Kind::Domain | Kind::HomeEfs)
    }

    /// Tells whether it lies outside the scope.
    pub(crate) fn is_outside(self) -> bool {
        matches!(self, Kind::Tax | Kind::Support)
    }
}

impl Pool {
    /// Returns over whom it is split.
    pub fn over(&self) -> Over {
        let usual = if self.of.is_of_domain() { Over::Users } else { Over::Teams };
        self.over.unwrap_or(usual)
    }

    /// Returns who owns what flows into it.
    pub fn owner(&self) -> Owner {
        let built_in = self.of.built_in().filter(|it| it.name() == self.name);
        Owner::Pool(built_in.unwrap_or_else(|| owner::Pool::Named(self.name.clone())))
    }

    /// Returns the teams that its shares and its file name.
    pub fn teams(&self) -> impl Iterator<Item = &TeamName> {
        self.shares.keys().chain(self.weights.teams())
    }

    /// Tells whether it is split, and neither kept nor flows on as a whole.
    pub fn is_split(&self) -> bool {
        self.method.is_some_and(|it| it != Method::Keep)
    }
}

/// Returns the first of some pools that takes a line, by its place; each stands with its selection of the ledger.
pub fn of_line(pools: &[(&Pool, Selector)], ledger: &Ledger, line: &Line) -> Option<usize> {
    let owner = &ledger.bearer(line).owner;
    // Only what nobody owns is told apart by its record type.
    let record_type = match owner {
        Owner::Unattributed => usage::unspaced(ledger.names.text(line.record_type)),
        _ => String::new(),
    };
    let kind = Kind::of(owner, line.component, &record_type)?;
    pools.iter().position(|(pool, selector)| pool.of == kind && selector.takes(line))
}
