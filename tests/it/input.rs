//! Bad input gets a clear error with a hint, before anything is paid for, and leaves nothing half-written.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::path::Path;

use serde_json::json;
use tempfile::TempDir;

use crate::run::{
    Output, Sandbox, apportion, copy_snapshots, demo, files, only, read, text, write,
};

const COLLECT: [&str; 3] = ["collect", "--now", crate::run::NOW];
const RUN: [&str; 3] = ["run", "--now", crate::run::NOW];

/// What is done to a file's bytes.
type Damage<'a> = &'a dyn Fn(&[u8]) -> Vec<u8>;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn with<'a>(first: &[&'a str], then: &[&'a str]) -> Vec<&'a str> {
    first.iter().chain(then).copied().collect()
}

/// Checks that a run failed with this code and said all of these words, the hint among them.
#[track_caller]
fn refused(output: &Output, code: i32, words: &[&str]) {
    assert_eq!(output.code, code, "{}", output.stderr);
    assert_eq!(output.stdout, "");
    for word in words.iter().chain(&["error: ", "hint: "]) {
        assert!(output.stderr.contains(word), "no `{word}` in:\n{}", output.stderr);
    }
}

/// Checks that there is no file in a folder but those named.
#[track_caller]
fn holds_only(folder: &Path, names: &[&str]) {
    let found: Vec<String> =
        files(folder).iter().map(|path| path.to_string_lossy().into_owned()).collect();
    assert_eq!(found, names);
}

#[test]
fn what_is_wrong_with_the_command_is_found_before_aws_is_asked() {
    let sandbox = Sandbox::start();
    for (arguments, code, words) in [
        (with(&RUN, &["--month", "2026-12"]), 2, ["2026-12 lies in the future", "2026-11"]),
        (with(&COLLECT, &["--month", "2030-01"]), 2, ["2030-01 lies in the future", "2026-11"]),
        (with(&RUN, &["--month", "2025-09"]), 2, ["beyond the reach", "2025-10"]),
        (with(&RUN, &["--max-spend", "0.06"]), 1, ["at least $0.07", "the limit is $0.06"]),
        (with(&RUN, &["--definition", "none.toml"]), 1, ["`none.toml`", "check the path"]),
        (with(&RUN, &["--config", "none.toml"]), 1, ["`none.toml`", "check the path"]),
    ] {
        let here = folder();
        let output = apportion(here.path(), &arguments).against(&sandbox).run();
        refused(&output, code, &words);
        holds_only(here.path(), &[]);
    }
    assert_eq!(sandbox.paid(), 0);
}

#[test]
fn a_wrong_configuration_or_definition_is_found_before_aws_is_asked() {
    let sandbox = Sandbox::start();
    for (name, content, code, words) in [
        ("apportion.toml", "metrc = \"net\"", 1, ["unknown field `metrc`", "monthly-run.md"]),
        ("apportion.toml", "[aws]\nregion = 5", 1, ["invalid type", "line 2"]),
        ("definition.toml", "name = \"a b\"", 1, ["is not a report definition", "missing field"]),
        (
            "definition.toml",
            "name = \"../a\"\ntitle = \"A\"\ncaption = \"A\"\nrows = [\"domain\"]",
            2,
            ["needs a plain `name`", "letters, digits and underscores"],
        ),
        (
            "definition.toml",
            "name = \"a\"\ntitle = \"A\"\ncaption = \"A\"\nrows = [\"galaxy\"]",
            1,
            ["is not a report definition", "unknown variant `galaxy`"],
        ),
    ] {
        let here = folder();
        write(&here.path().join(name), content.as_bytes());
        let definition: &[&str] =
            if name == "definition.toml" { &["--definition", name] } else { &[] };
        let output = apportion(here.path(), &with(&RUN, definition)).against(&sandbox).run();
        refused(&output, code, &words);
        holds_only(here.path(), &[name]);
    }
    assert_eq!(sandbox.paid(), 0);
}

#[test]
fn a_place_that_cannot_be_written_is_found_before_aws_is_asked() {
    let sandbox = Sandbox::start();
    for (arguments, words) in [
        (["--out", "file", "--snapshots", "s"], ["create the folder `file`", "name a folder"]),
        (["--out", "file/below", "--snapshots", "s"], ["`file/below`", "name a folder"]),
        (["--out", "o", "--snapshots", "file"], ["create the folder `file`", "name a folder"]),
        (["--out", "o", "--snapshots", "file/s"], ["`file/s`", "name a folder"]),
    ] {
        let here = folder();
        write(&here.path().join("file"), b"mine");
        let output = apportion(here.path(), &with(&RUN, &arguments)).against(&sandbox).run();
        refused(&output, 1, &words);
        holds_only(here.path(), &["file"]);
        assert_eq!(read(&here.path().join("file")), b"mine");
    }
    assert_eq!(sandbox.paid(), 0);
}

#[test]
fn without_credentials_it_says_how_to_give_some() {
    let here = folder();
    for arguments in [&["check"][..], &["check", "--profile", "nobody"], &COLLECT, &RUN] {
        let output = apportion(here.path(), arguments).run();
        refused(&output, 1, &["no valid credentials", "aws sso login", "--profile"]);
        assert!(!output.stderr.contains("pages"), "{}", output.stderr);
        holds_only(here.path(), &[]);
    }
    let sandbox = Sandbox::start();
    let output = apportion(here.path(), &["check"])
        .against(&sandbox)
        .env("AWS_ACCESS_KEY_ID", "AKIANOBODY")
        .run();
    refused(&output, 1, &["no valid credentials"]);
    let output = apportion(here.path(), &["check"])
        .against(&sandbox)
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .run();
    refused(&output, 1, &["no answer from STS", "AWS_ENDPOINT_URL"]);
    assert_eq!(sandbox.paid(), 0);
}

#[test]
fn cost_explorer_that_is_not_enabled_costs_nothing() {
    let sandbox = Sandbox::start();
    sandbox.set_faults(json!({ "cost_explorer_disabled": true }));
    let here = folder();
    let output = apportion(here.path(), &RUN).against(&sandbox).run();
    refused(&output, 1, &["refused", "enable Cost Explorer"]);
    holds_only(here.path(), &[]);
    assert_eq!(sandbox.paid(), 0);
}

#[test]
fn the_limit_is_kept_midway_and_nothing_is_stored() {
    let sandbox = Sandbox::start();
    for limit in [7_u64, 8, 15] {
        let before = sandbox.paid();
        let here = folder();
        let limit_text = format!("0.{limit:02}");
        let output = apportion(here.path(), &with(&RUN, &["--max-spend", &limit_text]))
            .against(&sandbox)
            .run();
        refused(&output, 1, &["would pass the limit of", &limit_text, "raise `--max-spend`"]);
        assert!(output.stderr.contains("Cost Explorer answered"), "{}", output.stderr);
        let paid = sandbox.paid() - before;
        assert!((1..=limit).contains(&paid), "{paid} paid of {limit}");
        holds_only(here.path(), &[]);
    }
}

#[test]
fn only_a_snapshot_of_the_folder_is_opened() {
    let here = folder();
    copy_snapshots(here.path());
    let manifest = only(&here.path().join("snapshots"), ".json");
    write(&here.path().join("x.json"), &read(&manifest));
    let report = |id: &str| {
        apportion(here.path(), &["report", "--snapshots", ".", "--out", "out", "--snapshot", id])
            .run()
    };
    for id in ["../x", "../../x", "/etc/passwd", "..", "", "2026-11-20T080000Z/", "x"] {
        refused(&report(id), 2, &["there is no snapshot", "`2026-11-20T080000Z`"]);
    }
    assert!(!here.path().join("out").exists());
    assert_eq!(report("2026-11-20T080000Z").code, 0);
    let output = apportion(here.path(), &["report", "--snapshots", "empty"]).run();
    refused(&output, 1, &["there is no snapshot in `empty`", "apportion collect"]);
}

#[test]
fn a_damaged_or_foreign_snapshot_is_not_read() {
    let truncated = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let other_version = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replacen("\"version\": 1,", "\"version\": 9,", 1).into_bytes()
    };
    let unknown_field = |bytes: &[u8]| {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        text.replacen("{\n", "{\n  \"novelty\": 1,\n", 1).into_bytes()
    };
    let foreign = |_: &[u8]| b"{\"hello\": 1}\n".to_vec();
    let swapped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        bytes
    };
    let table: [(&str, &str, Damage<'_>, &str); 8] = [
        ("snapshots", ".json", &truncated, "is not a snapshot of this program"),
        ("snapshots", ".json", &foreign, "it has no `version`"),
        ("snapshots", ".json", &other_version, "its version is 9"),
        ("snapshots", ".json", &unknown_field, "unknown field `novelty`"),
        ("segments", ".parquet", &truncated, "is damaged"),
        ("segments", ".parquet", &swapped, "is damaged"),
        ("inventory", ".json", &truncated, "is damaged"),
        ("inventory", ".json", &foreign, "is damaged"),
    ];
    for (part, end, damage, words) in table {
        let here = folder();
        copy_snapshots(here.path());
        let path = only(&here.path().join(part), end);
        write(&path, &damage(&read(&path)));
        for arguments in [
            &["report", "--snapshots", ".", "--out", "out"][..],
            &["budgets", "alerts", "--snapshots", "."],
        ] {
            refused(&apportion(here.path(), arguments).run(), 1, &[words]);
        }
        assert!(!here.path().join("out").exists());
    }
}

#[test]
fn a_month_that_is_not_in_the_snapshot_is_refused() {
    let here = folder();
    let snapshots = text(&demo().join("snapshots"));
    let report = ["report", "--snapshots", &snapshots, "--month", "2024-01"];
    let output = apportion(here.path(), &report).run();
    refused(&output, 2, &["has nothing of 2024-01", "2025-10 to 2026-11"]);
    holds_only(here.path(), &[]);
}

#[test]
fn a_report_leaves_what_is_in_its_way() {
    let here = folder();
    let snapshots = text(&demo().join("snapshots"));
    write(&here.path().join("file"), b"mine");
    for out in ["file", "file/below"] {
        let report = ["report", "--snapshots", &snapshots, "--out", out];
        refused(&apportion(here.path(), &report).run(), 1, &["name a folder"]);
    }
    holds_only(here.path(), &["file"]);
}

#[test]
fn a_wrong_scenario_is_explained() {
    let here = folder();
    write(&here.path().join("bad.toml"), b"payer = \"1\"\nplanets = 9\n");
    for command in ["demo", "sandbox"] {
        for (file, words) in [("bad.toml", "is not a scenario"), ("none.toml", "check the path")] {
            let output = apportion(here.path(), &[command, "--scenario", file]).run();
            refused(&output, 1, &[words, file]);
        }
    }
    holds_only(here.path(), &["bad.toml"]);
}

#[test]
fn a_reader_that_has_gone_away_is_no_failure() {
    let here = folder();
    let snapshots = text(&demo().join("snapshots"));
    let alerts = ["budgets", "alerts", "--snapshots", &snapshots, "--format", "csv"];
    assert_eq!(apportion(here.path(), &alerts).run_unread(), 0);
    let report = ["report", "--snapshots", &snapshots];
    assert_eq!(apportion(here.path(), &report).run_unread(), 0);
    assert!(here.path().join("apportion-out/2026-10/manifest.json").exists());
    let sandbox = Sandbox::start();
    assert_eq!(apportion(here.path(), &RUN).against(&sandbox).run_unread(), 0);
}

#[test]
fn each_exit_code_has_its_cause() {
    let sandbox = Sandbox::start();
    let run = |faults: serde_json::Value| {
        sandbox.set_faults(faults);
        let here = folder();
        let output = apportion(here.path(), &RUN).against(&sandbox).run();
        (here, output)
    };
    let (here, output) = run(json!({}));
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(here.path().join("apportion-out/2026-10/report.html").exists());
    let (here, output) = run(json!({ "denied": [{ "service": "sagemaker" }] }));
    assert_eq!(output.code, 5, "{}", output.stderr);
    assert!(here.path().join("apportion-out/2026-10/report.html").exists());
    let tamper = json!({ "page": 1, "request_contains": "\"USAGE_TYPE\"", "delta": "1.00" });
    let (here, output) = run(json!({ "tamper": tamper }));
    assert_eq!(output.code, 4, "{}", output.stderr);
    assert!(output.stderr.contains("does NOT reconcile"), "{}", output.stderr);
    let out = here.path().join("apportion-out");
    assert!(!out.join("2026-10").exists());
}

#[test]
fn alerts_are_data_on_stdout() {
    let here = folder();
    let snapshots = text(&demo().join("snapshots"));
    let alerts = |more: &[&str]| {
        apportion(here.path(), &with(&["budgets", "alerts", "--snapshots", &snapshots], more)).run()
    };
    for (format, begin) in [("text", "Budget "), ("csv", "budget,source,"), ("json", "[")] {
        for (more, code) in [(&[][..], 0), (&["--check"], 3)] {
            let output = alerts(&with(&["--format", format], more));
            assert_eq!((output.code, output.stderr.as_str()), (code, ""), "{format}");
            assert!(output.stdout.starts_with(begin), "{}", output.stdout);
        }
    }
    let json: serde_json::Value =
        serde_json::from_str(&alerts(&["--format", "json"]).stdout).unwrap();
    let rows = alerts(&["--format", "csv"]).stdout.lines().count() - 1;
    assert_eq!(json.as_array().map(Vec::len), Some(rows));
}

#[test]
fn check_tells_what_it_found() {
    let sandbox = Sandbox::start();
    let here = folder();
    let output = apportion(here.path(), &["check"]).against(&sandbox).run();
    assert_eq!((output.code, output.stdout.as_str()), (0, ""), "{}", output.stderr);
    insta::assert_snapshot!(output.stderr);
    assert_eq!(sandbox.paid(), 0);
}

#[test]
fn quiet_says_nothing_but_errors() {
    let sandbox = Sandbox::start();
    let here = folder();
    let output = apportion(here.path(), &with(&RUN, &["--quiet"])).against(&sandbox).run();
    assert_eq!((output.code, output.stdout.as_str(), output.stderr.as_str()), (0, "", ""));
    let output = apportion(here.path(), &with(&RUN, &["--quiet", "--month", "2030-01"])).run();
    refused(&output, 2, &["lies in the future"]);
}
