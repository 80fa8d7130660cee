//! Owns marks: the tags of a resource that say whose it is, which are its state in a plan of tags.

use serde::{Deserialize, Serialize};

use crate::inventory::Tags;
use crate::key;
use crate::plan::State;

/// The keys that say whose a resource is.
pub const KEYS: [&str; 4] = [key::DOMAIN, key::SHARED_SPACE, key::SPACE, key::USER_PROFILE];

/// The tags of a resource that say whose it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Tags", into = "Tags")]
pub struct Marks(pub Tags);

impl TryFrom<Tags> for Marks {
    type Error = String;

    /// Takes no other keys, so that a plan that was edited cannot touch another tag.
    fn try_from(tags: Tags) -> Result<Marks, String> {
        match tags.keys().find(|key| !KEYS.contains(&key.as_str())) {
            None => Ok(Marks(tags)),
            Some(key) => Err(format!("`{key}` is no key that a plan of tags is about")),
        }
    }
}

impl From<Marks> for Tags {
    fn from(marks: Marks) -> Tags {
        marks.0
    }
}

impl Marks {
    /// Picks the marks from all tags of a resource; absent when it has none.
    pub fn of(tags: &Tags) -> Option<Marks> {
        let marks: Tags = tags
            .iter()
            .filter(|(key, _)| KEYS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        (!marks.is_empty()).then_some(Marks(marks))
    }

    /// Returns the same marks with that domain.
    #[must_use]
    pub fn with_domain(marks: Option<&Marks>, arn: &str) -> Marks {
        let mut tags = marks.map(|it| it.0.clone()).unwrap_or_default();
        tags.insert(key::DOMAIN.to_owned(), arn.to_owned());
        Marks(tags)
    }
}

impl State for Marks {
    fn fields(&self) -> Vec<(String, String)> {
        self.0.clone().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_other_tag_gets_in() {
        let good = r#"{"sagemaker:domain-arn":"a","sagemaker:space-arn":"b"}"#;
        let marks: Marks = serde_json::from_str(good).unwrap();
        assert_eq!(serde_json::to_string(&marks).unwrap(), good);
        let error = serde_json::from_str::<Marks>(r#"{"sagemaker:domain-arn":"a","team":"b"}"#);
        let error = error.unwrap_err().to_string();
        assert!(error.contains("`team` is no key that a plan of tags is about"), "{error}");
    }
}
