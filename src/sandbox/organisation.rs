//! Owns what exists in the imitated organisation: accounts, domains, people, resources, tag keys, budgets, topics, roles and policies.
//!
//! **Invariant:** plain data; names nothing of the program.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

pub use super::budget::{Budget, BudgetFilter, BudgetLimit, Notification, TimeUnit};
pub use super::policy::{Policy, Role};
pub use super::tag_key::{Backfill, TagKey};
pub use super::topic::Topic;

/// Tags as they are on a resource now.
pub type Tags = BTreeMap<String, String>;

/// The whole imitated organisation, as it is at the clock's time.
#[derive(Clone, Debug, Default)]
pub struct Organisation {
    /// The 12-digit id of the payer (management account).
    pub payer: String,
    /// The organization's id (`o-…`).
    pub organization_id: String,
    /// Every account, the payer included.
    pub accounts: Vec<Account>,
    /// SageMaker domains, deleted ones included.
    pub domains: Vec<Domain>,
    /// User profiles, deleted ones included.
    pub user_profiles: Vec<UserProfile>,
    /// Spaces, deleted ones included.
    pub spaces: Vec<Space>,
    /// Apps that `ListApps` knows.
    pub apps: Vec<App>,
    /// Everything else of SageMaker that can be listed: jobs, endpoints, notebook instances.
    pub resources: Vec<Resource>,
    /// EFS file systems, home directories and others.
    pub file_systems: Vec<FileSystem>,
    /// AWS Budgets, by account.
    pub budgets: Vec<Budget>,
    /// SNS topics.
    pub topics: Vec<Topic>,
    /// Roles, by account.
    pub roles: Vec<Role>,
    /// Managed policies, by account, and those of AWS.
    pub policies: Vec<Policy>,
    /// Cost allocation tag keys known to billing.
    pub tag_keys: Vec<TagKey>,
    /// Requested billing backfills, oldest first.
    pub backfills: Vec<Backfill>,
    /// What the makers of resources without their domain tag left behind, for tests; no service tells it.
    pub traces: Vec<Trace>,
}

/// An AWS account.
#[derive(Clone, Debug)]
pub struct Account {
    /// 12 digits.
    pub id: String,
    /// The account's name.
    pub name: String,
    /// The root user's address.
    pub email: String,
    /// When it joined.
    pub joined_at: Timestamp,
}

/// A SageMaker domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// The owning account.
    pub account: String,
    /// The region.
    pub region: String,
    /// `d-` and twelve of `[a-z0-9]`.
    pub id: String,
    /// The name people gave it.
    pub name: String,
    /// `SSO` or `IAM`.
    pub auth_mode: String,
    /// The default execution role's ARN, possibly with a path.
    pub execution_role: String,
    /// The role of shared spaces, where it is another one.
    pub space_role: Option<String>,
    /// Custom tag propagation: `ENABLED`, or absent when it was never set.
    pub tag_propagation: Option<String>,
    /// The home file system, where the domain has one.
    pub home_efs: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A user profile of a domain.
#[derive(Clone, Debug)]
pub struct UserProfile {
    /// The domain's id.
    pub domain: String,
    /// The profile's name; a GUID in Unified Studio.
    pub name: String,
    /// The single sign-on value, where the domain uses SSO.
    pub sso_value: Option<String>,
    /// An execution role of its own.
    pub execution_role: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// A space of a domain.
#[derive(Clone, Debug)]
pub struct Space {
    /// The domain's id.
    pub domain: String,
    /// The space's name.
    pub name: String,
    /// The owning user profile's name.
    pub owner: String,
    /// Whether it is shared; private otherwise.
    pub shared: bool,
    /// The size of its volume in GiB.
    pub volume_gib: u32,
    /// Tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was deleted.
    pub deleted_at: Option<Timestamp>,
}

/// An app of a user profile or a space, exactly one of the two.
#[derive(Clone, Debug)]
pub struct App {
    /// The domain's id.
    pub domain: String,
    /// The user profile's name, for Classic and Canvas apps.
    pub user_profile: Option<String>,
    /// The space's name, for space apps.
    pub space: Option<String>,
    /// `JupyterLab`, `CodeEditor`, `Canvas`, `JupyterServer`, `KernelGateway` …
    pub app_type: String,
    /// The app's name, mostly `default`.
    pub name: String,
    /// `ml.…`, or `system`.
    pub instance_type: String,
    /// `InService`, `Deleted` …
    pub status: String,
    /// Tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A job, endpoint, notebook instance or other taggable resource.
#[derive(Clone, Debug)]
pub struct Resource {
    /// The owning account.
    pub account: String,
    /// The region.
    pub region: String,
    /// The ARN's segment: `training-job`, `processing-job`, `endpoint`, `notebook-instance` …
    pub kind: String,
    /// The name, case kept.
    pub name: String,
    /// The true ARN.
    pub arn: String,
    /// The status that the list operation shows.
    pub status: String,
    /// Members of its description beyond name, ARN, status and time: `RoleArn`, `EndpointConfigName` …
    pub details: serde_json::Value,
    /// The id of the domain that it truly belongs to; absent for what no domain has to do with.
    pub truth: Option<String>,
    /// Tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
    /// When it was deleted; then no list shows it.
    pub deleted_at: Option<Timestamp>,
}

/// What is known of a resource whose domain is a question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trace {
    /// The true ARN.
    pub arn: String,
    /// The case that it was made for.
    pub case: &'static str,
    /// How much of its domain can be told.
    pub clue: Clue,
    /// The id of the domain that it truly belongs to; absent for what no domain has to do with.
    pub truth: Option<String>,
    /// Whether it costs something as it is.
    pub costs: bool,
}

/// How much can be told of the domain of a resource, by whoever sees all that AWS tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clue {
    /// It has its right domain tag.
    Tagged,
    /// It lacks the tag, and what there is tells its domain.
    Told,
    /// Signs of different weight disagree; nobody need judge, and whoever does has to be right.
    Contested,
    /// Signs of one weight disagree.
    Tied,
    /// Only a role points anywhere, and roles are lent.
    Hinted,
    /// Nothing points to a single domain.
    Silent,
    /// Its domain tag is not that of the domain that everything else tells.
    Contradicted,
    /// Its tags name a domain that is gone.
    Stale,
    /// It cannot be tagged, whatever is told.
    Barred,
    /// All that there is tells another domain than the true one.
    Blind,
}

/// An EFS file system.
#[derive(Clone, Debug)]
pub struct FileSystem {
    /// The owning account.
    pub account: String,
    /// The region.
    pub region: String,
    /// `fs-…`.
    pub id: String,
    /// The creation token: the domain's id for a home file system.
    pub creation_token: String,
    /// The metered size in bytes.
    pub size_bytes: u64,
    /// Tags.
    pub tags: Tags,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Organisation {
    /// Returns the keys whose listed status is active.
    pub fn active_keys(&self) -> BTreeSet<String> {
        self.tag_keys.iter().filter(|it| it.is_on()).map(|it| it.key.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_listed_status_is_the_last_change_even_before_it_shows() {
        let day = |day: &str| day.parse().unwrap();
        let key = TagKey {
            key: "team".to_owned(),
            changes: vec![(day("2026-01-01"), false), (day("2027-01-01"), true)],
            ..TagKey::default()
        };
        assert!(!key.status_on(day("2026-12-31")));
        let organisation =
            Organisation { tag_keys: vec![key, TagKey::default()], ..Organisation::default() };
        assert_eq!(organisation.active_keys(), BTreeSet::from(["team".to_owned()]));
    }
}
