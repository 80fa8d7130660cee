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
    /// Thresholds of budgets against actual and forecast spend; `--send` tells people
    Alerts(AlertsArgs),
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

/// Arguments of `budgets alerts`.
#[derive(Debug, Args)]
pub struct AlertsArgs {
    /// Folder of snapshots; what was sent is kept in it, too
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Metric of the configuration's budgets that name none
    #[arg(long, value_name = "METRIC", value_parser = parse_metric)]
    pub metric: Option<Metric>,
    /// Exit with 3 when a threshold is crossed, and with 4 or 5 when the figures behind it are wrong or lacking
    #[arg(long)]
    pub check: bool,
    /// Print `text`, `csv` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "csv", "json"])]
    pub format: String,
    /// Who is told
    #[command(flatten)]
    pub telling: Telling,
    /// Profile of the AWS configuration, for SNS
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
}

/// Whether people are told.
#[derive(Clone, Copy, Debug, Args)]
pub struct Telling {
    /// Tell the channels of `[alerts]` what is crossed or will be, each threshold of a period once
    #[arg(long)]
    pub send: bool,
    /// Tell again what was told
    #[arg(long, requires = "send")]
    pub resend: bool,
    /// Print the messages instead of the table, and send nothing
    #[arg(long, requires = "send")]
    pub dry_run: bool,
}
