//! Owns what is known of the records that a filter is put to: their slice, its key's value, and what follows for other tags.
//!
//! Keys of higher precedence than the claiming one are absent (rule A1 of `docs/allocation.md`), and of lower ones nothing is known.
//! **Invariant:** one assumption is made, and here alone: SageMaker's own tags of one resource name the same domain.

use std::collections::BTreeSet;

use crate::arn::{Arn, DomainKey, Identity};
use crate::key;
use crate::request::REST;
use crate::snapshot::Manifest;

/// What is known of a record beside its amounts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    slice: String,
    /// The value of the slice's key; absent where it was not read.
    pub(crate) value: Option<String>,
    pub(crate) account: Option<String>,
    /// The services that it may be of; where none is named, any.
    pub(crate) services: Vec<String>,
    pub(crate) record_type: String,
    pub(crate) usage_type: Option<String>,
    /// The domain that the value names, with that domain's ARN.
    home: Option<(DomainKey, String)>,
}

/// What is known of tag keys.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    /// Those that claim records, in order of precedence.
    pub claiming: Vec<String>,
    /// Those of which billing shows no value at all.
    pub silent: BTreeSet<String>,
    /// Whether tags of one record may name different domains, as those may that were written by hand.
    pub may_contradict: bool,
}

/// What is known of a tag of a record.
pub(crate) enum Worth<'a> {
    /// It is not there.
    Absent,
    /// It has this value.
    Is(&'a str),
    /// It is not there, or its value names this domain, whose ARN stands beside.
    Within(&'a DomainKey, &'a str),
    /// It is there.
    Present,
    /// Nothing is known.
    Unknown,
}

impl Keys {
    /// Takes in what a snapshot says of the keys.
    pub fn of(manifest: &Manifest) -> Keys {
        let claiming = manifest.scope.keys.clone();
        let asked = key::PRECEDENCE.iter().map(|key| (*key).to_owned());
        let asked = asked.chain(manifest.configured_keys.iter().cloned());
        // A key claims nothing only where billing says that it was never active.
        let silent = asked.filter(|key| !claiming.contains(key)).collect();
        Keys { claiming, silent, may_contradict: false }
    }
}

impl Place {
    /// Makes the place of records of a slice, with the value of its key where that was read.
    pub fn new(slice: &str, value: Option<&str>, service: &str, record_type: &str) -> Place {
        let home = value.filter(|_| key::PRECEDENCE.contains(&slice)).and_then(|value| {
            let domain = Identity::parse(value)?.domain().clone();
            let resource = format!("domain/{}", domain.id);
            Some((domain, Arn { resource, ..Arn::parse(value)? }.to_string()))
        });
        Place {
            slice: slice.to_owned(),
            value: value.map(str::to_owned),
            account: None,
            services: vec![service.to_owned()],
            record_type: record_type.to_owned(),
            usage_type: None,
            home,
        }
    }

    /// Returns the place with the account that was billed, where that is known.
    #[must_use]
    pub fn billed_to(self, account: Option<String>) -> Place {
        Place { account, ..self }
    }

    /// Returns the place with the services that it may be of.
    #[must_use]
    pub fn of_services(self, services: Vec<String>) -> Place {
        Place { services, ..self }
    }

    /// Returns the place with the usage type.
    #[must_use]
    pub fn of_usage(self, usage_type: String) -> Place {
        Place { usage_type: Some(usage_type), ..self }
    }

    /// Returns the space that claims the records, by its tag.
    pub fn space(&self) -> Option<&str> {
        self.value.as_deref().filter(|_| self.slice == key::SPACE)
    }

    /// Tells whether the records are tax.
    pub fn is_tax(&self) -> bool {
        self.record_type == "Tax" || self.services == ["Tax"]
    }

    /// Returns what is known of a tag, with the user profile's where evidence tells it of a space's records.
    pub(crate) fn tag<'a>(&'a self, key: &str, keys: &Keys, user: Option<&'a str>) -> Worth<'a> {
        let rank = |key: &str| keys.claiming.iter().position(|it| it == key);
        if keys.silent.contains(key) {
            return Worth::Absent;
        }
        let Some(asked) = rank(key) else { return Worth::Unknown };
        let own = rank(&self.slice).unwrap_or(keys.claiming.len());
        if self.slice == REST || asked < own {
            return Worth::Absent;
        }
        if asked == own {
            return self.value.as_deref().map_or(Worth::Present, Worth::Is);
        }
        match (user, &self.home) {
            (Some(""), _) if key == key::USER_PROFILE => Worth::Absent,
            (Some(user), _) if key == key::USER_PROFILE => Worth::Is(user),
            // SageMaker puts its tags on a resource together, so they name the same domain.
            (_, Some((domain, arn))) if !keys.may_contradict && key::PRECEDENCE.contains(&key) => {
                Worth::Within(domain, arn)
            }
            _ => Worth::Unknown,
        }
    }
}
