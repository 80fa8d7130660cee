//! Owns ARNs and the names inside them: accounts, domains, user profiles and spaces.
//!
//! Shapes are those of the service authorization reference for SageMaker, restated in `docs/allocation.md`.
//! **Invariant:** the partition is read, never assumed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A text that is not the name it should be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not {what}: `{text}`; {rule}")]
pub struct NotName {
    /// What it should have been.
    pub what: &'static str,
    /// The text as it came.
    pub text: String,
    /// The rule that it breaks.
    pub rule: &'static str,
}

macro_rules! name_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Parses the name, or states the rule that the text breaks.
            pub fn parse(text: &str) -> Result<$name, NotName> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok($name(text.to_owned()))
                } else {
                    Err(NotName { what: $what, text: text.to_owned(), rule: $rule })
                }
            }

            /// Returns the name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotName;
            fn try_from(text: String) -> Result<$name, NotName> {
                $name::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }
    };
}

name_type!(
    /// The id of an AWS account.
    AccountId, "an account id", "an account id has 12 digits",
    |text| text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
);
name_type!(
    /// The id of a SageMaker domain (`d-…`).
    DomainId, "a domain id", "a domain id is `d-` and up to 61 of `a-z`, `0-9` and `-`",
    |text| text.len() <= 63
        && text.strip_prefix("d-").is_some_and(|rest| !rest.is_empty()
            && rest.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'))
);
name_type!(
    /// The name of a user profile.
    UserProfileName, "a user profile name", "up to 63 letters, digits and inner hyphens", is_entity_name
);
name_type!(
    /// The name of a space.
    SpaceName, "a space name", "up to 63 letters, digits and inner hyphens", is_entity_name
);

fn is_entity_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// An ARN in its six parts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// The service's name in ARNs.
    pub service: String,
    /// The region, empty for global services.
    pub region: String,
    /// The account, empty where the service leaves it out.
    pub account: String,
    /// Everything after the fifth colon.
    pub resource: String,
}

/// Where a domain lives, and which it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct DomainKey {
    /// The owning account.
    pub account: AccountId,
    /// The region.
    pub region: String,
    /// The domain's id.
    pub id: DomainId,
}

/// What a SageMaker ARN in an identity tag names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// A domain.
    Domain(DomainKey),
    /// A user profile of a domain.
    UserProfile(DomainKey, UserProfileName),
    /// A space of a domain.
    Space(DomainKey, SpaceName),
}

impl Arn {
    /// Splits an ARN into its parts; `None` when the text is not one.
    pub fn parse(text: &str) -> Option<Arn> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        let mut part = || parts.next().map(str::to_owned);
        let arn = Arn {
            partition: part()?,
            service: part()?,
            region: part()?,
            account: part()?,
            resource: part()?,
        };
        (arn.partition.starts_with("aws") && !arn.service.is_empty() && !arn.resource.is_empty())
            .then_some(arn)
    }

    /// Returns the path and the name of a thing of IAM: `/a/b/` and `c` of the policy `…:policy/a/b/c`.
    pub fn path_and_name(&self, kind: &str) -> Option<(String, String)> {
        let rest = self.resource.strip_prefix(kind)?;
        let (path, name) = rest.rsplit_once('/')?;
        let is_good = self.service == "iam" && rest.starts_with('/') && !name.is_empty();
        is_good.then(|| (format!("{path}/"), name.to_owned()))
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Arn { partition, service, region, account, resource } = self;
        write!(formatter, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

impl Identity {
    /// Parses the ARN of a domain, a user profile or a space; `None` for anything else.
    pub fn parse(text: &str) -> Option<Identity> {
        let arn = Arn::parse(text)?;
        if arn.service != "sagemaker" || arn.region.is_empty() {
            return None;
        }
        let mut segments = arn.resource.split('/');
        let kind = segments.next()?;
        let domain = DomainKey {
            account: AccountId::parse(&arn.account).ok()?,
            id: DomainId::parse(segments.next()?).ok()?,
            region: arn.region,
        };
        let name = segments.next();
        if segments.next().is_some() {
            return None;
        }
        match (kind, name) {
            ("domain", None) => Some(Identity::Domain(domain)),
            ("user-profile", Some(name)) => {
                Some(Identity::UserProfile(domain, UserProfileName::parse(name).ok()?))
            }
            ("space", Some(name)) => Some(Identity::Space(domain, SpaceName::parse(name).ok()?)),
            _ => None,
        }
    }

    /// Returns the domain that the identity is or lies in.
    pub fn domain(&self) -> &DomainKey {
        match self {
            Identity::Domain(domain)
            | Identity::UserProfile(domain, _)
            | Identity::Space(domain, _) => domain,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_read_from_arns_of_every_partition() {
        let table = [
            ("arn:aws:sagemaker:us-east-1:111122223333:domain/d-abc", "Domain d-abc"),
            (
                "arn:aws-cn:sagemaker:cn-north-1:111122223333:user-profile/d-a/Ana-1",
                "User Ana-1 of d-a",
            ),
            ("arn:aws-us-gov:sagemaker:us-gov-west-1:111122223333:space/d-a/S1", "Space S1 of d-a"),
            ("arn:aws:sagemaker:us-east-1:111122223333:app/d-a/s/JupyterLab/default", "none"),
            ("arn:aws:sagemaker:us-east-1:111122223333:domain/d-a/extra", "none"),
            ("arn:aws:sagemaker:us-east-1:111122223333:space/d-a/under_score", "none"),
            ("arn:aws:sagemaker:us-east-1:1111:domain/d-a", "none"),
            ("arn:aws:s3:::bucket", "none"),
            ("arn:aws:sagemaker:us-east-1:111122223333", "none"),
            ("", "none"),
        ];
        for (text, expected) in table {
            let actual = match Identity::parse(text) {
                Some(Identity::Domain(domain)) => format!("Domain {}", domain.id),
                Some(Identity::UserProfile(domain, name)) => {
                    format!("User {name} of {}", domain.id)
                }
                Some(Identity::Space(domain, name)) => format!("Space {name} of {}", domain.id),
                None => "none".to_owned(),
            };
            assert_eq!(actual, expected, "{text}");
        }
    }

    #[test]
    fn an_arn_prints_as_it_came() {
        let text = "arn:aws:iam::111122223333:role/service-role/a:b";
        assert_eq!(Arn::parse(text).unwrap().to_string(), text);
    }

    #[test]
    fn an_arn_of_iam_tells_path_and_name() {
        for (kind, arn, expected) in [
            ("policy", "arn:aws:iam::111122223333:policy/p", "/ p"),
            ("policy", "arn:aws-cn:iam::111122223333:policy/a/b/p", "/a/b/ p"),
            ("role", "arn:aws:iam::111122223333:role/service-role/r", "/service-role/ r"),
            ("role", "arn:aws:iam::111122223333:policy/p", "none"),
            ("role", "arn:aws:iam::111122223333:role/", "none"),
            ("role", "arn:aws:iam::111122223333:roles/r", "none"),
            ("policy", "arn:aws:s3:::policy/p", "none"),
        ] {
            let told = Arn::parse(arn).unwrap().path_and_name(kind);
            let told = told.map_or("none".to_owned(), |(path, name)| format!("{path} {name}"));
            assert_eq!(told, expected, "{arn}");
        }
    }

    #[test]
    fn a_wrong_name_states_its_rule() {
        assert_eq!(
            AccountId::parse("12").unwrap_err().to_string(),
            "not an account id: `12`; an account id has 12 digits"
        );
    }
}
