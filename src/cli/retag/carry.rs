//! Owns executing a plan of tags from the look at what is there to the words at the end, for `apply` and `undo` alike.
//!
//! **Invariant:** nothing is changed before everything that can be known to be wrong was looked for, and what leads back is on disk.

use std::collections::BTreeSet;
use std::path::Path;

use crate::arn::AccountId;
use crate::aws::Session;
use crate::batch;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure, Kind};
use crate::cli::plans;
use crate::mark::Marks;
use crate::plan::Plan;
use crate::render::text::clean;
use crate::store::{self, disk};

use super::engine::{self, Outcome};
use super::ground::{self, Ground};
use super::survey;

/// What is done about resources that somebody else has changed since the plan was made.
#[derive(Clone, Copy)]
pub(super) enum Stale {
    /// Nothing is done at all; with what can be done about it.
    Refuse(&'static str),
    /// They are left as they are, and named.
    Skip,
}

/// A plan that is to be executed, and how.
pub(super) struct Errand<'a> {
    /// The account that asks.
    pub(super) caller: &'a AccountId,
    /// The plan.
    pub(super) plan: &'a Plan<Marks>,
    /// The file that leads back, to be written first.
    pub(super) undo: Option<&'a Path>,
    /// What the person is asked.
    pub(super) question: &'a str,
    /// What is done about what somebody else has changed.
    pub(super) stale: Stale,
    /// Whether the person said yes beforehand.
    pub(super) is_yes: bool,
    /// How many calls are under way at once.
    pub(super) concurrency: u8,
}

/// How an errand ended.
pub(super) enum Ending {
    /// The person did not want it.
    Declined,
    /// It was carried out, or as much of it as could be.
    Ended(Outcome),
}

/// Executes a plan; fails when nothing may be done.
pub(super) async fn carry(
    context: &Context,
    session: &Session,
    errand: &Errand<'_>,
) -> Result<Ending, Failure> {
    let Errand { caller, plan, .. } = errand;
    let mut ground = ground::enter_all(context, session, caller, plan).await?;
    let survey = survey::survey(&mut ground, plan).await;
    let stale: BTreeSet<String> = survey.stale.iter().map(|it| it.id.clone()).collect();
    match errand.stale {
        Stale::Refuse(hint) if !stale.is_empty() => {
            return Err(plans::refuse(&survey.stale, hint));
        }
        Stale::Refuse(_) | Stale::Skip => {
            for it in &survey.stale {
                let (id, found) = (clean(&it.id), clean(&it.found));
                context.ui.grave(&format!("  left as it is: {id}: {found}"));
            }
        }
    }
    say_closed(context, &ground, plan);
    if !plan.pending().any(|item| ground.is_open(&item.id)) {
        return Err(nothing_open(&ground));
    }
    say_places(context, &ground, plan);
    if !plans::confirm(&context.ui, errand.is_yes, errand.question)? {
        return Ok(Ending::Declined);
    }
    if let Some(path) = errand.undo {
        keep(path, &plan.inverse())?;
        context.ui.line(&format!("What leads back is in `{}`.", path.display()));
    }
    let closed: BTreeSet<String> = plan
        .pending()
        .filter(|item| !ground.is_open(&item.id) || stale.contains(&item.id))
        .map(|item| item.id.clone())
        .collect();
    let ready: BTreeSet<String> = plan
        .pending()
        .filter(|item| !closed.contains(&item.id) && !survey.done.contains(&item.id))
        .map(|item| item.id.clone())
        .collect();
    let done = survey.done;
    // What seems done comes last and not never: the tagging API may be behind what was changed a moment ago.
    let mut batches = batch::batches(plan, &closed.union(&done).cloned().collect());
    batches.extend(batch::batches(plan, &closed.union(&ready).cloned().collect()));
    let count = plan.pending().count() - closed.len();
    context.ui.begin("Changing tags", count);
    let tell = |count| context.ui.advance(count);
    let concurrency = usize::from(errand.concurrency);
    let outcome = engine::execute(&ground.open, batches, concurrency, &tell).await;
    context.ui.finish();
    say(context, &outcome);
    Ok(Ending::Ended(outcome))
}

/// Returns the exit code of an errand that was carried out.
pub(super) fn code(plan: &Plan<Marks>, outcome: &Outcome) -> u8 {
    if outcome.done.len() >= plan.pending().count() {
        error::DONE
    } else if outcome.done.is_empty() && !outcome.undone.is_empty() {
        // It was stopped before anything was done.
        error::FAILED
    } else {
        error::PARTIAL
    }
}

/// Says what became of every resource that is not as it was to be.
fn say(context: &Context, outcome: &Outcome) {
    let ui = &context.ui;
    for (arn, words) in &outcome.refused {
        ui.grave(&format!("  refused: {}: {}", clean(arn), clean(words)));
    }
    for arn in &outcome.gone {
        ui.grave(&format!("  gone: {}", clean(arn)));
    }
    for (place, (arns, halt)) in &outcome.undone {
        let place = ground::told(place);
        let (count, why) = (arns.len(), clean(&halt.why));
        ui.grave(&format!("  stopped: {place}, with {count} resources not tried: {why}"));
        for hint in &halt.hints {
            ui.grave(&format!("    hint: {hint}"));
        }
    }
}

fn say_closed(context: &Context, ground: &Ground, plan: &Plan<Marks>) {
    for (place, why) in &ground.closed {
        let here = |id: &str| ground::whereabouts(id).as_ref() == Some(place);
        let count = plan.pending().filter(|item| here(&item.id)).count();
        let place = ground::told(place);
        context.ui.grave(&format!("  not done: {count} resources of {place}: {}", clean(why)));
    }
}

/// Says where something is about to be changed, before the question.
fn say_places(context: &Context, ground: &Ground, plan: &Plan<Marks>) {
    for place in ground.open.keys() {
        let here = |id: &str| ground::whereabouts(id).as_ref() == Some(place);
        let count = plan.pending().filter(|item| here(&item.id)).count();
        context.ui.line(&format!("{}: {count} resources.", ground::told(place)));
    }
}

fn nothing_open(ground: &Ground) -> Failure {
    let causes = ground.closed.iter().map(|(place, why)| format!("{}: {why}", ground::told(place)));
    Failure {
        kind: Kind::Failed,
        message: "no account and region of the plan can be worked in, so nothing was done"
            .to_owned(),
        causes: causes.collect(),
        hints: vec![
            "look at `role_arn` of `[[account]]`; `docs/permissions.md` has the policies"
                .to_owned(),
        ],
    }
}

/// Returns the name under which a plan, and what undoes it, is kept: by when it was made and by what it is.
pub(super) fn name(plan: &Plan<Marks>) -> String {
    let hash = disk::sha256(store::plans::text(plan).as_bytes());
    let made_at = plan.made_at.strftime("%Y%m%dT%H%M%SZ");
    format!("retag-{made_at}-{}.json", &hash[..8])
}

/// Keeps a plan; one that is kept already stays as it is.
pub(super) fn keep(path: &Path, plan: &Plan<Marks>) -> Result<(), Failure> {
    if !disk::exists(path) {
        return Ok(store::plans::store(path, plan)?);
    }
    if disk::read(path)? == store::plans::text(plan).as_bytes() {
        return Ok(());
    }
    Err(Failure {
        kind: Kind::Failed,
        message: format!("`{}` is there already and says something else", path.display()),
        causes: Vec::new(),
        hints: vec!["move it away; it may be the only way back to earlier tags".to_owned()],
    })
}
