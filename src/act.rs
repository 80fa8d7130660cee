//! Owns acts: what somebody does to what, and what is known of the request beside that.

use std::collections::BTreeMap;

/// One thing that somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act<'a> {
    /// The action: `sagemaker:DescribeModel`.
    pub action: &'a str,
    /// The resource's ARN, or `*` for an action that has none.
    pub resource: &'a str,
    /// What the request says beside that.
    pub context: &'a Context,
}

/// The keys of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Values by key, in lower case.
    values: BTreeMap<String, Vec<String>>,
    /// Beginnings of keys that are absent where they have no value; all others are unknown then.
    settled: Option<Vec<String>>,
}

impl Context {
    /// Makes a context of which everything is known: a key without a value is absent.
    pub fn whole() -> Context {
        Context::default()
    }

    /// Makes a context of which some keys are known: those that begin so are absent without a value, all others unknown.
    pub fn settled(beginnings: &[&str]) -> Context {
        let settled = beginnings.iter().map(|it| it.to_lowercase()).collect();
        Context { values: BTreeMap::new(), settled: Some(settled) }
    }

    /// Adds a key with its values.
    #[must_use]
    pub fn with(mut self, key: &str, values: &[&str]) -> Context {
        let values = values.iter().map(|it| (*it).to_owned()).collect();
        self.values.insert(key.to_lowercase(), values);
        self
    }

    pub(crate) fn get(&self, key: &str) -> Known<'_> {
        let key = key.to_lowercase();
        match (self.values.get(&key), &self.settled) {
            (Some(values), _) if values.is_empty() => Known::Absent,
            (Some(values), _) => Known::Values(values),
            (None, None) => Known::Absent,
            (None, Some(settled)) if settled.iter().any(|it| key.starts_with(it)) => Known::Absent,
            (None, Some(_)) => Known::Unknown,
        }
    }
}

/// What is known of a key.
pub(crate) enum Known<'a> {
    /// It has these values.
    Values(&'a [String]),
    /// It is not there.
    Absent,
    /// Whether it is there is not known.
    Unknown,
}
