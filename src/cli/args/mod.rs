//! Owns what can be typed; the comments are the help.

pub mod budgets;
pub mod change;
pub mod explain;
pub mod isolate;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use jiff::Timestamp;

use crate::aws;
use crate::metric::Metric;
use crate::money::Money;
use crate::period::Month;

/// Who spent what in Amazon SageMaker, to the cent, with proof that it adds up
///
/// Reads Cost Explorer by domain, user profile and space, joins it with what exists, and writes reports that
/// reconcile to the bill. `apportion demo` shows all of it without an AWS account.
///
/// Exit codes: 0 done, 1 failed, 2 usage, 3 changes are pending (`plan --check`) or a budget is
/// over its threshold (`budgets alerts --check`), 4 does not
/// reconcile, 5 partial or moving, 70 a bug.
#[derive(Debug, Parser)]
#[command(name = "apportion", version, max_term_width = 100)]
pub struct Arguments {
    /// Configuration file; `apportion.toml` when there is one
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say nothing but errors
    #[arg(long, global = true)]
    pub quiet: bool,
    /// Take this moment for the present, as `2026-11-20T08:00:00Z`, to replay a run
    #[arg(long, global = true, value_name = "TIME", hide = true)]
    pub now: Option<Timestamp>,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Do all of it on an embedded organisation, without an AWS account
    Demo(DemoArgs),
    /// The monthly batch: check, collect, report and alerts
    Run(RunArgs),
    /// Look at credentials, payer, tag keys and configuration; nothing is charged
    Check(CheckArgs),
    /// Cost allocation tag keys: which are active, activating them, and the billing backfill
    #[command(subcommand)]
    Tags(change::TagsCommand),
    /// Cost Explorer and inventory into a snapshot: a quote before, a receipt after
    Collect(CollectArgs),
    /// A snapshot into files; offline and free of charge
    Report(ReportArgs),
    /// Freeze a month: what is charged for it, with its inputs; what comes later is a restatement
    Close(CloseArgs),
    /// Every line, rule, weight and rounding under one figure; offline and free of charge
    Explain(explain::ExplainArgs),
    /// Budgets: suggested from history, planned and applied in AWS, verified, exported; and their alerts
    #[command(subcommand)]
    Budgets(budgets::BudgetsCommand),
    /// The domain tag on older resources: plan, apply, verify, undo
    #[command(subcommand)]
    Retag(change::RetagCommand),
    /// Isolation policies: what domains' roles may do to each other's resources; plan, apply, lint, export
    #[command(subcommand)]
    Isolate(isolate::IsolateCommand),
    /// Imitate AWS on loopback, for trying scripts and clients
    Sandbox(SandboxArgs),
}

/// Where snapshots are and what a report is about.
#[derive(Clone, Debug, Args)]
pub struct Place {
    /// Folder of snapshots
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Month of the report, `YYYY-MM`; the last full month when not given
    #[arg(long, value_name = "YYYY-MM", value_parser = Month::parse)]
    pub month: Option<Month>,
}

/// How AWS is reached.
#[derive(Clone, Debug, Default, Args)]
pub struct AwsArgs {
    /// Profile of the AWS configuration
    #[arg(long, value_name = "NAME")]
    pub profile: Option<String>,
    /// Region of the inventory, repeatable; where the bill says SageMaker is used when not given
    #[arg(long, value_name = "REGION", value_parser = parse_region)]
    pub region: Vec<String>,
}

/// What is asked of AWS, and for how much.
#[derive(Clone, Debug, Args)]
pub struct Asking {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Months of history, the report's included
    #[arg(long, value_name = "N", default_value_t = 13, value_parser = clap::value_parser!(u32).range(1..=38))]
    pub months: u32,
    /// Months before the report's that are read day by day as well
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=13))]
    pub daily_months: u32,
    /// The most that requests may cost in dollars; $1.00 where there is no terminal
    #[arg(long, value_name = "USD", value_parser = parse_spend)]
    pub max_spend: Option<Money>,
    /// Accept the quote without being asked
    #[arg(long)]
    pub yes: bool,
    /// Requests under way at once; 1 for a fixed order
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=8))]
    pub concurrency: u8,
    /// Ask Cost Explorer for a forecast too, for one request more
    #[arg(long)]
    pub aws_forecast: bool,
    /// Ask for everything again, even for months that did not change
    #[arg(long)]
    pub fresh: bool,
}

/// What is written.
#[derive(Clone, Debug, Args)]
pub struct Writing {
    /// Folder of the reports; the month's folder is made in it
    #[arg(long, value_name = "DIR", default_value = "apportion-out")]
    pub out: PathBuf,
    /// Metric of totals and statements; the configuration's, or `net_amortized_cost`
    #[arg(long, value_name = "METRIC", value_parser = parse_metric)]
    pub metric: Option<Metric>,
    /// One more report definition, a TOML file, repeatable
    #[arg(long, value_name = "FILE")]
    pub definition: Vec<PathBuf>,
    /// Write the lines of every month of the snapshot to `lines.csv`
    #[arg(long)]
    pub history: bool,
}

/// Arguments of `demo`.
#[derive(Debug, Args)]
pub struct DemoArgs {
    /// Folder of the reports and of the demonstration's snapshot
    #[arg(long, value_name = "DIR", default_value = "apportion-demo")]
    pub out: PathBuf,
    /// The organisation
    #[command(flatten)]
    pub organisation: Organisation,
}

/// Which organisation is imitated.
#[derive(Clone, Debug, Args)]
pub struct Organisation {
    /// Scenario, a TOML file, or `legacy`; the embedded one when not given
    #[arg(long, value_name = "FILE")]
    pub scenario: Option<PathBuf>,
    /// Seed of everything that is drawn
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// Multiplies users and spaces
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub scale: u32,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// Where and which month
    #[command(flatten)]
    pub place: Place,
    /// What is asked
    #[command(flatten)]
    pub asking: Asking,
    /// What is written
    #[command(flatten)]
    pub writing: Writing,
}

/// Arguments of `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
}

/// Arguments of `collect`.
#[derive(Debug, Args)]
pub struct CollectArgs {
    /// Where and which month
    #[command(flatten)]
    pub place: Place,
    /// What is asked
    #[command(flatten)]
    pub asking: Asking,
}

/// Arguments of `report`.
#[derive(Debug, Args)]
pub struct ReportArgs {
    /// Where and which month
    #[command(flatten)]
    pub place: Place,
    /// Name of the snapshot; the newest when not given
    #[arg(long, value_name = "ID")]
    pub snapshot: Option<String>,
    /// What is written
    #[command(flatten)]
    pub writing: Writing,
}

/// Arguments of `close`.
#[derive(Debug, Args)]
pub struct CloseArgs {
    /// Month, `YYYY-MM`
    #[arg(value_name = "YYYY-MM", value_parser = Month::parse)]
    pub month: Month,
    /// Folder of snapshots; closed months are kept in it
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Name of the snapshot; the newest when not given
    #[arg(long, value_name = "ID")]
    pub snapshot: Option<String>,
    /// Close it while it is open, estimated, partial or moving; that is recorded and shown
    #[arg(long)]
    pub force: bool,
    /// Of a closed month, book the restatement in this later month
    #[arg(long, value_name = "YYYY-MM", value_parser = Month::parse)]
    pub book_in: Option<Month>,
    /// What is written
    #[command(flatten)]
    pub writing: Writing,
}

/// Arguments of `sandbox`.
#[derive(Debug, Args)]
pub struct SandboxArgs {
    /// Port on loopback; any free one when 0
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub port: u16,
    /// The organisation
    #[command(flatten)]
    pub organisation: Organisation,
    /// Instead of the organisation, so many owners times usage types billed every month, for timing clients
    #[arg(long, value_name = "N")]
    pub groups: Option<u32>,
}

fn parse_metric(text: &str) -> Result<Metric, String> {
    Metric::parse(text)
        .ok_or_else(|| format!("not a metric; one of {}", Metric::ALL.map(Metric::name).join(", ")))
}

fn parse_region(text: &str) -> Result<String, String> {
    if aws::is_region(text) {
        Ok(text.to_owned())
    } else {
        Err("a region is letters, digits and hyphens".to_owned())
    }
}

fn parse_spend(text: &str) -> Result<Money, String> {
    match Money::parse(text) {
        Ok(money) if money >= Money::ZERO => Ok(money),
        Ok(_) => Err("it must not be negative".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}
