//! Owns the configuration file: `apportion.toml`, checked before anything is spent or written.

use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Spanned;

use crate::arn::AccountId;
use crate::assignment::Assignment;
use crate::aws;
use crate::budget::Budget;
use crate::budget_table;
use crate::cli::channels::{Channels, without_addresses};
use crate::common::Common;
use crate::each::Someone;
use crate::fiscal::FiscalYear;
use crate::isolation_wish::Wish;
use crate::journal::JournalTerms;
use crate::metric::Metric;
use crate::person::{self, Person};
use crate::pool::Pool;
use crate::source;
use crate::store::disk;
use crate::team::Team;
use crate::terms::{Conversion, Files, Style, Tables, Terms};

/// What the configuration file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The metric of totals, statements and budgets.
    pub metric: Option<Metric>,
    /// The billing view that Cost Explorer is asked for.
    pub billing_view_arn: Option<String>,
    /// Claiming tag keys beyond SageMaker's own, in order of precedence.
    pub keys: Vec<String>,
    /// The cost allocation tag keys that `tags` cares for.
    pub tags: Tags,
    /// How AWS is reached.
    pub aws: Aws,
    /// The accounts whose inventory is read.
    pub account: Vec<Account>,
    /// What all budgets have in common.
    pub budgets: Common,
    /// Budgets.
    pub budget: Vec<budget_table::Table>,
    /// By which channels people are told of alerts.
    pub alerts: Channels,
    /// Where teams come from.
    pub teams: source::Table,
    /// What is told of each team.
    pub team: Vec<Spanned<Team>>,
    /// Rules that give owners to teams.
    pub assignment: Vec<Spanned<Assignment>>,
    /// How user profiles are joined to people.
    pub people: person::Table,
    /// People and their user profiles.
    pub person: Vec<Spanned<Person>>,
    /// Shared cost and its rules.
    pub pool: Vec<Spanned<Pool>>,
    /// What statements show.
    pub statements: Style,
    /// The month, 1 to 12, in which a fiscal year begins.
    pub fiscal_year_start: FiscalYear,
    /// The currency of a converted column, and its rates.
    pub rates: Option<Conversion>,
    /// The accounts of the journal.
    pub journal: Option<JournalTerms>,
    /// How isolation policies are to be.
    pub isolation: Wish,
}

/// The cost allocation tag keys that `tags` cares for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tags {
    /// Keys to activate beyond SageMaker's own and the claiming ones.
    pub activate: Vec<String>,
}

/// How AWS is reached.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Aws {
    /// The profile of the AWS configuration.
    pub profile: Option<String>,
    /// The region where none is named otherwise.
    pub region: Option<String>,
    /// The longest wait before a retry.
    pub retry_backoff_ms_max: Option<u64>,
    /// Attempts for each request, the first included.
    pub attempts_max: Option<u32>,
    /// The longest wait for one answer.
    pub attempt_timeout_s: Option<u64>,
}

/// An account whose inventory is read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// Its id.
    pub id: AccountId,
    /// The role to take on; none for the caller's own account.
    pub role_arn: Option<String>,
    /// The external id that the role asks for.
    pub external_id: Option<String>,
    /// The regions; where the bill says when empty.
    #[serde(default)]
    pub regions: Vec<String>,
}

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// The file is not what it should be.
    #[error("`{}` cannot be used", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Why.
        source: Invalid,
    },
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Invalid(pub String);

/// A configuration with all that it names.
#[derive(Clone, Debug, Default)]
pub struct Loaded {
    /// What it says.
    pub config: Config,
    /// Its text, for its hash.
    pub text: String,
    /// The files that it names.
    pub files: Files,
    /// How cost is charged.
    pub terms: Terms,
}

impl Loaded {
    /// Makes what a configuration says that names no files.
    pub fn of(text: &str) -> Result<Loaded, String> {
        Loaded::with(text, Files::new())
    }

    /// Makes what a configuration says, with the files that it names.
    pub fn with(text: &str, files: Files) -> Result<Loaded, String> {
        let config = parse(text)?;
        let terms = Terms::make(config.tables(text), &files).map_err(|it| it.to_string())?;
        Ok(Loaded { config, text: text.to_owned(), files, terms })
    }
}

/// Loads the named file, or `apportion.toml` where there is one, or nothing; with the files that it names.
pub fn load(path: Option<&Path>) -> Result<Loaded, Error> {
    let default = Path::new("apportion.toml");
    let path = match path {
        Some(path) => path,
        None if disk::exists(default) => default,
        None => return Ok(Loaded::default()),
    };
    let bytes = disk::read(path)?;
    let invalid = |why: String| Error::Invalid { path: path.to_owned(), source: Invalid(why) };
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    let config = parse(&text).map_err(invalid)?;
    let tables = config.tables(&text);
    // A file is named from where the configuration is, so that it can be used from any folder.
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut files = Files::new();
    for name in tables.files() {
        files.insert(name.to_owned(), disk::read(&folder.join(name))?);
    }
    let terms = Terms::make(tables, &files).map_err(|problem| {
        let path = problem.file.as_ref().map_or_else(|| path.to_owned(), |file| folder.join(file));
        Error::Invalid { path, source: Invalid(problem.to_string()) }
    })?;
    Ok(Loaded { config, text, files, terms })
}

/// Parses a configuration's text and checks what can be checked without its files.
pub fn parse(text: &str) -> Result<Config, String> {
    let config: Config =
        toml::from_str(text).map_err(|error| without_addresses(error.to_string().trim_end()))?;
    config.check()?;
    Ok(config)
}

impl Config {
    fn check(&self) -> Result<(), String> {
        self.budgets.check()?;
        self.alerts.check()?;
        self.isolation.check()?;
        for budget in &self.budget {
            let checked = budget.check(&self.budgets);
            checked.map_err(|why| format!("budget `{}`: {why}", budget.name))?;
        }
        let names: Vec<&str> = self.budget.iter().map(|budget| budget.name.as_str()).collect();
        if let Some(name) = twice(names) {
            return Err(format!("two budgets are called `{name}`"));
        }
        if let Some(id) = twice(self.account.iter().map(|account| &account.id).collect()) {
            return Err(format!("account {id} is named twice"));
        }
        let mut keys = self.keys.iter().chain(&self.tags.activate);
        if let Some(key) = keys.find(|key| key.is_empty() || key.contains('$')) {
            return Err(format!("not a tag key: `{key}`"));
        }
        let regions = self.account.iter().flat_map(|account| &account.regions);
        if let Some(region) = regions.chain(&self.aws.region).find(|it| !aws::is_region(it)) {
            return Err(format!("a region is letters, digits and hyphens: `{region}`"));
        }
        Ok(())
    }

    /// Returns the tables that terms are made of, each with its line in the configuration's text.
    pub fn tables(&self, text: &str) -> Tables {
        let line = |span: Range<usize>| {
            let before = text.get(..span.start).unwrap_or_default();
            u64::try_from(before.matches('\n').count() + 1).expect("a line's number is small")
        };
        let team = |it: &Spanned<Team>| Team { line: line(it.span()), ..it.get_ref().clone() };
        let assignment =
            |it: &Spanned<Assignment>| Assignment { line: line(it.span()), ..it.get_ref().clone() };
        let person =
            |it: &Spanned<Person>| Person { line: line(it.span()), ..it.get_ref().clone() };
        let pool = |it: &Spanned<Pool>| Pool { line: line(it.span()), ..it.get_ref().clone() };
        Tables {
            team: self.team.iter().map(team).collect(),
            teams: self.teams.clone(),
            assignment: self.assignment.iter().map(assignment).collect(),
            people: self.people.clone(),
            person: self.person.iter().map(person).collect(),
            pool: self.pool.iter().map(pool).collect(),
            statements: self.statements,
            fiscal_year_start: self.fiscal_year_start,
            rates: self.rates.clone(),
            journal: self.journal.clone(),
        }
    }

    /// Returns the budgets, ready to be judged: where one is for each of many, one for each of those given.
    ///
    /// What budgets come to is remembered by their names, so two of one name are refused.
    pub fn budgets_of(&self, everybody: &BTreeSet<Someone>) -> Result<Vec<Budget>, String> {
        let budgets = self.budget.iter().flat_map(|table| table.budgets(&self.budgets, everybody));
        let budgets: Vec<Budget> = budgets.collect();
        match twice(budgets.iter().map(|budget| &budget.name).collect()) {
            Some(name) => Err(format!("two budgets are called `{name}`")),
            None => Ok(budgets),
        }
    }
}

fn twice<T: Ord>(mut items: Vec<T>) -> Option<T> {
    items.sort_unstable();
    let mut items = items.into_iter().peekable();
    while let Some(item) = items.next() {
        if items.peek() == Some(&item) {
            return Some(item);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::Inventory;
    use crate::team::TeamName;

    fn check(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("apportion.toml");
        disk::write(&path, text.as_bytes()).unwrap();
        match load(Some(&path)) {
            Ok(Loaded { config, .. }) => format!(
                "{:?}",
                config
                    .budgets_of(&BTreeSet::new())
                    .unwrap()
                    .iter()
                    .map(|it| it.scope.to_string())
                    .collect::<Vec<_>>()
            ),
            Err(Error::Invalid { source, .. }) => source.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_configuration_is_checked_whole() {
        assert_eq!(check(""), "[]");
        assert_eq!(
            check(
                "[[budget]]\nname = \"a\"\ndomain = \"d-1\"\nuser_profile = \"ana\"\nlimit = \"5\"\n"
            ),
            r#"["user-profile/d-1/ana"]"#
        );
        assert!(check("metrc = \"x\"").contains("unknown field `metrc`"));
        assert!(check("[[account]]\nid = \"12\"").contains("an account id has 12 digits"));
        assert!(
            check("[[budget]]\nname = \"a\"\nlimit = \"5\"")
                .contains("budget `a`: give `all = true`")
        );
        assert!(
            check("[[budget]]\nname = \"a\"\nall = true\nlimit = \"0\"").contains("above zero")
        );
        assert!(check("[[budget]]\nname = \"a\"\nall = true\nlimit = 5").contains("limit"));
        assert!(check("keys = [\"a$b\"]").contains("not a tag key"));
        let text = "[[budget]]\nname = \"Red\"\nall = true\nlimit = \"5\"\n
            [[budget]]\nname = \"{team}\"\neach = \"team\"\nlimit = \"5\"";
        let config = Loaded::with(text, Files::new()).unwrap().config;
        for (team, expected) in [("Blue", None), ("Red", Some("two budgets are called `Red`"))] {
            let team = TeamName::parse(team).unwrap();
            let everybody = Someone::everybody(&Inventory::default(), std::iter::once(&team));
            assert_eq!(config.budgets_of(&everybody).err().as_deref(), expected);
        }
        assert!(check("[tags]\nactivate = [\"\"]").contains("not a tag key"));
    }
}
