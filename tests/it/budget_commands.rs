//! Owns the proof of the `budgets` commands as a person types them: suggestion, plan, topics, export, and what is refused.

use std::path::Path;

use apportion::cli::config;
use serde_json::{Value, json};

use crate::run::{Output, Sandbox, apportion, write};
use crate::tags::ended;
use crate::world::{MEMBER, NOW, alter, make, small};

/// A folder with a snapshot of a small organisation, many of its days, and a configuration.
struct Office {
    sandbox: Sandbox,
    folder: tempfile::TempDir,
}

const AWS: &str = "\n[aws]\nretry_backoff_ms_max = 1\n";

impl Office {
    fn open(configuration: &str) -> Office {
        let office = Office {
            sandbox: Sandbox::serve(make(&small(2), 51)),
            folder: tempfile::tempdir().unwrap(),
        };
        office.configure(configuration);
        let words = ["collect", "--snapshots", "kept", "--daily-months", "9", "--max-spend", "5"];
        // The organisation has a region that cannot be read without a role.
        let output = office.run(&words);
        assert!([0, 5].contains(&output.code), "{}", output.stderr);
        office
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn configure(&self, text: &str) {
        let roster = include_bytes!("../../src/cli/roster.csv");
        write(&self.path().join("roster.csv"), roster);
        write(&self.path().join("apportion.toml"), format!("{text}{AWS}").as_bytes());
    }

    fn run(&self, words: &[&str]) -> Output {
        apportion(self.path(), &[&["--now", NOW], words].concat()).against(&self.sandbox).run()
    }

    fn budgets(&self, words: &[&str]) -> Output {
        let words = [&["budgets"], words, &["--snapshots", "kept"]].concat();
        self.run(&words)
    }
}

/// The demonstration's terms without its way to AWS, which the folder's own is.
fn terms() -> String {
    let demo = include_str!("../../src/cli/demo.toml");
    demo.replace("[aws]\nretry_backoff_ms_max = 20\n", "")
}

#[test]
fn what_is_suggested_can_be_put_into_the_configuration_and_planned() {
    let office = Office::open(&terms());
    for (sort, begin) in
        [("domain", "domain = "), ("team", "team = "), ("user_profile", "user_profile = ")]
    {
        let output = office.budgets(&["suggest", "--by", sort]);
        ended(
            &output,
            0,
            &["get a budget", "[[budget]]", begin, "Tested on", "between two updates of AWS"],
        );
        let count = output.stdout.matches("[[budget]]").count();
        let with = format!("{}\n{}", terms(), output.stdout);
        let read = config::parse(&with).unwrap_or_else(|why| panic!("{why}\n{with}"));
        assert_eq!(read.budget.len(), count + 1, "the demonstration's own is there, too");
        office.configure(&with);
        let planned = office.budgets(&["plan", "--format", "json"]);
        let plan: Value = serde_json::from_str(&planned.stdout).unwrap();
        let created = plan["items"].as_array().unwrap().len();
        assert!(created > count / 2, "{created} of {count}: {}", planned.stdout);
        office.configure(&terms());
    }
}

#[test]
fn forecasts_of_cost_explorer_are_paid_for_within_the_limit_and_said() {
    let office = Office::open(&terms());
    let before = office.sandbox.paid();
    let refused = office.budgets(&["suggest", "--aws-forecast", "--max-spend", "0.02"]);
    ended(&refused, 1, &["5 forecasts cost $0.05, and $0.02 may be spent", "raise `--max-spend`"]);
    assert_eq!(office.sandbox.paid(), before);
    let output = office.budgets(&["suggest", "--aws-forecast", "--max-spend", "0.05"]);
    ended(&output, 0, &["by the forecast given", "answered 5 pages for $0.05"]);
    assert_eq!(office.sandbox.paid(), before + 5);
    let plain = office.budgets(&["suggest"]);
    assert!(!plain.stdout.contains("by the forecast given"));
    assert_eq!(office.sandbox.paid(), before + 5);
    let words = ["--now", "2026-12-01T00:00:00Z", "budgets", "suggest", "--aws-forecast"];
    let words = [&words[..], &["--max-spend", "1", "--snapshots", "kept"]].concat();
    let late = apportion(office.path(), &words).against(&office.sandbox).run();
    ended(&late, 0, &["The snapshot is of 2026-11; its next month has begun", "get a budget"]);
    assert!(!late.stdout.contains("by the forecast given"));
    assert_eq!(office.sandbox.paid(), before + 5);
}

#[test]
fn what_is_suggested_names_the_metric_that_the_configuration_would_not_take() {
    let office = Office::open(&terms());
    let plain = office.budgets(&["suggest", "--metric", "net_amortized_cost"]);
    assert!(!plain.stdout.contains("\nmetric = "), "{}", plain.stdout);
    let other = office.budgets(&["suggest", "--metric", "unblended_cost"]);
    let read = config::parse(&format!("{}\n{}", terms(), other.stdout)).unwrap();
    let named = other.stdout.matches("\nmetric = \"unblended_cost\"\n").count();
    assert_eq!(named + 1, read.budget.len(), "all but the demonstration's own: {}", other.stdout);
    assert!(named > 0);
}

fn told(topic: &str) -> String {
    format!(
        "{}\n[[budget]]\nname = \"b\"\nall = true\nlimit = \"5\"\nthresholds = [80]\nsns_topic_arn = \"{topic}\"\n",
        terms()
    )
}

#[test]
fn nothing_is_changed_while_a_topic_would_keep_its_alarms_to_itself() {
    let office = Office::open(&terms());
    let arn = |name: &str| format!("arn:aws:sns:us-east-1:111122223333:{name}");
    // The policy that SNS gives a topic names a condition that is not read.
    office.configure(&told(&arn("private")));
    ended(&office.budgets(&["plan"]), 5, &["may let `budgets.amazonaws.com` publish"]);
    alter(&office.sandbox.world, |world| {
        let topics = &mut world.organisation.topics;
        let private = topics.iter_mut().find(|it| it.arn.ends_with(":private")).unwrap();
        private.policy = private.policy.replace("SNS:Publish", "SNS:Subscribe");
    });
    for (topic, why) in [
        (arn("private"), "lets `budgets.amazonaws.com` publish"),
        (arn("nowhere"), "there is no topic"),
        ("arn:aws:sns:us-east-1:444455556666:sagemaker-cost".to_owned(), "is of another account"),
    ] {
        office.configure(&told(&topic));
        let planned = office.budgets(&["plan"]);
        ended(&planned, 5, &[why, "Could not be read"]);
        let output = office.budgets(&["apply", "--yes"]);
        ended(&output, 1, &[why, "alarms would reach nobody", "docs/permissions.md"]);
        assert_eq!(alter(&office.sandbox.world, |world| world.changes.len()), 0, "{topic}");
    }
    office.configure(&told(&arn("sagemaker-cost")));
    ended(&office.budgets(&["apply", "--yes"]), 0, &["2 of 2 budgets are as planned"]);
    ended(&office.budgets(&["plan", "--check"]), 0, &["Nothing to do"]);
    office.configure(&terms());
    // Nobody else's are read as ours, and what is ours and not configured is left alone.
    ended(&office.budgets(&["plan", "--check"]), 0, &["not_configured (1)", "apportion/b"]);
    ended(&office.budgets(&["plan", "--check", "--prune"]), 3, &["- apportion/b"]);
}

#[test]
fn what_cannot_be_is_said_with_what_to_do() {
    let office = Office::open(&terms());
    let budget =
        |text: &str| format!("{}\n[[budget]]\nname = \"b\"\nlimit = \"5\"\n{text}\n", terms());
    for (configuration, words, code, expected) in [
        (budget("team = \"nobody\""), &["plan"][..], 5, "unknown_owner"),
        (
            budget("domain = \"d-nowhere\""),
            &["plan", "--check"],
            5,
            "There is no such domain as d-nowhere",
        ),
        (budget("all = true\nlocal_only = true"), &["plan", "--full"], 0, "local_only"),
        (budget("all = true"), &["apply"], 2, "give `--yes`"),
        (terms(), &["export"], 2, "--format"),
        (terms(), &["apply", "--plan", "nowhere.json", "--yes"], 1, "nowhere.json"),
    ] {
        office.configure(&configuration);
        let output = office.budgets(words);
        ended(&output, code, &[expected]);
    }
    let member =
        apportion(office.path(), &["--now", NOW, "budgets", "plan", "--snapshots", "kept"])
            .against(&office.sandbox)
            .env("AWS_ACCESS_KEY_ID", &format!("AKIASANDBOX{MEMBER}"))
            .run();
    ended(&member, 1, &["the newest snapshot is of account 111122223333"]);
    let empty = apportion(office.path(), &["--now", NOW, "budgets", "plan", "--snapshots", "none"])
        .against(&office.sandbox)
        .run();
    ended(&empty, 1, &["apportion collect"]);
}

#[test]
fn nothing_is_deleted_because_somebody_could_not_be_listed() {
    let each =
        "[[budget]]\nname = \"{domain} {user_profile}\"\neach = \"user_profile\"\nlimit = \"5\"\n";
    let office = Office::open(&format!("{}\n{each}", terms()));
    ended(&office.budgets(&["apply", "--yes"]), 0, &["budgets are as planned"]);
    let denied = json!({ "denied": [{ "operation": "ListUserProfiles" }] });
    office.sandbox.set_faults(denied);
    let again = ["collect", "--snapshots", "blind", "--max-spend", "5"];
    assert_eq!(office.run(&again).code, 5);
    let blind =
        |words: &[&str]| office.run(&[&["budgets"], words, &["--snapshots", "blind"]].concat());
    let before = alter(&office.sandbox.world, |world| world.changes.len());
    ended(&blind(&["plan", "--prune"]), 5, &["unread (", "so no budget is deleted"]);
    assert_eq!(blind(&["apply", "--prune", "--yes"]).code, 5);
    assert_eq!(alter(&office.sandbox.world, |world| world.changes.len()), before);
}

#[test]
fn a_key_that_was_never_active_is_named() {
    let world = make(&small(2), 52);
    alter(&world, |world| {
        for key in
            world.organisation.tag_keys.iter_mut().filter(|it| it.key.contains("user-profile"))
        {
            key.changes.clear();
            key.updated_at = None;
        }
    });
    let office = Office { sandbox: Sandbox::serve(world), folder: tempfile::tempdir().unwrap() };
    let each =
        "[[budget]]\nname = \"{domain} {user_profile}\"\neach = \"user_profile\"\nlimit = \"5\"\n";
    office.configure(&format!("{}\n{each}", terms()));
    office.run(&["collect", "--snapshots", "kept", "--max-spend", "5"]);
    ended(&office.budgets(&["plan"]), 0, &["`sagemaker:user-profile-arn` is not active"]);
}

#[test]
fn a_plan_that_was_edited_or_has_aged_is_refused_before_anything_is_done() {
    let budget = "[[budget]]\nname = \"p\"\nall = true\nplanned = [\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\",\"9\",\"10\",\"11\",\"12\"]\n";
    let office = Office::open(&format!("{}\n{budget}", terms()));
    ended(&office.budgets(&["plan", "--save", "plan.json"]), 0, &["+ apportion/p"]);
    let text = String::from_utf8(crate::run::read(&office.path().join("plan.json"))).unwrap();
    let apply = ["apply", "--plan", "edited.json", "--yes"];
    for (from, to, why) in [
        ("\"Dimensions\"", "\"Dimension\"", "is no filter of AWS Budgets"),
        ("\"MONTHLY\"", "\"CUSTOM\"", "none that begins anew"),
        ("\"2026-11-01\"", "\"2026-10-01\"", "not those of the present period"),
        ("\"apportion/p\"", "\"apportion/p:q\"", "AWS takes no such name"),
        ("\"apportion/p\"", "\"other/p\"", "does not begin with `apportion/`"),
    ] {
        let edited = text.replace(from, to);
        assert_ne!(edited, text, "{from}");
        write(&office.path().join("edited.json"), edited.as_bytes());
        ended(&office.budgets(&apply), 2, &[why]);
    }
    let aged = [
        "--now",
        "2026-12-01T08:00:00Z",
        "budgets",
        "apply",
        "--plan",
        "plan.json",
        "--yes",
        "--snapshots",
        "kept",
    ];
    let output = apportion(office.path(), &aged).against(&office.sandbox).run();
    ended(&output, 2, &["not those of the present period"]);
    assert_eq!(alter(&office.sandbox.world, |world| world.changes.len()), 0);
}
