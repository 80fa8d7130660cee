//! Owns the description from which an organisation is made.
//!
//! **Invariant:** plain data; every chance is drawn elsewhere.

use serde::{Deserialize, Serialize};

use super::world::Variants;

const DEFAULT: &str = include_str!("scenario.toml");

/// A description of an organisation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// The payer's account.
    pub payer: String,
    /// The organization's id.
    pub organization_id: String,
    /// How many domains to make, by repeating those described; as described when absent.
    pub domain_count: Option<u32>,
    /// How many user profiles each domain gets; as described when absent.
    pub user_count: Option<u32>,
    /// The accounts, the payer included.
    pub accounts: Vec<Account>,
    /// The domains.
    pub domains: Vec<Domain>,
    /// The keys that billing knows.
    pub tag_keys: Vec<TagKey>,
    /// The budgets.
    #[serde(default)]
    pub budgets: Vec<Budget>,
    /// The SNS topics.
    #[serde(default)]
    pub topics: Vec<Topic>,
    /// Resources without their domain tag, and oddly tagged ones; none when absent.
    #[serde(default)]
    pub legacy: Option<Legacy>,
    /// What differs between organisations.
    #[serde(default)]
    pub variants: Variants,
}

/// An account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// 12 digits.
    pub id: String,
    /// The name.
    pub name: String,
}

/// How people work in a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Studio {
    /// Private spaces and a few shared ones.
    Spaces,
    /// Apps of user profiles.
    Classic,
    /// Spaces of a Unified Studio project.
    Unified,
}

/// A domain.
#[expect(clippy::struct_excessive_bools, reason = "each is an independent choice in a TOML table")]
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    /// The name.
    pub name: String,
    /// The owning account.
    pub account: String,
    /// The region.
    pub region: String,
    /// How people work there.
    pub studio: Studio,
    /// The value of the `team` tag.
    pub team: String,
    /// User profiles.
    pub users: u32,
    /// Shared spaces.
    #[serde(default)]
    pub shared_spaces: u32,
    /// Endpoints.
    #[serde(default)]
    pub endpoints: u32,
    /// Whether the Savings Plan covers work here.
    #[serde(default)]
    pub covered: bool,
    /// Whether people use Canvas.
    #[serde(default)]
    pub canvas: bool,
    /// Whether shared spaces run Glue sessions.
    #[serde(default)]
    pub glue: bool,
    /// Whether there is a home file system.
    #[serde(default)]
    pub home_efs: bool,
    /// Whether custom tags propagate.
    #[serde(default)]
    pub tag_propagation: bool,
    /// Instance types that people open.
    pub instances: Vec<String>,
    /// Instance types that they train on.
    pub training: Vec<String>,
}

/// A cost allocation tag key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagKey {
    /// The key.
    pub key: String,
    /// How many months ago it became active; it never was when absent.
    pub active_months_ago: Option<i32>,
    /// How many months ago it became inactive again; it still is active when absent.
    pub inactive_months_ago: Option<i32>,
    /// On which day of those months; the first when absent.
    pub day: Option<i8>,
    /// How many hours after the start billing lists it; at once when absent.
    pub listed_after_hours: Option<i32>,
}

/// Which resources without their domain tag there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Legacy {
    /// Whether each case of evidence and each counter-example is made, once in every domain.
    pub cases: bool,
    /// How many resources of drawn kinds and signs each domain gets besides.
    pub per_domain: u32,
    /// How many plain ones are spread over the domains besides.
    pub count: u32,
    /// Whether people deploy the models of another domain and leave no trace of themselves.
    pub blind: bool,
}

impl Default for Legacy {
    fn default() -> Legacy {
        Legacy { cases: true, per_domain: 12, count: 0, blind: false }
    }
}

/// How a budget's limit relates to what is spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Limit {
    /// Already exceeded this month.
    Over,
    /// Not exceeded yet, but will be.
    Forecast,
    /// Far above.
    Far,
}

/// A budget of a domain.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Budget {
    /// The budget's name.
    pub name: String,
    /// The domain's name.
    pub domain: String,
    /// Its limit.
    pub limit: Limit,
    /// The metric, in Cost Explorer's spelling.
    pub metric: String,
    /// Whether the `user:` prefix was forgotten, so that it watches nothing.
    #[serde(default)]
    pub without_prefix: bool,
}

/// An SNS topic.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// The topic's name.
    pub name: String,
    /// The region.
    pub region: String,
    /// The owning account; the payer when absent.
    pub account: Option<String>,
    /// Whether its policy lets AWS Budgets publish.
    #[serde(default)]
    pub budgets: bool,
    /// Whether its messages are encrypted.
    #[serde(default)]
    pub encrypted: bool,
}

impl Default for Scenario {
    fn default() -> Scenario {
        Scenario::parse(DEFAULT).expect("the embedded scenario is valid")
    }
}

impl Scenario {
    /// Returns an embedded scenario by its name: `legacy` is the default one with resources that lack their tags.
    pub fn named(name: &str) -> Option<Scenario> {
        (name == "legacy")
            .then(|| Scenario { legacy: Some(Legacy::default()), ..Scenario::default() })
    }

    /// Reads a scenario from TOML.
    pub fn parse(text: &str) -> Result<Scenario, toml::de::Error> {
        toml::from_str(text)
    }
}
