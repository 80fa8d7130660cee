//! Owns how a run ended: every condition that applies, and the one exit code.

use crate::cli::error;
use crate::note::NoteKind;
use crate::notes;
use crate::report::Report;

/// A condition of a finished run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// A sum is not its control.
    DoesNotReconcile,
    /// Something could not be read.
    Partial,
    /// Something changed while it was read.
    Moving,
}

impl Condition {
    /// Returns the word for files.
    pub fn name(self) -> &'static str {
        match self {
            Condition::DoesNotReconcile => "does_not_reconcile",
            Condition::Partial => "partial",
            Condition::Moving => "moving",
        }
    }
}

/// Returns every condition of a report.
pub fn of(report: &Report<'_>) -> Vec<Condition> {
    let notes = notes::of(report);
    let has = |kind: NoteKind| notes.iter().any(|note| note.kind == kind);
    [
        (NoteKind::DoesNotReconcile, Condition::DoesNotReconcile),
        (NoteKind::NotRead, Condition::Partial),
        (NoteKind::Moving, Condition::Moving),
    ]
    .into_iter()
    .filter(|(kind, _)| has(*kind))
    .map(|(_, condition)| condition)
    .collect()
}

/// Returns the exit code of several conditions: the gravest wins.
pub fn code(conditions: &[Condition]) -> u8 {
    match conditions.iter().min() {
        Some(Condition::DoesNotReconcile) => error::DOES_NOT_RECONCILE,
        Some(Condition::Partial | Condition::Moving) => error::PARTIAL,
        None => error::DONE,
    }
}
