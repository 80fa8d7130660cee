//! A month that is closed stays as it was, and what comes later is a restatement with its cause, to the cent.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use apportion::money::Money;
use serde_json::Value;

use crate::run::{Output, Sandbox, apportion, copy_snapshots, demo, files, only, read, write};

pub(crate) const LATER: &str = "2026-11-25T08:00:00Z";

/// Runs the program in a folder that has the demonstration's snapshot.
pub(crate) fn at(folder: &Path, now: &str, arguments: &[&str]) -> Output {
    let mut all = arguments.to_vec();
    all.extend(["--now", now]);
    apportion(folder, &all).run()
}

pub(crate) fn with_demo() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy_snapshots(&folder.path().join(".apportion"));
    folder
}

pub(crate) fn bytes(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    files(folder).into_iter().map(|path| (path.clone(), read(&folder.join(path)))).collect()
}

pub(crate) fn json(path: &Path) -> Value {
    serde_json::from_slice(&read(path)).unwrap()
}

pub(crate) fn money(value: &Value) -> Money {
    Money::parse(value.as_str().unwrap()).unwrap()
}

/// Asks the sandbox for something by its own interface.
pub(crate) fn post(sandbox: &Sandbox, path: &str, body: &str) {
    let host = sandbox.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

/// The difference of every row of a restatement by cause, in the metric of the closing.
pub(crate) fn by_cause(folder: &Path) -> BTreeMap<String, Money> {
    let restatement = json(&folder.join("apportion-out/2026-10.restatement/restatement.json"));
    let mut causes: BTreeMap<String, Money> = BTreeMap::new();
    for row in restatement["rows"].as_array().unwrap() {
        let money = money(&row["difference"]["net_amortized_cost"]);
        *causes.entry(row["cause"].as_str().unwrap().to_owned()).or_default() += money;
    }
    causes
}

#[test]
fn a_closed_month_is_written_as_it_was_for_ever() {
    let folder = with_demo();
    let folder = folder.path();
    let output = at(folder, LATER, &["close", "2026-10"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("2026-10 is closed on 2026-11-25: "), "{}", output.stderr);
    let first = bytes(&folder.join("apportion-out/2026-10"));
    assert_eq!(first, bytes(&folder.join(".apportion/closed/2026-10/report")));
    let summary = json(&folder.join("apportion-out/2026-10/summary.json"));
    assert_eq!(summary["settlement"], "closed");
    assert_eq!(summary["settlement_because"], "closed on 2026-11-25");
    let closed = json(&folder.join(".apportion/closed/2026-10/closed.json"));
    assert_eq!(closed["totals"], summary["charged_total"]);
    let owners = closed["owners"].as_object().unwrap().values();
    let sum = owners.fold(Money::ZERO, |sum, it| sum + money(&it["unblended_cost"]));
    assert_eq!(sum, money(&closed["totals"]["unblended_cost"]));
    // Whatever became of the files, they come back, and the clock of a later run is in none of them.
    let frozen = bytes(&folder.join(".apportion/closed"));
    write(&folder.join("apportion-out/2026-10/owners.csv"), b"mine\n");
    write(&folder.join("apportion-out/2026-10/more.csv"), b"mine\n");
    let output = at(
        folder,
        "2027-02-01T00:00:00Z",
        &["report", "--month", "2026-10", "--metric", "unblended_cost"],
    );
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("Nothing has changed"), "{}", output.stderr);
    assert!(output.stderr.contains("It stays in net_amortized_cost"), "{}", output.stderr);
    assert_eq!(first, bytes(&folder.join("apportion-out/2026-10")));
    let again = at(folder, LATER, &["close", "2026-10", "--force"]);
    assert_eq!(again.code, 1);
    assert!(
        again.stderr.contains("is closed already since 2026-11-25T08:00:00Z"),
        "{}",
        again.stderr
    );
    assert_eq!(frozen, bytes(&folder.join(".apportion/closed")));
}

#[test]
fn what_is_not_over_or_estimated_is_closed_by_force_only_and_says_so() {
    let folder = with_demo();
    let folder = folder.path();
    let output = at(folder, LATER, &["close", "2026-11"]);
    assert_eq!(output.code, 1);
    assert!(
        output.stderr.contains("cause: it is open: it ends with 2026-11-30"),
        "{}",
        output.stderr
    );
    assert_eq!(files(&folder.join(".apportion/closed")), Vec::<PathBuf>::new());
    assert_eq!(at(folder, LATER, &["close", "2026-12"]).code, 2);
    let output = at(folder, LATER, &["close", "2026-11", "--force"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let said = "closed on 2026-11-25 while open, by force";
    assert!(output.stderr.contains(said), "{}", output.stderr);
    let place = folder.join("apportion-out/2026-11");
    assert_eq!(json(&place.join("summary.json"))["settlement_because"], said);
    for name in ["owners.csv", "trend.csv", "summary.json"] {
        let text = String::from_utf8(read(&place.join(name))).unwrap();
        assert!(text.contains("closed_while_open"), "{name}");
    }
    let page = String::from_utf8(read(&place.join("report.html"))).unwrap();
    assert!(page.contains("Closed while open."), "the page has a banner");
    let closed = json(&folder.join(".apportion/closed/2026-11/closed.json"));
    assert_eq!(closed["forced"], serde_json::json!(["open"]));
}

#[test]
fn what_was_damaged_is_named_and_never_made_anew() {
    let folder = with_demo();
    let folder = folder.path();
    assert_eq!(at(folder, LATER, &["close", "2026-10"]).code, 0);
    let home = folder.join(".apportion/closed/2026-10");
    let snapshot = only(&folder.join(".apportion/snapshots"), ".json");
    for path in [
        home.join("report/owners.csv"),
        home.join("figures.json"),
        home.join("closed.json"),
        snapshot,
    ] {
        let good = read(&path);
        let mut bad = good.clone();
        let at_end = bad.iter().rposition(u8::is_ascii_digit).unwrap();
        bad[at_end] = if bad[at_end] == b'1' { b'2' } else { b'1' };
        write(&path, &bad);
        let output = at(folder, LATER, &["report", "--month", "2026-10"]);
        assert_eq!(output.code, 1, "{}", path.display());
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        assert!(output.stderr.contains(&name), "{name}: {}", output.stderr);
        write(&path, &good);
    }
    assert_eq!(at(folder, LATER, &["report", "--month", "2026-10"]).code, 0);
}

#[test]
fn a_late_credit_is_the_difference_to_the_last_digit_and_is_booked_once() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let sandbox = Sandbox::start();
    let run = |now: &str, arguments: &[&str]| {
        post(&sandbox, "/_sandbox/clock", &format!("{{\"now\": \"{now}\"}}"));
        let mut all = arguments.to_vec();
        all.extend(["--now", now]);
        apportion(folder, &all).against(&sandbox).run()
    };
    let asked = ["run", "--yes", "--month", "2026-10"];
    let output = run("2026-11-20T08:00:00Z", &asked);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let output = run("2026-11-20T09:00:00Z", &["close", "2026-10"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let frozen = bytes(&folder.join("apportion-out/2026-10"));
    post(&sandbox, "/_sandbox/late-credit", r#"{"month": "2026-10", "amount": "25.1234567891"}"#);
    post(&sandbox, "/_sandbox/late-credit", r#"{"month": "2026-09", "amount": "1.00"}"#);
    let output = run("2026-11-21T09:00:00Z", &asked);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("Restatement of 2026-10: charged "), "{}", output.stderr);
    assert_eq!(frozen, bytes(&folder.join("apportion-out/2026-10")));
    let late = Money::parse("-25.1234567891").unwrap();
    assert_eq!(by_cause(folder), BTreeMap::from([("credit".to_owned(), late)]));
    let place = folder.join("apportion-out/2026-10.restatement");
    let restatement = json(&place.join("restatement.json"));
    assert_eq!(money(&restatement["difference"]["unblended_cost"]), late);
    assert_eq!(json(&place.join("summary.json"))["settlement"], "restated");
    // The same again, byte by byte.
    let first = bytes(&place);
    assert_eq!(run("2026-11-22T09:00:00Z", &["report", "--month", "2026-10"]).code, 0);
    assert_eq!(first, bytes(&place));
    // A month that moved is settling until it has been quiet.
    let settlement = |now: &str| {
        let output = run(now, &["run", "--yes", "--month", "2026-09"]);
        assert_eq!(output.code, 0, "{}", output.stderr);
        let summary = json(&folder.join("apportion-out/2026-09/summary.json"));
        summary["settlement_because"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        settlement("2026-11-25T09:00:00Z"),
        "changed last on 2026-11-21; settled 5 days after the last change"
    );
    assert_eq!(
        settlement("2026-11-26T09:00:00Z"),
        "over for 56 days, and changed last on 2026-11-21"
    );
    let book = ["close", "2026-10", "--book-in", "2026-11"];
    let output = run("2026-11-26T10:00:00Z", &book);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stderr.contains("Booked the restatement of 2026-10"), "{}", output.stderr);
    let output = run("2026-11-26T11:00:00Z", &book);
    assert!(output.stderr.contains("There is nothing to book"), "{}", output.stderr);
    let output = run("2026-11-26T11:00:00Z", &["report", "--month", "2026-10"]);
    assert!(output.stderr.contains("Nothing has changed"), "{}", output.stderr);
    assert!(!place.exists(), "what is booked is told no more");
    assert_eq!(run("2026-11-26T11:00:00Z", &["report", "--month", "2026-11"]).code, 0);
    let summary = json(&folder.join("apportion-out/2026-11/summary.json"));
    assert_eq!(summary["adjustments"][0]["of"], "2026-10");
    assert_eq!(money(&summary["adjustments"][0]["amounts"]["net_amortized_cost"]), late);
    assert_eq!(summary["charged_total"], summary["control_total"]);
    // What comes after that is a difference of its own.
    post(&sandbox, "/_sandbox/late-credit", r#"{"month": "2026-10", "amount": "-3.5"}"#);
    assert_eq!(run("2026-11-27T09:00:00Z", &asked).code, 0);
    assert_eq!(by_cause(folder).values().copied().sum::<Money>(), Money::parse("3.5").unwrap());
    assert_eq!(frozen, bytes(&folder.join("apportion-out/2026-10")));
}

#[test]
fn whoever_changes_the_terms_is_told_so_and_the_teams_of_then_are_kept() {
    let folder = with_demo();
    let folder = folder.path();
    let configuration = |roster: &str, team: &str| {
        write(&folder.join("lists/roster.csv"), roster.as_bytes());
        let text = format!(
            "[teams]\nfile = \"lists/roster.csv\"\n[[assignment]]\nteam = \"{team}\"\ndomain = \"*\"\n"
        );
        write(&folder.join("apportion.toml"), text.as_bytes());
    };
    let (domain, user) = user_of_the_demonstration();
    let roster = |team: &str| format!("domain,user_profile,team\n{domain},{user},{team}\n");
    configuration(&roster("one"), "rest");
    let output = at(folder, LATER, &["close", "2026-10"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    let home = folder.join(".apportion/closed/2026-10");
    let closed = json(&home.join("closed.json"));
    assert_eq!(closed["basis"]["inputs"]["lists/roster.csv"], "inputs/1-roster.csv");
    assert_eq!(read(&home.join("inputs/1-roster.csv")), roster("one").as_bytes());
    configuration(&roster("two"), "others");
    let output = at(folder, LATER, &["report", "--month", "2026-10"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(
        output.stderr.contains("difference 0.00 USD: terms: another team 0.00"),
        "{}",
        output.stderr
    );
    assert_eq!(by_cause(folder), BTreeMap::from([("team".to_owned(), Money::ZERO)]));
    let restatement = folder.join("apportion-out/2026-10.restatement");
    let rows = String::from_utf8(read(&restatement.join("restatement.csv"))).unwrap();
    for team in ["one", "two", "rest", "others"] {
        assert!(rows.contains(&format!("2026-10,{team},")), "{team}");
    }
    assert!(rows.lines().skip(1).all(|row| row.contains(",terms,team,")), "{rows}");
    // Booked, it is due in the statements of the later month, and the teams of then have one.
    let output = at(folder, LATER, &["close", "2026-10", "--book-in", "2026-11"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(at(folder, LATER, &["report", "--month", "2026-11"]).code, 0);
    let place = folder.join("apportion-out/2026-11");
    let teams = String::from_utf8(read(&place.join("teams.csv"))).unwrap();
    let mut lines = teams.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let header = lines.next().unwrap();
    let column = header.iter().position(|name| *name == "booked").unwrap();
    let booked: BTreeMap<&str, Money> =
        lines.map(|cells| (cells[1], Money::parse(cells[column]).unwrap())).collect();
    assert_eq!(booked["rest"], -booked["others"], "{teams}");
    assert_eq!(booked["one"], -booked["two"], "{teams}");
    assert!(booked["others"] > Money::ZERO && booked["two"] > Money::ZERO, "{teams}");
    let page = String::from_utf8(read(&place.join("teams/rest.html"))).unwrap();
    assert!(page.contains("Restatement of 2026-10"), "the statement has a section");
}

#[test]
fn a_month_is_not_compared_with_one_that_was_closed_with_other_figures() {
    let folder = with_demo();
    let folder = folder.path();
    let configure = |pool: &str| {
        let text = format!("[[assignment]]\nteam = \"all\"\ndomain = \"*\"\n{pool}");
        write(&folder.join("apportion.toml"), text.as_bytes());
    };
    configure("");
    assert_eq!(at(folder, LATER, &["close", "2026-09"]).code, 0);
    let tax = "[[pool]]\nname = \"tax\"\nof = \"tax\"\nmethod = \"even\"\n";
    for (pool, is_other) in [("", false), (tax, true)] {
        configure(pool);
        assert_eq!(at(folder, LATER, &["report", "--month", "2026-10"]).code, 0);
        let place = folder.join("apportion-out/2026-10/teams");
        let page = String::from_utf8(read(&place.join("all.html"))).unwrap();
        assert_eq!(page.contains("not comparable"), is_other, "{pool}");
        let why = "2026-09 was closed with other figures than it would have now.";
        assert_eq!(page.contains(why), is_other, "{pool}");
    }
}

/// The domain and the name of a user who cost something in the month that is closed.
fn user_of_the_demonstration() -> (String, String) {
    let owners = String::from_utf8(read(&demo().join("2026-10/owners.csv"))).unwrap();
    let rows = owners.lines().map(|row| row.split(',').collect::<Vec<_>>());
    let of_users = rows.filter(|row| row[1] == "space" && !row[6].is_empty());
    of_users.map(|row| (row[4].to_owned(), row[6].to_owned())).min().unwrap()
}

#[test]
fn a_kill_while_closing_leaves_all_of_it_or_nothing() {
    let folder = with_demo();
    let folder = folder.path();
    let home = folder.join(".apportion/closed/2026-10");
    for milliseconds in [50, 200, 400, 700, 1000, 1500] {
        apportion(folder, &["close", "2026-10", "--now", LATER]).run_killed_after(milliseconds);
        if home.exists() {
            break;
        }
    }
    let output = at(folder, LATER, &["close", "2026-10"]);
    assert!(output.code == 0 || output.stderr.contains("closed already"), "{}", output.stderr);
    let output = at(folder, LATER, &["report", "--month", "2026-10"]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert_eq!(bytes(&home.join("report")), bytes(&folder.join("apportion-out/2026-10")));
    let left = files(&folder.join(".apportion/closed"));
    assert!(left.iter().all(|path| path.starts_with("2026-10")), "{left:?}");
}
