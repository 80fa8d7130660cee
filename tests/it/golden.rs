//! The demonstration's files, byte by byte, and the columns that others rely on.
//!
//! A golden file changes only on purpose: run the tests with `UPDATE_GOLDEN=1`, and read the difference before
//! committing it.

use std::path::Path;

use crate::run::{demo, read, write};

const GOLDEN: [&str; 11] = [
    "owners.csv",
    "unattributed.csv",
    "trend.csv",
    "alerts.csv",
    "summary.json",
    "teams.csv",
    "journal.csv",
    "teams/research.csv",
    "teams/research.html",
    "teams/vision.csv",
    "teams/vision.html",
];

#[test]
fn the_demonstration_is_what_it_was() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let mut differ = Vec::new();
    for name in GOLDEN {
        let is = read(&demo().join("2026-10").join(name));
        #[expect(clippy::disallowed_methods, reason = "a switch for whoever runs the tests")]
        let is_update = std::env::var("UPDATE_GOLDEN").is_ok();
        if is_update {
            write(&folder.join(name), &is);
        }
        if read(&folder.join(name)) != is {
            differ.push(name);
        }
    }
    assert!(differ.is_empty(), "changed: {differ:?}; see the head of this file");
}

/// The names between backticks in the first cells of the rows of a table, in the section of a file.
fn documented(document: &str, file: &str) -> Vec<String> {
    let (_, section) = document.split_once(&format!("### `{file}`")).expect("a section a file");
    let section = section.split("\n### ").next().unwrap_or_default();
    let cells = section.lines().filter_map(|line| line.strip_prefix("| `"));
    let cells = cells.filter_map(|line| line.split_once(" | ").map(|(cell, _)| cell.to_owned()));
    cells
        .flat_map(|cell| cell.replace('`', "").split(", ").map(str::to_owned).collect::<Vec<_>>())
        .collect()
}

#[test]
fn columns_are_an_interface_and_the_document_lists_them_all() {
    let document =
        String::from_utf8(read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/monthly-run.md")))
            .unwrap();
    for (file, name) in [
        ("lines.csv", "lines.csv"),
        ("owners.csv", "owners.csv"),
        ("unattributed.csv", "unattributed.csv"),
        ("trend.csv", "trend.csv"),
        ("alerts.csv", "alerts.csv"),
        ("teams.csv", "teams.csv"),
        ("teams/research.csv", "teams/<team>.csv"),
        ("journal.csv", "journal.csv"),
    ] {
        let written = String::from_utf8(read(&demo().join("2026-10").join(file))).unwrap();
        let header = written.lines().next().unwrap().replace(',', ", ");
        assert_eq!(documented(&document, name).join(", "), header, "{file}");
    }
    let summary: serde_json::Value =
        serde_json::from_slice(&read(&demo().join("2026-10/summary.json"))).unwrap();
    let keys: Vec<String> = summary.as_object().unwrap().keys().cloned().collect();
    let mut named = documented(&document, "summary.json");
    named.sort();
    assert_eq!(named, keys);
}

/// An amount of the page in cents.
fn cents(text: &str) -> Option<i64> {
    text.replace([',', '.'], "").parse().ok()
}

#[test]
fn the_tables_of_the_page_foot_and_say_what_they_leave_out() {
    let html = String::from_utf8(read(&demo().join("2026-10/report.html"))).unwrap();
    assert!(!html.contains('`'), "backticks are for a terminal");
    let cells = |row: &str| -> Vec<String> {
        let cells = row.split("<td").skip(1);
        cells.map(|cell| cell.split(['>', '<']).nth(1).unwrap().to_owned()).collect()
    };
    let mut tables = 0;
    for table in html.split("<table>").filter(|table| table.contains("<tfoot>")) {
        let (body, foot) = table.split_once("<tfoot>").unwrap();
        let rows: Vec<Vec<String>> =
            body.split("<tr>").map(cells).filter(|row| !row.is_empty()).collect();
        let total = cells(foot);
        for column in 0..total.len() {
            // Rounding each row may move the sum by half a cent a row; shares read the same way.
            let number = |cell: &String| cents(cell.trim_end_matches(" %"));
            let Some(total) = number(&total[column]) else { continue };
            let sum: i64 = rows.iter().map(|row| number(&row[column]).unwrap()).sum();
            let rounding = i64::try_from(rows.len()).unwrap();
            assert!((sum - total).abs() <= rounding, "{sum} is not {total}: {rows:?}");
            tables += 1;
        }
    }
    assert!(tables >= 10, "{tables} columns were summed");
    assert!(html.contains(" others</td>"), "the owners are more than fit");
    assert!(html.contains("Budgets in 2026-11, as of 2026-11-20"));
    assert!(html.contains("<strong>Over budget:</strong> sagemaker-research"));
}
