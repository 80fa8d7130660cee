//! Owns pools: what is shared cost, and how the configuration wants it moved.
//!
//! **Invariant:** the first pool that selects a line takes it, so no line is in two pools.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::metric::Metric;
use crate::money::Money;
use crate::team::TeamName;

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
    /// Every space, user profile, domain and tag that was billed in the month.
    Owners,
    /// The user profiles and spaces of the domain that the cost is of.
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

/// Patterns that a line must match, each where it is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Selection {
    /// The owner's domain, by id or name.
    pub domain: Option<String>,
    /// The billed account, or the owner's.
    pub account: Option<String>,
    /// The service.
    pub service: Option<String>,
    /// The component's name in files.
    pub component: Option<String>,
    /// The usage type.
    pub usage_type: Option<String>,
    /// The record type.
    pub record_type: Option<String>,
    /// The reason's name in files.
    pub reason: Option<String>,
}
