//! Owns going the way of one thing from the state that a plan found to the one that it wants, step by step.
//!
//! An answer may be lost after AWS has done what was asked, so after an error the thing is read back, and what is there tells
//! how far the way was gone.
//! **Invariant:** every step that AWS has done is told once, also where its answer was lost.

use std::collections::BTreeSet;
use std::future::Future;

use crate::aws;
use crate::cli::error::{self, Failure};
use crate::cli::ui::Ui;

/// How often a step is begun anew after an error that time may mend; each time the client itself tries often.
const TRY_COUNT_MAX: usize = 3;

/// The way of one thing.
pub struct Way<'a, T, S> {
    /// The calls, in order.
    pub steps: Vec<S>,
    /// The state before each of them, and the last one.
    pub states: Vec<Option<T>>,
    /// How the thing is; a run that was cut off has left it on the way.
    pub found: Option<&'a T>,
    /// What to do where somebody else has changed it.
    pub again: &'static str,
}

/// How far it went.
pub struct Walked<S> {
    /// The steps that AWS has done.
    pub steps: Vec<S>,
    /// Why it did not arrive, if so.
    pub failure: Option<(aws::Kind, Failure)>,
}

/// What became of the things of a plan.
#[derive(Debug, Default)]
pub struct Outcome {
    /// As they were to be.
    pub done: BTreeSet<String>,
    /// Not, or not wholly, and why.
    pub failed: Vec<(String, Failure)>,
    /// Not tried any more.
    pub untried: BTreeSet<String>,
}

impl Outcome {
    /// Tells what was not done, and how much was: of `things`, in the plural, by the command `again`.
    pub fn say(&self, ui: &Ui, things: &str, again: &str) {
        for (name, failure) in &self.failed {
            ui.grave(&format!("  not done: {name}"));
            ui.failure(failure);
        }
        if !self.untried.is_empty() {
            ui.grave(&format!("  not tried: {}", self.untried.len()));
        }
        let (done, rest) = (self.done.len(), self.failed.len() + self.untried.len());
        ui.line(&format!("{done} of {} {things} are as planned.", done + rest));
        if rest > 0 {
            ui.line(&format!("Run `{again}` again for the rest."));
        }
    }

    /// Returns the exit code, where `whole` is that of a plan of which all was done.
    pub fn code(&self, whole: u8) -> u8 {
        match (self.done.len(), self.failed.len() + self.untried.len()) {
            (_, 0) => whole,
            (0, _) => error::FAILED,
            _ => error::PARTIAL,
        }
    }
}

/// Goes the way from where the thing stands; `take` carries out a step, and `read` reads the thing back.
pub async fn walk<T, S, Taken, Read>(
    way: Way<'_, T, S>,
    take: impl Fn(S) -> Taken,
    read: impl Fn() -> Read,
) -> Walked<S>
where
    T: PartialEq,
    S: Clone,
    Taken: Future<Output = Result<(), aws::Error>>,
    Read: Future<Output = Result<Option<T>, aws::Error>>,
{
    let Way { steps, states, found, again } = way;
    let mut walked = Walked { steps: Vec::new(), failure: None };
    let mut at = states.iter().position(|state| state.as_ref() == found).unwrap_or(0);
    let mut tries = 0;
    while at < steps.len() {
        let Err(error) = take(steps[at].clone()).await else {
            walked.steps.push(steps[at].clone());
            (at, tries) = (at + 1, 0);
            continue;
        };
        let kind = error.kind;
        let found = match read().await {
            Ok(found) => found,
            Err(unread) => {
                let mut failure = Failure::from(error);
                failure.causes.push(format!(
                    "and how far it is could not be read: {}: {}",
                    unread.code, unread.message
                ));
                walked.failure = Some((kind, failure));
                return walked;
            }
        };
        let Some(reached) = states.iter().skip(at).position(|state| *state == found) else {
            walked.failure = Some((kind, changed(error, again)));
            return walked;
        };
        walked.steps.extend(steps[at..at + reached].iter().cloned());
        at += reached;
        tries = if reached > 0 { 0 } else { tries + 1 };
        if reached == 0 && (tries >= TRY_COUNT_MAX || !is_mended_by_time(kind)) {
            walked.failure = Some((kind, error.into()));
            return walked;
        }
    }
    walked
}

/// Tells whether another thing would fare no better after such an error: no way, no credentials or no permission.
pub fn is_for_all(kind: aws::Kind) -> bool {
    use aws::Kind::{AccessDenied, Credentials, Network, Throttled};
    matches!(kind, AccessDenied | Credentials | Network | Throttled)
}

fn is_mended_by_time(kind: aws::Kind) -> bool {
    matches!(kind, aws::Kind::Network | aws::Kind::Throttled | aws::Kind::Unparsable)
}

fn changed(error: aws::Error, again: &str) -> Failure {
    let mut failure = Failure::from(error);
    failure.causes.push(
        "what is there now is neither as planned nor on the way: somebody else is changing it"
            .to_owned(),
    );
    failure.hints = vec![format!("run `{again}` again, and look at what it proposes")];
    failure
}
