//! Owns what can be typed after `budgets`; the comments are the help.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::metric::Metric;

/// What `budgets` does.
#[derive(Debug, Subcommand)]
pub enum BudgetsCommand {
    /// Thresholds of budgets against actual and forecast spend; `--send` tells people
    Alerts(AlertsArgs),
}

/// Arguments of `budgets alerts`.
#[derive(Debug, Args)]
pub struct AlertsArgs {
    /// Folder of snapshots; what was sent is kept in it, too
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Metric of the configuration's budgets that name none
    #[arg(long, value_name = "METRIC", value_parser = super::parse_metric)]
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
