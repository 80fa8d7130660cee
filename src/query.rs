//! Owns a question to Cost Explorer as a value: period, filter and groups.
//!
//! **Invariant:** a filter that Cost Explorer would refuse for its shape cannot be built: no list of one, no list of none.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::period::Period;

/// One question to `GetCostAndUsage`; every metric is asked for, since they cost nothing extra.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Query {
    /// The days asked for.
    pub period: Period,
    /// The length of each result.
    pub granularity: Granularity,
    /// What is left out; nothing when absent.
    pub filter: Option<Filter>,
    /// One or two keys.
    pub group_by: Vec<Group>,
}

/// The length of each result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Granularity {
    /// A calendar month.
    Monthly,
    /// A UTC day.
    Daily,
}

/// A key to group by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Group {
    /// A dimension of Cost Explorer (`SERVICE`, `RECORD_TYPE` …).
    Dimension(String),
    /// A cost allocation tag key, without prefix.
    Tag(String),
}

/// What a question leaves out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Filter {
    /// Every one of at least two.
    And(Vec<Filter>),
    /// One of at least two.
    Or(Vec<Filter>),
    /// Not that.
    Not(Box<Filter>),
    /// A dimension with one of the values.
    Dimension {
        /// The dimension's name.
        key: String,
        /// At most 100 values as they came from Cost Explorer.
        values: Vec<String>,
    },
    /// A tag key with one of the values.
    Tag {
        /// The tag key.
        key: String,
        /// At most 100 values.
        values: Vec<String>,
    },
    /// No value for the tag key.
    TagAbsent {
        /// The tag key.
        key: String,
    },
}

/// Cost Explorer takes at most this many values in one filter.
pub const FILTER_VALUE_COUNT_MAX: usize = 100;

impl Filter {
    /// Joins filters by "and"; one alone stays itself, none at all is no filter.
    pub fn all(mut filters: Vec<Filter>) -> Option<Filter> {
        if filters.len() > 1 { Some(Filter::And(filters)) } else { filters.pop() }
    }

    /// Joins filters by "or"; one alone stays itself, none at all is no filter.
    pub fn any(mut filters: Vec<Filter>) -> Option<Filter> {
        if filters.len() > 1 { Some(Filter::Or(filters)) } else { filters.pop() }
    }

    /// Returns the filter for a dimension, split into lists of at most 100 values.
    pub fn dimension(key: &str, values: &[String]) -> Option<Filter> {
        let leaf =
            |values: &[String]| Filter::Dimension { key: key.to_owned(), values: values.to_vec() };
        Filter::any(values.chunks(FILTER_VALUE_COUNT_MAX).map(leaf).collect())
    }

    /// Returns the filter for a tag key with one of the values, split into lists of at most 100; none without values.
    pub fn tag(key: &str, values: &[String]) -> Option<Filter> {
        let leaf = |values: &[String]| Filter::Tag { key: key.to_owned(), values: values.to_vec() };
        Filter::any(values.chunks(FILTER_VALUE_COUNT_MAX).map(leaf).collect())
    }

    /// Returns the filter for a tag key that has a value.
    pub fn tag_present(key: &str) -> Filter {
        Filter::Not(Box::new(Filter::tag_absent(key)))
    }

    /// Returns the filter for a tag key that has no value.
    pub fn tag_absent(key: &str) -> Filter {
        Filter::TagAbsent { key: key.to_owned() }
    }

    /// Returns the filter in Cost Explorer's own JSON, for the record of requests.
    pub fn to_json(&self) -> Value {
        let list = |filters: &[Filter]| filters.iter().map(Filter::to_json).collect::<Vec<_>>();
        match self {
            Filter::And(filters) => json!({ "And": list(filters) }),
            Filter::Or(filters) => json!({ "Or": list(filters) }),
            Filter::Not(filter) => json!({ "Not": filter.to_json() }),
            Filter::Dimension { key, values } => {
                json!({ "Dimensions": { "Key": key, "Values": values } })
            }
            Filter::Tag { key, values } => json!({ "Tags": { "Key": key, "Values": values } }),
            Filter::TagAbsent { key } => {
                json!({ "Tags": { "Key": key, "MatchOptions": ["ABSENT"] } })
            }
        }
    }
}

impl Group {
    /// Returns the dimension of that name.
    pub fn dimension(key: &str) -> Group {
        Group::Dimension(key.to_owned())
    }

    /// Returns the key's name.
    pub fn key(&self) -> &str {
        match self {
            Group::Dimension(key) | Group::Tag(key) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_of_one_collapse() {
        assert_eq!(Filter::all(vec![]), None);
        let absent = Filter::tag_absent("team");
        assert_eq!(Filter::all(vec![absent.clone()]), Some(absent));
    }

    #[test]
    fn long_value_lists_are_split_at_a_hundred() {
        let values: Vec<String> = (0..250).map(|index| format!("v{index}")).collect();
        let Some(Filter::Or(leaves)) = Filter::dimension("SERVICE", &values) else {
            panic!("three leaves joined by Or");
        };
        assert_eq!(leaves.len(), 3);
        assert_eq!(
            Filter::dimension("SERVICE", &values[..1]).unwrap().to_json(),
            json!({"Dimensions": {"Key": "SERVICE", "Values": ["v0"]}})
        );
    }

    #[test]
    fn a_tag_has_one_of_its_values() {
        let values: Vec<String> = (0..101).map(|index| format!("v{index}")).collect();
        assert_eq!(
            Filter::tag("team", &values[..2]).unwrap().to_json(),
            json!({"Tags": {"Key": "team", "Values": ["v0", "v1"]}})
        );
        assert!(
            matches!(Filter::tag("team", &values), Some(Filter::Or(leaves)) if leaves.len() == 2)
        );
        assert_eq!(Filter::tag("team", &[]), None);
    }

    #[test]
    fn presence_is_not_absent() {
        assert_eq!(
            Filter::tag_present("sagemaker:space-arn").to_json().to_string(),
            r#"{"Not":{"Tags":{"Key":"sagemaker:space-arn","MatchOptions":["ABSENT"]}}}"#
        );
    }
}
