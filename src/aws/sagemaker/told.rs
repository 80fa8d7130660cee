//! Owns what a description tells of where a resource comes from, before names in it are made ARNs.
//!
//! **Invariant:** what is not told is absent; an empty text is not told.

use aws_sdk_sagemaker::types::UserContext;

use crate::arn::DomainId;

/// What a description tells.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::aws) struct Told {
    pub(in crate::aws) status: Option<String>,
    pub(in crate::aws) role: Option<String>,
    pub(in crate::aws) created_by: Option<DomainId>,
    /// The ARNs of what created it.
    pub(in crate::aws) parents: Vec<String>,
    pub(in crate::aws) uses: Vec<Link>,
}

/// Another resource, as a description names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::aws) enum Link {
    /// By its ARN.
    Arn(String),
    /// By the ARN's first segment and its name.
    Name(&'static str, String),
}

fn some(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}

impl Told {
    /// Begins with a status.
    pub(super) fn new(status: Option<impl AsRef<str>>) -> Told {
        Told { status: status.map(|status| status.as_ref().to_owned()), ..Told::default() }
    }

    /// Begins without a status.
    pub(super) fn without_status() -> Told {
        Told::default()
    }

    /// Adds the role that it runs as.
    pub(super) fn role(mut self, arn: Option<String>) -> Told {
        self.role = some(arn);
        self
    }

    /// Adds the one role that all parts of it run as; of several, none is its own.
    pub(super) fn roles(mut self, arns: impl IntoIterator<Item = Option<String>>) -> Told {
        let mut arns = arns.into_iter().map(some);
        let first = arns.next().flatten();
        self.role = first.filter(|first| arns.all(|arn| arn.as_ref() == Some(first)));
        self
    }

    /// Adds who created it; somebody outside of every domain is not told.
    pub(super) fn created_by(mut self, context: Option<UserContext>) -> Told {
        let id = context.and_then(|context| context.domain_id);
        self.created_by = id.and_then(|id| DomainId::parse(&id).ok());
        self
    }

    /// Adds what created it.
    pub(super) fn parent(mut self, arn: Option<String>) -> Told {
        self.parents.extend(some(arn));
        self
    }

    /// Adds what it uses, by name or by ARN.
    pub(super) fn uses(mut self, kind: &'static str, name: Option<String>) -> Told {
        self.uses.extend(some(name).map(|name| {
            if name.starts_with("arn:") { Link::Arn(name) } else { Link::Name(kind, name) }
        }));
        self
    }

    /// Adds everything that it uses.
    pub(super) fn uses_all(
        self,
        kind: &'static str,
        names: impl IntoIterator<Item = Option<String>>,
    ) -> Told {
        names.into_iter().fold(self, |told, name| told.uses(kind, name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_is_told_only_where_every_part_has_it() {
        for (roles, expected) in [
            (vec![], None),
            (vec![Some("a")], Some("a")),
            (vec![Some("a"), Some("a")], Some("a")),
            (vec![Some("a"), Some("b")], None),
            (vec![Some("a"), None], None),
            (vec![None, Some("a")], None),
            (vec![Some("")], None),
        ] {
            let told = roles.iter().map(|role| role.map(str::to_owned));
            let told = Told::without_status().roles(told);
            assert_eq!(told.role.as_deref(), expected, "{roles:?}");
        }
    }

    #[test]
    fn a_name_may_be_an_arn() {
        let names = ["m", "arn:aws:sagemaker:r:1:model-package/x", ""];
        let told = Told::without_status()
            .uses_all("model-package", names.map(|name| Some(name.to_owned())));
        let expected =
            [Link::Name("model-package", "m".to_owned()), Link::Arn(names[1].to_owned())];
        assert_eq!(told.uses, expected);
    }
}
