//! Owns how a closed month, or a booked restatement, comes to be on disk: filled beside its place, sealed and renamed.
//!
//! **Invariant:** a folder has the name of a month or restatement only when it is whole, and is never renamed over another.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::restate::Figures;
use crate::store::closed::{
    Booking, CLOSED, CONFIGURATION, ClosedMonth, Error, FIGURES, Figure, RESTATEMENT,
};
use crate::store::disk::{self, sha256};
use crate::store::snapshots::to_json;
use crate::terms::Files;

/// A folder that is being filled beside its place.
pub struct Freezer {
    /// Where it is filled.
    pub part: PathBuf,
    /// What is in it, with hashes.
    pub files: BTreeMap<String, String>,
}

/// Begins a folder beside the named place; what an attempt that was killed left is removed.
pub fn begin(place: &Path) -> Result<Freezer, Error> {
    let name = place.file_name().unwrap_or_default().to_string_lossy();
    let part = place.with_file_name(format!(".{name}.part"));
    disk::remove_folder(&part)?;
    disk::create_folder(&part)?;
    Ok(Freezer { part, files: BTreeMap::new() })
}

impl Freezer {
    /// Puts a file into the folder.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let path = self.part.join(name);
        disk::create_folder(path.parent().unwrap_or(&self.part))?;
        disk::write(&path, bytes)?;
        self.files.insert(name.to_owned(), sha256(bytes));
        Ok(())
    }

    /// Puts what a report's figures were made from into the folder, and tells where each file is.
    pub fn put_inputs(
        &mut self,
        text: &str,
        files: &Files,
    ) -> Result<BTreeMap<String, String>, Error> {
        self.put(CONFIGURATION, text.as_bytes())?;
        let mut inputs = BTreeMap::new();
        for (number, (name, bytes)) in files.iter().enumerate() {
            // A name may lead out of any folder, so only its end is used, after a number.
            let end = Path::new(name).file_name().unwrap_or_default().to_string_lossy();
            let place = format!("inputs/{}-{end}", number + 1);
            self.put(&place, bytes)?;
            inputs.insert(name.clone(), place);
        }
        Ok(inputs)
    }

    /// Puts the figures of a closed month into the folder.
    pub fn put_figures(&mut self, figures: &Figures) -> Result<(), Error> {
        let figures: Vec<Figure> = figures
            .iter()
            .map(|(place, amounts)| Figure { place: place.clone(), amounts: *amounts })
            .collect();
        self.put(FIGURES, &to_json(&figures))
    }

    /// Seals a closed month and puts its folder in its place; fails where there is one already.
    pub fn close(self, place: &Path, month: ClosedMonth) -> Result<(), Error> {
        let files = self.files.clone();
        self.seal(place, CLOSED, &ClosedMonth { files, ..month })
    }

    /// Seals a booked restatement and puts its folder in its place; fails where there is one already.
    pub fn book(self, place: &Path, booking: Booking) -> Result<(), Error> {
        let files = self.files.clone();
        self.seal(place, RESTATEMENT, &Booking { files, ..booking })
    }

    fn seal(self, place: &Path, name: &str, head: &impl Serialize) -> Result<(), Error> {
        let mut value = serde_json::to_value(head).expect("plain data becomes JSON");
        let hash = sha256(&to_json(&value));
        value["sha256"] = Value::String(hash);
        disk::write(&self.part.join(name), &to_json(&value))?;
        Ok(disk::place_folder(&self.part, place)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    use crate::metric::{Amounts, Metric};
    use crate::period::Month;
    use crate::store::closed::{self, Basis};

    fn closed_month(name: &str) -> ClosedMonth {
        ClosedMonth {
            version: closed::VERSION,
            month: Month::parse(name).unwrap(),
            closed_at: "2026-11-25T08:00:00Z".parse().unwrap(),
            forced: BTreeSet::new(),
            metric: Metric::UnblendedCost,
            currency: "USD".to_owned(),
            basis: Basis {
                snapshot: "2026-11-20T080000Z".to_owned(),
                snapshot_sha256: String::new(),
                program: String::new(),
                configuration_sha256: String::new(),
                inputs: BTreeMap::new(),
            },
            totals: Amounts::ZERO,
            teams: BTreeMap::new(),
            owners: BTreeMap::new(),
            adjustments: Vec::new(),
            files: BTreeMap::new(),
        }
    }

    #[test]
    fn a_month_is_closed_once_and_an_attempt_that_was_killed_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let place = closed::home(folder.path()).join("2026-10");
        let attempt = || {
            let mut freezer = begin(&place).unwrap();
            freezer.put_figures(&Figures::new()).unwrap();
            let files = Files::from([("../../roster.csv".to_owned(), b"x".to_vec())]);
            let inputs = freezer.put_inputs("# text", &files).unwrap();
            assert_eq!(inputs["../../roster.csv"], "inputs/1-roster.csv");
            freezer
        };
        drop(attempt());
        assert!(closed::load(folder.path()).unwrap().months.is_empty());
        attempt().close(&place, closed_month("2026-10")).unwrap();
        let kept = closed::load(folder.path()).unwrap();
        let closed = &kept.months[&Month::parse("2026-10").unwrap()];
        let files: Vec<&str> = closed.files.keys().map(String::as_str).collect();
        assert_eq!(files, ["figures.json", "inputs/1-roster.csv", "inputs/apportion.toml"]);
        assert_eq!(kept.figures(closed).unwrap(), Figures::new());
        let again = attempt().close(&place, closed_month("2026-10")).unwrap_err();
        assert!(matches!(again, Error::Disk(_)), "{again}");
        assert_eq!(closed::load(folder.path()).unwrap(), kept);
    }

    #[test]
    fn a_folder_of_another_month_or_without_its_seal_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let place = closed::home(folder.path()).join("2026-10");
        begin(&place).unwrap().close(&place, closed_month("2026-09")).unwrap();
        let error = closed::load(folder.path()).unwrap_err();
        assert!(matches!(error, Error::NotClosed { .. }), "{error}");
        let sealed = disk::read(&place.join(CLOSED)).unwrap();
        let text = String::from_utf8(sealed).unwrap().replace("USD", "EUR");
        disk::write(&place.join(CLOSED), text.as_bytes()).unwrap();
        let error = closed::load(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        disk::remove_folder(&place).unwrap();
        disk::create_folder(&place.join(closed::REPORT)).unwrap();
        disk::write(&place.join("report/owners.csv"), b"").unwrap();
        let error = closed::load(folder.path()).unwrap_err();
        assert!(matches!(error, Error::Missing { .. }), "{error}");
    }
}
