//! Owns notes: what the reader must know about the data.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// What a note is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoteKind {
    /// Figures that AWS may still change.
    Estimated,
    /// Figures that changed while they were read.
    Moving,
    /// A sum that is not its control.
    DoesNotReconcile,
    /// Something that could not be read.
    NotRead,
    /// Owners in accounts or regions of which no inventory was read.
    NotInventoried,
    /// Something that AWS answered without.
    NotDelivered,
    /// What a member account cannot see.
    MemberAccount,
    /// A key that is not active, or was not in some month.
    Key,
    /// Months that do not compare, since coverage changed between them.
    NotComparable,
    /// Owners that no longer exist.
    Gone,
    /// Tags that contradict each other.
    Contradiction,
    /// A name that was matched by folding its case.
    CaseFolded,
    /// A tag value that names nothing.
    NotAnArn,
    /// A service beside the scope.
    NearScope,
    /// Evidence that does not sum to what it is about.
    Evidence,
    /// Cost without an owner.
    Unattributed,
    /// Resources that may be the cause of cost without an owner.
    Candidates,
    /// Shared cost that a rule could not move as it says.
    Allocation,
    /// Budgets that cannot be judged.
    Budget,
    /// Cost whose owner is in no team.
    NoTeam,
    /// What the configuration says of teams and people, and what came of it.
    Team,
    /// Months that were closed, and what was booked since.
    Closed,
}

/// Something that the reader must know about the data.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Note {
    /// What it is about.
    pub kind: NoteKind,
    /// One or two sentences.
    pub text: String,
    /// The amount concerned, in the report's metric, where there is one.
    pub amount: Option<Money>,
}

impl Note {
    /// Returns a note without an amount.
    pub fn new(kind: NoteKind, text: impl Into<String>) -> Note {
        Note { kind, text: text.into(), amount: None }
    }

    /// Returns the note with the amount concerned.
    #[must_use]
    pub fn with_amount(self, amount: Option<Money>) -> Note {
        Note { amount, ..self }
    }
}

impl NoteKind {
    /// Returns the words for people.
    pub fn title(self) -> &'static str {
        match self {
            NoteKind::Estimated => "Estimated",
            NoteKind::Moving => "Moving",
            NoteKind::DoesNotReconcile => "Does not reconcile",
            NoteKind::NotRead => "Not read",
            NoteKind::NotInventoried => "No inventory",
            NoteKind::NotDelivered => "Not delivered",
            NoteKind::MemberAccount => "Member account",
            NoteKind::Key => "Tag key",
            NoteKind::NotComparable => "Not comparable",
            NoteKind::Gone => "No longer exists",
            NoteKind::Contradiction => "Contradiction",
            NoteKind::CaseFolded => "Name matched without case",
            NoteKind::NotAnArn => "Not an ARN",
            NoteKind::NearScope => "Beside the scope",
            NoteKind::Evidence => "Evidence",
            NoteKind::Unattributed => "Unattributed",
            NoteKind::Candidates => "Candidates",
            NoteKind::Allocation => "Shared cost",
            NoteKind::Budget => "Budget",
            NoteKind::NoTeam => "Without a team",
            NoteKind::Team => "Teams",
            NoteKind::Closed => "Closed",
        }
    }
}
