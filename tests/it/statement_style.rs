//! What the configuration changes of statements: credits, people, rates and fiscal years; and how its errors read.

use std::collections::BTreeMap;
use std::path::Path;

use apportion::money::Money;
use tempfile::TempDir;

use crate::run::{Output, apportion, demo, read, write};

const RATES: &str = "month;currency;rate;source\n2026-10;EUR;0.9;Bank\n";

/// Reports the demonstration's snapshot with a configuration of its own.
fn report(configuration: &str, rates: &str) -> (TempDir, Output) {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("apportion.toml"), configuration.as_bytes());
    write(&folder.path().join("rates.csv"), rates.as_bytes());
    let snapshots = demo().join("snapshots");
    let snapshots = snapshots.to_str().unwrap();
    let output = apportion(
        folder.path(),
        &["report", "--month", "2026-10", "--snapshots", snapshots, "--out", "out"],
    )
    .run();
    (folder, output)
}

fn configuration(more: &str) -> String {
    format!(
        "{more}\n[[assignment]]\nteam = \"blue\"\nuser_profile = \"yara-*\"\n\
         [[assignment]]\nteam = \"red\"\nspace = \"vision-shared-1\"\n"
    )
}

fn text(folder: &Path, name: &str) -> String {
    String::from_utf8(read(&folder.join("out/2026-10").join(name))).unwrap()
}

/// The rows of `teams.csv`, by team.
fn teams(folder: &Path) -> BTreeMap<String, BTreeMap<String, String>> {
    let text = text(folder, "teams.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let rows = reader.deserialize().map(Result::unwrap);
    rows.map(|row: BTreeMap<String, String>| (row["team"].clone(), row)).collect()
}

#[test]
fn another_teams_people_are_seen_as_the_configuration_says() {
    for (people, is_named, shown) in
        [("names", true, ">blue</td>"), ("ids", false, ">blue</td>"), ("hidden", false, "1 person")]
    {
        let style = format!("[statements]\npeople = \"{people}\"");
        let (folder, output) = report(&configuration(&style), "");
        assert_eq!(output.code, 0, "{}", output.stderr);
        let html = text(folder.path(), "teams/red.html");
        assert!(html.contains("Who worked in shared spaces"), "{html}");
        assert_eq!(html.contains("yara"), is_named, "{people}");
        assert!(html.contains(shown), "{people}");
        assert!(!text(folder.path(), "teams/red.csv").contains("yara"));
        assert!(text(folder.path(), "teams/blue.html").contains("yara"));
    }
}

#[test]
fn a_private_space_charged_to_another_team_does_not_name_its_user_there() {
    let teams = "[[assignment]]\nteam = \"red\"\nspace = \"liam-mensah-lab\"\n\
                 [[assignment]]\nteam = \"blue\"\ndomain = \"*\"\n[people]\njoin = [\"name\"]\n";
    for (people, is_named, shown) in [
        ("names", true, "liam-mensah (vision)"),
        ("ids", false, " (vision)"),
        ("hidden", false, "private space of somebody of another team (vision)"),
    ] {
        let style = format!("[statements]\npeople = \"{people}\"\n{teams}");
        let (folder, output) = report(&style, "");
        assert_eq!(output.code, 0, "{}", output.stderr);
        for name in ["teams/red.html", "teams/red.csv"] {
            let text = text(folder.path(), name);
            assert_eq!(text.contains("liam"), is_named, "{people}: {text}");
            assert!(text.contains(shown), "{people}: {text}");
        }
        assert!(text(folder.path(), "teams/blue.csv").contains("liam-mensah"));
    }
}

#[test]
fn credits_are_netted_or_apart_and_the_total_is_the_same() {
    let (apart, output) = report(&configuration(""), "");
    assert_eq!(output.code, 0, "{}", output.stderr);
    let (netted, _) = report(&configuration("[statements]\ncredits = \"netted\""), "");
    let (one, other) = (teams(apart.path()), teams(netted.path()));
    assert_eq!(one[""]["total"], other[""]["total"]);
    assert_eq!(other[""]["credits"], "");
    let amount = |row: &BTreeMap<String, String>, key: &str| Money::parse(&row[key]).unwrap();
    let both = amount(&one[""], "billed") + amount(&one[""], "credits");
    assert_eq!(both, amount(&other[""], "billed"));
    assert!(amount(&one[""], "credits") < Money::ZERO);
    assert!(text(apart.path(), "teams/red.html").contains("credits and refunds stand apart"));
    assert!(text(netted.path(), "teams/red.html").contains("credits and refunds are netted"));
}

#[test]
fn a_converted_total_has_its_rate_and_a_year_that_is_not_known_says_from_when() {
    let more = "fiscal_year_start = 9\n[rates]\nfile = \"rates.csv\"\ncurrency = \"EUR\"\n";
    let (folder, output) = report(&configuration(more), RATES);
    assert_eq!(output.code, 0, "{}", output.stderr);
    for row in teams(folder.path()).values() {
        let total = Money::parse(&row["total"]).unwrap();
        let converted = total.at_rate(Money::parse("0.9").unwrap()).unwrap();
        assert_eq!(row["converted_total"], converted.to_string());
        assert_eq!((&*row["converted_currency"], &*row["rate"]), ("EUR", "0.9"));
        assert_eq!((&*row["rate_source"], &*row["fiscal_year"]), ("Bank", "FY2027"));
        let year = total + Money::parse(&row["previous_total"]).unwrap();
        assert_eq!(row["year_to_date"], year.to_string());
    }
    assert!(text(folder.path(), "teams/red.html").contains("1 USD = 0.9 EUR, Bank"));
    // The snapshot begins with 2025-10, one month too late for the year of 2025-11.
    let snapshots = demo().join("snapshots");
    let snapshots = ["--snapshots", snapshots.to_str().unwrap()];
    let early = [&["report", "--month", "2025-11", "--out", "out"], &snapshots[..]].concat();
    assert_eq!(apportion(folder.path(), &early).run().code, 0);
    let html = String::from_utf8(read(&folder.path().join("out/2025-11/teams/red.html"))).unwrap();
    assert!(html.contains("known only from 2025-10"), "{html}");
}

#[test]
fn without_teams_there_are_no_statements() {
    let (folder, output) = report("metric = \"unblended_cost\"\n", "");
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(!text(folder.path(), "manifest.json").contains("teams"));
    assert!(!text(folder.path(), "report.html").contains("By team"));
}

#[test]
fn what_cannot_be_followed_is_refused_with_file_and_line() {
    let rates = "[rates]\nfile = \"rates.csv\"\ncurrency = \"EUR\"\n";
    for (more, file, expected) in [
        ("fiscal_year_start = 13\n", "", "a fiscal year begins in a month from 1"),
        (rates, "month,currency,rate\n2026-10,EUR,0\n", "line 2: in `rate`, `0` is not more than"),
        (rates, "month,currency,rate\n2026-10,GBP,1\n", "no row is about the currency `EUR`"),
        ("[journal]\ndebit_account = \"1\"\ncredit_account = \"1\"\n", "", "are both `1`"),
        ("[statements]\ncredits = \"off\"\n", "", "unknown variant `off`"),
    ] {
        let (folder, output) = report(&configuration(more), file);
        assert_eq!(output.code, 1, "{}", output.stderr);
        assert!(output.stderr.contains(expected), "{}", output.stderr);
        assert!(output.stderr.contains("line "), "{}", output.stderr);
        assert!(!folder.path().join("out").exists(), "nothing is half-written");
    }
}
