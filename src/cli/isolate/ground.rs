//! Owns what isolation is about as it is now: domains with their roles, the isolation policies of IAM, and what roles are granted.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::access::Rights;
use crate::arn::{AccountId, DomainKey};
use crate::aws::{self, Session, iam, inventory};
use crate::cli::args::isolate::{Forming, Looking};
use crate::cli::collect::inventory::{append, enter, regions};
use crate::cli::commands::{self, Context};
use crate::cli::error::Failure;
use crate::cli::plans;
use crate::grant::{Grants, Held};
use crate::inventory::{Domain, Inventory};
use crate::isolation::PREFIX;
use crate::isolation_document::{self, document, partition};
use crate::isolation_plan::{Present, name_of};
use crate::isolation_wish::{Form, Untagged, Wish};
use crate::parties::Parties;

/// How much is read of what exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// Domains, user profiles and spaces.
    Identities,
    /// All that can bear tags as well.
    Resources,
}

/// What there is.
#[derive(Debug, Default)]
pub(super) struct Ground {
    /// What exists.
    pub(super) inventory: Inventory,
    /// A way into each account.
    pub(super) sessions: BTreeMap<AccountId, Session>,
    /// The isolation policies that IAM has.
    pub(super) present: Present,
    /// The regions whose domains are looked at, beside others that are read for their roles; all when empty.
    pub(super) regions: BTreeSet<String>,
    /// What is not known, and what of the inventory could not be read.
    pub(super) gaps: Vec<String>,
}

/// Reads what exists, and the isolation policies of each account where `has_policies` is set.
///
/// Roles are one for all regions, so domains are read wherever SageMaker is known to be used, even where only some regions are
/// asked for.
pub(super) async fn read(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    looking: &Looking,
    extent: Extent,
    has_policies: bool,
) -> Result<Ground, Failure> {
    let ui = &context.ui;
    let snapshot = commands::newest(context, &looking.snapshots)?;
    let asked = &looking.aws.region;
    let mut ground = Ground { regions: asked.iter().cloned().collect(), ..Ground::default() };
    let mut found = BTreeMap::new();
    for place in context.places(&looking.aws) {
        let account = place.account.as_ref().unwrap_or(caller);
        let known = regions(session, account, &place, &[], snapshot.as_ref());
        if snapshot.is_none() && place.regions.is_empty() && asked.is_empty() {
            let names: Vec<&str> = known.iter().map(String::as_str).collect();
            ground.gaps.push(format!(
                "domains of {account} beyond {}: nothing tells where else SageMaker is used, and a role that a \
                 domain there uses would be bound, too; name every region with `--region`, or run `apportion collect`",
                names.join(", ")
            ));
        }
        let inside = match enter(session, &place, caller).await {
            Ok(inside) => inside,
            Err(gap) => {
                ground.inventory.gaps.push(gap);
                continue;
            }
        };
        for region in known.union(&ground.regions.clone()) {
            ui.line(&format!("Reading domains of {account} in {region}."));
            let now = context.clock.now();
            let is_asked = asked.is_empty() || asked.contains(region);
            let read = match extent {
                Extent::Resources if is_asked => {
                    aws::estate::read_tags(&inside, account, region, now).await
                }
                _ => inventory::read_identities(&inside, account, region, now).await,
            };
            append(&mut ground.inventory, account, region, read);
        }
        if !ground.sessions.contains_key(account) {
            if has_policies {
                found.extend(iam::isolations(&inside, PREFIX).await?);
            }
            ground.sessions.insert(account.clone(), inside);
        }
    }
    ground.inventory.sort();
    ground.gaps.extend(ground.inventory.gaps.iter().map(plans::gap_text));
    ground.present = Present::new(found);
    check_named(looking, &ground)?;
    if ground.inventory.domains.is_empty() {
        ui.grave(
            "No SageMaker domain was found where it was looked: other accounts are named by `[[account]]` in the \
             configuration, other regions by `--region`.",
        );
    }
    Ok(ground)
}

/// Refuses the id of a domain that neither exists nor has a policy.
fn check_named(looking: &Looking, ground: &Ground) -> Result<(), Failure> {
    let is_known = |id: &str| {
        ground.inventory.domains.iter().any(|it| it.key.id.as_str() == id)
            || ground.present.isolations.keys().any(|arn| name_of(arn) == Some(id))
    };
    match looking.domain.iter().find(|id| !is_known(id.as_str())) {
        None => Ok(()),
        Some(id) => Err(Failure::refused(
            format!("there is no domain `{id}` where it was looked, and no isolation policy of it"),
            "name its region with `--region`, or correct the id",
        )),
    }
}

/// Returns how policies are to be, by what was typed and by the configuration.
pub(super) fn wish(context: &Context, forming: &Forming) -> Result<Wish, Failure> {
    let mut wish = context.loaded.config.isolation.clone();
    match forming.form.as_deref() {
        Some("current") => wish.form = Form::Current,
        Some("earlier") => wish.form = Form::Earlier,
        Some(_) => wish.form = Form::Deny,
        None => {}
    }
    match forming.untagged.as_deref() {
        Some("deny") => wish.untagged = Untagged::Deny,
        Some(_) => wish.untagged = Untagged::Allow,
        None => {}
    }
    wish.check().map_err(|why| {
        Failure::usage(why, "leave it out, or use `--form deny`; `docs/isolation.md` has the forms")
    })?;
    Ok(wish)
}

/// Makes the document of every domain.
pub(super) fn documents(
    inventory: &Inventory,
    wish: &Wish,
) -> Result<BTreeMap<DomainKey, Value>, Failure> {
    let made =
        inventory.domains.iter().map(|domain| Ok((domain.key.clone(), document(domain, wish)?)));
    made.collect::<Result<_, isolation_document::TooLong>>().map_err(|error| {
        let hint = "name fewer shared resources, or use wildcards in `[isolation] shared`";
        Failure::refused(error.to_string(), hint)
    })
}

/// Returns the domains that were asked for: by their ids and by their regions.
pub(super) fn chosen<'a>(
    ground: &'a Ground,
    looking: &'a Looking,
) -> impl Iterator<Item = &'a Domain> {
    let is_chosen = |domain: &&Domain| {
        (looking.domain.is_empty() || looking.domain.contains(&domain.key.id))
            && (ground.regions.is_empty() || ground.regions.contains(&domain.key.region))
    };
    ground.inventory.domains.iter().filter(is_chosen)
}

/// Returns every document that is written for a domain, whatever was typed, with what the configuration shares.
pub(super) fn written(context: &Context, domain: &Domain) -> Vec<Value> {
    let wish = &context.loaded.config.isolation;
    wish.variants().iter().filter_map(|it| document(domain, it).ok()).collect()
}

/// Returns a domain beside another one: one of its account and region where there is one, else one that is made up.
pub(super) fn parties(domain: &Domain, inventory: &Inventory, wish: &Wish) -> Parties {
    let is_beside = |it: &&Domain| {
        it.key != domain.key
            && it.key.account == domain.key.account
            && it.key.region == domain.key.region
    };
    let other = inventory.domains.iter().find(is_beside).map(|it| it.key.clone());
    Parties {
        own: domain.key.clone(),
        other: other.unwrap_or_else(|| Parties::made_up(&domain.key)),
        partition: partition(domain),
        pipeline_executions: wish.pipeline_executions,
    }
}

/// Returns the rights of a role when its isolation policy is what a plan wants.
pub(super) fn with_policy(grants: &Grants, arn: &str, document: &Value) -> Rights {
    let mut grants = grants.clone();
    grants.policies.retain(|it| it.arn.as_deref() != Some(arn));
    let name = arn.rsplit('/').next().unwrap_or(arn).to_owned();
    grants.policies.push(Held { name, arn: Some(arn.to_owned()), document: document.clone() });
    Rights::of(&grants)
}
