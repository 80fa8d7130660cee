//! Owns what every command with a plan does alike: showing it, keeping it, refusing it and asking for it.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arn::AccountId;
use crate::cli;
use crate::cli::error::{Failure, Kind};
use crate::cli::ui::Ui;
use crate::inventory::Gap;
use crate::plan::{Plan, PlanKind, Stale, State};
use crate::render;
use crate::store::{disk, plans};

/// How many stale things are named before the rest is counted.
const NAMED_COUNT_MAX: usize = 10;

/// Prints a plan as `text` or `json`.
pub fn show<T: State + Serialize>(plan: &Plan<T>, format: &str, all: bool) {
    match format {
        "json" => cli::print(&plans::text(plan)),
        _ => cli::print(&render::plan::text(plan, all)),
    }
}

/// Proves that a plan can be saved, before anything is asked or paid for.
pub fn prove(path: Option<&Path>) -> Result<(), Failure> {
    let folder = path.and_then(Path::parent).filter(|folder| !folder.as_os_str().is_empty());
    match (path, folder) {
        (None, _) => Ok(()),
        (Some(_), folder) => Ok(disk::prove_writable(folder.unwrap_or(Path::new(".")))?),
    }
}

/// Loads a plan that this account made.
pub fn load<T: DeserializeOwned>(
    path: &Path,
    kinds: &[PlanKind],
    caller: &AccountId,
) -> Result<Plan<T>, Failure> {
    let plan: Plan<T> = plans::load(path, kinds)?;
    if plan.caller != *caller {
        return Err(Failure::usage(
            format!(
                "`{}` was planned by account {}, and this is {caller}",
                path.display(),
                plan.caller
            ),
            "use that account's credentials, or plan again with these",
        ));
    }
    Ok(plan)
}

/// Refuses a plan that somebody else's changes have made stale, and names the things.
pub fn refuse(stale: &[Stale], hint: &str) -> Failure {
    let mut causes: Vec<String> = stale
        .iter()
        .take(NAMED_COUNT_MAX)
        .map(|it| format!("{}: planned from {}, found {}", it.id, it.planned, it.found))
        .collect();
    if stale.len() > NAMED_COUNT_MAX {
        causes.push(format!("and {} more", stale.len() - NAMED_COUNT_MAX));
    }
    Failure {
        kind: Kind::Failed,
        message:
            "the plan is stale: somebody else has changed what it is about, so nothing was done"
                .to_owned(),
        causes,
        hints: vec![hint.to_owned()],
    }
}

/// Tells a gap of the inventory in one line.
pub fn gap_text(gap: &Gap) -> String {
    let Gap { account, region, operation, code, message } = gap;
    let place = if region.is_empty() { account.clone() } else { format!("{account} in {region}") };
    format!("{place}: {operation}: {code}: {message}")
}

/// Asks whether to go on; where nobody can be asked, `--yes` must have been given.
pub fn confirm(ui: &Ui, is_yes: bool, question: &str) -> Result<bool, Failure> {
    if is_yes {
        return Ok(true);
    }
    if !ui.is_terminal() {
        return Err(Failure::usage(
            "this changes AWS, and nobody can be asked",
            "look at the plan, and give `--yes`",
        ));
    }
    Ok(ui.confirm(question))
}
