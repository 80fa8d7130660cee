//! Owns closed months on disk: what was charged, from which inputs, and what was booked since.
//!
//! **Invariant:** a folder is filled beside its place and renamed into it once; after that nothing in it changes.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::books::{Adjustment, Books, Closing, Objection};
use crate::metric::{Amounts, Metric};
use crate::period::Month;
use crate::restate::{self, Figures, Place, Row};
use crate::store::disk::{self, sha256};
use crate::store::snapshots::to_json;
use crate::terms::Files;

/// The version of the forms that this program writes.
pub const VERSION: u32 = 1;

pub(super) const CLOSED: &str = "closed.json";
pub(super) const RESTATEMENT: &str = "restatement.json";
const BOOKING: &str = "restatement-";
pub(super) const FIGURES: &str = "figures.json";
pub(super) const CONFIGURATION: &str = "inputs/apportion.toml";
/// The folder of the frozen report.
pub const REPORT: &str = "report";

/// A closed month that could not be stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error(transparent)]
    Disk(#[from] disk::Error),
    /// A file is not one of ours, or of another version.
    #[error("`{}` is not a closed month of this program: {why}", path.display())]
    NotClosed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// A frozen file is not there.
    #[error("`{}` is missing, and what was closed cannot be told without it", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A frozen file is not what it was.
    #[error("`{}` is damaged: its hash is not the one of the closing", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

/// From what figures were made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// The snapshot's name.
    pub snapshot: String,
    /// The hash of its manifest, which has those of all that it names.
    pub snapshot_sha256: String,
    /// The program's version.
    pub program: String,
    /// The hash of the configuration.
    pub configuration_sha256: String,
    /// The files that the configuration names, and where they are frozen.
    pub inputs: BTreeMap<String, String>,
}

/// What was charged for a month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClosedMonth {
    /// The version of this form.
    pub version: u32,
    /// The month.
    pub month: Month,
    /// When it was closed.
    pub closed_at: Timestamp,
    /// What spoke against closing it, and was overruled.
    pub forced: BTreeSet<Objection>,
    /// The metric of totals and statements.
    pub metric: Metric,
    /// The currency of all amounts.
    pub currency: String,
    /// From what it was made.
    pub basis: Basis,
    /// What was charged.
    pub totals: Amounts,
    /// What each team was charged; the empty name is what was without one.
    pub teams: BTreeMap<String, Amounts>,
    /// What each owner bore, by its path.
    pub owners: BTreeMap<String, Amounts>,
    /// What was booked in it for months closed before.
    pub adjustments: Vec<Adjustment>,
    /// Every other frozen file and its hash.
    pub files: BTreeMap<String, String>,
}

/// A restatement that was booked in a later month.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Booking {
    /// The version of this form.
    pub version: u32,
    /// The closed month.
    pub of: Month,
    /// Which of its restatements this is, from 1.
    pub number: u32,
    /// The month that it is booked in.
    pub booked_in: Month,
    /// When it was booked.
    pub booked_at: Timestamp,
    /// What spoke against it, and was overruled.
    pub forced: BTreeSet<Objection>,
    /// The metric of the closed month.
    pub metric: Metric,
    /// The currency of all amounts.
    pub currency: String,
    /// From what the new figures were made.
    pub basis: Basis,
    /// What had been charged until then.
    pub old: Amounts,
    /// What is charged with it.
    pub new: Amounts,
    /// The differences.
    pub rows: Vec<Row>,
    /// Every other frozen file and its hash.
    pub files: BTreeMap<String, String>,
}

/// Every closed month, and what was booked for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    folder: PathBuf,
    /// The closed months.
    pub months: BTreeMap<Month, ClosedMonth>,
    /// The booked restatements of each, in order.
    pub bookings: BTreeMap<Month, Vec<Booking>>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Figure {
    pub(super) place: Place,
    pub(super) amounts: Amounts,
}

/// The folder of the closed months.
pub fn home(snapshots: &Path) -> PathBuf {
    snapshots.join("closed")
}

/// Reads a sealed file and checks its own hash.
fn unseal<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let not_closed = |why: String| Error::NotClosed { path: path.to_owned(), why };
    let mut value: Value =
        serde_json::from_slice(&read(path)?).map_err(|error| not_closed(error.to_string()))?;
    match value.get("version").and_then(Value::as_u64) {
        Some(version) if version == u64::from(VERSION) => {}
        Some(version) => {
            let why = format!("its version is {version}, this program reads version {VERSION}");
            return Err(not_closed(why));
        }
        None => return Err(not_closed("it has no `version`".to_owned())),
    }
    let hash = value.as_object_mut().and_then(|value| value.remove("sha256"));
    if hash != Some(Value::String(sha256(&to_json(&value)))) {
        return Err(Error::Damaged { path: path.to_owned() });
    }
    serde_json::from_value(value).map_err(|error| not_closed(error.to_string()))
}

/// Loads every closed month under a folder of snapshots, with what was booked for it.
pub fn load(snapshots: &Path) -> Result<Kept, Error> {
    let folder = home(snapshots);
    let mut kept = Kept { folder: folder.clone(), ..Kept::default() };
    let mut found: BTreeMap<Month, u32> = BTreeMap::new();
    for path in disk::list(&folder)? {
        let parts: Vec<String> =
            path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let [month, rest @ ..] = parts.as_slice() else { continue };
        // What is being filled, or was left by an attempt that was killed, has another name.
        let Ok(month) = Month::parse(month) else { continue };
        let number = rest.first().and_then(|name| name.strip_prefix(BOOKING)?.parse().ok());
        let count = found.entry(month).or_default();
        *count = number.unwrap_or(0).max(*count);
    }
    // What has left any file behind was closed or booked; to pass over it would charge it anew.
    for (month, count) in found {
        let path = kept.place(month).join(CLOSED);
        let closed: ClosedMonth = unseal(&path)?;
        check_place(&path, closed.month == month)?;
        kept.months.insert(month, closed);
        for number in 1..=count {
            let path = kept.booking_place(month, number).join(RESTATEMENT);
            let booking: Booking = unseal(&path)?;
            check_place(&path, booking.of == month && booking.number == number)?;
            kept.bookings.entry(month).or_default().push(booking);
        }
    }
    Ok(kept)
}

fn check_place(path: &Path, is_its_own: bool) -> Result<(), Error> {
    let why = || "it was moved here from another place".to_owned();
    if is_its_own { Ok(()) } else { Err(Error::NotClosed { path: path.to_owned(), why: why() }) }
}

impl Kept {
    /// Returns the place of a closed month.
    pub fn place(&self, month: Month) -> PathBuf {
        self.folder.join(month.to_string())
    }

    /// Returns the place of one of a month's booked restatements.
    pub fn booking_place(&self, month: Month, number: u32) -> PathBuf {
        self.place(month).join(format!("{BOOKING}{number}"))
    }

    /// Returns the booked restatements of a month, in order.
    pub fn bookings_of(&self, month: Month) -> &[Booking] {
        self.bookings.get(&month).map_or(&[], Vec::as_slice)
    }

    /// Returns what a report must know of all this.
    pub fn books(&self) -> Books {
        let closing = |it: &ClosedMonth| {
            let (at, despite, totals) = (it.closed_at, it.forced.clone(), it.totals);
            let teams = it.teams.clone();
            (it.month, Closing { at, despite, totals, teams, is_restated: false })
        };
        let bookings = self.bookings.values().flatten();
        Books {
            closings: self.months.values().map(closing).collect(),
            adjustments: bookings
                .flat_map(|it| restate::adjustments(it.of, it.booked_in, &it.rows))
                .collect(),
        }
    }

    /// Checks every frozen file of a month, and returns what was closed.
    pub fn figures(&self, closed: &ClosedMonth) -> Result<Figures, Error> {
        let place = self.place(closed.month);
        check(&place, &closed.files)?;
        let path = place.join(FIGURES);
        let figures: Vec<Figure> = serde_json::from_slice(&disk::read(&path)?)
            .map_err(|error| Error::NotClosed { path, why: error.to_string() })?;
        Ok(figures.into_iter().map(|it| (it.place, it.amounts)).collect())
    }

    /// Checks every frozen file of a month and its bookings, and returns what was charged for it by now.
    pub fn charged(&self, closed: &ClosedMonth) -> Result<Figures, Error> {
        let mut figures = self.figures(closed)?;
        for booking in self.bookings_of(closed.month) {
            check(&self.booking_place(closed.month, booking.number), &booking.files)?;
            restate::book(&mut figures, &booking.rows);
        }
        Ok(figures)
    }

    /// Returns from what a month's charges were made by now, and where that is: its last booking, or its closing.
    pub fn basis<'a>(&'a self, closed: &'a ClosedMonth) -> (PathBuf, &'a Basis) {
        match self.bookings_of(closed.month).last() {
            Some(booking) => (self.booking_place(closed.month, booking.number), &booking.basis),
            None => (self.place(closed.month), &closed.basis),
        }
    }

    /// Puts the frozen report of a month, byte for byte, where reports are; false when it was there already.
    pub fn restore(&self, closed: &ClosedMonth, out: &Path) -> Result<bool, Error> {
        let (frozen, place) =
            (self.place(closed.month).join(REPORT), out.join(closed.month.to_string()));
        let prefix = format!("{REPORT}/");
        let files: BTreeMap<&str, &String> = closed
            .files
            .iter()
            .filter_map(|(name, hash)| Some((name.strip_prefix(&prefix)?, hash)))
            .collect();
        let found: BTreeSet<PathBuf> = disk::list(&place)?.into_iter().collect();
        let is_there = |(name, hash): (&&str, &&String)| {
            let bytes = disk::read(&place.join(name));
            bytes.is_ok_and(|bytes| sha256(&bytes) == **hash)
        };
        if found == files.keys().map(PathBuf::from).collect() && files.iter().all(is_there) {
            return Ok(false);
        }
        disk::create_folder(out)?;
        let part = out.join(format!(".{}.part", closed.month));
        disk::remove_folder(&part)?;
        for (name, hash) in files {
            let path = part.join(name);
            disk::create_folder(path.parent().unwrap_or(&part))?;
            disk::write(&path, &read_checked(&frozen.join(name), hash)?)?;
        }
        disk::replace_folder(&part, &place)?;
        Ok(true)
    }
}

/// Reads a frozen file; that it is not there is not like any other trouble with the disk.
fn read(path: &Path) -> Result<Vec<u8>, Error> {
    disk::read(path).map_err(|error| match error.source.kind() {
        ErrorKind::NotFound => Error::Missing { path: path.to_owned() },
        _ => error.into(),
    })
}

fn manifest_path(snapshots: &Path, id: &str) -> PathBuf {
    snapshots.join("snapshots").join(format!("{id}.json"))
}

/// Returns the hash of a stored snapshot's manifest, which has those of all that it names.
pub fn snapshot_sha256(snapshots: &Path, id: &str) -> Result<String, Error> {
    Ok(sha256(&disk::read(&manifest_path(snapshots, id))?))
}

/// Returns the path of the snapshot that figures were made from, after checking that it is the same.
pub fn frozen_snapshot(snapshots: &Path, basis: &Basis) -> Result<PathBuf, Error> {
    let path = manifest_path(snapshots, &basis.snapshot);
    read_checked(&path, &basis.snapshot_sha256)?;
    Ok(path)
}

/// Returns the configuration's text that is frozen in a place, and the files that it named.
pub fn inputs(place: &Path, basis: &Basis) -> Result<(String, Files), Error> {
    let path = place.join(CONFIGURATION);
    let text = String::from_utf8(read(&path)?)
        .map_err(|_| Error::NotClosed { path, why: "it is not UTF-8".to_owned() })?;
    let mut files = Files::new();
    for (name, frozen) in &basis.inputs {
        files.insert(name.clone(), read(&place.join(frozen))?);
    }
    Ok((text, files))
}

fn check(place: &Path, files: &BTreeMap<String, String>) -> Result<(), Error> {
    for (name, hash) in files {
        read_checked(&place.join(name), hash)?;
    }
    Ok(())
}

fn read_checked(path: &Path, hash: &str) -> Result<Vec<u8>, Error> {
    let bytes = read(path)?;
    if sha256(&bytes) == hash { Ok(bytes) } else { Err(Error::Damaged { path: path.to_owned() }) }
}
