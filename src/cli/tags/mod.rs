//! Owns `tags`: the life of the cost allocation tag keys.
//!
//! **Invariant:** nobody but the payer gets past `enter`, and whoever does not gets a text for the payer instead.

pub mod apply;
pub mod wait;
mod act;
mod grid;
mod handover;
mod plan;
mod status;

use crate::activation::{self, Wanted};
use crate::arn::AccountId;
use crate::aws::cost_explorer::CostExplorer;
use crate::aws::{self, Kind, Session, organizations, sts};
use crate::backfill::{Known, Past};
use crate::cli::args::AwsArgs;
use crate::cli::args::change::TagsCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;
use crate::key::Backfill;
use crate::period::Month;

/// Who asks, and what billing answered.
struct Site {
    session: Session,
    explorer: CostExplorer,
    caller: AccountId,
    /// The account that pays; absent where nobody would say.
    payer: Option<AccountId>,
    known: Known,
}

/// What is to be reached.
struct Wish {
    wanted: Vec<Wanted>,
    from: Option<Month>,
}

/// Does what was asked; returns the exit code.
pub async fn tags(context: &Context, command: &TagsCommand) -> Result<u8, Failure> {
    match command {
        TagsCommand::Status(args) => status::print(context, args).await,
        TagsCommand::Plan(args) => plan::print(context, args).await,
        TagsCommand::Apply(args) => apply::apply(context, args).await,
    }
}

impl Wish {
    fn of(context: &Context, from: Option<Month>) -> Wish {
        let config = &context.loaded.config;
        Wish { wanted: activation::wanted(&config.keys, &config.tags.activate), from }
    }
}

/// Looks who asks and who pays, and reads what billing says; a member account is told what to hand over.
async fn enter(context: &Context, args: &AwsArgs, wish: &Wish) -> Result<Site, Failure> {
    let session = Session::open(&context.aws_settings(args)).await?;
    let caller = sts::caller(&session).await?.account;
    let payer = match organizations::payer(&session).await {
        // An account in no organization pays for itself.
        Ok(payer) => Some(payer.unwrap_or_else(|| caller.clone())),
        Err(error) if error.kind == Kind::AccessDenied => {
            let text = "Whether this is the payer could not be read, so billing is asked.";
            context.ui.line(text);
            None
        }
        Err(error) => return Err(error.into()),
    };
    if let Some(payer) = payer.as_ref().filter(|payer| **payer != caller) {
        return Err(handover::refuse(context, wish, &caller, Some(payer)));
    }
    let explorer = CostExplorer::new(&session, context.loaded.config.billing_view_arn.clone());
    match read(&explorer).await {
        Ok(known) => Ok(Site { session, explorer, caller, payer, known }),
        Err(error) if error.is_for_payer() => Err(handover::refuse(context, wish, &caller, None)),
        Err(error) => Err(error.into()),
    }
}

/// Reads the status of every key of the organization, and every backfill.
async fn read(explorer: &CostExplorer) -> Result<Known, aws::Error> {
    let statuses = explorer.list_all_tag_keys().await?;
    let history = explorer.backfills().await?;
    let mut history: Vec<Past> = history.iter().map(past).collect::<Result<_, _>>()?;
    history.sort_by_key(|past| std::cmp::Reverse(past.requested_at));
    Ok(Known { statuses, history })
}

/// Reads what AWS says of a backfill.
fn past(backfill: &Backfill) -> Result<Past, aws::Error> {
    Past::read(backfill).map_err(|text| {
        let operation = "ListCostAllocationTagBackfillHistory";
        aws::Error::new("Cost Explorer", operation, Kind::Unparsable, "UnreadableAnswer", text)
    })
}

/// Refuses a month that no backfill can begin with.
fn check_reach(context: &Context, from: Option<Month>) -> Result<(), Failure> {
    let why = from.and_then(|from| crate::backfill::out_of_reach(from, context.clock.now()));
    match why {
        None => Ok(()),
        Some(why) => Err(Failure::usage(
            format!("a billing backfill cannot begin there: {why}"),
            "name one of the last 12 months or the open one",
        )),
    }
}

/// What comes after activation, for whoever has just done it.
fn next_steps(has_backfill: bool) -> Vec<&'static str> {
    let mut steps = vec![
        "A key's values show in the bill up to 24 hours after its activation, and only from then on; \
         `apportion tags status` says when.",
    ];
    if !has_backfill {
        steps.push(
            "Months before that need a billing backfill: `apportion tags plan --backfill-from YYYY-MM`.",
        );
    }
    steps.push(
        "What bore no tag at the time stays without an owner, whatever billing backfills: resources that still \
         lack their domain tag get it from `apportion retag`, which changes no past month.",
    );
    steps
}
