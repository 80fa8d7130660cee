//! What teams are charged says the same in every file, and printed cents add up.

use std::collections::BTreeMap;
use std::path::Path;

use apportion::money::Money;

use crate::run::{demo, files, read};

/// The rows of a CSV file of the demonstration, each by its columns' names.
fn rows(name: &str) -> Vec<BTreeMap<String, String>> {
    let bytes = read(&demo().join("2026-10").join(name));
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    reader.deserialize().map(Result::unwrap).collect()
}

fn sums(rows: &[BTreeMap<String, String>], key: &str, amount: &str) -> BTreeMap<String, Money> {
    let mut sums = BTreeMap::new();
    for row in rows {
        *sums.entry(row[key].clone()).or_insert(Money::ZERO) += Money::parse(&row[amount]).unwrap();
    }
    sums
}

fn pages() -> Vec<String> {
    let names = files(&demo().join("2026-10/teams"));
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    names.filter_map(|name| name.strip_suffix(".html").map(str::to_owned)).collect()
}

#[test]
fn every_file_charges_a_team_the_same() {
    let teams = sums(&rows("teams.csv"), "team", "total");
    assert!(teams.len() > 4, "{teams:?}");
    assert_eq!(teams, sums(&rows("owners.csv"), "team", "total"));
    let lines = rows("lines.csv");
    assert_eq!(teams, sums(&lines, "team", "net_amortized_cost"));
    assert!(lines.iter().any(|line| line["cause"].starts_with("allocated: ")));
    let summary: serde_json::Value =
        serde_json::from_slice(&read(&demo().join("2026-10/summary.json"))).unwrap();
    let charged = summary["charged_total"]["net_amortized_cost"].as_str().unwrap();
    assert_eq!(teams.values().copied().sum::<Money>().to_string(), charged);
    for row in rows("teams.csv") {
        let parts = ["billed", "shared", "credits", "tax"];
        let parts: Money = parts.iter().map(|part| Money::parse(&row[*part]).unwrap()).sum();
        assert_eq!(parts.to_string(), row["total"], "{row:?}");
    }
}

#[test]
fn printed_cents_add_up_over_all_statements() {
    let teams = sums(&rows("teams.csv"), "team", "total");
    let (mut printed, mut exact) = (Money::ZERO, Money::ZERO);
    assert_eq!(pages().len(), teams.len());
    for stem in pages() {
        let rows = rows(&format!("teams/{stem}.csv"));
        let amount: Money = sums(&rows, "team", "amount").values().copied().sum();
        let whole: Money = sums(&rows, "team", "exact").values().copied().sum();
        assert_eq!(Some(&whole), rows.first().map(|row| &teams[&row["team"]]), "{stem}");
        assert!((amount - whole).abs() < Money::from_cents(1), "{stem}: {amount} of {whole}");
        for row in &rows {
            let cents = Money::parse(&row["amount"]).unwrap();
            assert_eq!(Money::from_cents(cents.cents()), cents, "{row:?}");
            let difference = cents - Money::parse(&row["exact"]).unwrap();
            assert!(difference.abs() < Money::from_cents(1), "{row:?}");
        }
        printed += amount;
        exact += whole;
    }
    assert_eq!(printed, Money::from_cents(exact.cents()));
    let journal = rows("journal.csv");
    let side = |side: &str| -> Money {
        let sides = journal.iter().filter(|row| !row[side].is_empty());
        sides.map(|row| Money::parse(&row[side]).unwrap()).sum()
    };
    assert_eq!(side("debit"), side("credit"));
}

/// The cells of a row; a cell has no markup of its own but a link.
fn cells(row: &str) -> Vec<String> {
    let cells = row.split("<td").skip(1).map(|cell| {
        let text = cell.split_once('>').unwrap().1.split("</td>").next().unwrap();
        text.rsplit_once("\">").map_or(text, |(_, text)| text).replace("</a>", "")
    });
    cells.collect()
}

fn cents(text: &str) -> Option<i64> {
    text.contains('.').then(|| text.replace([',', '.'], "").parse().ok()).flatten()
}

#[test]
fn every_table_of_a_statement_foots_to_the_cent() {
    let mut columns = 0;
    let mut texts: Vec<String> = Vec::new();
    for stem in pages() {
        let path = demo().join(format!("2026-10/teams/{stem}.html"));
        texts.push(String::from_utf8(read(&path)).unwrap());
    }
    let report = String::from_utf8(read(&demo().join("2026-10/report.html"))).unwrap();
    let (_, by_team) = report.split_once("<h2>By team</h2>").unwrap();
    texts.push(by_team.split("</section>").next().unwrap().to_owned());
    for html in &texts {
        for table in html.split("<table>").filter(|table| table.contains("<tfoot>")) {
            let (body, foot) = table.split_once("<tfoot>").unwrap();
            let rows: Vec<Vec<String>> =
                body.split("<tr>").map(cells).filter(|row| !row.is_empty()).collect();
            for (column, total) in cells(foot).iter().enumerate() {
                let Some(total) = cents(total) else { continue };
                let sum: i64 = rows.iter().filter_map(|row| cents(&row[column])).sum();
                assert_eq!(sum, total, "column {column} of {rows:?}");
                columns += 1;
            }
        }
        assert!(!html.contains('`'), "backticks are for a terminal");
    }
    assert!(columns > 20, "{columns} columns were summed");
}

#[test]
fn a_page_of_teams_leads_to_each_statement_and_to_nothing_else() {
    let folder = demo().join("2026-10");
    let html = String::from_utf8(read(&folder.join("report.html"))).unwrap();
    let links: Vec<&str> =
        html.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap()).collect();
    assert_eq!(links.len(), pages().len());
    for link in links {
        let link = link.replace("&#x2f;", "/");
        assert!(files(&folder).iter().any(|file| file == Path::new(&link)), "{link}");
    }
    let manifest: serde_json::Value =
        serde_json::from_slice(&read(&folder.join("manifest.json"))).unwrap();
    let outputs = manifest["outputs"].as_array().unwrap();
    for name in ["teams.csv", "journal.csv", "teams/research.html", "teams/without-a-team.csv"] {
        assert!(outputs.iter().any(|output| output["name"] == name), "{name}");
    }
}
