//! Owns `tags apply`: activation first, then the backfill, and what was done of it.
//!
//! **Invariant:** nothing is changed before the plan is known not to be stale and every loss is accepted by name.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::activation::{self, Setting, Wanted};
use crate::backfill::{Known, Ruling, judge, radius};
use crate::cli;
use crate::cli::args::change::TagsApplyArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure, Kind};
use crate::cli::plans;
use crate::period::Month;
use crate::plan::{Plan, PlanKind, check};
use crate::render;
use jiff::Timestamp;

use super::act::{self, Started};
use super::wait::{self, Goal, Pace, Sleeping, Voice};
use super::{Site, Wish, check_reach, enter, next_steps};

/// What is to be done now, by what AWS says now.
struct Work {
    plan: Plan<Setting>,
    wanted: Vec<Wanted>,
    keys: BTreeSet<String>,
    from: Option<Month>,
    ruling: Option<Ruling>,
}

impl Work {
    fn is_backfill_open(&self) -> bool {
        !matches!(self.ruling, None | Some(Ruling::Covered(_)))
    }
}

/// Executes a plan: the one given, or one made now; returns the exit code.
pub(super) async fn apply(context: &Context, args: &TagsApplyArgs) -> Result<u8, Failure> {
    check_reach(context, args.wish.backfill_from)?;
    let wish = Wish::of(context, args.wish.backfill_from);
    let site = enter(context, &args.wish.aws, &wish).await?;
    let work = prepare(context, args, &site, wish).await?;
    let is_backfill_open = work.is_backfill_open();
    if let (Some(from), true) = (work.from, is_backfill_open) {
        let radius = radius(from, &site.known, &work.keys);
        act::check_acknowledged(&radius, &args.wish.acknowledge, from, &work.plan.stakes)?;
        refuse_for_now(&work, from, args.wait)?;
    }
    let is_done = work.keys.is_empty() && !is_backfill_open;
    if is_done && args.plan.is_some() {
        context.ui.line("All of the plan is done already.");
    } else {
        cli::print(&render::plan::text(&shown(&work, &site.known), false));
    }
    if is_done && !args.wait {
        return Ok(error::DONE);
    }
    // Whoever waits changes what billing sees later, too.
    let unseen = work.wanted.iter().filter(|it| site.known.status(&it.key).is_none()).count();
    let is_asked = !is_done || unseen > 0;
    if is_asked && !plans::confirm(&context.ui, args.yes, &question(&work, unseen))? {
        context.ui.line("Nothing was changed.");
        return Ok(error::DONE);
    }
    let Done { code, asked_at } = execute(context, args, &site, &work).await?;
    if code != error::DONE {
        return Ok(code);
    }
    for step in next_steps(work.from.is_some()) {
        context.ui.line(step);
    }
    if !args.wait {
        return Ok(error::DONE);
    }
    let goal = Goal {
        wanted: work.wanted,
        from: work.from,
        acknowledged: args.wish.acknowledge.clone(),
        asked_at,
    };
    let now = || context.clock.now();
    let sleep = |time: Duration| -> Sleeping<'_> { Box::pin(tokio::time::sleep(time)) };
    let every = Duration::from_secs(u64::from(args.poll_minutes) * 60);
    let pace = Pace { now: &now, sleep: &sleep, every };
    let voice = Voice { say: &|text| context.ui.line(text), warn: &|text| context.ui.grave(text) };
    wait::wait(&site.explorer, goal, &pace, &voice).await
}

async fn prepare(
    context: &Context,
    args: &TagsApplyArgs,
    site: &Site,
    wish: Wish,
) -> Result<Work, Failure> {
    let now = context.clock.now();
    let (plan, wanted) = if let Some(path) = &args.plan {
        let plan: Plan<Setting> = plans::load(path, &[PlanKind::Tags], &site.caller)?;
        let stale = check(&plan, &activation::current(&plan, &site.known));
        if !stale.is_empty() {
            return Err(plans::refuse(
                &stale,
                "run `apportion tags plan` again and look at what it proposes now",
            ));
        }
        // A stored plan is executed and nothing else: what it activates is all that is wanted.
        let wanted = activation::pending_keys(&plan.items).into_iter();
        let wanted = wanted.map(|key| Wanted { key, is_sagemakers: false, is_required: true });
        (plan, wanted.collect())
    } else {
        let made = super::plan::make(context, site, &wish, args.wish.max_spend, false).await?;
        (made.plan, wish.wanted)
    };
    let from = activation::backfill_of(&plan).or(wish.from);
    check_reach(context, from)?;
    let keys: BTreeSet<String> = activation::pending_keys(&plan.items)
        .into_iter()
        .filter(|key| site.known.status(key).is_some_and(|status| status.active != Some(true)))
        .collect();
    let ruling = from.map(|from| judge(from, &site.known, !keys.is_empty(), now));
    Ok(Work { plan, wanted, keys, from, ruling })
}

/// Refuses a backfill that AWS would refuse; one who waits may wait for it.
fn refuse_for_now(work: &Work, from: Month, is_waiting: bool) -> Result<(), Failure> {
    let Some(ruling @ (Ruling::Busy(_) | Ruling::TooSoon { .. })) = &work.ruling else {
        return Ok(());
    };
    if is_waiting {
        return Ok(());
    }
    Err(Failure {
        kind: Kind::Failed,
        message: format!(
            "nothing was changed: AWS does not take a billing backfill from {from} now"
        ),
        causes: vec![ruling.because(from).text],
        hints: vec![
            "run it again then, or stay until it is possible with `--wait`".to_owned(),
            "to activate keys at once, leave out `--backfill-from`".to_owned(),
        ],
    })
}

fn question(work: &Work, unseen: usize) -> String {
    if work.keys.is_empty() && !work.is_backfill_open() {
        return format!("Activate {unseen} of the keys as soon as billing has seen them?");
    }
    let keys = match work.keys.len() {
        0 => None,
        1 => Some("activate 1 key".to_owned()),
        count => Some(format!("activate {count} keys")),
    };
    let backfill = work.from.filter(|_| work.is_backfill_open());
    let backfill = backfill.map(|from| format!("let billing rewrite history from {from} on"));
    let both: Vec<String> = keys.into_iter().chain(backfill).collect();
    let text = both.join(" and ");
    format!("{}{}?", text[..1].to_uppercase(), &text[1..])
}

/// The plan without the figures that `plan` has shown as a table: what is at risk is what matters now.
fn shown(work: &Work, known: &Known) -> Plan<Setting> {
    let at_risk = |from| known.statuses.iter().map(move |it| act::at_risk(&it.key, from));
    let at_risk: BTreeSet<String> = work.from.into_iter().flat_map(at_risk).collect();
    let mut plan = work.plan.clone();
    plan.stakes.retain(|stake| at_risk.contains(&stake.what));
    plan
}

struct Done {
    code: u8,
    asked_at: Option<Timestamp>,
}

/// Does the work, and says what was done of it and what was not.
async fn execute(
    context: &Context,
    args: &TagsApplyArgs,
    site: &Site,
    work: &Work,
) -> Result<Done, Failure> {
    let ui = &context.ui;
    let mut refused = BTreeMap::new();
    if !work.keys.is_empty() {
        let known;
        (known, refused) = match act::activate(&site.explorer, &work.keys).await {
            Ok(read) => read,
            Err(unread) => {
                let (failure, is_any_taken) = unread.told();
                if !is_any_taken {
                    return Err(failure);
                }
                ui.failure(&failure);
                return Ok(Done { code: error::PARTIAL, asked_at: None });
            }
        };
        for key in act::taken(&work.keys, &refused) {
            let since = known.status(key).and_then(|status| status.updated_at);
            let since = since.map(|at| format!(" at {at}")).unwrap_or_default();
            ui.line(&format!("Activated `{key}`{since}."));
        }
    }
    let activated = act::taken(&work.keys, &refused).len();
    if !refused.is_empty() {
        let failure = not_all(&work.keys, &refused, work.from.is_some());
        if activated == 0 {
            return Err(failure);
        }
        ui.failure(&failure);
        return Ok(Done { code: error::PARTIAL, asked_at: None });
    }
    let Some(from) = work.from.filter(|_| matches!(work.ruling, Some(Ruling::Free))) else {
        return Ok(Done { code: error::DONE, asked_at: None });
    };
    match backfill(context, args, site, work, from).await {
        Ok(asked_at) => Ok(Done { code: error::DONE, asked_at }),
        Err(failure) if activated > 0 => {
            ui.failure(&failure);
            ui.grave("The keys are active; run it again for the billing backfill, which is never begun twice.");
            Ok(Done { code: error::PARTIAL, asked_at: None })
        }
        Err(failure) => Err(failure),
    }
}

/// Asks for the backfill, once the statuses were read again: they are what it applies.
async fn backfill(
    context: &Context,
    args: &TagsApplyArgs,
    site: &Site,
    work: &Work,
    from: Month,
) -> Result<Option<Timestamp>, Failure> {
    let known: Known = super::read(&site.explorer).await?;
    let radius = radius(from, &known, &BTreeSet::new());
    let checked = act::check_acknowledged(&radius, &args.wish.acknowledge, from, &work.plan.stakes);
    checked.map_err(act::held_back)?;
    let started = act::start(&site.explorer, from, &known).await;
    Ok(match started.map_err(|error| act::refused(error, &known))? {
        Started::New(past) => {
            context.ui.line(&format!(
                "The billing backfill from {from} was asked for at {}; AWS takes up to a day, and \
                 `apportion tags status` shows how far it is.",
                past.requested_at
            ));
            Some(past.requested_at)
        }
        Started::Earlier(past) => {
            act::check_reached(&past, from)?;
            context.ui.line(&format!(
                "AWS began no billing backfill: it answered with the one from {} that was asked for at {} ({}).",
                past.from, past.requested_at, past.status
            ));
            Some(past.requested_at)
        }
    })
}

pub(super) fn not_all(
    keys: &BTreeSet<String>,
    refused: &BTreeMap<String, String>,
    has_backfill: bool,
) -> Failure {
    let lacking = keys.len() - act::taken(keys, refused).len();
    let is_any =
        |words: &[&str]| refused.values().any(|why| words.iter().any(|word| why.contains(word)));
    let mut hints = Vec::new();
    if is_any(&["AccessDenied"]) {
        let text =
            "grant `ce:UpdateCostAllocationTagsStatus`; `docs/permissions.md` has the policy";
        hints.push(text.to_owned());
    }
    if is_any(&["LimitExceeded", "ServiceQuotaExceeded"]) {
        let text = "AWS allows 500 active keys: deactivate one in the Billing console, or ask AWS for more";
        hints.push(text.to_owned());
    }
    if hints.is_empty() {
        let text = "run it again: what is active is kept; a key that billing does not find is found up to 24 \
                    hours after its use";
        hints.push(text.to_owned());
    }
    if has_backfill {
        hints.push(
            "the billing backfill was not asked for, since it applies today's statuses".to_owned(),
        );
    }
    Failure {
        kind: Kind::Failed,
        message: format!("{lacking} of {} keys could not be activated", keys.len()),
        causes: refused.iter().map(|(key, why)| act::cause(key, why)).collect(),
        hints,
    }
}
