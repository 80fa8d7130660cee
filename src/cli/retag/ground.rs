//! Owns where a plan of tags works: the accounts and regions that its resources lie in, each with a way in.
//!
//! **Invariant:** a resource is changed as its own account, or not at all.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{AccountId, Arn};
use crate::aws::Session;
use crate::batch;
use crate::cli::args::AwsArgs;
use crate::cli::collect::inventory::{Place, enter};
use crate::cli::commands::Context;
use crate::cli::error::Failure;
use crate::inventory::Whereabouts;
use crate::mark::Marks;
use crate::plan::Plan;

/// The accounts and regions of a plan.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// Those that can be worked in.
    pub(super) open: BTreeMap<Whereabouts, Session>,
    /// Those that cannot, and why.
    pub(super) closed: BTreeMap<Whereabouts, String>,
}

/// Enters every account and region in which a plan has a resource.
pub(super) async fn enter_all(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    plan: &Plan<Marks>,
) -> Result<Ground, Failure> {
    let mut wanted: BTreeMap<AccountId, BTreeSet<String>> = BTreeMap::new();
    let stray = |id: &str| {
        Failure::usage(
            format!("the plan names something that cannot be tagged: `{id}`"),
            "use the file as `plan --save` or `apply` wrote it",
        )
    };
    if let Some(id) = batch::strays(plan).first() {
        return Err(stray(id));
    }
    if let Some(id) = batch::forgeries(plan).first() {
        return Err(Failure::usage(
            format!(
                "the plan was changed by hand: `{id}` is in it twice, or is to get what is no domain of its place"
            ),
            "use the file as `plan --save` or `apply` wrote it; a mapping says whose things are (`--mapping`)",
        ));
    }
    for item in &plan.items {
        let place = whereabouts(&item.id).ok_or_else(|| stray(&item.id))?;
        wanted.entry(place.account).or_default().insert(place.region);
    }
    let places = context.places(&AwsArgs::default());
    let mut ground = Ground::default();
    for (account, regions) in wanted {
        let place = places.iter().find(|it| it.account.as_ref().unwrap_or(caller) == &account);
        let place = place.cloned().unwrap_or_else(|| own(&account));
        let entered = enter(session, &place, caller).await;
        for region in regions {
            let here = Whereabouts { account: account.clone(), region };
            let inside = match &entered {
                Ok(session) => session.in_region(&here.region).map_err(|error| error.message),
                Err(gap) => Err(format!("{}: {}", gap.code, gap.message)),
            };
            match inside {
                // A change that is given up halfway is left to a person, so it is tried for longer.
                Ok(session) => drop(ground.open.insert(here, session.patient())),
                Err(why) => drop(ground.closed.insert(here, why)),
            }
        }
    }
    Ok(ground)
}

impl Ground {
    /// Tells whether a resource can be worked on.
    pub(super) fn is_open(&self, arn: &str) -> bool {
        whereabouts(arn).is_some_and(|place| self.open.contains_key(&place))
    }
}

/// Returns the account and region that a resource lies in; absent for what has none.
pub(super) fn whereabouts(arn: &str) -> Option<Whereabouts> {
    let arn = Arn::parse(arn)?;
    let account = AccountId::parse(&arn.account).ok()?;
    (!arn.region.is_empty()).then_some(Whereabouts { account, region: arn.region })
}

/// Tells a place in words.
pub(super) fn told(place: &Whereabouts) -> String {
    format!("{} in {}", place.account, place.region)
}

fn own(account: &AccountId) -> Place {
    Place { account: Some(account.clone()), role_arn: None, external_id: None, regions: Vec::new() }
}
