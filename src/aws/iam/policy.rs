//! Owns reading one managed policy: what IAM says of it, its document and its versions.

use aws_sdk_iam::primitives::DateTime;
use aws_sdk_iam::{Client, types};
use serde_json::Value;

use crate::aws::error::Error;

use super::{PAGE_SIZE, Page, SERVICE, document, lacking, list};

pub(super) const POLICY: &str = "GetPolicy";
pub(super) const VERSION: &str = "GetPolicyVersion";
pub(super) const VERSIONS: &str = "ListPolicyVersions";

/// What IAM says of a policy.
#[derive(Clone, Debug)]
pub(super) struct Described {
    pub(super) arn: String,
    pub(super) name: String,
    /// The id of its default version.
    pub(super) version: String,
    /// How many users and roles it bounds; the model lets the answer leave it out, which is none.
    pub(super) bounded_count: usize,
}

/// One version of a policy; the oldest is the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Version {
    created_at: DateTime,
    number: u64,
    pub(super) id: String,
    pub(super) is_default: bool,
}

impl Described {
    /// Reads the description in the answer to an operation.
    pub(super) fn read(operation: &'static str, policy: types::Policy) -> Result<Described, Error> {
        let lacking = |what: &str| lacking(operation, what);
        let count = policy.permissions_boundary_usage_count.unwrap_or(0);
        Ok(Described {
            arn: policy.arn.ok_or_else(|| lacking("ARN of a policy"))?,
            name: policy.policy_name.ok_or_else(|| lacking("name of a policy"))?,
            version: policy.default_version_id.ok_or_else(|| lacking("default version"))?,
            bounded_count: usize::try_from(count)
                .map_err(|_| lacking("sensible count of boundaries"))?,
        })
    }
}

/// Describes a policy.
pub(super) async fn describe(client: &Client, arn: &str) -> Result<Described, Error> {
    let answer = ask!(POLICY, client.get_policy().policy_arn(arn))?;
    Described::read(POLICY, answer.policy.ok_or_else(|| lacking(POLICY, "policy"))?)
}

/// Reads the document of a policy's default version.
pub(super) async fn document(client: &Client, policy: &Described) -> Result<Value, Error> {
    let request = client.get_policy_version().policy_arn(&policy.arn).version_id(&policy.version);
    let version = ask!(VERSION, request)?.policy_version;
    let text = version.and_then(|version| version.document);
    document::read(VERSION, &text.ok_or_else(|| lacking(VERSION, "document"))?)
}

/// Lists the versions of a policy, from the oldest on.
pub(super) async fn versions(client: &Client, arn: &str) -> Result<Vec<Version>, Error> {
    let stream = client.list_policy_versions().policy_arn(arn).into_paginator();
    let listed = list(VERSIONS, stream.page_size(PAGE_SIZE).send(), |page| {
        let items = page.versions?;
        Some(Page { items, is_truncated: page.is_truncated, marker: page.marker })
    });
    let versions = listed.await?.into_iter().map(version);
    let mut versions = versions.collect::<Result<Vec<Version>, Error>>()?;
    versions.sort();
    if versions.iter().any(|version| version.is_default) {
        Ok(versions)
    } else {
        Err(lacking(VERSIONS, "default version"))
    }
}

fn version(version: types::PolicyVersion) -> Result<Version, Error> {
    let id = version.version_id.ok_or_else(|| lacking(VERSIONS, "id of a version"))?;
    // `v`, a number, and perhaps a full stop and more.
    let number = id.strip_prefix('v').and_then(|rest| rest.split('.').next()?.parse().ok());
    Ok(Version {
        created_at: version.create_date.ok_or_else(|| lacking(VERSIONS, "date of a version"))?,
        number: number.ok_or_else(|| lacking(VERSIONS, "number of a version"))?,
        id,
        is_default: version.is_default_version,
    })
}
