//! Owns `isolate plan`: the policy of each domain beside what IAM has, and what it changes for the roles.
//!
//! **Invariant:** nothing is changed, and what could not be read is in the plan.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::access::Rights;
use crate::arn::{AccountId, DomainKey};
use crate::aws::{Session, sts};
use crate::cli::args::isolate::{IsolatePlanArgs, IsolateWish};
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::granted::Granted;
use crate::cli::plans;
use crate::inventory::Domain;
use crate::isolation::Isolation;
use crate::isolation_effect;
use crate::isolation_plan::{self, Wanted};
use crate::isolation_wish::Wish;
use crate::matrix;
use crate::plan::Plan;
use crate::role::{Roles, role_name};
use crate::store;
use crate::target::Domains;

use super::ground::{self, Extent, Ground};

/// Verdicts of what cannot be isolated, whatever is done here.
const LACKING: [&str; 5] = ["shared_role", "other_account", "other_policy", "no_role", "unread"];

/// A plan, and what it was made against.
pub(super) struct Made {
    /// The plan.
    pub(super) plan: Plan<Isolation>,
    /// What there is.
    pub(super) ground: Ground,
}

/// Shows the plan; returns the exit code.
pub(super) async fn print(
    context: &Context,
    session: &Session,
    args: &IsolatePlanArgs,
) -> Result<u8, Failure> {
    plans::prove(args.showing.save.as_deref())?;
    let caller = sts::caller(session).await?.account;
    let Made { plan, .. } = make(context, session, &caller, &args.wish).await?;
    plans::show(&plan, &args.showing.format, args.showing.full);
    if let Some(path) = &args.showing.save {
        store::plans::store(path, &plan)?;
        context.ui.line(&format!("Saved the plan in `{}`.", path.display()));
    }
    let is_pending = plan.pending().next().is_some();
    Ok(match whole(&plan) {
        error::DONE if args.showing.check && is_pending => error::PENDING,
        code => code,
    })
}

/// Returns the exit code of a plan that is carried out whole: partial where something is not isolated all the same.
pub(super) fn whole(plan: &Plan<Isolation>) -> u8 {
    let is_lacking = plan.left.iter().any(|it| LACKING.contains(&it.verdict.as_str()));
    if is_lacking || !plan.gaps.is_empty() { error::PARTIAL } else { error::DONE }
}

/// Reads what there is and makes the plan.
pub(super) async fn make(
    context: &Context,
    session: &Session,
    caller: &AccountId,
    args: &IsolateWish,
) -> Result<Made, Failure> {
    let wish = ground::wish(context, &args.forming)?;
    let ground =
        ground::read(context, session, caller, &args.looking, Extent::Identities, true).await?;
    let documents = ground::documents(&ground.inventory, &wish)?;
    let named = args.looking.domain.iter().map(ToString::to_string).collect();
    let wanted = Wanted {
        inventory: &ground.inventory,
        documents: &documents,
        named: &named,
        regions: &ground.regions,
        is_pruning: args.prune,
    };
    let mut plan = isolation_plan::plan(&wanted, &ground.present, caller, context.clock.now());
    plan.gaps.clone_from(&ground.gaps);
    effects(&mut plan, &ground, &documents, &wish, args).await;
    Ok(Made { plan, ground })
}

/// Adds what the policies change for the roles that get them.
async fn effects(
    plan: &mut Plan<Isolation>,
    ground: &Ground,
    documents: &BTreeMap<DomainKey, Value>,
    wish: &Wish,
    args: &IsolateWish,
) {
    let inventory = &ground.inventory;
    let is_changed = |domain: &&Domain| {
        let arn = isolation_plan::arn(domain, &ground.present);
        plan.pending().any(|item| item.id == arn)
    };
    let changed: Vec<&Domain> = ground::chosen(ground, &args.looking).filter(is_changed).collect();
    let domains = Domains::new(inventory);
    let roles = Roles::new(inventory, &domains);
    let names = changed.iter().flat_map(|it| roles.own(&it.key)).map(str::to_owned).collect();
    let granted = Granted::read(&names, &ground.sessions).await;
    // Roles of which the same is to be said are told together.
    let mut told: BTreeMap<Vec<String>, Vec<String>> = BTreeMap::new();
    for domain in changed {
        let arn = isolation_plan::arn(domain, &ground.present);
        let parties = ground::parties(domain, inventory, wish);
        for role in roles.own(&domain.key) {
            let Some(grants) = granted.roles.get(role) else { continue };
            let now = matrix::matrix(&Rights::of(grants), &parties);
            let planned = ground::with_policy(grants, &arn, &documents[&domain.key]);
            let planned = matrix::matrix(&planned, &parties);
            let sentences = isolation_effect::sentences("Each", &now, &planned);
            let whose = format!("{} of {}", role_name(role), domain.key.id);
            told.entry(sentences).or_default().push(whose);
        }
    }
    for (sentences, whose) in told {
        plan.consequences.push(format!("Role {}. {}", whose.join(", "), sentences.join(" ")));
    }
    plan.gaps.extend(granted.gaps());
}
