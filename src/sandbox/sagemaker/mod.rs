//! Owns the imitation of SageMaker's control plane: who is in a domain, what exists, and its tags.
//!
//! **Invariant:** summaries carry no more than AWS's do, so names without ARNs stay a client's problem.

mod describe;
mod identity;
mod form;
mod list;
mod detail;
mod search;
mod tags;

pub(super) use tags::{ARN_LETTERS_MAX, added, is_known, removed};

use serde_json::{Value, json};

use super::index;
use super::page::{Paging, unknown};
use super::wire::{Body, Caller, Refusal};
use super::world::World;

const PAGING: Paging = Paging {
    size_key: "MaxResults",
    token_key: "NextToken",
    least: 1,
    most: 100,
    usual: 10,
    bad_size: INVALID,
    bad_token: INVALID,
};

const INVALID: &str = "ValidationException";

/// Answers one operation of SageMaker.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    index::refresh(world);
    let answer = match operation {
        "ListDomains" => identity::list_domains(world, caller, body)?,
        "ListUserProfiles" => identity::list_user_profiles(world, caller, body)?,
        "ListSpaces" => identity::list_spaces(world, caller, body)?,
        "ListApps" => identity::list_apps(world, caller, body)?,
        "DescribeDomain" => describe::domain(world, caller, body)?,
        "DescribeUserProfile" => describe::user_profile(world, caller, body)?,
        "DescribeSpace" => describe::space(world, caller, body)?,
        "DescribeApp" => describe::app(world, caller, body)?,
        "ListTags" => tags::list(world, caller, body)?,
        "AddTags" => tags::add(world, caller, body)?,
        "DeleteTags" => {
            tags::delete(world, caller, body)?;
            json!({})
        }
        "Search" => search::answer(world, caller, body)?,
        other => match (list::listing(other), detail::answer(world, caller, other, body)) {
            (Some(listing), _) => list::answer(world, caller, &listing, body)?,
            (None, Some(answer)) => answer?,
            (None, None) => return Err(unknown(other)),
        },
    };
    Ok(Body::Json(answer))
}

#[cfg(test)]
mod tests;
