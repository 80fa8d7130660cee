//! What cannot be closed, and closed months of which something is lost or which are of somebody else.

use std::path::PathBuf;

use serde_json::json;

use crate::closing::{LATER, at, bytes, json as parsed, with_demo};
use crate::run::{Sandbox, apportion, files, read, write};

#[test]
fn what_does_not_reconcile_is_never_closed_and_what_is_doubtful_by_force_only() {
    let sandbox = Sandbox::start();
    let tamper = json!({ "page": 1, "request_contains": "\"USAGE_TYPE\"", "delta": "1.00" });
    let denied = json!([{ "service": "sagemaker" }]);
    let late = "2026-11-20T08:00:00Z";
    for (faults, now, ran, force, word) in [
        (json!({ "tamper": tamper }), late, 4, 1, "does not reconcile"),
        (json!({ "denied": denied }), late, 5, 0, "partial"),
        (json!({}), "2026-11-03T08:00:00Z", 0, 0, "estimated"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        sandbox.set_faults(faults);
        sandbox.world.lock().unwrap().now = now.parse().unwrap();
        let run = ["run", "--yes", "--month", "2026-10", "--months", "2", "--now", now];
        let output = apportion(folder, &run).against(&sandbox).run();
        assert_eq!(output.code, ran, "{word}: {}", output.stderr);
        let before = bytes(&folder.join("apportion-out"));
        let output = at(folder, LATER, &["close", "2026-10"]);
        assert_eq!(output.code, 1, "{word}: {}", output.stderr);
        assert!(output.stderr.contains(word), "{word}: {}", output.stderr);
        assert!(output.stderr.contains("  hint: "), "{word}: {}", output.stderr);
        assert_eq!(before, bytes(&folder.join("apportion-out")), "{word}: nothing is written");
        assert_eq!(files(&folder.join(".apportion/closed")), Vec::<PathBuf>::new(), "{word}");
        let output = at(folder, LATER, &["close", "2026-10", "--force"]);
        assert_eq!(output.code, force, "{word}: {}", output.stderr);
        if force == 0 {
            let summary = parsed(&folder.join("apportion-out/2026-10/summary.json"));
            assert_eq!(summary["settlement"], format!("closed_while_{word}"));
            let closed = parsed(&folder.join(".apportion/closed/2026-10/closed.json"));
            assert_eq!(closed["forced"], json!([word]));
        } else {
            assert_eq!(files(&folder.join(".apportion/closed")), Vec::<PathBuf>::new(), "{word}");
        }
    }
}

#[test]
fn a_closed_month_of_which_something_is_lost_is_never_taken_for_an_open_one() {
    let folder = with_demo();
    let folder = folder.path();
    let configuration = |team: &str| {
        let text = format!("[[assignment]]\nteam = \"{team}\"\ndomain = \"*\"\n");
        write(&folder.join("apportion.toml"), text.as_bytes());
    };
    configuration("one");
    assert_eq!(at(folder, LATER, &["close", "2026-10"]).code, 0);
    configuration("two");
    let book = ["close", "2026-10", "--book-in", "2026-11"];
    let output = at(folder, LATER, &book);
    assert!(output.stderr.contains("Booked the restatement"), "{}", output.stderr);
    let out = bytes(&folder.join("apportion-out"));
    let home = folder.join(".apportion/closed/2026-10");
    let snapshot = crate::run::only(&folder.join(".apportion/snapshots"), ".json");
    for path in [
        home.join("closed.json"),
        home.join("figures.json"),
        home.join("report/owners.csv"),
        home.join("restatement-1/restatement.json"),
        home.join("restatement-1/inputs/apportion.toml"),
    ] {
        let good = read(&path);
        std::fs::remove_file(&path).unwrap();
        for arguments in [&["report", "--month", "2026-10"][..], &book] {
            let output = at(folder, LATER, arguments);
            let name = path.file_name().unwrap().to_string_lossy();
            assert_eq!(output.code, 1, "{name}: {}", output.stderr);
            assert!(output.stderr.contains(&format!("{name}` is missing")), "{}", output.stderr);
            assert!(output.stderr.contains("hint: put the file back"), "{}", output.stderr);
        }
        write(&path, &good);
    }
    // The snapshot that it was closed from, where a newer one is there.
    let newer = snapshot.with_file_name("2026-11-24T080000Z.json");
    let manifest = String::from_utf8(read(&snapshot)).unwrap();
    let id = snapshot.file_stem().unwrap().to_string_lossy().into_owned();
    write(&newer, manifest.replace(&id, "2026-11-24T080000Z").as_bytes());
    std::fs::remove_file(&snapshot).unwrap();
    let output = at(folder, LATER, &["report", "--month", "2026-10"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains(&format!("{id}.json` is missing")), "{}", output.stderr);
    write(&snapshot, manifest.as_bytes());
    std::fs::remove_file(&newer).unwrap();
    // A copy under another name is no closed month.
    for (path, content) in bytes(&home) {
        write(&folder.join(".apportion/closed/2026-09").join(path), &content);
    }
    let output = at(folder, LATER, &["report", "--month", "2026-09"]);
    assert_eq!(output.code, 1);
    assert!(output.stderr.contains("it was moved here from another place"), "{}", output.stderr);
    std::fs::remove_dir_all(folder.join(".apportion/closed/2026-09")).unwrap();
    assert_eq!(out, bytes(&folder.join("apportion-out")));
    assert_eq!(at(folder, LATER, &["report", "--month", "2026-10"]).code, 0);
}

#[test]
fn a_closed_month_is_not_compared_with_what_another_account_sees() {
    let folder = with_demo();
    let folder = folder.path();
    assert_eq!(at(folder, LATER, &["close", "2026-10"]).code, 0);
    let frozen = bytes(&folder.join("apportion-out/2026-10"));
    let sandbox = Sandbox::start();
    let run = ["run", "--yes", "--month", "2026-10", "--months", "2", "--now", LATER];
    let output = apportion(folder, &run)
        .against(&sandbox)
        .env("AWS_ACCESS_KEY_ID", "AKIASANDBOX444455556666")
        .run();
    assert_eq!(output.code, 1, "{}", output.stderr);
    let words = "is of another account, billing view or currency than 2026-10 was closed from";
    assert!(output.stderr.contains(words), "{}", output.stderr);
    let book = at(folder, LATER, &["close", "2026-10", "--book-in", "2026-11", "--force"]);
    assert_eq!(book.code, 1, "{}", book.stderr);
    assert!(!folder.join(".apportion/closed/2026-10/restatement-1").exists());
    assert_eq!(frozen, bytes(&folder.join("apportion-out/2026-10")));
}
