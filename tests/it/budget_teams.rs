//! Owns the proof that a team's budget in AWS counts what `plan` says: its charge, less what AWS cannot watch, and what it
//! watches beyond it.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::{BTreeMap, BTreeSet};

use apportion::arn::AccountId;
use apportion::aws::{Session, budgets};
use apportion::budget::Scope;
use apportion::census::Census;
use apportion::charge::{self, Charges};
use apportion::cli::commands::Context;
use apportion::desired::{self, Wish};
use apportion::ledger::{self, Ledger};
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::owner::Owner;
use apportion::period::Month;
use apportion::plan::Stake;
use apportion::reach::{self, Ground};
use apportion::sandbox::world::Shared;
use apportion::snapshot::Snapshot;
use jiff::ToSpan;

use crate::budgets::{Desk, without_contradictions};
use crate::world::{PAYER, alter, fused, make, month, now, small};

const METRIC: Metric = Metric::NetAmortizedCost;

/// The demonstration's terms, with a budget for each team.
fn desk(world: &Shared, more: &str) -> (Desk, Snapshot) {
    let (mut desk, snapshot) = Desk::new(world, "");
    let terms = include_str!("../../src/cli/demo.toml");
    desk.configuration = format!(
        "{terms}\n{more}\n[[budget]]\nname = \"{{team}}\"\neach = \"team\"\nlimit = \"9\"\n"
    );
    let roster = include_bytes!("../../src/cli/roster.csv").to_vec();
    desk.files = BTreeMap::from([("roster.csv".to_owned(), roster)]);
    (desk, snapshot)
}

fn charged<'a>(context: &'a Context, snapshot: &Snapshot, ledger: &'a Ledger) -> Charges<'a> {
    charge::charge(snapshot, ledger, &context.loaded.terms, METRIC)
}

/// What was billed in a month for the owners that a scope reaches.
fn watched(
    charges: &Charges<'_>,
    snapshot: &Snapshot,
    scope: &Scope,
    of: Month,
    absent: bool,
) -> Money {
    let today = now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let run = month("2026-11").period();
    let census = Census::new(snapshot, charges.ledger, run);
    let ground = Ground { snapshot, charges, census: &census, today, match_absent: absent };
    let owners: BTreeSet<Owner> = reach::reach(scope, &ground).owners;
    let lines = charges.ledger.of_month(of).iter();
    let lines = lines.filter(|line| owners.contains(&charges.ledger.bearer(line).owner));
    lines.map(|line| line.amounts.get(METRIC).unwrap()).sum()
}

fn sum(stakes: &[Stake], name: &str, words: &str) -> Money {
    let own = stakes.iter().filter(|it| it.what.starts_with(&format!("apportion/{name}: {words}")));
    own.map(|it| it.amount.unwrap()).sum()
}

#[test]
fn what_aws_counts_and_what_it_cannot_come_to_what_a_team_is_charged() {
    for (seed, absent) in [(7, false), (41, false), (42, true)] {
        let world = make(&small(6), seed);
        let (desk, snapshot) = desk(&world, &format!("[budgets]\nmatch_absent = {absent}\n"));
        let (context, ledger) = (desk.context(), ledger::post(&snapshot));
        let charges = charged(&context, &snapshot, &ledger);
        let wanted = context.budgets(&snapshot, &charges).unwrap();
        let desired = desired::desired(&Wish {
            common: &context.loaded.config.budgets,
            budgets: &wanted,
            metric: METRIC,
            billing_view: None,
            snapshot: &snapshot,
            charges: &charges,
            now: now(),
        });
        let full = month("2026-10");
        let (mut missed, mut beyond) = (Money::ZERO, Money::ZERO);
        let mut count = 0;
        for budget in &wanted {
            let Scope::Team(team) = &budget.scope else { continue };
            let all = charges.of_month(full).filter(|it| charges.team(it) == Some(team));
            let due: Money = all.map(|it| it.amounts.get(METRIC).unwrap()).sum();
            let seen = watched(&charges, &snapshot, &budget.scope, full, absent);
            let less = sum(&desired.stakes, &budget.name, "not watched");
            let more = sum(&desired.stakes, &budget.name, "watched beyond");
            assert_eq!(seen + less - more, due, "seed {seed}: {team}");
            (missed, beyond, count) = (missed + less, beyond + more, count + 1);
        }
        assert!(count >= 5 && !missed.is_zero() && !beyond.is_zero(), "{count} {missed} {beyond}");
    }
}

#[test]
fn a_teams_budget_counts_what_its_owners_were_billed() {
    for absent in [false, true] {
        let world = make(&small(6), 43);
        without_contradictions(&world);
        let (desk, snapshot) = desk(&world, &format!("[budgets]\nmatch_absent = {absent}\n"));
        assert_eq!(desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text())), 0);
        alter(&world, |world| {
            for budget in &mut world.organisation.budgets {
                budget.updated_at = now() - 240.hours();
            }
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let shown: BTreeMap<String, Option<Money>> = runtime.block_on(async {
            let session = Session::open(&fused(&world, PAYER, None, None)).await.unwrap();
            let caller = AccountId::parse(PAYER).unwrap();
            let all = budgets::describe(&session, &caller).await.unwrap();
            all.into_iter().map(|it| (it.name, it.actual)).collect()
        });
        let (context, ledger) = (desk.context(), ledger::post(&snapshot));
        let charges = charged(&context, &snapshot, &ledger);
        let mut whole = Money::ZERO;
        for budget in context.budgets(&snapshot, &charges).unwrap() {
            if matches!(budget.scope, Scope::Team(_)) {
                let expected =
                    watched(&charges, &snapshot, &budget.scope, month("2026-11"), absent);
                let found = shown[&format!("apportion/{}", budget.name)];
                assert_eq!(found, Some(expected), "{}", budget.name);
                whole += expected;
            }
        }
        assert!(whole > Money::from_cents(100_000), "{whole}");
    }
}
