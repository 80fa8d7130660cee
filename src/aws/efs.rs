//! Owns the home file systems of domains: Elastic File System.
//!
//! **Invariant:** file systems that no domain manages are left out.

use jiff::Timestamp;

use crate::arn::AccountId;
use crate::inventory::{Domain, FileSystem, Tags};
use crate::key;

use super::error::Error;
use super::pages;
use super::session::Session;

const SERVICE: &str = "EFS";
pub(super) const OPERATION: &str = "DescribeFileSystems";

/// Lists the file systems that a domain manages: by its tag, its creation token, or as a domain's home.
pub(super) async fn read(
    session: &Session,
    account: &AccountId,
    region: &str,
    domains: &[Domain],
    now: Timestamp,
) -> (Vec<FileSystem>, Option<Error>) {
    let stream = session.efs().describe_file_systems().into_paginator().send();
    let listed =
        pages::list(SERVICE, OPERATION, stream, |page| (page.next_marker, page.file_systems)).await;
    let file_systems = listed.items.into_iter().filter_map(|described| {
        let tags = described.tags.into_iter().map(|tag| (tag.key, tag.value));
        let mut tags: Tags = tags.collect();
        let managed_by = tags.remove(key::MANAGED_BY);
        let is_home = domains.iter().any(|domain| {
            domain.home_efs.as_deref() == Some(described.file_system_id.as_str())
                || domain.key.id.as_str() == described.creation_token
        });
        (is_home || managed_by.is_some()).then(|| FileSystem {
            account: account.clone(),
            region: region.to_owned(),
            id: described.file_system_id,
            managed_by,
            tags,
            size_bytes: described.size_in_bytes.map_or(0, |size| size.value),
            last_seen_at: now,
        })
    });
    (file_systems.collect(), listed.error)
}

/// Reads the tags of one file system; absent when there is none of that id.
pub(super) async fn tags(session: &Session, id: &str) -> Result<Option<Tags>, Error> {
    match session.efs().describe_file_systems().file_system_id(id).send().await {
        Ok(answer) => {
            let found = answer.file_systems.into_iter().flatten().next();
            Ok(found.map(|it| it.tags.into_iter().map(|tag| (tag.key, tag.value)).collect()))
        }
        Err(error) => match Error::of(SERVICE, OPERATION, &error) {
            error if error.code == "FileSystemNotFound" => Ok(None),
            error => Err(error),
        },
    }
}
