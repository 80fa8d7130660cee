//! Owns on disk what was sent: one JSON file beside the snapshots, whole or not there.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::sent::{Sent, VERSION};
use crate::store::disk;
use crate::store::snapshots::to_json;

/// What was sent could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file could not be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// The file is not one of ours, or of another version.
    #[error("`{}` does not tell what was sent: {why}", path.display())]
    NotSent {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
}

fn path(folder: &Path) -> PathBuf {
    folder.join("alerts.json")
}

/// Loads what was sent; nothing where there is no file yet.
pub fn load(folder: &Path) -> Result<Sent, Error> {
    let path = path(folder);
    if !disk::exists(&path) {
        return Ok(Sent::default());
    }
    let bytes = disk::read(&path)?;
    let not_sent = |why: String| Error::NotSent { path: path.clone(), why };
    let value: Value =
        serde_json::from_slice(&bytes).map_err(|error| not_sent(error.to_string()))?;
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            let why = format!("its version is {version}, this program reads version {VERSION}");
            return Err(not_sent(why));
        }
        None => return Err(not_sent("it has no `version`".to_owned())),
    }
    serde_json::from_value(value).map_err(|error| not_sent(error.to_string()))
}

/// Stores what was sent.
pub fn store(folder: &Path, sent: &Sent) -> Result<(), Error> {
    disk::create_folder(folder)?;
    Ok(disk::write(&path(folder), &to_json(sent))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Source;
    use crate::budget::Threshold;
    use crate::limit::Cycle;
    use crate::sent::{Channel, Told};

    #[test]
    fn what_was_sent_is_read_as_it_was_stored_or_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(load(folder.path()).unwrap(), Sent::default());
        let told = Told {
            budget: "a".to_owned(),
            source: Source::Aws,
            threshold: Threshold::BasisPoints(8_000),
            run: Cycle::Monthly.run("2026-11-20".parse().unwrap()),
            channel: Channel::Slack,
            sent_at: "2026-11-20T08:00:00Z".parse().unwrap(),
        };
        let sent = Sent { told: vec![told], ..Sent::default() };
        store(folder.path(), &sent).unwrap();
        assert_eq!(load(folder.path()).unwrap(), sent);
        let text = String::from_utf8(disk::read(&path(folder.path())).unwrap()).unwrap();
        for (from, to, expected) in [
            ("\"version\": 1", "\"version\": 2", "its version is 2"),
            ("\"version\": 1,", "", "it has no `version`"),
            ("\"channel\"", "\"chanel\"", "unknown field `chanel`"),
            ("{", "", "does not tell what was sent"),
        ] {
            disk::write(&path(folder.path()), text.replacen(from, to, 1).as_bytes()).unwrap();
            let error = load(folder.path()).unwrap_err().to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
