//! Owns `tags plan`: what `apply` would do, and what a backfill would give and take.

use crate::activation::{self, Setting};
use crate::backfill::{Radius, Ruling, judge, radius};
use crate::cli;
use crate::cli::args::change::TagsPlanArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::money::Money;
use crate::plan::Plan;
use crate::recovery;

use super::grid::{self, Dollars};
use super::{Site, Wish, check_reach, enter};

/// A plan with what it is worth.
pub(super) struct Made {
    pub(super) plan: Plan<Setting>,
    pub(super) radius: Radius,
    grid: grid::Grid,
}

/// Prints the plan; returns the exit code.
pub(super) async fn print(context: &Context, args: &TagsPlanArgs) -> Result<u8, Failure> {
    let (asked, showing) = (&args.wish, &args.showing);
    check_reach(context, asked.backfill_from)?;
    let wish = Wish::of(context, asked.backfill_from);
    plans::prove(showing.save.as_deref())?;
    let site = enter(context, &asked.aws, &wish).await?;
    let Made { mut plan, radius, grid } =
        make(context, &site, &wish, asked.max_spend, true).await?;
    // A backfill that was asked for and that AWS does not take now is outstanding as well.
    let is_put_off = asked.backfill_from.is_some_and(|from| {
        let id = activation::backfill_id(from);
        plan.left.iter().any(|left| left.id == id)
    });
    let is_pending = is_put_off || plan.pending().next().is_some();
    let is_text = showing.format == "text";
    if is_text {
        plans::show(&plan, &showing.format, showing.full);
        if !grid.is_empty() {
            cli::print(&grid::text(&grid, context.metric(None)));
        }
    }
    plan.stakes.extend(recovery::stakes(&grid));
    if !is_text {
        plans::show(&plan, &showing.format, showing.full);
    }
    if let Some(path) = &showing.save {
        crate::store::plans::store(path, &plan)?;
        context.ui.line(&format!("The plan is in `{}`.", path.display()));
    }
    for key in asked.acknowledge.iter().filter(|key| !radius.at_risk.contains_key(*key)) {
        context.ui.line(&format!("`{key}` loses nothing, so there is nothing to accept of it."));
    }
    for key in radius.at_risk.keys().filter(|key| !asked.acknowledge.contains(key)) {
        context.ui.line(&format!(
            "`apply` refuses as long as the loss is not accepted by name: `--acknowledge {}`.",
            super::handover::quoted(key)
        ));
    }
    Ok(if showing.check && is_pending { error::PENDING } else { error::DONE })
}

/// Makes the plan, and asks what the backfill in it is worth.
pub(super) async fn make(
    context: &Context,
    site: &Site,
    wish: &Wish,
    spend_max: Option<Money>,
    has_grid: bool,
) -> Result<Made, Failure> {
    let now = context.clock.now();
    let known = &site.known;
    let mut plan = activation::plan(&wish.wanted, wish.from, known, site.caller.clone(), now);
    let activated = activation::pending_keys(&plan.items);
    let ruling = wish.from.map(|from| (from, judge(from, known, !activated.is_empty(), now)));
    let mut made = Radius::default();
    let mut dollars = Dollars::default();
    if let Some((from, ruling)) = ruling
        && !matches!(ruling, Ruling::Covered(_))
    {
        made = radius(from, known, &activated);
        dollars = grid::ask(context, site, wish, &made, spend_max, has_grid).await?;
    }
    plan.stakes = dollars.at_risk;
    plan.gaps = dollars.gaps;
    Ok(Made { plan, radius: made, grid: dollars.grid })
}
