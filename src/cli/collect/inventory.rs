//! Owns reading what exists: every account and region that is configured, or where the bill says SageMaker is used.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::arn::{AccountId, Identity};
use crate::aws::{self, Session, budgets, organizations, sts};
use crate::budget::AwsBudget;
use crate::inventory::{Gap, Inventory, Whereabouts};
use crate::note::{Note, NoteKind};
use crate::records::Records;
use crate::snapshot::Snapshot;
use crate::usage;

use super::standing::Standing;
use super::state::State;
use super::{Options, Progress};

/// An account to read, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The account; the caller's own when absent.
    pub account: Option<AccountId>,
    /// The role to take on for it.
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
    /// The regions; where the bill says when empty.
    pub regions: Vec<String>,
}

/// Returns the regions of an account: those typed, else those configured, else where the bill says, else the session's.
pub fn regions(
    session: &Session,
    account: &AccountId,
    place: &Place,
    typed: &[String],
    snapshot: Option<&Snapshot>,
) -> BTreeSet<String> {
    for named in [typed, &place.regions] {
        if !named.is_empty() {
            return named.iter().cloned().collect();
        }
    }
    let billed = snapshot.map(|it| regions_of(account, std::slice::from_ref(&it.records)));
    let mut regions = billed.unwrap_or_default();
    if regions.is_empty() {
        regions.extend(session.region().map(str::to_owned));
    }
    regions
}

/// Reads the inventory of every place, one after the other, and the budgets of the calling account.
pub(super) async fn read(
    session: &Session,
    options: &Options,
    caller: &AccountId,
    state: &State,
    now: Timestamp,
    progress: &dyn Progress,
    notes: &mut Vec<Note>,
) -> (Inventory, Vec<AwsBudget>) {
    let mut inventory = Inventory::default();
    for place in &options.places {
        let account = place.account.as_ref().unwrap_or(caller);
        let mut regions: BTreeSet<String> = place.regions.iter().cloned().collect();
        if regions.is_empty() {
            regions = regions_of(account, &state.cells);
            regions.extend(session.region().map(str::to_owned));
        }
        progress.stage(&format!("inventory of {account}"), regions.len());
        let session = match enter(session, place, caller).await {
            Ok(session) => session,
            Err(gap) => {
                inventory.gaps.push(gap);
                continue;
            }
        };
        for region in &regions {
            let read = aws::inventory::read(&session, account, region, now, &|_| {}).await;
            append(&mut inventory, account, region, read);
        }
    }
    progress.stage("budgets", 1);
    let budgets = match budgets::describe(session, caller).await {
        Ok(budgets) => budgets,
        Err(error) => {
            let text = format!("The budgets of {caller} could not be read: {}", error.code);
            notes.push(Note::new(NoteKind::NotRead, text));
            Vec::new()
        }
    };
    inventory.sort();
    (inventory, budgets)
}

/// Takes on the identity that an account is read with, and makes sure that it is that account.
pub async fn enter(session: &Session, place: &Place, caller: &AccountId) -> Result<Session, Gap> {
    let account = place.account.as_ref().unwrap_or(caller);
    let Some(role) = &place.role_arn else {
        if account == caller {
            return Ok(session.clone());
        }
        let message = format!("{account} is not the calling account, so it needs a `role_arn`");
        return Err(Gap {
            account: account.to_string(),
            region: String::new(),
            operation: "everything".to_owned(),
            code: "NoRole".to_owned(),
            message,
        });
    };
    let entered = session.assume(role, place.external_id.as_deref()).await;
    let entered = entered.map_err(|error| gap(account, "", &error))?;
    let found = sts::caller(&entered).await.map_err(|error| gap(account, "", &error))?.account;
    if found != *account {
        return Err(Gap {
            account: account.to_string(),
            region: String::new(),
            operation: "everything".to_owned(),
            code: "OtherAccount".to_owned(),
            message: format!("the role `{role}` belongs to {found}"),
        });
    }
    Ok(entered)
}

/// Tells whether the lists that owners are looked up in were all read.
fn is_listed(read: &Inventory) -> bool {
    let needed = ["ListDomains", "ListUserProfiles", "ListSpaces", "*"];
    !read.gaps.iter().any(|gap| needed.contains(&gap.operation.as_str()))
}

fn gap(account: &AccountId, region: &str, error: &aws::Error) -> Gap {
    Gap {
        account: account.to_string(),
        region: region.to_owned(),
        operation: error.operation.to_owned(),
        code: error.code.clone(),
        message: error.message.clone(),
    }
}

/// Adds what was read of one region to the whole, and whether its lists are whole.
pub fn append(inventory: &mut Inventory, account: &AccountId, region: &str, read: Inventory) {
    if is_listed(&read) {
        let (account, region) = (account.clone(), region.to_owned());
        inventory.listed.insert(Whereabouts { account, region });
    }
    inventory.domains.extend(read.domains);
    inventory.user_profiles.extend(read.user_profiles);
    inventory.spaces.extend(read.spaces);
    inventory.apps.extend(read.apps);
    inventory.resources.extend(read.resources);
    inventory.file_systems.extend(read.file_systems);
    inventory.gaps.extend(read.gaps);
}

/// Returns the regions in which the bill says that the account uses SageMaker.
pub fn regions_of(account: &AccountId, cells: &[Records]) -> BTreeSet<String> {
    let mut regions = BTreeSet::new();
    let values: BTreeSet<String> =
        cells.iter().flat_map(Records::distinct_values).map(|(_, value)| value).collect();
    for domain in values.iter().filter_map(|value| Identity::parse(value)) {
        let domain = domain.domain();
        // A tag can name any region; one that does not exist would be asked in vain, every time.
        if domain.account == *account && usage::is_region(&domain.region) {
            regions.insert(domain.region.clone());
        }
    }
    let billed = cells.iter().flat_map(Records::distinct_usage);
    for (billed_account, usage_type) in billed {
        if billed_account == account.as_str() {
            regions.extend(usage::region_of(&usage_type).map(str::to_owned));
        }
    }
    regions
}

/// Gives names to accounts: the organization's, else those that came with the bill.
pub(super) async fn name_accounts(
    session: &Session,
    standing: &Standing,
    inventory: &mut Inventory,
    billed: &BTreeMap<String, String>,
) {
    for (id, name) in billed {
        if let Ok(id) = AccountId::parse(id) {
            inventory.accounts.insert(id, name.clone());
        }
    }
    if standing.payer.is_some()
        && let Ok(accounts) = organizations::accounts(session).await
    {
        inventory.accounts.extend(accounts);
    }
}
