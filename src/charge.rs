//! Owns charges: every amount of a month with its owner, its team and its cause, after pools were moved.
//!
//! **Invariant:** the charges of a month sum to its lines and what lies outside the scope, in every metric and record type.

use std::collections::BTreeSet;

use crate::allocate::{self, Allocation, Balance, Outside};
use crate::bearer::Bearer;
use crate::books::Books;
use crate::daily::Daily;
use crate::ledger::{Ledger, Line, Reason};
use crate::membership::{self, Membership, Part};
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::note::{Note, NoteKind};
use crate::owner::Owner;
use crate::period::Month;
use crate::pool::{Kind, Pool};
use crate::snapshot::Snapshot;
use crate::split::Weights;
use crate::team::TeamName;
use crate::terms::Terms;
use crate::usage::Component;

/// Who is charged what.
pub struct Charges<'a> {
    /// Who bears what, before pools are moved.
    pub ledger: &'a Ledger,
    /// Owners: the ledger's, then those that rules add; a charge names one by its place.
    pub bearers: Vec<Bearer>,
    /// Who belongs to which team.
    pub membership: Membership,
    /// What became of the pools.
    pub allocation: Allocation,
    /// The pools of the configuration.
    pub pools: &'a [Pool],
    /// What was closed and booked before; none of it is in the charges.
    pub books: Books,
    /// The team that an owner is itself, by the owner's place.
    teams_themselves: Vec<Option<usize>>,
}

/// One amount of one owner and team.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The month.
    pub month: Month,
    /// The owner, by its place in [`Charges::bearers`].
    pub bearer: usize,
    /// The team, by its place in [`Membership::teams`]; absent without one.
    pub team: Option<usize>,
    /// Where it comes from.
    pub cause: Cause,
    /// The account that was billed, where it is known.
    pub billed_account: Option<u32>,
    /// The service.
    pub service: u32,
    /// The component.
    pub component: Component,
    /// The usage type, of what was billed.
    pub usage_type: Option<u32>,
    /// The record type.
    pub record_type: u32,
    /// Why it has no owner, or no closer one.
    pub reason: Option<Reason>,
    /// The usage in 10⁻¹² of its unit, of what was billed.
    pub usage: Option<i128>,
    /// The usage's unit.
    pub usage_unit: Option<u32>,
    /// The amounts.
    pub amounts: Amounts,
    /// Whether AWS called them estimated.
    pub estimated: bool,
}

/// Where a charge comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// A line of the ledger, or the part of it in which its owner belonged to the team.
    Billed {
        /// The line's place in [`Ledger::lines`].
        line: usize,
    },
    /// SageMaker's share of something outside the scope, by its place in [`Allocation::outside`].
    Outside {
        /// The place.
        index: usize,
    },
    /// What leaves a pool.
    Out {
        /// The spread's place in [`Allocation::spreads`].
        spread: usize,
        /// The balance's place in it.
        balance: usize,
    },
    /// What a target gets of it.
    In {
        /// The spread's place in [`Allocation::spreads`].
        spread: usize,
        /// The balance's place in it.
        balance: usize,
        /// The target's place in it.
        target: usize,
    },
}

impl Cause {
    /// Tells whether it is what AWS billed, and not what a rule moved.
    pub fn is_billed(self) -> bool {
        matches!(self, Cause::Billed { .. } | Cause::Outside { .. })
    }
}

/// Charges a snapshot's ledger by the terms; weights are taken in `metric` where a pool names no other.
pub fn charge<'a>(
    snapshot: &Snapshot,
    ledger: &'a Ledger,
    terms: &'a Terms,
    metric: Metric,
) -> Charges<'a> {
    let daily = Daily::new(snapshot);
    let (inventory, months) = (&snapshot.inventory, snapshot.manifest.months());
    let (sources, named) = (&terms.sources, terms.named());
    let (membership, notes) =
        membership::assign(ledger, inventory, &daily, sources, metric, &months, named);
    let mut allocation =
        allocate::allocate(ledger, &snapshot.manifest, &membership, &daily, &terms.pools, metric);
    allocation.notes.extend(notes);
    allocation.notes.extend(nobodys(terms, &membership, &months, ledger.bearers.len()));
    Charges::new(ledger, membership, allocation, &terms.pools)
}

/// Tells which teams are charged by rules alone: more often than not a name is misspelt.
fn nobodys(
    terms: &Terms,
    membership: &Membership,
    months: &[Month],
    bearer_count: usize,
) -> Vec<Note> {
    let places = months.iter().flat_map(|month| (0..bearer_count).map(move |it| (*month, it)));
    let parts = places.flat_map(|(month, bearer)| membership.of(month, bearer));
    let mut known: BTreeSet<&TeamName> =
        parts.filter_map(|part| Some(&membership.teams[part.team?])).collect();
    known.extend(terms.teams.iter().map(|team| &team.name));
    let mut notes = Vec::new();
    for pool in &terms.pools {
        let named: BTreeSet<&TeamName> = pool.teams().collect();
        let title = &pool.name;
        notes.extend(named.difference(&known).map(|team| {
            let text = format!(
                "The pool `{title}` charges the team `{team}`, to which nobody belongs; where that is meant, a `[[team]]` says so."
            );
            Note::new(NoteKind::Team, text)
        }));
    }
    notes
}

impl<'a> Charges<'a> {
    /// Puts a ledger, its teams and its pools together.
    pub fn new(
        ledger: &'a Ledger,
        membership: Membership,
        allocation: Allocation,
        pools: &'a [Pool],
    ) -> Charges<'a> {
        let bearers: Vec<Bearer> =
            ledger.bearers.iter().chain(&allocation.bearers).cloned().collect();
        let itself = |bearer: &Bearer| match &bearer.owner {
            Owner::Team(name) => {
                Some(membership.teams.binary_search(name).expect("every team is in the membership"))
            }
            _ => None,
        };
        let teams_themselves = bearers.iter().map(itself).collect();
        let books = Books::default();
        Charges { ledger, bearers, membership, allocation, pools, books, teams_themselves }
    }

    /// Returns a month's charges: lines in the ledger's order, then what lies outside, then the moves.
    pub fn of_month(&self, month: Month) -> impl Iterator<Item = Charge> + '_ {
        let lines = self.ledger.of_month(month);
        let first = self.ledger.lines.partition_point(|line| line.month < month);
        let billed = lines
            .iter()
            .enumerate()
            .flat_map(move |(index, line)| self.by_team(of_line(line, first + index)));
        let outside = self.allocation.outside.iter().enumerate();
        let outside = outside
            .filter(move |(_, share)| share.month == month)
            .map(|(index, share)| of_outside(share, index));
        billed.chain(outside).chain(self.moved(month))
    }

    /// Returns what a month's spreads take from pools and give to targets.
    fn moved(&self, month: Month) -> impl Iterator<Item = Charge> + '_ {
        let spreads = self.allocation.spreads.iter().enumerate();
        spreads.filter(move |(_, spread)| spread.month == month).flat_map(move |(at, spread)| {
            let weights = Weights::new(spread.targets.iter().map(|target| target.weight));
            let weights = weights.expect("a spread has weight");
            spread.balances.iter().enumerate().flat_map(move |(index, balance)| {
                let out = of_balance(balance, month, Cause::Out { spread: at, balance: index });
                let parts: Vec<Amounts> = balance.amounts.parts(&weights).collect();
                let targets = spread.targets.iter().zip(parts).enumerate();
                let given = targets.flat_map(move |(target, (to, amounts))| {
                    self.by_team(Charge {
                        bearer: to.bearer,
                        reason: None,
                        cause: Cause::In { spread: at, balance: index, target },
                        amounts,
                        ..out
                    })
                });
                self.by_team(out).chain(given)
            })
        })
    }

    /// Gives a charge to the team of its owner, in parts where the owner changed teams in the month.
    fn by_team(&self, charge: Charge) -> impl Iterator<Item = Charge> + use<> {
        let (one, several) = match self.membership.of(charge.month, charge.bearer) {
            [] => {
                let team = self.teams_themselves[charge.bearer];
                (Some(Charge { team, ..charge }), Vec::new())
            }
            [only] => (Some(Charge { team: only.team, ..charge }), Vec::new()),
            several => (None, split_by_team(charge, several)),
        };
        one.into_iter().chain(several)
    }

    /// Splits an owner's amount of a month over the teams that it belonged to.
    pub fn over_teams(
        &self,
        month: Month,
        bearer: usize,
        money: Money,
    ) -> Vec<(Option<usize>, Money)> {
        match self.membership.of(month, bearer) {
            [] => vec![(self.teams_themselves[bearer], money)],
            [only] => vec![(only.team, money)],
            several => {
                let weights: Vec<Money> =
                    several.iter().map(|part| part.weight.unwrap_or(Money::ZERO)).collect();
                let parts = money.split(&weights).expect("an owner's parts have weight");
                several.iter().map(|part| part.team).zip(parts).collect()
            }
        }
    }

    /// Returns the team that an owner belongs to at the end of a month.
    pub fn team_at_end(&self, month: Month, bearer: usize) -> Option<usize> {
        let last = self.membership.of(month, bearer).last();
        last.map_or(self.teams_themselves[bearer], |part| part.team)
    }

    /// Returns the sum of a month's charges: its lines, and what is charged beside the scope.
    pub fn total(&self, month: Month) -> Amounts {
        let mut total = self.ledger.total(month);
        for share in self.allocation.outside.iter().filter(|share| share.month == month) {
            total.add(&share.amounts);
        }
        total
    }

    /// Returns SageMaker's share of tax, and of support, in a month; absent where no pool of the kind is configured.
    pub fn shares(&self, month: Month) -> Vec<(Kind, Amounts)> {
        let is_configured = |kind: &Kind| self.pools.iter().any(|pool| pool.of == *kind);
        let kinds = [Kind::Tax, Kind::Support].into_iter().filter(is_configured);
        let shares = kinds.map(|kind| {
            let shares = self.allocation.outside.iter();
            let of_kind = shares.filter(|it| it.month == month && self.pools[it.pool].of == kind);
            (kind, of_kind.map(|share| &share.amounts).sum())
        });
        shares.collect()
    }

    /// Returns the owner of a charge.
    pub fn bearer(&self, charge: &Charge) -> &Bearer {
        &self.bearers[charge.bearer]
    }

    /// Returns the team of a charge.
    pub fn team(&self, charge: &Charge) -> Option<&TeamName> {
        charge.team.map(|team| &self.membership.teams[team])
    }

    /// Returns the words for files of where a charge comes from.
    pub fn cause(&self, charge: &Charge) -> String {
        match charge.cause {
            Cause::Billed { line } => self.ledger.lines[line].cause.to_string(),
            Cause::Outside { .. } => format!("billed: share of {}", self.bearer(charge).owner),
            Cause::Out { spread, .. } | Cause::In { spread, .. } => {
                let pool = self.allocation.spreads[spread].pool;
                format!("allocated: {}", self.pools[pool].name)
            }
        }
    }
}

/// Splits a charge by the days in which its owner belonged to each team.
fn split_by_team(charge: Charge, parts: &[Part]) -> Vec<Charge> {
    let weights = Weights::new(parts.iter().map(|part| part.weight.unwrap_or_default()));
    let weights = weights.expect("an owner's parts have weight");
    let usage = charge.usage.map(|usage| weights.split(Money::from_units(usage)));
    let mut usage = usage.map(|parts| parts.map(Money::units));
    let amounts = charge.amounts.parts(&weights);
    let parts = parts.iter().zip(amounts);
    parts
        .map(|(part, amounts)| Charge {
            team: part.team,
            amounts,
            usage: usage.as_mut().and_then(Iterator::next),
            ..charge
        })
        .collect()
}

fn of_balance(balance: &Balance, month: Month, cause: Cause) -> Charge {
    Charge {
        month,
        bearer: balance.from,
        team: None,
        cause,
        billed_account: balance.billed_account,
        service: balance.service,
        component: balance.component,
        usage_type: None,
        record_type: balance.record_type,
        reason: balance.reason,
        usage: None,
        usage_unit: None,
        amounts: balance.amounts.negated(),
        estimated: balance.estimated,
    }
}

fn of_line(line: &Line, index: usize) -> Charge {
    Charge {
        month: line.month,
        bearer: line.bearer,
        team: None,
        cause: Cause::Billed { line: index },
        billed_account: line.billed_account,
        service: line.service,
        component: line.component,
        usage_type: Some(line.usage_type),
        record_type: line.record_type,
        reason: line.reason,
        usage: line.usage,
        usage_unit: line.usage_unit,
        amounts: line.amounts,
        estimated: line.estimated,
    }
}

fn of_outside(share: &Outside, index: usize) -> Charge {
    Charge {
        month: share.month,
        bearer: share.bearer,
        team: None,
        cause: Cause::Outside { index },
        billed_account: None,
        service: share.service,
        component: share.component,
        usage_type: None,
        record_type: share.record_type,
        reason: None,
        usage: None,
        usage_unit: None,
        amounts: share.amounts,
        estimated: share.estimated,
    }
}
