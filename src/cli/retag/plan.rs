//! Owns `retag plan`: what exists and lacks its domain tag, whose it is, and the dollars that are at stake.
//!
//! **Invariant:** nothing is changed, and what could not be read is in the plan.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Rights;
use crate::arn::AccountId;
use crate::aws::{Session, estate, sts};
use crate::cli::args::change::{RetagPlanArgs, RetagWish};
use crate::cli::collect::inventory::{append, enter, regions};
use crate::cli::commands::{self, Context};
use crate::cli::error::{self, Failure, Kind};
use crate::cli::granted::Granted;
use crate::cli::plans;
use crate::effect;
use crate::evidence::{self, Confidence, Mapping};
use crate::gain::{self, Person};
use crate::inventory::{Domain, Inventory, Whereabouts};
use crate::ledger;
use crate::mark::Marks;
use crate::period::Month;
use crate::plan::{Plan, Stake};
use crate::retag::{self, Billed};
use crate::role::{Roles, role_name};
use crate::snapshot::Snapshot;
use crate::store::{self, disk};
use crate::target::Domains;

use super::ground::whereabouts;

/// Shows the plan; returns the exit code.
pub(super) async fn plan(
    context: &Context,
    session: &Session,
    args: &RetagPlanArgs,
) -> Result<u8, Failure> {
    let mapping = mapping(&args.wish)?;
    plans::prove(args.showing.save.as_deref())?;
    let caller = sts::caller(session).await?.account;
    let plan = make(context, session, &caller, &args.wish, &mapping).await?;
    plans::show(&plan, &args.showing.format, args.showing.full);
    if let Some(path) = &args.showing.save {
        store::plans::store(path, &plan)?;
        context.ui.line(&format!("Saved the plan in `{}`.", path.display()));
    }
    if !plan.gaps.is_empty() {
        let count = plan.gaps.len();
        context.ui.grave(&format!("The plan is partial: {count} things could not be read."));
    }
    // A plan that lacks something is graver than one that has something to do.
    Ok(if !plan.gaps.is_empty() {
        error::PARTIAL
    } else if args.showing.check && plan.pending().next().is_some() {
        error::PENDING
    } else {
        error::DONE
    })
}

/// Reads the user's mapping, so that what is wrong with it is known before AWS is asked.
pub fn mapping(wish: &RetagWish) -> Result<Mapping, Failure> {
    let Some(path) = &wish.mapping else { return Ok(Mapping::default()) };
    Mapping::parse(&path.display().to_string(), &disk::read(path)?).map_err(|error| {
        let hint = "write `resource,domain` in the first line, and a resource and its domain in each other";
        Failure::usage(format!("the mapping cannot be used: {error}"), hint)
    })
}

/// Reads what exists and makes the plan.
pub async fn make(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    wish: &RetagWish,
    mapping: &Mapping,
) -> Result<Plan<Marks>, Failure> {
    for remark in mapping.remarks() {
        context.ui.grave(&format!("In {remark}."));
    }
    let snapshot = commands::newest(context, &wish.snapshots)?;
    let (inventory, sessions) = read(context, session, caller, wish, snapshot.as_ref()).await;
    let problems = mapping.check(&inventory);
    if !problems.is_empty() {
        return Err(Failure {
            kind: Kind::Usage,
            message: "the mapping does not fit what exists".to_owned(),
            causes: problems,
            hints: vec!["correct these lines, or leave them out".to_owned()],
        });
    }
    let findings = evidence::weigh(&inventory, mapping);
    if inventory.domains.is_empty() {
        context.ui.grave(
            "No SageMaker domain was found where it was looked: other accounts are named by `[[account]]` in the \
             configuration, other regions by `--region`.",
        );
    }
    let wanted = retag::Wish {
        all: wish.all,
        floor: Confidence::parse(&wish.confidence)
            .expect("the command line takes confidences only"),
        overwrite: wish.overwrite,
    };
    let mut plan = retag::plan(&findings, &inventory, &wanted, caller, context.clock.now());
    plan.consequences.extend(access(&plan, &inventory, &sessions).await);
    plan.gaps = inventory.gaps.iter().map(plans::gap_text).collect();
    plan.stakes = match &snapshot {
        Some(snapshot) => {
            let (ledger, month) = (ledger::post(snapshot), last_full_month(snapshot));
            let is_whole = !snapshot
                .manifest
                .missing
                .iter()
                .any(|missing| missing.period.contains(month.start()));
            let metric = context.metric(None);
            let billed = Billed { ledger: &ledger, month, metric, is_whole };
            retag::stakes(&plan, &findings, billed)
        }
        None => vec![Stake {
            what: "What becomes attributable".to_owned(),
            amount: None,
            text: "There is no snapshot to tell it; `apportion collect` takes one.".to_owned(),
        }],
    };
    Ok(plan)
}

/// Reads the estate of every account and region, one after the other.
async fn read(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    wish: &RetagWish,
    snapshot: Option<&Snapshot>,
) -> (Inventory, BTreeMap<AccountId, Session>) {
    let ui = &context.ui;
    let (mut inventory, mut sessions) = (Inventory::default(), BTreeMap::new());
    for place in context.places(&wish.aws) {
        let account = place.account.as_ref().unwrap_or(caller);
        let regions = regions(session, account, &place, &wish.aws.region, snapshot);
        let inside = match enter(session, &place, caller).await {
            Ok(inside) => inside,
            Err(gap) => {
                inventory.gaps.push(gap);
                continue;
            }
        };
        for region in &regions {
            ui.line(&format!("Reading resources of {account} in {region}."));
            let now = context.clock.now();
            let read = estate::read(&inside, account, region, now, wish.all, &|_| {}).await;
            append(&mut inventory, account, region, read);
        }
        sessions.insert(account.clone(), inside);
    }
    inventory.sort();
    (inventory, sessions)
}

/// Tells who gains and who loses access, by the policies of the roles of domains; by rule where these cannot be read.
async fn access(
    plan: &Plan<Marks>,
    inventory: &Inventory,
    sessions: &BTreeMap<AccountId, Session>,
) -> Vec<String> {
    let changed: BTreeSet<Whereabouts> =
        plan.pending().filter_map(|item| whereabouts(&item.id)).collect();
    let domains = Domains::new(inventory);
    let roles = Roles::new(inventory, &domains);
    let near: Vec<&Domain> = changed.iter().flat_map(|place| domains.of(place)).collect();
    let names = near.iter().flat_map(|it| roles.of(&it.key)).map(str::to_owned).collect();
    let granted = Granted::read(&names, sessions).await;
    let rights: BTreeMap<&str, Rights> =
        granted.roles.iter().map(|(role, it)| (role.as_str(), Rights::of(it))).collect();
    let people = near.iter().flat_map(|domain| {
        let of = roles.of(&domain.key).into_iter();
        let rights = &rights;
        of.filter_map(move |role| {
            let role_rights = rights.get(role)?;
            Some(Person { role: role_name(role), domain: &domain.key, rights: role_rights })
        })
    });
    let people: Vec<Person<'_>> = people.collect();
    let mut texts = gain::sentences(plan, &people);
    if !granted.unread.is_empty() {
        texts.extend(effect::by_rule(plan, inventory));
        let unread = granted.gaps();
        let more = if unread.len() > 1 {
            format!(" (and {} more)", unread.len() - 1)
        } else {
            String::new()
        };
        texts.push(format!(
            "Access was told by rule only, since this could not be read: {}{more}.",
            unread[0]
        ));
    }
    texts
}

/// The last month that had ended when the snapshot was taken.
fn last_full_month(snapshot: &Snapshot) -> Month {
    let taken = jiff::tz::TimeZone::UTC.to_datetime(snapshot.manifest.taken_at).date();
    Month::of(taken).plus(-1).min(snapshot.manifest.scope.last)
}
