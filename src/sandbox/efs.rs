//! Owns the imitation of EFS: the file systems of an account and region.
//!
//! **Invariant:** the token of the next page is called `NextMarker` in the answer and `Marker` in the request.

use serde_json::{Value, json};

use super::organisation::FileSystem;
use super::page::{Paging, cut_at, listed, seconds, size, text, unknown};
use super::reach;
use super::wire::{Body, Caller, Refusal};
use super::world::World;

const PAGING: Paging = Paging {
    size_key: "MaxItems",
    token_key: "Marker",
    least: 1,
    most: u64::MAX,
    usual: PAGE_MAX,
    bad_size: "BadRequest",
    bad_token: "BadRequest",
};

/// EFS never answers more than this at once, whatever is asked for.
const PAGE_MAX: usize = 100;

/// Answers one operation of EFS; `body` holds the members of the query string.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    match operation {
        "DescribeFileSystems" => describe_file_systems(world, caller, body).map(Body::Json),
        other => Err(unknown(other)),
    }
}

fn describe_file_systems(world: &World, caller: &Caller, body: &Value) -> Result<Value, Refusal> {
    let (id, token) = (text(body, "FileSystemId"), text(body, "CreationToken"));
    if id.is_some() && token.is_some() {
        return Err(Refusal::new(
            "BadRequest",
            "FileSystemId and CreationToken cannot be given together",
        ));
    }
    // The id may be given as an ARN.
    let id = id.map(|id| id.rsplit('/').next().unwrap_or(id));
    let mut systems = reach::file_systems(world, caller);
    systems.retain(|system| {
        id.is_none_or(|id| system.id == id)
            && token.is_none_or(|token| system.creation_token == token)
    });
    if let (Some(id), true) = (id, systems.is_empty()) {
        let message = format!("File system '{id}' does not exist.");
        return Err(Refusal { status: 404, code: "FileSystemNotFound".to_owned(), message });
    }
    let size = size(&PAGING, body)?.min(PAGE_MAX);
    let (page, next) = cut_at(size, &PAGING, "DescribeFileSystems", body, &systems)?;
    let items = page.iter().map(|system| shown(system)).collect();
    let mut answer = listed("FileSystems", items, "NextMarker", next);
    if let Some(marker) = text(body, "Marker") {
        answer["Marker"] = json!(marker);
    }
    Ok(answer)
}

fn shown(system: &FileSystem) -> Value {
    let tags: Vec<Value> =
        system.tags.iter().map(|(key, value)| json!({ "Key": key, "Value": value })).collect();
    let mut answer = json!({
        "OwnerId": system.account,
        "CreationToken": system.creation_token,
        "FileSystemId": system.id,
        "FileSystemArn": reach::file_system_arn(system),
        "CreationTime": seconds(system.created_at),
        "LifeCycleState": "available",
        "NumberOfMountTargets": 1,
        "SizeInBytes": {
            "Value": system.size_bytes,
            "ValueInIA": 0,
            "ValueInStandard": system.size_bytes,
            "ValueInArchive": 0,
        },
        "PerformanceMode": "generalPurpose",
        "Encrypted": true,
        "ThroughputMode": "bursting",
        "Tags": tags,
        "FileSystemProtection": { "ReplicationOverwriteProtection": "ENABLED" },
    });
    // The tag `Name` is shown as the name, too.
    if let Some(name) = system.tags.get("Name") {
        answer["Name"] = json!(name);
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::super::sample::{DOMAIN, member, world};
    use super::*;

    fn ask(body: &Value) -> Result<Value, Refusal> {
        let answer = answer(&mut world(), &member(), "DescribeFileSystems", body)?;
        let Body::Json(answer) = answer else { panic!("EFS speaks JSON") };
        Ok(answer)
    }

    #[test]
    fn the_next_page_is_named_otherwise_than_it_is_asked_for() {
        let first = ask(&json!({ "MaxItems": "2" })).unwrap();
        assert_eq!(first["FileSystems"].as_array().unwrap().len(), 2);
        let last = ask(&json!({ "MaxItems": "2", "Marker": first["NextMarker"] })).unwrap();
        assert_eq!(last["FileSystems"].as_array().unwrap().len(), 1);
        assert_eq!(last.get("NextMarker"), None);
        assert_eq!(last["Marker"], first["NextMarker"]);
        assert_eq!(ask(&json!({ "MaxItems": "0" })).unwrap_err().code, "BadRequest");
    }

    #[test]
    fn file_systems_are_found_by_id_arn_or_token() {
        let home = ask(&json!({ "CreationToken": DOMAIN })).unwrap();
        let home = &home["FileSystems"][0];
        for id in [&home["FileSystemId"], &home["FileSystemArn"]] {
            let found = ask(&json!({ "FileSystemId": id })).unwrap();
            assert_eq!(found["FileSystems"][0], *home);
        }
        let missing = ask(&json!({ "FileSystemId": "fs-99999999" })).unwrap_err();
        assert_eq!((missing.status, missing.code.as_str()), (404, "FileSystemNotFound"));
    }
}
