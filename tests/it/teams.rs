//! Owns the proof that everybody's cost is charged to their team: those who move, those who are gone, and those a file names badly.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use apportion::arn::{DomainKey, UserProfileName};
use apportion::bearer::Existence;
use apportion::charge::{self, Charges};
use apportion::cli::clock::Clock;
use apportion::cli::collect::Options;
use apportion::cli::config;
use apportion::files;
use apportion::ledger::{self, Ledger};
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::notes;
use apportion::owner::Owner;
use apportion::render;
use apportion::report::Report;
use apportion::snapshot::Snapshot;
use apportion::terms::Terms;
use tempfile::TempDir;

use crate::run::{Sandbox, apportion, copy_snapshots, files as listed, write};
use crate::world::{alter, ask, make, month, small, with_inventory};

const METRIC: Metric = Metric::NetAmortizedCost;

fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        write(&folder.path().join(name), content);
    }
    folder
}

fn terms(config: &str, roster: &str) -> Terms {
    let here = folder(&[("apportion.toml", config.as_bytes()), ("teams.csv", roster.as_bytes())]);
    config::load(Some(&here.path().join("apportion.toml"))).unwrap().terms
}

/// The users who cost something in a month, with what they cost, the dearest first.
fn users(ledger: &Ledger, at: &str) -> Vec<(Money, DomainKey, UserProfileName)> {
    let mut sums: BTreeMap<usize, Money> = BTreeMap::new();
    for line in ledger.of_month(month(at)) {
        *sums.entry(line.bearer).or_default() += line.amounts.get(METRIC).unwrap();
    }
    let mut users: Vec<_> = sums
        .into_iter()
        .filter_map(|(place, sum)| match &ledger.bearers[place].owner {
            Owner::UserProfile(domain, name) => Some((sum, domain.clone(), name.clone())),
            _ => None,
        })
        .collect();
    users.sort();
    users.reverse();
    users
}

/// What each team is charged of an owner in a month, in a metric.
fn charged(
    charges: &Charges<'_>,
    owner: &Owner,
    at: &str,
    metric: Metric,
) -> BTreeMap<String, Money> {
    let mut sums = BTreeMap::new();
    for charge in charges.of_month(month(at)) {
        if charges.bearer(&charge).owner == *owner {
            let team = charges.team(&charge).map_or("-".to_owned(), ToString::to_string);
            *sums.entry(team).or_default() += charge.amounts.get(metric).unwrap();
        }
    }
    sums
}

#[test]
fn who_moves_within_a_month_is_charged_to_both_teams_by_what_the_days_cost() {
    let world = make(&small(3), 91);
    let options = Options { daily_month_count: 1, ..with_inventory() };
    let snapshot = ask(&world, &options, None);
    let ledger = ledger::post(&snapshot);
    let (_, domain, name) = users(&ledger, "2026-10").remove(0);
    let roster = format!(
        "domain;user_profile;team;valid_from;valid_to\r\n{0};{1};Red;;2026-10-12\r\n{0};{1};Blue;2026-10-13;\r\n",
        domain.id, name
    );
    let terms = terms(
        "[teams]\nfile = 'teams.csv'\n[[assignment]]\nteam = 'Rest'\ndomain = '*'\n",
        &roster,
    );
    let charges = charge::charge(&snapshot, &ledger, &terms, METRIC);
    let owner = Owner::UserProfile(domain, name);
    let place = ledger.bearers.iter().position(|bearer| bearer.owner == owner).unwrap();
    let lines: Vec<_> =
        ledger.of_month(month("2026-10")).iter().filter(|line| line.bearer == place).collect();
    let count = i128::try_from(lines.len()).unwrap();
    for metric in Metric::ALL {
        let whole: Money = lines.iter().map(|line| line.amounts.get(metric).unwrap()).sum();
        let sums = charged(&charges, &owner, "2026-10", metric);
        assert_eq!(sums.keys().collect::<Vec<_>>(), ["Blue", "Red"]);
        assert_eq!(sums.values().copied().sum::<Money>(), whole, "{metric}");
    }
    // The days of the month sum to it, so each team has what its days cost, but for rounding line by line.
    let daily = apportion::daily::Daily::new(&snapshot);
    let days = daily.of(&owner, month("2026-10")).unwrap();
    let mut by_days: BTreeMap<&str, Money> = BTreeMap::new();
    for (day, amounts) in days {
        let team = if day.day() <= 12 { "Red" } else { "Blue" };
        *by_days.entry(team).or_default() += amounts.get(METRIC).unwrap();
    }
    let sums = charged(&charges, &owner, "2026-10", METRIC);
    let (sum, whole): (Money, Money) =
        (by_days.values().copied().sum(), sums.values().copied().sum());
    assert!((sum - whole).abs() <= Money::from_units(1_000_000), "{sum} {whole}");
    for (team, money) in &sums {
        let difference = (*money - by_days[team.as_str()]).abs();
        assert!(!money.is_zero() && difference <= Money::from_units(count + 1_000_000), "{team}");
    }
    // Before and after, there is one team; everybody else has another.
    assert_eq!(
        charged(&charges, &owner, "2026-09", METRIC).into_keys().collect::<Vec<_>>(),
        ["Red"]
    );
    assert_eq!(
        charged(&charges, &owner, "2026-11", METRIC).into_keys().collect::<Vec<_>>(),
        ["Blue"]
    );
    for at in snapshot.manifest.months() {
        let sum: Money = charges.of_month(at).map(|it| it.amounts.get(METRIC).unwrap()).sum();
        assert_eq!(Some(sum), ledger.total(at).get(METRIC), "{at}");
    }
    // Where nobody asked for the days, their number counts, and a note names the owner.
    let without = Snapshot {
        manifest: apportion::snapshot::Manifest { days: None, ..snapshot.manifest.clone() },
        ..snapshot.clone()
    };
    let charges = charge::charge(&without, &ledger, &terms, METRIC);
    let said = said(&without, &ledger, &charges, &terms, "2026-10");
    let text = format!(
        "{owner} was in more than one team in 2026-10; its cost is split by the number of days"
    );
    assert!(said.contains(&text), "{said}");
    let parts = charges.membership.of(month("2026-10"), place);
    let weights: Vec<String> = parts.iter().map(|part| part.weight.unwrap().to_string()).collect();
    assert_eq!(weights, ["12", "19"]);
    // Who is in one team by two rows of the roster has not moved.
    let one = self::terms("[teams]\nfile = 'teams.csv'\n", &roster.replace("Blue", "Red"));
    let charges = charge::charge(&without, &ledger, &one, METRIC);
    let said = self::said(&without, &ledger, &charges, &one, "2026-10");
    assert!(!said.contains("in more than one team"), "{said}");
}

/// Every note of a month's report.
fn said(
    snapshot: &Snapshot,
    ledger: &Ledger,
    charges: &Charges<'_>,
    terms: &Terms,
    at: &str,
) -> String {
    let report = Report { snapshot, ledger, charges, terms, month: month(at), metric: METRIC };
    notes::of(&report).iter().map(|note| note.text.clone() + "\n").collect()
}

/// The row of an owner in `owners.csv`, by column.
fn row(
    snapshot: &Snapshot,
    ledger: &Ledger,
    charges: &Charges<'_>,
    terms: &Terms,
    at: &str,
    user: &str,
) -> BTreeMap<String, String> {
    let report = Report { snapshot, ledger, charges, terms, month: month(at), metric: METRIC };
    let mut bytes = Vec::new();
    render::csv::write(files::owners(&report), &mut bytes).map(drop).unwrap();
    let mut reader = csv::Reader::from_reader(bytes.as_slice());
    let heads = reader.headers().unwrap().clone();
    let column = |name: &str| heads.iter().position(|head| head == name).unwrap();
    let (kind, name) = (column("owner_kind"), column("user_profile"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    let found = rows.iter().find(|row| &row[kind] == "user_profile" && &row[name] == user).unwrap();
    heads.iter().zip(found.iter()).map(|(head, cell)| (head.to_owned(), cell.to_owned())).collect()
}

/// Snapshots of June, of July, and of July without June's, and a user who was deleted between May's and June's.
fn deleted() -> ([Snapshot; 3], DomainKey, UserProfileName) {
    let world = make(&small(3), 92);
    let options = |at: &str| Options {
        month: month(&at[..7]),
        month_count: 3,
        clock: Clock::Fixed(at.parse().unwrap()),
        ..with_inventory()
    };
    let at = |at: &'static str, earlier: Option<&Snapshot>| {
        alter(&world, |world| world.now = at.parse().unwrap());
        ask(&world, &options(at), earlier)
    };
    let first = at("2026-05-10T08:00:00Z", None);
    let (_, domain, user) = users(&ledger::post(&first), "2026-05")
        .into_iter()
        .find(|(_, domain, _)| first.inventory.is_listed(domain))
        .unwrap();
    alter(&world, |world| {
        let profiles = &mut world.organisation.user_profiles;
        let profile = profiles
            .iter_mut()
            .find(|it| it.name == user.as_str() && it.domain == domain.id.as_str())
            .unwrap();
        profile.tags.insert("cost-center".to_owned(), "By tag".to_owned());
        profile.sso_value = Some("gone@example.com".to_owned());
    });
    let may = at("2026-05-20T08:00:00Z", Some(&first));
    alter(&world, |world| {
        let is_theirs =
            |home: &str, name: &str| home == domain.id.as_str() && name == user.as_str();
        world.organisation.user_profiles.retain(|it| !is_theirs(&it.domain, &it.name));
        world
            .organisation
            .apps
            .retain(|it| !is_theirs(&it.domain, it.user_profile.as_deref().unwrap_or_default()));
    });
    let june = at("2026-06-20T08:00:00Z", Some(&may));
    let july = at("2026-07-20T08:00:00Z", Some(&june));
    // A snapshot that was skipped moves the end no further than to the next look.
    let skipped = at("2026-07-20T08:00:00Z", Some(&may));
    ([june, july, skipped], domain, user)
}

#[test]
fn who_is_deleted_in_may_has_a_name_a_team_and_an_end_in_june_and_in_july() {
    let ([june, july, skipped], domain, user) = deleted();
    let id = &domain.id;
    for (config, roster, team) in [
        ("[teams]\ntags = ['cost-center']\n".to_owned(), String::new(), "By tag"),
        (
            format!("[[assignment]]\nteam = 'By rule'\nuser_profile = '{user}'\ndomain = '{id}'\n"),
            String::new(),
            "By rule",
        ),
        (
            "[teams]\nfile = 'teams.csv'\n".to_owned(),
            format!(
                "domain,user_profile,team,valid_from,valid_to\n{id},{user},By roster,2026-01-01,2026-12-31\n"
            ),
            "By roster",
        ),
        (
            "[teams]\nfile = 'teams.csv'\n".to_owned(),
            "person,team\ngone@example.com,By person\n".to_owned(),
            "By person",
        ),
    ] {
        let terms = terms(&config, &roster);
        for (snapshot, gone_by) in
            [(&june, "2026-06-20"), (&july, "2026-06-20"), (&skipped, "2026-07-20")]
        {
            let ledger = ledger::post(snapshot);
            let charges = charge::charge(snapshot, &ledger, &terms, METRIC);
            for month in ["2026-05", "2026-06"] {
                let row = row(snapshot, &ledger, &charges, &terms, month, user.as_str());
                assert_eq!(row["team"], team, "{month}");
                assert_eq!(row["status"], "gone");
                assert_eq!(
                    (row["last_seen"].as_str(), row["gone_by"].as_str()),
                    ("2026-05-20", gone_by)
                );
                assert!(!row["domain_name"].is_empty());
            }
        }
    }
    let ledger = ledger::post(&july);
    let gone = ledger.bearers.iter().filter(|it| matches!(it.existence, Existence::Gone { .. }));
    let gone: BTreeSet<_> = gone.filter_map(|it| it.user_profile.clone()).collect();
    assert_eq!(gone, BTreeSet::from([user]));
}

/// Runs the binary in a folder of its own, and tells its exit code and what it said.
fn refused(config: &str, name: &str, content: &[u8]) -> (i32, String) {
    let here = folder(&[("apportion.toml", config.as_bytes()), (name, content)]);
    let sandbox = Sandbox::start();
    let output = apportion(here.path(), &["run", "--now", crate::run::NOW]).against(&sandbox).run();
    assert_eq!(sandbox.paid(), 0, "{}", output.stderr);
    assert_eq!(listed(here.path()), [Path::new("apportion.toml"), Path::new(name)]);
    (output.code, output.stderr)
}

#[test]
fn a_roster_that_is_wrong_is_refused_with_file_and_line_before_anything_is_paid_or_written() {
    let config = "[teams]\nfile = \"teams.csv\"\n";
    for (content, words) in [
        (
            &b"person;team;valid_from;valid_to\r\nana;A;;2026-03-31\r\nana;B;2026-03-15;\r\n"[..],
            &[
                "line 3: the person ana is in `A` on line 2 and `B` on line 3 at once, from 2026-03-15 to 2026-03-31",
            ][..],
        ),
        (
            b"\xEF\xBB\xBFperson,team,valid_from,valid_to\nana,A,,2026-03-31\nana,B,2026-05-01,\n",
            &["line 3: the person ana is in no team from 2026-04-01 to 2026-04-30"],
        ),
        (b"person,team\nM\xFCller,\n", &["line 2", "`team` is blank"]),
        (b"person,group\nana,A\n", &["line 1", "`group` is not a column"]),
        (b"person,team\nana\n", &["line 2"]),
        (b"person,team,valid_from\nana,A,31.02.2026\n", &["line 2", "valid_from"]),
        (b"", &["line 1", "the file is empty"]),
    ] {
        let (code, said) = refused(config, "teams.csv", content);
        assert_eq!(code, 1, "{said}");
        for word in words.iter().chain(&["`teams.csv` cannot be used", "hint: "]) {
            assert!(said.contains(word), "no `{word}` in:\n{said}");
        }
    }
}

#[test]
fn a_configuration_that_is_wrong_about_teams_is_refused_with_its_line() {
    for (config, words) in [
        ("\n[[assignment]]\nteam = 'A'\ndomain = 'd-['\n", &["line 4", "not a pattern: `d-[`"][..]),
        ("[[assignment]]\nteam = 'A'\n", &["line 1", "matches nothing in particular"]),
        (
            "[[person]]\nname = 'A'\nsso = 'x'\n[[person]]\nname = 'B'\nsso = 'x'\n",
            &["line 4", "the person on line 1 has the single sign-on value `x` already"],
        ),
        ("[[assignment]]\nteam = ' A'\ndomain = '*'\n", &["line 2", "a team's name has"]),
        ("[[team]]\nname = 'A'\n[[team]]\nname = 'A'\n", &["line 3", "on line 1 already"]),
        ("[people]\njoin = ['email']\n", &["line 2", "unknown variant `email`"]),
        ("[teams]\nfile = 'none.csv'\n", &["none.csv"]),
    ] {
        let (code, said) = refused(config, "other", b"");
        assert_eq!(code, 1, "{said}");
        for word in words {
            assert!(said.contains(word), "no `{word}` in:\n{said}");
        }
    }
}

#[test]
fn what_fits_nobody_or_says_one_thing_twice_is_a_note_of_the_report() {
    let config =
        "[teams]\nfile = 'teams.csv'\n\n[[assignment]]\nteam = 'A'\nuser_profile = 'nobody-?'\n
[[assignment]]\nteam = 'R&D'\ndomain = 'research*'\n[[assignment]]\nteam = 'r-d'\ndomain = 'vision*'\n
[[team]]\nname = 'Ghost'\n[[team]]\nname = 'Payer'\n[[team]]\nname = 'R&D'\n
[[pool]]\nname = 'fees'\nof = 'savings_plan'\nmethod = 'fixed'\nshares = { Payer = '40', Reserch = '60' }\n";
    let roster = b"person;team\r\nM\xFCller;A\r\nM\xFCller;A\r\n";
    let here = folder(&[("apportion.toml", config.as_bytes()), ("teams.csv", roster)]);
    copy_snapshots(here.path());
    let output = apportion(
        here.path(),
        &["report", "--snapshots", ".", "--out", "out", "--now", crate::run::NOW],
    )
    .run();
    assert_eq!(output.code, 0, "{}", output.stderr);
    let texts = listed(here.path()).into_iter().filter(|path| path.ends_with("summary.json"));
    let texts = texts.map(|path| crate::run::read(&here.path().join(path)));
    let all: String = texts.map(|bytes| String::from_utf8(bytes).unwrap()).collect();
    for word in [
        "line 2: it is not UTF-8, so the file is read as Windows-1252",
        "line 3: it says the same as line 2, and counts once",
        "What `teams.csv` says is about nobody in cost or inventory on line 2 (person Müller)",
        "Assignment 1 on line 4, to `A`, matches nobody.",
        "owners are in no team in 2026-10",
        "Nobody is in the team `Ghost` on line 15, in any month.",
        "The pool `fees` charges the team `Reserch`, to which nobody belongs;",
        "The teams `R&D` and `r-d` differ in nothing but case, spaces and signs",
    ] {
        assert!(all.contains(word), "no `{word}` in:\n{all}");
    }
    // Who pays a share without having anybody is told of as a team, so that is meant.
    assert!(!all.contains("`Payer`") && !all.contains("team `R&D` on line"), "{all}");
}
