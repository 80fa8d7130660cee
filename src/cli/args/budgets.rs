//! Owns what can be typed about the budgets of AWS.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AwsArgs;

/// What `budgets` does.
#[derive(Debug, Subcommand)]
pub enum BudgetsCommand {
    /// Whether each budget in AWS watches the money that its filter and metric name; changes nothing
    Verify(VerifyArgs),
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
