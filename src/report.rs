//! Owns what a report shows: a definition's rows, coverage, settlement, and the typed tables of its files.
//!
//! **Invariant:** every table of one report sums the same lines, so the sum in one equals the sum in every other.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::bearer::Bearer;
use crate::books::Adjustment;
use crate::charge::{Charge, Charges};
use crate::ledger::{Ledger, Line};
use crate::metric::Metric;
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::settle::{self, Judgement, Settlement};
use crate::snapshot::Snapshot;
use crate::terms::Terms;
use crate::usage;

/// A month's report under way: the snapshot, its ledger, and what is shown of them.
pub struct Report<'a> {
    /// What was fetched.
    pub snapshot: &'a Snapshot,
    /// Who bears what.
    pub ledger: &'a Ledger,
    /// Who is charged what of it.
    pub charges: &'a Charges<'a>,
    /// How, and what is shown.
    pub terms: &'a Terms,
    /// The month.
    pub month: Month,
    /// The metric of totals, statements and budgets.
    pub metric: Metric,
}

/// What is shown, in which rows: one TOML file.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The name of its file.
    pub name: String,
    /// The heading.
    pub title: String,
    /// One sentence below it.
    pub caption: String,
    /// What the rows are grouped by.
    pub rows: Vec<Dimension>,
    /// Rows shown on the page; all of them are in files.
    #[serde(default)]
    pub limit: Option<usize>,
    /// The only kind of owner shown.
    #[serde(default)]
    pub only: Option<String>,
    /// The chart drawn of it.
    #[serde(default)]
    pub chart: Option<ChartKind>,
}

/// What rows can be grouped by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The domain by name and id; pools and the unattributed by their kind.
    Domain,
    /// Who bears it; a private space counts to its user.
    Bearer,
    /// The user profile; the owner of a private space.
    UserProfile,
    /// The space.
    Space,
    /// The component of SageMaker.
    Component,
    /// The service.
    Service,
    /// The usage type.
    UsageType,
    /// The record type.
    RecordType,
    /// The region.
    Region,
    /// The account of the owner.
    OwnerAccount,
    /// The account that was billed.
    BilledAccount,
    /// The team.
    Team,
    /// Why it has no owner, or no closer one.
    Reason,
}

/// How a definition is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChartKind {
    /// Months, stacked.
    Trend,
    /// One month, one bar a row.
    Bars,
}

/// A row of a definition's result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// What it is grouped by.
    pub labels: Vec<String>,
    /// The amount of each month of the snapshot up to the report's, and of the open one.
    pub months: Vec<Option<Money>>,
}

/// What stands for a team where there is none.
pub const NO_TEAM: &str = "without a team";

/// What share of a month has an owner.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Borne by a space, a user, a domain or a tag.
    pub attributed: Money,
    /// In pools.
    pub shared: Money,
    /// Nobody's.
    pub unattributed: Money,
}

impl Dimension {
    /// Returns the heading for people and the column in files.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Dimension::Domain => ("domain", "Domain"),
            Dimension::Bearer => ("owner", "Owner"),
            Dimension::UserProfile => ("user_profile", "User profile"),
            Dimension::Space => ("space", "Space"),
            Dimension::Component => ("component", "Component"),
            Dimension::Service => ("service", "Service"),
            Dimension::UsageType => ("usage_type", "Usage type"),
            Dimension::RecordType => ("record_type", "Record type"),
            Dimension::Region => ("region", "Region"),
            Dimension::OwnerAccount => ("owner_account", "Owner's account"),
            Dimension::BilledAccount => ("billed_account", "Billed account"),
            Dimension::Team => ("team", "Team"),
            Dimension::Reason => ("reason", "Reason"),
        }
    }
}

impl Report<'_> {
    /// Tells how final a month is, as of the snapshot and the books.
    pub fn settlement(&self, month: Month) -> Settlement {
        self.judgement(month).settlement
    }

    /// Tells how final a month is, and the rule that says so.
    pub fn judgement(&self, month: Month) -> Judgement {
        let closing = self.charges.books.closings.get(&month);
        settle::judge(&self.snapshot.manifest, month, closing)
    }

    /// Returns what restatements of closed months booked in the report's.
    pub fn adjustments(&self) -> impl Iterator<Item = &Adjustment> {
        self.charges.books.adjustments.iter().filter(|it| it.booked_in == self.month)
    }

    /// Returns the months shown in trends: every month of the snapshot.
    pub fn months(&self) -> Vec<Month> {
        self.snapshot.manifest.months()
    }

    /// Sums a month's charges in the report's metric; absent where the metric was not delivered.
    pub fn total(&self, month: Month) -> Option<Money> {
        self.charges.total(month).get(self.metric)
    }

    /// Tells what share of a month has an owner; absent where the metric was not delivered for every line.
    pub fn coverage(&self, month: Month) -> Option<Coverage> {
        let mut coverage = Coverage::default();
        for charge in self.charges.of_month(month) {
            let money = charge.amounts.get(self.metric)?;
            match self.charges.bearer(&charge).owner {
                Owner::Pool(_) => coverage.shared += money,
                Owner::Unattributed => coverage.unattributed += money,
                _ => coverage.attributed += money,
            }
        }
        Some(coverage)
    }

    /// Sums some lines in the report's metric; absent where it was not delivered for each.
    pub fn sum<'l>(&self, lines: impl Iterator<Item = &'l Line>) -> Option<Money> {
        lines
            .map(|line| line.amounts.get(self.metric))
            .try_fold(Money::ZERO, |sum, money| Some(sum + money?))
    }

    /// Groups the charges of every month by a definition's rows, largest in the report's month first.
    pub fn tabulate(&self, definition: &Definition) -> Vec<Row> {
        let months = self.months();
        let mut rows: BTreeMap<Vec<String>, Vec<Option<Money>>> = BTreeMap::new();
        let charges = months.iter().flat_map(|month| self.charges.of_month(*month));
        for charge in charges {
            let bearer = self.charges.bearer(&charge);
            if definition.only.as_deref().is_some_and(|kind| kind != bearer.owner.kind()) {
                continue;
            }
            let labels: Vec<String> =
                definition.rows.iter().map(|dimension| self.label(*dimension, &charge)).collect();
            let amounts =
                rows.entry(labels).or_insert_with(|| vec![Some(Money::ZERO); months.len()]);
            let index = months.iter().position(|month| *month == charge.month);
            let index = index.expect("every charge lies in a month of the snapshot");
            amounts[index] =
                amounts[index].zip(charge.amounts.get(self.metric)).map(|(sum, money)| sum + money);
        }
        let at = months.iter().position(|month| *month == self.month);
        let mut rows: Vec<Row> =
            rows.into_iter().map(|(labels, months)| Row { labels, months }).collect();
        rows.sort_by_key(|row| {
            let amount = at.and_then(|at| row.months[at]).unwrap_or(Money::ZERO);
            (std::cmp::Reverse(amount), row.labels.clone())
        });
        rows
    }

    fn label(&self, dimension: Dimension, charge: &Charge) -> String {
        let bearer = self.charges.bearer(charge);
        let name = |number: u32| self.ledger.names.text(number).to_owned();
        match dimension {
            Dimension::Domain => domain_label(bearer),
            Dimension::Bearer => bearer_label(bearer),
            Dimension::UserProfile => {
                bearer.user_profile.as_ref().map(ToString::to_string).unwrap_or_default()
            }
            Dimension::Space => match &bearer.owner {
                Owner::Space(_, space) => space.to_string(),
                _ => String::new(),
            },
            Dimension::Component => match (charge.component, charge.usage_type) {
                (usage::Component::Other, Some(usage_type)) => name(usage_type),
                (component, _) => component.title().to_owned(),
            },
            Dimension::Service => name(charge.service),
            Dimension::UsageType => charge.usage_type.map(name).unwrap_or_default(),
            Dimension::RecordType => name(charge.record_type),
            Dimension::Region => self.region(charge).unwrap_or_default(),
            Dimension::OwnerAccount => {
                bearer.owner.domain().map(|domain| domain.account.to_string()).unwrap_or_default()
            }
            Dimension::BilledAccount => charge.billed_account.map(name).unwrap_or_default(),
            Dimension::Team => {
                self.charges.team(charge).map_or_else(|| NO_TEAM.to_owned(), ToString::to_string)
            }
            Dimension::Reason => {
                charge.reason.map(|reason| reason.title().to_owned()).unwrap_or_default()
            }
        }
    }

    /// Returns the person that an owner is or belongs to, where one joins it.
    pub fn person(&self, bearer: usize) -> Option<&str> {
        let bearer = &self.charges.bearers[bearer];
        let domain = bearer.owner.domain()?;
        self.charges.membership.people.name(&domain.id, bearer.user_profile.as_ref()?)
    }

    /// Tells the region of a charge: of its owner's ARN, else of its usage type.
    pub fn region(&self, charge: &Charge) -> Option<String> {
        match self.charges.bearer(charge).owner.domain() {
            Some(domain) => Some(domain.region.clone()),
            None => usage::region_of(self.ledger.names.text(charge.usage_type?)).map(str::to_owned),
        }
    }

    /// Tells the account that a charge without one was billed to, where the month had only one.
    pub fn billed_account(&self, charge: &Charge) -> Option<String> {
        if let Some(number) = charge.billed_account {
            return Some(self.ledger.names.text(number).to_owned());
        }
        let rows = &self.snapshot.manifest.billed_accounts;
        let mut accounts = rows.iter().filter(|row| row.month == charge.month);
        let first = &accounts.next()?.account;
        accounts.all(|row| row.account == *first).then(|| first.clone())
    }
}

/// Names a domain for people.
pub fn domain_label(bearer: &Bearer) -> String {
    match (&bearer.owner, bearer.owner.domain()) {
        (_, Some(domain)) => match &bearer.domain_name {
            Some(name) => format!("{name} ({})", domain.id),
            None => domain.id.to_string(),
        },
        (Owner::Tag { key, value }, None) => format!("{key} = {value}"),
        (Owner::Pool(pool), None) => format!("pool: {}", pool.name()),
        (Owner::Team(team), None) => format!("team {team}"),
        _ => "without an owner".to_owned(),
    }
}

/// Names an owner for people; a private space goes by its user.
pub fn bearer_label(bearer: &Bearer) -> String {
    let place = |domain: &crate::arn::DomainKey| {
        bearer.domain_name.clone().unwrap_or_else(|| domain.id.to_string())
    };
    match (&bearer.owner, &bearer.user_profile) {
        (Owner::Space(domain, _) | Owner::UserProfile(domain, _), Some(user)) => {
            format!("{user} ({})", place(domain))
        }
        (Owner::Space(domain, space), None) => format!("space {space} ({})", place(domain)),
        (Owner::Domain(domain), _) => format!("domain {} ({})", place(domain), domain.id),
        _ => domain_label(bearer),
    }
}

/// The definitions that are compiled in, in the order of the page; by team only where anybody is charged.
pub fn definitions(is_charging: bool) -> Vec<Definition> {
    let teams = is_charging.then_some(include_str!("../reports/teams.toml"));
    let always = [
        include_str!("../reports/domains.toml"),
        include_str!("../reports/owners.toml"),
        include_str!("../reports/components.toml"),
        include_str!("../reports/record_types.toml"),
        include_str!("../reports/unattributed.toml"),
    ];
    let texts = teams.into_iter().chain(always);
    texts.map(|text| toml::from_str(text).expect("the compiled-in definitions are valid")).collect()
}
