//! Owns the plan of budgets: what should be in AWS beside what is, and whether a plan that was stored still holds.
//!
//! **Invariant:** a budget whose name does not begin as the program's own do is neither read into a plan nor changed.
//! **Invariant:** nothing is deleted because somebody could not be listed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::arn::AccountId;
use crate::bounds::check_name;
use crate::desired::{Desired, LOCAL_ONLY};
use crate::expression;
use crate::limit::{Adjustment, Cycle};
use crate::period::day_of;
use crate::plan::{self, Because, Change, Item, Left, Plan, PlanKind, Stale, Standing, State as _};
use crate::setup::{Ceiling, Setup};
use crate::step;

/// The verdict of a budget that is not deleted, since whose it is may not have been listed.
const UNREAD: &str = "unread";

/// How many values of a filter are named before the rest is counted.
const NAMED_COUNT_MAX: usize = 6;

/// Makes the plan from what should be and what is; what should not be goes with `is_pruning` only.
pub fn plan(
    desired: Desired,
    found: &BTreeMap<String, Setup>,
    others: &BTreeMap<String, String>,
    is_pruning: bool,
    (caller, now): (&AccountId, Timestamp),
) -> Plan<Setup> {
    let Desired { mut setups, mut because, mut left, stakes, consequences, mut gaps, unlisted } =
        desired;
    let found = fresh(found, now);
    for (name, why) in others {
        setups.remove(name);
        left.push(leave(
            name,
            "other_sort",
            &format!("what AWS has of this name is left alone: {why}"),
        ));
    }
    let mut items = plan::diff(&found, &setups);
    items.retain(|item| match &item.change {
        Change::Delete { .. } => is_to_go(&item.id, is_pruning, &unlisted, &mut left),
        _ => true,
    });
    if left.iter().any(|it| it.verdict == UNREAD) {
        let places: Vec<&str> = unlisted.iter().map(String::as_str).collect();
        gaps.push(format!(
            "users and spaces of {} could not be listed, so no budget is deleted",
            places.join(", ")
        ));
    }
    // What is kept has been said when it was changed.
    for item in items.iter_mut().filter(|it| it.change.is_pending()) {
        item.because = because.remove(&item.id).unwrap_or_default();
        item.because.extend(filter_changes(&item.change));
    }
    left.sort_by(|left, right| left.id.cmp(&right.id));
    let mut plan = Plan::new(PlanKind::Budgets, caller.clone(), now, items);
    (plan.left, plan.stakes, plan.consequences, plan.gaps) = (left, stakes, consequences, gaps);
    plan
}

/// Names what an update's filter finds anew, and what no longer.
fn filter_changes(change: &Change<Setup>) -> Vec<Because> {
    let Change::Update { from, to } = change else { return Vec::new() };
    let (Some(from), Some(to)) = (&from.filter, &to.filter) else { return Vec::new() };
    let told = |words: &str, values: BTreeSet<String>| {
        let mut named: Vec<String> = values.iter().take(NAMED_COUNT_MAX).cloned().collect();
        if values.len() > named.len() {
            named.push(format!("and {} more", values.len() - named.len()));
        }
        let text = format!("it {words} {}", named.join(", "));
        (!named.is_empty()).then(|| Because { kind: "filter".to_owned(), text })
    };
    let (more, fewer) = expression::difference(from, to);
    told("has anew", more).into_iter().chain(told("no longer has", fewer)).collect()
}

/// Tells whether a budget that should not be there is to be deleted; where it is not, says why.
fn is_to_go(
    name: &str,
    is_pruning: bool,
    unlisted: &BTreeSet<String>,
    left: &mut Vec<Left>,
) -> bool {
    match left.iter_mut().find(|it| it.id == name) {
        // The configuration has it, and what is the matter with it is said.
        Some(it) if it.verdict != LOCAL_ONLY => false,
        Some(it) => {
            if !is_pruning {
                let text = "AWS still has it; `--prune` deletes it there";
                it.is_quiet = false;
                it.because.push(Because { kind: "in_aws".to_owned(), text: text.to_owned() });
            }
            is_pruning
        }
        None if !is_pruning => {
            let why = "it is in AWS under the program's own prefix and not in the configuration; `--prune` deletes it";
            left.push(leave(name, "not_configured", why));
            false
        }
        None if !unlisted.is_empty() => {
            let why =
                "whose it is may be among those who could not be listed, so it is not deleted";
            left.push(leave(name, UNREAD, why));
            false
        }
        None => true,
    }
}

/// Says why a plan that was stored cannot be executed: it does not hold together, or has aged.
pub fn check_form(plan: &Plan<Setup>, now: Timestamp) -> Result<(), String> {
    for item in &plan.items {
        let Some(to) = item.change.to().filter(|_| item.change.is_pending()) else { continue };
        let wrong = |why: &str| Err(format!("`{}`: {why}", item.id));
        if check_name(&item.id).is_err() {
            return wrong("AWS takes no such name");
        }
        if to.switches.is_some() {
            return wrong("filters of the older make are never written");
        }
        if to.filter.as_ref().is_some_and(|filter| !expression::is_whole(filter)) {
            return wrong("its filter is no filter of AWS Budgets");
        }
        let Some(cycle) = Cycle::of_aws(&to.time_unit) else {
            return wrong("its period is none that begins anew");
        };
        let first = cycle.run(day_of(now)).start;
        match &to.ceiling {
            Ceiling::Planned(amounts)
                if amounts.keys().next() != Some(&first)
                    || Some(amounts.len()) != cycle.planned_count() =>
            {
                return wrong(
                    "its limits are not those of the present period and the ones after it",
                );
            }
            Ceiling::Adjusted(Adjustment::Historical(count))
                if !(1..=cycle.historical_max()).contains(count) =>
            {
                return wrong("AWS takes no mean of so many periods");
            }
            Ceiling::None => return wrong("it has no limit"),
            _ => {}
        }
    }
    Ok(())
}

fn leave(name: &str, verdict: &str, why: &str) -> Left {
    let because = vec![Because { kind: verdict.to_owned(), text: why.to_owned() }];
    Left { id: name.to_owned(), verdict: verdict.to_owned(), is_quiet: false, because }
}

/// Returns setups without limits of runs that are over.
pub fn fresh(found: &BTreeMap<String, Setup>, now: Timestamp) -> BTreeMap<String, Setup> {
    found.iter().map(|(name, setup)| (name.clone(), fresh_one(setup.clone(), now))).collect()
}

/// Returns a setup without limits of runs that are over.
pub fn fresh_one(setup: Setup, now: Timestamp) -> Setup {
    match Cycle::of_aws(&setup.time_unit) {
        Some(cycle) => setup.since(cycle.run(day_of(now)).start),
        None => setup,
    }
}

/// Returns every budget that is neither as the plan found it, nor as it wants it, nor on the way between.
pub fn check(plan: &Plan<Setup>, current: &BTreeMap<String, Setup>, now: Timestamp) -> Vec<Stale> {
    let current = fresh(current, now);
    let is_on_the_way = |item: &Item<Setup>| {
        let (from, to) = (item.change.from(), item.change.to());
        let is_found = |state: &Option<Setup>| state.as_ref() == current.get(&item.id);
        item.change.is_pending() && step::way(from, to).iter().any(is_found)
    };
    let stale = plan.items.iter().filter(|item| {
        item.change.standing(current.get(&item.id)) == Standing::Stale && !is_on_the_way(item)
    });
    let told = stale.map(|item| {
        let (planned, found) = differing(item.change.from(), current.get(&item.id));
        Stale { id: item.id.clone(), planned, found }
    });
    told.collect()
}

/// Tells two states by what differs alone.
fn differing(planned: Option<&Setup>, found: Option<&Setup>) -> (String, String) {
    let (Some(planned), Some(found)) = (planned, found) else {
        let told = |it: Option<&Setup>| if it.is_some() { "present" } else { "absent" }.to_owned();
        return (told(planned), told(found));
    };
    let (planned, found) = (planned.fields(), found.fields());
    let only = |these: &[(String, String)], those: &[(String, String)]| {
        let told = these.iter().filter(|it| !those.contains(it));
        let told: Vec<String> = told.map(|(name, value)| format!("{name} = {value}")).collect();
        if told.is_empty() { "less".to_owned() } else { told.join(", ") }
    };
    (only(&planned, &found), only(&found, &planned))
}
