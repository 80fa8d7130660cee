//! One snapshot gives the same bytes, wherever and however often it is reported; so do two demonstrations.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::run::{apportion, demo, files, read, text};

/// Every file under a folder with its bytes.
fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder).into_iter().map(|path| (path.clone(), read(&folder.join(path)))).collect()
}

fn assert_same(left: &BTreeMap<PathBuf, Vec<u8>>, right: &BTreeMap<PathBuf, Vec<u8>>, what: &str) {
    assert_eq!(
        left.keys().collect::<Vec<_>>(),
        right.keys().collect::<Vec<_>>(),
        "other files: {what}"
    );
    let differ: Vec<&PathBuf> = left.keys().filter(|path| left[*path] != right[*path]).collect();
    assert!(differ.is_empty(), "{what}: {differ:?}");
}

#[test]
fn a_report_is_the_same_in_every_time_zone_and_locale() {
    let snapshots = text(&demo().join("snapshots"));
    let mut first = None;
    for (zone, locale, now) in [
        ("UTC", "C", "2026-11-20T08:00:00Z"),
        ("Pacific/Kiritimati", "de_DE.UTF-8", "2027-03-01T00:00:00Z"),
        ("America/Los_Angeles", "ar_EG.UTF-8", "2026-12-31T23:59:59Z"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let arguments =
            ["report", "--snapshots", &snapshots, "--out", "out", "--history", "--now", now];
        let output = apportion(folder.path(), &arguments)
            .env("TZ", zone)
            .env("LANG", locale)
            .env("LC_ALL", locale)
            .run();
        assert_eq!(output.code, 0, "{}", output.stderr);
        let report = bytes(&folder.path().join("out"));
        assert!(report.contains_key(Path::new("2026-10/manifest.json")), "{:?}", report.keys());
        assert_same(first.get_or_insert_with(|| report.clone()), &report, zone);
    }
}

#[test]
fn two_demonstrations_are_identical_in_one_folder_and_in_two() {
    let first = bytes(demo());
    let folder = tempfile::tempdir().unwrap();
    for time in ["the first time", "over the first"] {
        let output = apportion(folder.path(), &["demo", "--out", "here"])
            .env("TZ", "Asia/Kathmandu")
            .env("LC_ALL", "tr_TR.UTF-8")
            .run();
        assert_eq!(output.code, 0, "{}", output.stderr);
        assert_same(&first, &bytes(&folder.path().join("here")), time);
    }
}

#[test]
fn another_seed_is_another_organisation() {
    let folder = tempfile::tempdir().unwrap();
    let output = apportion(folder.path(), &["demo", "--seed", "8", "--out", "."]).run();
    assert_eq!(output.code, 0, "{}", output.stderr);
    let path = Path::new("2026-10/owners.csv");
    assert_ne!(read(&demo().join(path)), read(&folder.path().join(path)));
}
