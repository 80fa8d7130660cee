//! Owns the tags of a region's SageMaker resources, as the Resource Groups Tagging API tells them.
//!
//! **Invariant:** a resource that was never tagged is not known here, which is not the same as having no tags.

use std::collections::BTreeMap;

use crate::arn::Arn;
use crate::inventory::Tags;

use super::error::Error;
use super::pages;
use super::session::Session;

pub(super) const SERVICE: &str = "Resource Groups Tagging API";
pub(super) const OPERATION: &str = "GetResources";

/// The tags of one region, by the part of the ARN that follows the account (`space/d-…/name`).
#[derive(Debug, Default)]
pub(super) struct TagIndex {
    exact: BTreeMap<String, Tags>,
    /// The exact keys that an ARN in lower case may stand for.
    folded: BTreeMap<String, Vec<String>>,
}

impl TagIndex {
    /// Takes in the tags of an ARN; what is no ARN is left out.
    pub(super) fn insert(&mut self, arn: &str, tags: Tags) {
        let Some(arn) = Arn::parse(arn) else { return };
        self.folded.entry(arn.resource.to_lowercase()).or_default().push(arn.resource.clone());
        self.exact.insert(arn.resource, tags);
    }

    /// Finds the tags of a resource: by its exact name, else by the only one that differs in case.
    pub(super) fn get(&self, resource: &str) -> Option<&Tags> {
        let folded = || match self.folded.get(&resource.to_lowercase())?.as_slice() {
            [only] => self.exact.get(only),
            _ => None,
        };
        self.exact.get(resource).or_else(folded)
    }
}

/// Reads the tags of every SageMaker resource in the session's region, as far as that goes.
pub(super) async fn read(session: &Session) -> (TagIndex, Option<Error>) {
    let mut index = TagIndex::default();
    let error = each(session, &["sagemaker"], |arn, tags| index.insert(&arn, tags)).await;
    (index, error)
}

/// Tells each ARN of some types with its tags, and returns what cut that short.
pub(super) async fn each(
    session: &Session,
    types: &[&str],
    mut tell: impl FnMut(String, Tags),
) -> Option<Error> {
    let types = types.iter().map(|name| (*name).to_owned()).collect();
    let request = session.tagging().get_resources().set_resource_type_filters(Some(types));
    let stream = request.resources_per_page(100).into_paginator().send();
    pages::each(SERVICE, OPERATION, stream, |page| {
        for mapping in page.resource_tag_mapping_list.unwrap_or_default() {
            let tags = mapping.tags.unwrap_or_default().into_iter().map(|tag| (tag.key, tag.value));
            tell(mapping.resource_arn.unwrap_or_default(), tags.collect());
        }
        page.pagination_token
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_is_folded_only_when_one_candidate_remains() {
        let mut index = TagIndex::default();
        for name in ["training-job/Job", "endpoint/Ana", "endpoint/ANA"] {
            let tags = Tags::from([("name".to_owned(), name.to_owned())]);
            index.insert(&format!("arn:aws:sagemaker:us-east-1:111122223333:{name}"), tags);
        }
        let found = |resource: &str| index.get(resource).map(|tags| tags["name"].as_str());
        assert_eq!(found("training-job/job"), Some("training-job/Job"));
        assert_eq!(found("endpoint/ANA"), Some("endpoint/ANA"));
        assert_eq!(found("endpoint/ana"), None);
        assert_eq!(found("endpoint/other"), None);
    }
}
