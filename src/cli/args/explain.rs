//! Owns what can be typed after `explain`; the comments are the help.

use std::path::PathBuf;

use clap::Args;

use crate::inquiry::Inquiry;
use crate::metric::Metric;
use crate::period::Month;

/// Arguments of `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// What is asked
    #[command(flatten)]
    pub figure: Figure,
    /// Folder of snapshots
    #[arg(long, value_name = "DIR", default_value = ".apportion")]
    pub snapshots: PathBuf,
    /// Name of the snapshot; the newest when not given
    #[arg(long, value_name = "ID")]
    pub snapshot: Option<String>,
    /// Month of the figure, `YYYY-MM`; the last full month when not given
    #[arg(long, value_name = "YYYY-MM", value_parser = Month::parse)]
    pub month: Option<Month>,
    /// Metric of the figure; the configuration's, or `net_amortized_cost`
    #[arg(long, value_name = "METRIC", value_parser = super::parse_metric)]
    pub metric: Option<Metric>,
    /// Print `text` or `json`
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub format: String,
    /// The most of each list that the text shows, largest first; the JSON has all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub limit: u32,
}

/// Which figure is asked; all that is given must match, and the whole month is asked when nothing is.
#[derive(Clone, Debug, Args)]
pub struct Figure {
    /// What a team is charged
    #[arg(long, value_name = "NAME", conflicts_with = "without_team")]
    pub team: Option<String>,
    /// What no team is charged
    #[arg(long)]
    pub without_team: bool,
    /// What an owner bears, by its path: `user-profile/d-…/ana`, `space/d-…/lab`, `domain/d-…`, `tag/key/value`,
    /// `pool/savings-plan`, `team/name`, `unattributed`
    #[arg(long, value_name = "PATH")]
    pub owner: Option<String>,
    /// What is of a domain, by its id or name
    #[arg(long, value_name = "ID")]
    pub domain: Option<String>,
    /// What is counted to user profiles of that name, their private spaces included
    #[arg(long, value_name = "NAME")]
    pub user_profile: Option<String>,
    /// What is of a component, by its name in files
    #[arg(long, value_name = "NAME")]
    pub component: Option<String>,
    /// What is of a service, as the bill names it
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,
    /// What is of a record type, with or without spaces
    #[arg(long, value_name = "NAME")]
    pub record_type: Option<String>,
    /// What the rule of a pool moved
    #[arg(long, value_name = "NAME")]
    pub pool: Option<String>,
}

impl Figure {
    /// Returns what is asked.
    pub fn inquiry(&self) -> Inquiry {
        let Figure { team, without_team, owner, domain, user_profile, .. } = self.clone();
        let Figure { component, service, record_type, pool, .. } = self.clone();
        Inquiry {
            team,
            without_team,
            owner,
            domain,
            user_profile,
            component,
            service,
            record_type,
            pool,
        }
    }
}
