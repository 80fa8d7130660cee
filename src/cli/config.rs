//! Owns the configuration file: `apportion.toml`, checked before anything is spent or written.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::arn::{AccountId, DomainId, SpaceName, UserProfileName};
use crate::aws;
use crate::budget::{LocalBudget, Notification, NotificationKind, Scope, Threshold};
use crate::metric::Metric;
use crate::money::Money;
use crate::store::disk;

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
    /// Budgets that this program judges by itself.
    pub budget: Vec<Budget>,
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

/// A budget of the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    name: String,
    #[serde(default)]
    all: bool,
    domain: Option<DomainId>,
    user_profile: Option<UserProfileName>,
    space: Option<SpaceName>,
    limit: Money,
    #[serde(default)]
    thresholds: Vec<u32>,
    #[serde(default)]
    forecast_thresholds: Vec<u32>,
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

/// Loads the named file, or `apportion.toml` where there is one, or nothing; returns its text too, for its hash.
pub fn load(path: Option<&Path>) -> Result<(Config, String), Error> {
    let default = Path::new("apportion.toml");
    let path = match path {
        Some(path) => path,
        None if disk::exists(default) => default,
        None => return Ok((Config::default(), String::new())),
    };
    let bytes = disk::read(path)?;
    let invalid = |why: String| Error::Invalid { path: path.to_owned(), source: Invalid(why) };
    let text = String::from_utf8(bytes).map_err(|_| invalid("it is not UTF-8".to_owned()))?;
    let config: Config =
        toml::from_str(&text).map_err(|error| invalid(error.to_string().trim_end().to_owned()))?;
    config.check().map_err(invalid)?;
    Ok((config, text))
}

impl Config {
    fn check(&self) -> Result<(), String> {
        for budget in &self.budget {
            budget.to_local().map_err(|why| format!("budget `{}`: {why}", budget.name))?;
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

    /// Returns the budgets, ready to be judged.
    pub fn budgets(&self) -> Vec<LocalBudget> {
        self.budget
            .iter()
            .map(|budget| {
                budget.to_local().expect("the configuration was checked when it was loaded")
            })
            .collect()
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

impl Budget {
    fn to_local(&self) -> Result<LocalBudget, String> {
        let scope = match (self.all, &self.domain, &self.user_profile, &self.space) {
            (true, None, None, None) => Scope::All,
            (false, Some(domain), None, None) => Scope::Domain(domain.clone()),
            (false, Some(domain), Some(user), None) => {
                Scope::UserProfile(domain.clone(), user.clone())
            }
            (false, Some(domain), None, Some(space)) => Scope::Space(domain.clone(), space.clone()),
            _ => {
                return Err("give `all = true`, or `domain`, or `domain` with one of `user_profile` and `space`"
                    .to_owned());
            }
        };
        if self.limit <= Money::ZERO {
            return Err("its limit must be above zero".to_owned());
        }
        let of = |kind, percents: &[u32]| -> Vec<Notification> {
            percents
                .iter()
                .map(|percent| Notification {
                    kind,
                    threshold: Threshold::BasisPoints(i64::from(*percent) * 100),
                })
                .collect()
        };
        let mut notifications = of(NotificationKind::Actual, &self.thresholds);
        notifications.extend(of(NotificationKind::Forecast, &self.forecast_thresholds));
        Ok(LocalBudget { name: self.name.clone(), scope, limit: self.limit, notifications })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("apportion.toml");
        disk::write(&path, text.as_bytes()).unwrap();
        match load(Some(&path)) {
            Ok((config, _)) => format!(
                "{:?}",
                config.budgets().iter().map(|it| it.scope.to_string()).collect::<Vec<_>>()
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
        assert!(check("[tags]\nactivate = [\"\"]").contains("not a tag key"));
    }
}
