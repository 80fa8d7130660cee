//! Owns the cost allocation tag keys that SageMaker's cost is found by, and what billing says of them.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The key of a space.
pub const SPACE: &str = "sagemaker:space-arn";
/// The key of a shared space on Glue sessions.
pub const SHARED_SPACE: &str = "sagemaker:shared-space-arn";
/// The key of a user profile.
pub const USER_PROFILE: &str = "sagemaker:user-profile-arn";
/// The key of a domain.
pub const DOMAIN: &str = "sagemaker:domain-arn";
/// The key on a domain's home file system.
pub const MANAGED_BY: &str = "ManagedByAmazonSageMakerResource";

/// The keys of SageMaker in the order in which they claim a record.
pub const PRECEDENCE: [&str; 5] = [SPACE, SHARED_SPACE, USER_PROFILE, DOMAIN, MANAGED_BY];

/// What billing says of a cost allocation tag key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyStatus {
    /// The key, without prefix.
    pub key: String,
    /// Whether it is active; absent when billing would not say (a member account).
    pub active: Option<bool>,
    /// When its status was last changed; absent for one never activated.
    pub updated_at: Option<Timestamp>,
    /// The first day of the last month in which it was used.
    pub last_used: Option<Date>,
}

impl KeyStatus {
    /// Returns the day its status was last changed.
    pub fn updated_on(&self) -> Option<Date> {
        self.updated_at.map(|at| TimeZone::UTC.to_datetime(at).date())
    }
}

/// A billing backfill that was asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Backfill {
    /// From when history was rewritten.
    pub from: String,
    /// When it was asked for.
    pub requested_at: String,
    /// `SUCCEEDED`, `PROCESSING` or `FAILED`.
    pub status: String,
}
