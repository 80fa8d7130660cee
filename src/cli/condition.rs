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
    // Without a total in its own metric a report is not whole, whatever else was read.
    let is_partial = has(NoteKind::NotRead) || report.total(report.month).is_none();
    [
        (has(NoteKind::DoesNotReconcile), Condition::DoesNotReconcile),
        (is_partial, Condition::Partial),
        (has(NoteKind::Moving), Condition::Moving),
    ]
    .into_iter()
    .filter(|(applies, _)| *applies)
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
