//! Owns snapshots on disk: a manifest, written last, that names its segments and inventory by hash.

use std::path::{Path, PathBuf};

use crate::inventory::Inventory;
use crate::period::Month;
use crate::records::{NotRecords, Records};
use crate::snapshot::{Manifest, Segment, SegmentKind, Snapshot, VERSION};
use crate::store::disk::{self, sha256};

/// A snapshot that could not be stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// A manifest is not one of ours, or of another version.
    #[error("`{}` is not a snapshot of this program: {why}", path.display())]
    NotSnapshot {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A stored file is not what the manifest says.
    #[error("`{}` is damaged: its hash is not the one in the manifest", path.display())]
    Damaged {
        /// The stored file.
        path: PathBuf,
    },
    /// A segment holds something else.
    #[error("`{}` cannot be used", path.display())]
    NotRecords {
        /// The segment.
        path: PathBuf,
        /// Why.
        source: NotRecords,
    },
    /// There is no snapshot yet.
    #[error("there is no snapshot in `{}`", folder.display())]
    None {
        /// The folder.
        folder: PathBuf,
    },
}

fn segment_path(folder: &Path, segment: &Segment) -> PathBuf {
    folder.join("segments").join(format!("{}.parquet", segment.sha256))
}

fn inventory_path(folder: &Path, hash: &str) -> PathBuf {
    folder.join("inventory").join(format!("{hash}.json"))
}

/// Stores the frames, the inventory and last the manifest, whose segments and hashes are filled in.
pub fn store(folder: &Path, mut snapshot: Snapshot) -> Result<Snapshot, Error> {
    for part in ["segments", "inventory", "snapshots"] {
        disk::create_folder(&folder.join(part))?;
    }
    let mut segments = Vec::new();
    for month in snapshot.manifest.months() {
        for (kind, frame) in
            [(SegmentKind::Cells, &snapshot.records), (SegmentKind::Days, &snapshot.days)]
        {
            segments.extend(store_segment(folder, month, kind, &frame.of_month(month))?);
        }
    }
    snapshot.manifest.segments = segments;
    let inventory = to_json(&snapshot.inventory);
    let hash = sha256(&inventory);
    write_once(&inventory_path(folder, &hash), &inventory)?;
    snapshot.manifest.inventory_sha256 = hash;
    let begun = snapshot.manifest.id.clone();
    for attempt in 2.. {
        let path = folder.join("snapshots").join(format!("{}.json", snapshot.manifest.id));
        let bytes = to_json(&snapshot.manifest);
        // A snapshot is never changed: another one of the same second gets a name of its own.
        if !disk::exists(&path) || disk::read(&path)? == bytes {
            disk::write(&path, &bytes)?;
            break;
        }
        snapshot.manifest.id = format!("{begun}-{attempt}");
    }
    Ok(snapshot)
}

fn store_segment(
    folder: &Path,
    month: Month,
    kind: SegmentKind,
    records: &Records,
) -> Result<Option<Segment>, Error> {
    if records.count() == 0 {
        return Ok(None);
    }
    let bytes = records.to_parquet();
    let segment = Segment { month, kind, sha256: sha256(&bytes), count: records.count() };
    write_once(&segment_path(folder, &segment), &bytes)?;
    Ok(Some(segment))
}

/// A file named by its own hash is written when it is missing or damaged.
fn write_once(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    if disk::exists(path) && disk::read(path).is_ok_and(|stored| stored == bytes) {
        return Ok(());
    }
    Ok(disk::write(path, bytes)?)
}

/// Returns plain data as the JSON that is stored.
pub fn to_json(value: &impl serde::Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("plain data becomes JSON");
    bytes.push(b'\n');
    bytes
}

/// Returns the manifests' paths, oldest first.
pub fn list(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let folder = folder.join("snapshots");
    let mut paths: Vec<PathBuf> = disk::list(&folder)?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort_by_cached_key(|path| age(path));
    Ok(paths.into_iter().map(|path| folder.join(path)).collect())
}

/// The second in which a snapshot was begun, and which one of that second it is.
fn age(path: &Path) -> (String, u32) {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    match stem.split_once("Z-") {
        Some((begun, attempt)) => (format!("{begun}Z"), attempt.parse().unwrap_or(u32::MAX)),
        None => (stem, 1),
    }
}

/// Loads the newest snapshot.
pub fn load_newest(folder: &Path) -> Result<Snapshot, Error> {
    let paths = list(folder)?;
    let path = paths.last().ok_or_else(|| Error::None { folder: folder.to_owned() })?;
    load(folder, path)
}

/// Loads a snapshot by its manifest's path and checks every hash.
pub fn load(folder: &Path, path: &Path) -> Result<Snapshot, Error> {
    let manifest = load_manifest(path)?;
    let mut cells = Vec::new();
    let mut days = Vec::new();
    for segment in &manifest.segments {
        let records = load_segment(folder, segment)?;
        match segment.kind {
            SegmentKind::Cells => cells.push(records),
            SegmentKind::Days => days.push(records),
        }
    }
    let inventory = load_inventory(folder, &manifest)?;
    Ok(Snapshot {
        manifest,
        records: Records::concat(&cells),
        days: Records::concat(&days),
        inventory,
    })
}

/// Loads a manifest by its path.
pub fn load_manifest(path: &Path) -> Result<Manifest, Error> {
    let not_snapshot = |why: String| Error::NotSnapshot { path: path.to_owned(), why };
    let value: serde_json::Value = serde_json::from_slice(&disk::read(path)?)
        .map_err(|error| not_snapshot(error.to_string()))?;
    match value.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            let why = format!("its version is {version}, this program reads version {VERSION}");
            return Err(not_snapshot(why));
        }
        None => return Err(not_snapshot("it has no `version`".to_owned())),
    }
    let manifest: Manifest =
        serde_json::from_value(value).map_err(|error| not_snapshot(error.to_string()))?;
    let months = manifest.months();
    let mut controls = manifest.bill.iter().chain(&manifest.controls);
    if !controls.all(|control| months.contains(&control.month)) {
        return Err(not_snapshot("it has a control of a month that is not in it".to_owned()));
    }
    Ok(manifest)
}

/// Loads the inventory of a manifest, whose figures may be damaged or gone, and checks its hash.
pub fn load_inventory(folder: &Path, manifest: &Manifest) -> Result<Inventory, Error> {
    let path = inventory_path(folder, &manifest.inventory_sha256);
    let bytes = read_checked(&path, &manifest.inventory_sha256)?;
    serde_json::from_slice(&bytes)
        .map_err(|error| Error::NotSnapshot { path, why: error.to_string() })
}

fn load_segment(folder: &Path, segment: &Segment) -> Result<Records, Error> {
    let path = segment_path(folder, segment);
    let bytes = read_checked(&path, &segment.sha256)?;
    Records::from_parquet(&bytes).map_err(|source| Error::NotRecords { path, source })
}

fn read_checked(path: &Path, hash: &str) -> Result<Vec<u8>, Error> {
    let bytes = disk::read(path)?;
    if sha256(&bytes) == hash { Ok(bytes) } else { Err(Error::Damaged { path: path.to_owned() }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_of_one_second_are_listed_in_the_order_in_which_they_were_stored() {
        let folder = tempfile::tempdir().unwrap();
        let manifests = folder.path().join("snapshots");
        disk::create_folder(&manifests).unwrap();
        for id in [
            "2026-11-20T080000Z-10",
            "2026-11-20T080000Z",
            "2026-11-20T080000Z-2",
            "2026-11-19T080000Z",
        ] {
            disk::write(&manifests.join(format!("{id}.json")), b"{}").unwrap();
        }
        let names: Vec<String> = list(folder.path())
            .unwrap()
            .iter()
            .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(
            names,
            [
                "2026-11-19T080000Z",
                "2026-11-20T080000Z",
                "2026-11-20T080000Z-2",
                "2026-11-20T080000Z-10"
            ]
        );
    }
}
