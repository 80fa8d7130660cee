//! Owns what exists in SageMaker: domains, user profiles, spaces, apps and other resources, and what was known of those gone.
//!
//! **Invariant:** the SageMaker API is no history, so what an earlier snapshot knew is carried forward (`past.rs`).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::arn::{AccountId, DomainId, DomainKey, SpaceName, UserProfileName};

/// Tags of a resource.
pub type Tags = BTreeMap<String, String>;

/// Everything that was listed, account by account and region by region.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inventory {
    /// Names of accounts, where the organization told them.
    pub accounts: BTreeMap<AccountId, String>,
    /// SageMaker domains.
    pub domains: Vec<Domain>,
    /// User profiles.
    pub user_profiles: Vec<UserProfile>,
    /// Spaces.
    pub spaces: Vec<Space>,
    /// Apps.
    pub apps: Vec<App>,
    /// Jobs, endpoints, notebook instances and the like.
    pub resources: Vec<Resource>,
    /// Home file systems.
    pub file_systems: Vec<FileSystem>,
    /// What could not be read.
    pub gaps: Vec<Gap>,
    /// Where domains, user profiles and spaces were all listed, this time.
    #[serde(default)]
    pub listed: BTreeSet<Whereabouts>,
}

/// An account and a region.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Whereabouts {
    /// The account.
    pub account: AccountId,
    /// The region.
    pub region: String,
}

/// A SageMaker domain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Where it lives, and which it is.
    pub key: DomainKey,
    /// Its ARN as it was listed, the value of tags that name it.
    #[serde(default)]
    pub arn: String,
    /// The name that people gave it.
    pub name: String,
    /// The default execution role's ARN.
    pub execution_role: Option<String>,
    /// The ARN of the role that shared spaces run as.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub space_role: Option<String>,
    /// Whether custom tags are propagated to apps and jobs: `ENABLED` or `DISABLED`.
    pub tag_propagation: Option<String>,
    /// The home file system.
    pub home_efs: Option<String>,
    /// Tags, where they could be read.
    pub tags: Tags,
    /// When it was last listed.
    pub last_seen_at: Timestamp,
    /// When a complete listing first lacked it; absent while it is there, or nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_by: Option<Timestamp>,
}

/// A user profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UserProfile {
    /// Its domain.
    pub domain: DomainId,
    /// Its name.
    pub name: UserProfileName,
    /// The person's value at the single sign-on provider, where there is one.
    pub sso_value: Option<String>,
    /// An execution role of its own.
    pub execution_role: Option<String>,
    /// Tags, where they could be read.
    pub tags: Tags,
    /// When it was last listed.
    pub last_seen_at: Timestamp,
    /// When a complete listing first lacked it; absent while it is there, or nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_by: Option<Timestamp>,
}

/// A space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Space {
    /// Its domain.
    pub domain: DomainId,
    /// Its name.
    pub name: SpaceName,
    /// The owning user profile.
    pub owner: Option<UserProfileName>,
    /// Whether it is shared; absent when AWS did not say.
    pub shared: Option<bool>,
    /// The volume's size in GiB.
    pub volume_gib: Option<i32>,
    /// Tags, where they could be read.
    pub tags: Tags,
    /// When it was last listed.
    pub last_seen_at: Timestamp,
    /// When a complete listing first lacked it; absent while it is there, or nobody looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone_by: Option<Timestamp>,
}

/// An app of a user profile or of a space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct App {
    /// Its domain.
    pub domain: DomainId,
    /// The user profile, for Classic and Canvas apps.
    pub user_profile: Option<String>,
    /// The space, for space apps.
    pub space: Option<String>,
    /// `JupyterLab`, `Canvas` …
    pub app_type: String,
    /// The app's name.
    pub name: String,
    /// The instance type, where it is told.
    pub instance_type: Option<String>,
    /// `InService`, `Deleted` …
    pub status: String,
    /// Tags, where they could be read.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// When it was last listed.
    pub last_seen_at: Timestamp,
}

/// Any other listed resource.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resource {
    /// The account it was listed in.
    pub account: AccountId,
    /// The region it was listed in.
    pub region: String,
    /// The ARN's first segment: `training-job`, `endpoint` …
    pub kind: String,
    /// The name, case kept.
    pub name: String,
    /// The ARN as it was listed.
    pub arn: String,
    /// The status, where the list tells it.
    pub status: Option<String>,
    /// Tags, where `GetResources` told them; absent when it did not know the resource.
    pub tags: Option<Tags>,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// Where it comes from, where its description was read.
    #[serde(default, skip_serializing_if = "Origin::is_unknown")]
    pub origin: Origin,
    /// When it was last listed.
    pub last_seen_at: Timestamp,
}

/// What the description of a resource says of where it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// The ARN of the role that it runs as.
    pub role: Option<String>,
    /// The domain in which a person created it (`CreatedBy`).
    pub created_by: Option<DomainId>,
    /// The ARNs of what created it: a tuning job, a pipeline execution.
    pub parents: Vec<String>,
    /// The ARNs of what it serves or runs: an endpoint's configuration, a configuration's models.
    pub uses: Vec<String>,
}

impl Origin {
    /// Tells whether nothing is known.
    pub fn is_unknown(&self) -> bool {
        *self == Origin::default()
    }
}

/// An EFS file system that a domain manages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSystem {
    /// The account it was listed in.
    pub account: AccountId,
    /// The region it was listed in.
    pub region: String,
    /// `fs-…`.
    pub id: String,
    /// The domain's ARN in its tag `ManagedByAmazonSageMakerResource`.
    pub managed_by: Option<String>,
    /// Its other tags.
    #[serde(default, skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// The metered size in bytes.
    pub size_bytes: i64,
    /// When it was last listed.
    pub last_seen_at: Timestamp,
}

/// Something of the inventory that could not be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The account.
    pub account: String,
    /// The region, empty for what is asked once an account.
    pub region: String,
    /// The operation that failed.
    pub operation: String,
    /// AWS's error code, or what happened.
    pub code: String,
    /// AWS's message.
    pub message: String,
}

impl Inventory {
    /// Tells whether the account and region of a domain were listed, so that what is not there does not exist.
    pub fn is_listed(&self, domain: &DomainKey) -> bool {
        self.listed.contains(&Whereabouts {
            account: domain.account.clone(),
            region: domain.region.clone(),
        })
    }

    /// Puts everything into its one order.
    pub fn sort(&mut self) {
        self.domains.sort_by(|left, right| left.key.cmp(&right.key));
        self.user_profiles
            .sort_by(|left, right| (&left.domain, &left.name).cmp(&(&right.domain, &right.name)));
        self.spaces
            .sort_by(|left, right| (&left.domain, &left.name).cmp(&(&right.domain, &right.name)));
        self.apps.sort_by_cached_key(|app| {
            (
                app.domain.clone(),
                app.user_profile.clone(),
                app.space.clone(),
                app.app_type.clone(),
                app.name.clone(),
            )
        });
        self.resources.sort_by(|left, right| {
            (&left.account, &left.region, &left.kind, &left.name).cmp(&(
                &right.account,
                &right.region,
                &right.kind,
                &right.name,
            ))
        });
        self.file_systems.sort_by(|left, right| left.id.cmp(&right.id));
        self.gaps.sort();
        self.gaps.dedup();
    }
}
