//! Owns plans on disk: one JSON file each, with a version, that refuses what it does not know.

use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::plan::{Plan, PlanKind, VERSION};

use super::disk;

/// A plan that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// The file is no plan.
    #[error("`{}` is not a plan of this program", path.display())]
    NotPlan {
        /// The file.
        path: PathBuf,
        /// Why.
        source: serde_json::Error,
    },
    /// The plan is of another kind or version.
    #[error("`{}` is a plan of another sort: {why}", path.display())]
    OtherPlan {
        /// The file.
        path: PathBuf,
        /// What it is and should be.
        why: String,
    },
}

/// Returns a plan's stored form.
pub fn text<T: Serialize>(plan: &Plan<T>) -> String {
    let mut text = serde_json::to_string_pretty(plan).expect("a plan has no keys but texts");
    text.push('\n');
    text
}

/// Writes a plan whole or not at all.
pub fn store<T: Serialize>(path: &Path, plan: &Plan<T>) -> Result<(), Error> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        disk::create_folder(folder)?;
    }
    // Written as it is made: the text of a large plan is larger than the plan.
    let written = disk::write_with(path, |out| {
        serde_json::to_writer_pretty(&mut *out, plan)?;
        out.write_all(b"\n")
    });
    Ok(written?)
}

/// Reads a plan of one of some kinds.
pub fn load<T: DeserializeOwned>(path: &Path, kinds: &[PlanKind]) -> Result<Plan<T>, Error> {
    let bytes = disk::read(path)?;
    let other = |why: String| Error::OtherPlan { path: path.to_owned(), why };
    // The kind is looked at first: a plan of budgets is no damaged plan of tags.
    let head: serde_json::Value = serde_json::from_slice(&bytes)
        .map_err(|source| Error::NotPlan { path: path.to_owned(), source })?;
    if let Some(version) = head.get("version").and_then(serde_json::Value::as_u64)
        && version != u64::from(VERSION)
    {
        return Err(other(format!("its version is {version}, and this program writes {VERSION}")));
    }
    if let Some(found) = head.get("kind")
        && !kinds.iter().any(|kind| *found == serde_json::json!(kind))
    {
        let kinds: Vec<String> =
            kinds.iter().map(|kind| serde_json::json!(kind).to_string()).collect();
        return Err(other(format!("its kind is {found}, and not {}", kinds.join(" or "))));
    }
    serde_json::from_value(head).map_err(|source| Error::NotPlan { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::AccountId;
    use jiff::Timestamp;

    #[test]
    fn a_plan_of_another_kind_or_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plans/one.json");
        let caller = AccountId::parse("111122223333").unwrap();
        let plan: Plan<String> = Plan {
            version: VERSION,
            kind: PlanKind::Retag,
            made_at: Timestamp::UNIX_EPOCH,
            caller,
            items: Vec::new(),
            left: Vec::new(),
            consequences: Vec::new(),
            stakes: Vec::new(),
            gaps: Vec::new(),
        };
        store(&path, &plan).unwrap();
        assert_eq!(load::<String>(&path, &[PlanKind::Retag]).unwrap(), plan);
        let text = String::from_utf8(disk::read(&path).unwrap()).unwrap();
        for (from, to, expected) in [
            ("\"retag\"", "\"tags\"", "its kind is \"tags\", and not \"retag\""),
            ("\"version\": 1", "\"version\": 2", "its version is 2, and this program writes 1"),
            ("\"items\"", "\"itms\"", "is not a plan of this program"),
        ] {
            disk::write(&path, text.replace(from, to).as_bytes()).unwrap();
            let error = load::<String>(&path, &[PlanKind::Retag]).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
