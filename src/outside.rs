//! Owns what is charged beside the scope: SageMaker's share of tax and support.
//!
//! **Invariant:** a share is taken of each record of the bill by two weights, the scope and the rest of the bill without
//! tax and support; without such weights nothing is charged, and a note says so.

use crate::control;
use crate::ledger::Ledger;
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::note::{Note, NoteKind};
use crate::owner::{self, Owner};
use crate::period::Month;
use crate::pool::{Kind, Pool};
use crate::selection::Selector;
use crate::snapshot::{Control, Manifest};
use crate::split::Weights;
use crate::usage::Component;

/// SageMaker's share of a part of the bill that lies outside the scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The month.
    pub month: Month,
    /// The pool of the configuration that it is in, by its place.
    pub pool: usize,
    /// The owner that holds it, by its place.
    pub bearer: usize,
    /// The service.
    pub service: u32,
    /// Tax or support.
    pub component: Component,
    /// The record type.
    pub record_type: u32,
    /// The share.
    pub amounts: Amounts,
    /// The whole of which it is a share.
    pub whole: Amounts,
    /// The metric of the weights.
    pub metric: Metric,
    /// The control total of the scope, and the rest of the bill without tax and support.
    pub weights: [Money; 2],
    /// Whether AWS called it estimated.
    pub estimated: bool,
}

/// Returns the kind of a part of the bill that lies outside the scope and may be charged.
fn kind(control: &Control) -> Option<Kind> {
    if control::is_tax(control) {
        Some(Kind::Tax)
    } else if control::is_support(control) {
        Some(Kind::Support)
    } else {
        None
    }
}

/// Returns who holds SageMaker's share, where pools of the kind are configured.
pub fn owner(kind: Kind) -> Option<Owner> {
    match kind {
        Kind::Tax => Some(Owner::Pool(owner::Pool::Tax)),
        Kind::Support => Some(Owner::Pool(owner::Pool::Support)),
        _ => None,
    }
}

/// Returns SageMaker's share of a month's tax and support, each in the first pool that takes it.
pub fn of_month(
    ledger: &Ledger,
    manifest: &Manifest,
    pools: &[(&Pool, Selector)],
    month: Month,
    usual: Metric,
    place: impl Fn(&Owner) -> usize,
) -> (Vec<Outside>, Vec<Note>) {
    let mut shares = Vec::new();
    let mut left_out: Vec<(usize, Amounts)> = Vec::new();
    let mut bill: Vec<&Control> =
        manifest.bill.iter().filter(|control| control.month == month).collect();
    bill.sort_by(|left, right| {
        (&left.service, &left.record_type).cmp(&(&right.service, &right.record_type))
    });
    for control in bill {
        let Some(kind) = kind(control).filter(|_| !control.amounts.is_zero()) else { continue };
        let number =
            |text: &str| ledger.names.find(text).expect("the ledger names tax and support");
        let (service, record_type) = (number(&control.service), number(&control.record_type));
        let takes = |(pool, selector): &(&Pool, Selector)| {
            pool.of == kind && selector.takes_names(service, record_type)
        };
        let Some(pool) = pools.iter().position(takes) else { continue };
        let metric = pools[pool].0.metric.unwrap_or(usual);
        let Some(weights) = weights(manifest, month, metric) else {
            left_out.push((pool, control.amounts));
            continue;
        };
        let cut = Weights::new(weights).expect("neither weight is negative, and one is positive");
        let mut parts = control.amounts.parts(&cut);
        let amounts = parts.next().expect("two weights give two parts");
        shares.push(Outside {
            month,
            pool,
            bearer: place(&owner(kind).expect("tax and support have an owner")),
            service,
            component: if kind == Kind::Tax { Component::Tax } else { Component::Support },
            record_type,
            amounts,
            whole: control.amounts,
            metric,
            weights,
            estimated: control.estimated,
        });
    }
    (
        shares,
        left_out
            .into_iter()
            .map(|(pool, whole)| kept_out(pools[pool].0, month, whole, usual))
            .collect(),
    )
}

fn kept_out(pool: &Pool, month: Month, whole: Amounts, metric: Metric) -> Note {
    let text = format!(
        "SageMaker's share for the pool `{}` cannot be told in {month}, since the scope or the rest of the bill is not above zero in the {}: nothing of it is charged. The amount is the whole.",
        pool.name,
        pool.metric.unwrap_or(metric).title()
    );
    Note::new(NoteKind::Allocation, text).with_amount(whole.get(metric))
}

/// Returns the scope and the rest of the bill without tax and support; absent where they are no weights.
fn weights(manifest: &Manifest, month: Month, metric: Metric) -> Option<[Money; 2]> {
    let scope = control::scope_total(manifest, month).get(metric)?;
    let mut rest = Money::ZERO - scope;
    let bill = manifest.bill.iter().filter(|control| control.month == month);
    for control in bill.filter(|control| kind(control).is_none()) {
        rest += control.amounts.get(metric)?;
    }
    let is_weight = scope >= Money::ZERO && rest >= Money::ZERO && !(scope + rest).is_zero();
    is_weight.then_some([scope, rest])
}
