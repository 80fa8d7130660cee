//! Owns what can be typed about budgets.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::change::Showing;
use super::{AwsArgs, parse_metric, parse_spend};
use crate::metric::Metric;
use crate::money::Money;

/// What `budgets` does.
#[derive(Debug, Subcommand)]
pub enum BudgetsCommand {
    /// Limits and thresholds from history, with a back-test over past months, as TOML to edit
    Suggest(BudgetsSuggestArgs),
    /// What `apply` would do to the budgets of AWS, and what they cannot watch; changes nothing
    Plan(BudgetsPlanArgs),
    /// Create, update and, with `--prune`, delete budgets of AWS; can be killed and run again
    Apply(BudgetsApplyArgs),
    /// Whether each budget in AWS watches the money that its filter and metric name; changes nothing
    Verify(VerifyArgs),
    /// The same budgets as a template of CloudFormation or a configuration of Terraform
    Export(BudgetsExportArgs),
}

/// What a plan of budgets is made of.
#[derive(Clone, Debug, Args)]
pub struct BudgetsWish {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Folder of snapshots; the newest tells who exists and what they cost
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Metric of budgets that name none; the configuration's, or `net_amortized_cost`
    #[arg(long, value_name = "METRIC", value_parser = parse_metric)]
    pub metric: Option<Metric>,
    /// Delete budgets under the program's own prefix that are not in the configuration
    #[arg(long)]
    pub prune: bool,
}

/// Arguments of `budgets plan`.
#[derive(Debug, Args)]
pub struct BudgetsPlanArgs {
    /// What is to be reached
    #[command(flatten)]
    pub wish: BudgetsWish,
    /// How it is shown
    #[command(flatten)]
    pub showing: Showing,
}

/// Arguments of `budgets apply`.
#[derive(Debug, Args)]
pub struct BudgetsApplyArgs {
    /// What is to be reached
    #[command(flatten)]
    pub wish: BudgetsWish,
    /// Execute this plan and nothing else
    #[arg(long, value_name = "FILE", conflicts_with = "prune")]
    pub plan: Option<PathBuf>,
    /// Budgets under way at once
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub concurrency: u8,
    /// Do it without being asked
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `budgets export`.
#[derive(Debug, Args)]
pub struct BudgetsExportArgs {
    /// Folder of snapshots; the newest tells who exists
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Metric of budgets that name none; the configuration's, or `net_amortized_cost`
    #[arg(long, value_name = "METRIC", value_parser = parse_metric)]
    pub metric: Option<Metric>,
    /// Print `cloudformation` or `terraform`
    #[arg(long, value_name = "FORMAT", value_parser = ["cloudformation", "terraform"])]
    pub format: String,
}

/// Arguments of `budgets suggest`.
#[derive(Debug, Args)]
pub struct BudgetsSuggestArgs {
    /// How AWS is reached, for `--aws-forecast`
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Folder of snapshots; the newest has the history
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Whose budgets: `domain`, `team` or `user_profile`
    #[arg(long, value_name = "SORT", default_value = "domain", value_parser = ["domain", "team", "user_profile"])]
    pub by: String,
    /// Metric of the limits; the configuration's, or `net_amortized_cost`
    #[arg(long, value_name = "METRIC", value_parser = parse_metric)]
    pub metric: Option<Metric>,
    /// Days until AWS tells what a day cost, for the back-test
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=3))]
    pub delay_days: u8,
    /// Take Cost Explorer's forecast into account, for one charged request each
    #[arg(long)]
    pub aws_forecast: bool,
    /// The most that forecasts may cost in dollars; $1.00 where there is no terminal
    #[arg(long, value_name = "USD", value_parser = parse_spend)]
    pub max_spend: Option<Money>,
}

/// Arguments of `budgets verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Folder of snapshots
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Exit with 3 when a budget watches the wrong money, or none
    #[arg(long)]
    pub check: bool,
    /// Print the budgets that are fine, too
    #[arg(long)]
    pub full: bool,
    /// Print `text`, `csv` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "csv", "json"])]
    pub format: String,
}
