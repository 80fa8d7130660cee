//! Owns what can be typed about isolation.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::AwsArgs;
use super::change::Showing;
use crate::arn::{AccountId, DomainId};

/// What `isolate` does.
#[derive(Debug, Subcommand)]
pub enum IsolateCommand {
    /// The isolation policy of each domain, what it changes for its roles, and what stays visible; changes nothing
    Plan(IsolatePlanArgs),
    /// Write the policies and attach them to the domains' roles; can be killed and run again
    Apply(IsolateApplyArgs),
    /// What is wrong with the policies that domains' roles have now, or with policies in files
    Lint(IsolateLintArgs),
    /// What each domain's roles may do, action by action: to their own, to another domain's, to what has no tag
    Matrix(IsolateMatrixArgs),
    /// The same policies as JSON, a template of CloudFormation or a configuration of Terraform
    Export(IsolateExportArgs),
    /// Decide acts under policies in files; offline
    Simulate(IsolateSimulateArgs),
}

/// Which domains are looked at.
#[derive(Clone, Debug, Args)]
pub struct Looking {
    /// How AWS is reached
    #[command(flatten)]
    pub aws: AwsArgs,
    /// Folder of snapshots; the newest tells where SageMaker is used
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Only this domain, repeatable
    #[arg(long, value_name = "ID", value_parser = DomainId::parse)]
    pub domain: Vec<DomainId>,
}

/// How policies are to be; the configuration's `[isolation]` where not given.
#[derive(Clone, Debug, Args)]
pub struct Forming {
    /// `deny` isolates beside broader grants; `current` and `earlier` are those of AWS's pages, mended
    #[arg(long, value_name = "FORM", value_parser = ["deny", "current", "earlier"])]
    pub form: Option<String>,
    /// Whether what bears no domain tag stays everybody's (`allow`) or becomes nobody's (`deny`), in the form `deny`
    #[arg(long, value_name = "WHICH", value_parser = ["allow", "deny"])]
    pub untagged: Option<String>,
}

/// What is to be reached.
#[derive(Clone, Debug, Args)]
pub struct IsolateWish {
    /// Which domains
    #[command(flatten)]
    pub looking: Looking,
    /// How policies are to be
    #[command(flatten)]
    pub forming: Forming,
    /// Detach the policies from roles that should not have them, and delete those of domains that are gone
    #[arg(long)]
    pub prune: bool,
}

/// Arguments of `isolate plan`.
#[derive(Debug, Args)]
pub struct IsolatePlanArgs {
    /// What is to be reached
    #[command(flatten)]
    pub wish: IsolateWish,
    /// How it is shown
    #[command(flatten)]
    pub showing: Showing,
}

/// Arguments of `isolate apply`.
#[derive(Debug, Args)]
pub struct IsolateApplyArgs {
    /// What is to be reached
    #[command(flatten)]
    pub wish: IsolateWish,
    /// Execute this plan and nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["prune", "form", "untagged", "domain"])]
    pub plan: Option<PathBuf>,
    /// Do it without being asked
    #[arg(long)]
    pub yes: bool,
}

/// Arguments of `isolate lint`.
#[derive(Debug, Args)]
pub struct IsolateLintArgs {
    /// Which domains
    #[command(flatten)]
    pub looking: Looking,
    /// Judge this policy document instead, repeatable; together, as if one role had them all
    #[arg(long, value_name = "FILE")]
    pub policy: Vec<PathBuf>,
    /// The domain that policies in files are for; the one that they name when not given
    #[arg(long, value_name = "ARN", requires = "policy")]
    pub domain_arn: Option<String>,
    /// Do not look for resources without a domain tag
    #[arg(long)]
    pub no_resources: bool,
    /// Print `text`, `csv` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "csv", "json"])]
    pub format: String,
    /// Exit with 3 when there is an error among what is found
    #[arg(long)]
    pub check: bool,
}

/// Arguments of `isolate matrix`.
#[derive(Debug, Args)]
pub struct IsolateMatrixArgs {
    /// Which domains
    #[command(flatten)]
    pub looking: Looking,
    /// How policies are to be
    #[command(flatten)]
    pub forming: Forming,
    /// Print `text`, verb by verb, or `csv` or `json`, action by action
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "csv", "json"])]
    pub format: String,
}

/// Arguments of `isolate export`.
#[derive(Debug, Args)]
pub struct IsolateExportArgs {
    /// Which domains
    #[command(flatten)]
    pub looking: Looking,
    /// How policies are to be
    #[command(flatten)]
    pub forming: Forming,
    /// Only domains of this account; needed where there are several and the form is for one
    #[arg(long, value_name = "ID", value_parser = AccountId::parse)]
    pub account: Option<AccountId>,
    /// Print `json`, `cloudformation` or `terraform`
    #[arg(long, value_name = "FORMAT", value_parser = ["json", "cloudformation", "terraform"])]
    pub format: String,
}

/// Arguments of `isolate simulate`.
#[derive(Debug, Args)]
pub struct IsolateSimulateArgs {
    /// A policy document that whoever acts has, repeatable
    #[arg(long, value_name = "FILE", required = true)]
    pub policy: Vec<PathBuf>,
    /// The permissions boundary
    #[arg(long, value_name = "FILE")]
    pub boundary: Option<PathBuf>,
    /// The acts: a JSON list of `{"action": …, "resource": …, "context": {key: [values]}}`
    #[arg(long, value_name = "FILE")]
    pub acts: PathBuf,
}
