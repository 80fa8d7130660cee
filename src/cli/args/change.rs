//! Owns what can be typed to change AWS: plans, and their execution.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{AwsArgs, parse_spend};
use crate::money::Money;
use crate::period::Month;

/// How a plan is shown.
#[derive(Clone, Debug, Args)]
pub struct Showing {
    /// Print `text` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub format: String,
    /// Write the plan to a file as well, for `apply --plan`
    #[arg(long, value_name = "FILE")]
    pub save: Option<PathBuf>,
    /// Print what is kept, too, and all that is left alone
    #[arg(long)]
    pub full: bool,
    /// Exit with 3 when something is to be done
    #[arg(long)]
    pub check: bool,
}

/// What `tags` does.
#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// Which keys are seen and active, since when, who may change it, and which backfills there were
    Status(TagsStatusArgs),
    /// What `apply` would do; changes nothing
    Plan(TagsPlanArgs),
    /// Activate the keys, and start a billing backfill where one is asked for
    Apply(TagsApplyArgs),
}

/// Arguments of `tags status`.
#[derive(Debug, Args)]
pub struct TagsStatusArgs {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Print `text`, `csv` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "csv", "json"])]
    pub format: String,
}

/// What a plan of tag keys is to reach.
#[derive(Clone, Debug, Args)]
pub struct TagsWish {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Let billing apply the keys to past months, from this one on and at most 12 back; it tags no resource, as
    /// `retag` does
    #[arg(long, value_name = "YYYY-MM", value_parser = Month::parse)]
    pub backfill_from: Option<Month>,
    /// Accept that this inactive key loses its history in the backfill, repeatable
    #[arg(long, value_name = "KEY")]
    pub acknowledge: Vec<String>,
    /// The most that looking up the history's dollars may cost; $1.00 where there is no terminal
    #[arg(long, value_name = "USD", value_parser = parse_spend)]
    pub max_spend: Option<Money>,
}

/// Arguments of `tags plan`.
#[derive(Debug, Args)]
pub struct TagsPlanArgs {
    /// What is to be reached
    #[command(flatten)]
    pub wish: TagsWish,
    /// How it is shown
    #[command(flatten)]
    pub showing: Showing,
}

/// Arguments of `tags apply`.
#[derive(Debug, Args)]
pub struct TagsApplyArgs {
    /// What is to be reached
    #[command(flatten)]
    pub wish: TagsWish,
    /// Execute this plan and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "backfill_from")]
    pub plan: Option<PathBuf>,
    /// Stay until the keys are effective, which takes AWS up to 24 hours, and the backfill is done
    #[arg(long)]
    pub wait: bool,
    /// Minutes between two looks while waiting
    #[arg(long, value_name = "N", default_value_t = 15, value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub poll_minutes: u32,
    /// Do it without being asked
    #[arg(long)]
    pub yes: bool,
}

/// What `retag` does.
#[derive(Debug, Subcommand)]
pub enum RetagCommand {
    /// Which resources lack their domain tag, whose they are and why; changes nothing
    Plan(RetagPlanArgs),
    /// Put the tags on; can be killed and run again
    Apply(RetagApplyArgs),
    /// Read the tags of a plan back from SageMaker
    Verify(RetagVerifyArgs),
    /// Put back what was there before an `apply`, from the file that it wrote
    Undo(RetagUndoArgs),
}

/// Which resources a plan is about, and what it proposes.
#[derive(Clone, Debug, Args)]
pub struct RetagWish {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Folder of snapshots, and of the files that undo
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Propose for resources that cost nothing any more, too: for isolation
    #[arg(long)]
    pub all: bool,
    /// The least confidence that is proposed: `certain`, `likely` or `review`
    #[arg(long, value_name = "CONFIDENCE", default_value = "likely", value_parser = ["certain", "likely", "review"])]
    pub confidence: String,
    /// CSV of `resource,domain` for what nothing else tells; `*` stands for any text
    #[arg(long, value_name = "FILE")]
    pub mapping: Option<PathBuf>,
    /// Propose to overwrite a domain tag that certain evidence contradicts
    #[arg(long)]
    pub overwrite: bool,
}

/// Arguments of `retag plan`.
#[derive(Debug, Args)]
pub struct RetagPlanArgs {
    /// What is looked at
    #[command(flatten)]
    pub wish: RetagWish,
    /// How it is shown
    #[command(flatten)]
    pub showing: Showing,
}

/// Arguments of `retag apply`.
#[derive(Debug, Args)]
pub struct RetagApplyArgs {
    /// What is looked at
    #[command(flatten)]
    pub wish: RetagWish,
    /// Execute this plan and nothing else
    #[arg(long, value_name = "FILE")]
    pub plan: Option<PathBuf>,
    /// Calls under way at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub concurrency: u8,
    /// Do it without being asked
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `retag verify`.
#[derive(Debug, Args)]
pub struct RetagVerifyArgs {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// The plan, or the file that undoes one, to compare with
    #[arg(long, value_name = "FILE")]
    pub plan: PathBuf,
    /// Calls under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub concurrency: u8,
}

/// Arguments of `retag undo`.
#[derive(Debug, Args)]
pub struct RetagUndoArgs {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// The file that `apply` wrote
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// Leave resources as they are that somebody else has changed since, and undo the rest
    #[arg(long)]
    pub skip_changed: bool,
    /// Calls under way at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub concurrency: u8,
    /// Do it without being asked
    #[arg(long)]
    pub yes: bool,
}
