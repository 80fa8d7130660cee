//! Owns allocation: pools' balances, their targets and weights; the parts are a function of these.
//!
//! **Invariant:** in every metric, month and record type, what leaves pools is what their targets get.

use crate::bearer::Bearer;
use crate::daily::Daily;
use crate::ledger::{Ledger, Reason};
use crate::membership::Membership;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::note::Note;
use crate::period::Month;
use crate::pool::Pool;
use crate::snapshot::Manifest;
use crate::usage::Component;

/// What all pools of all months become.
#[derive(Clone, Debug, Default)]
pub struct Allocation {
    /// Owners beyond the ledger's: teams as wholes and pools; their places follow the ledger's.
    pub bearers: Vec<Bearer>,
    /// What is charged beside the scope: SageMaker's share of tax and support, on their pools.
    pub outside: Vec<Outside>,
    /// The moves, in the order in which they happen.
    pub spreads: Vec<Spread>,
    /// What the reader must know.
    pub notes: Vec<Note>,
}

/// Moves every pool of every month; weights are taken in `metric` where a pool names no other.
pub fn allocate(
    _ledger: &Ledger,
    _manifest: &Manifest,
    _membership: &Membership,
    _daily: &Daily,
    _pools: &[Pool],
    _metric: Metric,
) -> Allocation {
    Allocation::default()
}

/// SageMaker's share of a part of the bill that lies outside the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The month.
    pub month: Month,
    /// The pool that holds it, by its place.
    pub bearer: usize,
    /// The service.
    pub service: u32,
    /// The record type.
    pub record_type: u32,
    /// The share.
    pub amounts: Amounts,
    /// The whole of which it is a share.
    pub whole: Amounts,
    /// Whether AWS called it estimated.
    pub estimated: bool,
}

/// Balances of one pool in one month, and the targets that all of them are split over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// The pool's place in the configuration.
    pub pool: usize,
    /// The month.
    pub month: Month,
    /// Who gets a part, in the order of owners.
    pub targets: Vec<Target>,
    /// What is split.
    pub balances: Vec<Balance>,
}

/// Who gets a part of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    /// The owner, by its place.
    pub bearer: usize,
    /// Its weight, never negative.
    pub weight: Money,
}

/// What is split as one amount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The owner whom it leaves, by its place.
    pub from: usize,
    /// The service.
    pub service: u32,
    /// The component.
    pub component: Component,
    /// The record type.
    pub record_type: u32,
    /// The account that was billed, where it is known.
    pub billed_account: Option<u32>,
    /// Why it had no owner, or no closer one.
    pub reason: Option<Reason>,
    /// The amounts, all split by the same weights.
    pub amounts: Amounts,
    /// Whether AWS called them estimated.
    pub estimated: bool,
}
