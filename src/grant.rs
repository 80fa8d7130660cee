//! Owns what IAM grants a role: the policies that it has, managed and of its own, and its boundary.

use serde_json::Value;

/// All that IAM says of what a role may do; what resources, sessions and organizations say is not in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Grants {
    /// The role's ARN.
    pub role: String,
    /// Its managed policies in the order in which AWS tells them, then its inline policies.
    pub policies: Vec<Held>,
    /// The policy that bounds all others, where there is one.
    pub boundary: Option<Held>,
}

/// A policy of a role.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// Its name.
    pub name: String,
    /// Its ARN; absent for an inline policy.
    pub arn: Option<String>,
    /// The document of its default version.
    pub document: Value,
}
