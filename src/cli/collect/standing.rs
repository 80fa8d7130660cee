//! Owns what is known before anything is paid for: who asks, who pays, and what billing says of the tag keys.
//!
//! **Invariant:** only missing credentials end a run here; what else cannot be read is a note.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::arn::AccountId;
use crate::aws::cost_explorer::CostExplorer;
use crate::aws::{Kind, Session, organizations, sts};
use crate::key::{Backfill, KeyStatus};
use crate::note::{Note, NoteKind};
use crate::period::Month;
use crate::settle;
use crate::snapshot::{Control, Snapshot};

use super::Options;
use super::ask::Error;

/// Who asks, and what billing says before anything is paid for.
pub(super) struct Standing {
    pub(super) caller: AccountId,
    pub(super) payer: Option<AccountId>,
    pub(super) statuses: Option<Vec<KeyStatus>>,
    pub(super) backfills: Option<Vec<Backfill>>,
    pub(super) notes: Vec<Note>,
}

impl Standing {
    /// Tells whether an earlier snapshot is of the same caller or organization.
    pub(super) fn is_of(&self, earlier: &Snapshot) -> bool {
        let manifest = &earlier.manifest;
        manifest.caller == self.caller || (manifest.payer.is_some() && manifest.payer == self.payer)
    }
}

/// When the bill of each month was last seen to change, by an earlier snapshot of the same view.
pub(super) fn changes(
    earlier: Option<&Snapshot>,
    options: &Options,
    bill: &[Control],
    taken_at: Timestamp,
) -> BTreeMap<Month, Timestamp> {
    let same_view = earlier.filter(|it| it.manifest.billing_view == options.billing_view);
    same_view.map(|it| settle::changes(&it.manifest, bill, taken_at)).unwrap_or_default()
}

/// A stored month can only be used again under the same keys, view and history of backfills.
pub(super) fn is_comparable(
    earlier: &Snapshot,
    options: &Options,
    standing: &Standing,
    keys: &[String],
) -> bool {
    let manifest = &earlier.manifest;
    !options.is_fresh
        && manifest.scope.keys == keys
        && manifest.billing_view == options.billing_view
        && manifest.caller == standing.caller
        && manifest.backfills == standing.backfills
}

pub(super) async fn standing(
    session: &Session,
    explorer: &CostExplorer,
    options: &Options,
) -> Result<Standing, Error> {
    let caller = sts::caller(session).await?.account;
    let mut notes = Vec::new();
    let payer = match organizations::payer(session).await {
        Ok(payer) => payer,
        Err(error) if error.kind == Kind::Credentials => return Err(error.into()),
        Err(error) => {
            let text =
                format!("Whether this is the payer account could not be read: {}", error.code);
            notes.push(Note::new(NoteKind::NotRead, text));
            None
        }
    };
    let mut keys: Vec<&str> = crate::key::PRECEDENCE.to_vec();
    keys.extend(options.keys.iter().map(String::as_str));
    let is_member = payer.as_ref().is_some_and(|payer| *payer != caller);
    let (mut statuses, mut backfills) = (None, None);
    match explorer.list_tag_keys(&keys).await {
        Ok(read) => statuses = Some(read),
        Err(error) => {
            notes.push(not_told("Which cost allocation tags are active", is_member, &error));
        }
    }
    match explorer.backfills().await {
        Ok(read) => backfills = Some(read),
        Err(error) => {
            notes.push(not_told("Whether history was backfilled", is_member, &error));
        }
    }
    if is_member {
        let text = "This is a member account: it sees its own cost only, and neither Savings Plans held by \
                    the payer nor the status of tag keys.";
        notes.push(Note::new(NoteKind::MemberAccount, text));
    }
    Ok(Standing { caller, payer, statuses, backfills, notes })
}

fn not_told(what: &str, is_member: bool, error: &crate::aws::Error) -> Note {
    let kind = if is_member { NoteKind::MemberAccount } else { NoteKind::NotRead };
    Note::new(kind, format!("{what} could not be read: {}: {}", error.code, error.message))
}
