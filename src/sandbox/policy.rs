//! Owns roles of IAM, managed policies and their versions.
//!
//! **Invariant:** plain data; a policy always has the version that is its default one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Value, json};

/// The owner of policies that AWS manages, where an account would stand.
pub const AWS: &str = "aws";

/// The ARN of the policy that most execution roles have.
pub const FULL_ACCESS: &str = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";

/// A role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// The owning account.
    pub account: String,
    /// The name, without its path.
    pub name: String,
    /// The path: `/`, or a text between two of them.
    pub path: String,
    /// When it was created.
    pub created_at: Timestamp,
    /// Inline policies: documents by name.
    pub inline: BTreeMap<String, String>,
    /// The ARNs of attached managed policies.
    pub attached: BTreeSet<String>,
    /// The ARN of the policy that is its permissions boundary.
    pub boundary: Option<String>,
}

/// A managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The owning account, or [`AWS`].
    pub account: String,
    /// The name, without its path.
    pub name: String,
    /// The path: `/`, or a text between two of them.
    pub path: String,
    /// The description.
    pub description: Option<String>,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// When it was created.
    pub created_at: Timestamp,
    /// Its versions, oldest first.
    pub versions: Vec<Version>,
    /// The id of the version that is in force.
    pub default_id: String,
    /// How many versions were ever made; ids are not used again.
    pub version_count: u32,
    /// The names of users that have it attached.
    pub users: BTreeSet<String>,
    /// The names of groups that have it attached.
    pub groups: BTreeSet<String>,
}

/// A version of a managed policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// `v1`, `v2` …
    pub id: String,
    /// The document as it was written.
    pub document: String,
    /// When it was created.
    pub created_at: Timestamp,
}

impl Role {
    /// Makes a role without any policy.
    pub fn new(account: &str, path: &str, name: &str, created_at: Timestamp) -> Role {
        Role {
            account: account.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            created_at,
            inline: BTreeMap::new(),
            attached: BTreeSet::new(),
            boundary: None,
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role{}{}", self.account, self.path, self.name)
    }

    /// Returns the document that says who may assume it: SageMaker.
    pub fn trust() -> Value {
        json!({ "Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "sagemaker.amazonaws.com" },
            "Action": "sts:AssumeRole",
        }] })
    }
}

impl Policy {
    /// Makes a policy with one version.
    pub fn new(
        account: &str,
        path: &str,
        name: &str,
        document: String,
        created_at: Timestamp,
    ) -> Policy {
        let version = Version { id: "v1".to_owned(), document, created_at };
        Policy {
            account: account.to_owned(),
            name: name.to_owned(),
            path: path.to_owned(),
            description: None,
            tags: BTreeMap::new(),
            created_at,
            default_id: version.id.clone(),
            versions: vec![version],
            version_count: 1,
            users: BTreeSet::new(),
            groups: BTreeSet::new(),
        }
    }

    /// Makes the policies that AWS manages, as they were in the year 2026.
    ///
    /// See "`AmazonSageMakerFullAccess`" and "`AmazonSageMakerCanvasForecastAccess`" in the AWS Managed Policy Reference.
    pub fn managed() -> Vec<Policy> {
        let read = |text: &str| text.parse().expect("the instants below are well formed");
        let of = |path: &str, name: &str, count: u32, times: [&str; 2], document: &str| {
            let id = format!("v{count}");
            let document = document.trim_end().to_owned();
            let version = Version { id: id.clone(), document, created_at: read(times[1]) };
            Policy {
                versions: vec![version],
                default_id: id,
                version_count: count,
                ..Policy::new(AWS, path, name, String::new(), read(times[0]))
            }
        };
        vec![
            of(
                "/",
                "AmazonSageMakerFullAccess",
                29,
                ["2017-11-29T13:07:59Z", "2026-02-12T17:58:32Z"],
                include_str!("iam/AmazonSageMakerFullAccess.json"),
            ),
            of(
                "/service-role/",
                "AmazonSageMakerCanvasForecastAccess",
                1,
                ["2022-08-24T20:04:20Z", "2022-08-24T20:04:20Z"],
                include_str!("iam/AmazonSageMakerCanvasForecastAccess.json"),
            ),
        ]
    }

    /// Returns the ARN.
    pub fn arn(&self) -> String {
        format!("arn:aws:iam::{}:policy{}{}", self.account, self.path, self.name)
    }

    /// Tells whether AWS manages it, so that nobody else may change it.
    pub fn is_managed(&self) -> bool {
        self.account == AWS
    }

    /// Returns a version by its id.
    pub fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// Adds a version and returns its id.
    pub fn add_version(&mut self, document: String, created_at: Timestamp) -> String {
        self.version_count += 1;
        let id = format!("v{}", self.version_count);
        self.versions.push(Version { id: id.clone(), document, created_at });
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_have_paths_and_ids_are_not_used_again() {
        let at: Timestamp = "2026-11-22T16:00:00Z".parse().unwrap();
        let role = Role::new("444455556666", "/service-role/", "Execution", at);
        assert_eq!(role.arn(), "arn:aws:iam::444455556666:role/service-role/Execution");
        let mut policy = Policy::new("444455556666", "/", "own", "{}".to_owned(), at);
        assert_eq!(policy.arn(), "arn:aws:iam::444455556666:policy/own");
        assert_eq!(policy.add_version("[]".to_owned(), at), "v2");
        policy.versions.pop();
        assert_eq!(policy.add_version("[]".to_owned(), at), "v3");
        assert_eq!(policy.version("v2"), None);
    }

    #[test]
    fn what_aws_manages_is_whole() {
        let policies = Policy::managed();
        assert_eq!(policies[0].arn(), FULL_ACCESS);
        for policy in policies {
            let version = policy.version(&policy.default_id).unwrap();
            let document: Value = serde_json::from_str(&version.document).unwrap();
            assert_eq!(document["Version"], "2012-10-17", "{}", policy.name);
            assert!(document["Statement"].as_array().is_some_and(|list| list.len() > 1));
            assert!(policy.is_managed());
        }
    }
}
