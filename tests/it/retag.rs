//! Owns the proof that `retag` puts on what it plans, leaves the rest alone and finds the way back.

use std::path::Path;
use std::sync::Arc;

use apportion::arn::AccountId;
use apportion::aws::Session;
use apportion::cli::args::change::RetagCommand;
use apportion::cli::args::{Arguments, Command};
use apportion::cli::clock::Clock;
use apportion::cli::commands::Context;
use apportion::cli::config::Loaded;
use apportion::cli::error::Failure;
use apportion::cli::retag::plan::{make as make_plan, mapping};
use apportion::cli::retag::run as retag;
use apportion::cli::ui::Ui;
use apportion::mark::Marks;
use apportion::plan::{Change, Plan};
use apportion::sandbox::scenario::Scenario;
use apportion::sandbox::world::Shared;
use apportion::store::plans;
use clap::Parser;
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::run::{Output, Sandbox, apportion, files, read};
use crate::world::{Fuse, MEMBER, PAYER, alter, fused, make, now, small};

pub(crate) type Tags = std::collections::BTreeMap<String, String>;

const DOMAIN: &str = "sagemaker:domain-arn";

/// The accounts and regions of the embedded scenario.
pub(crate) const ACCOUNTS: &str = r#"
[[account]]
id = "444455556666"
role_arn = "arn:aws:iam::444455556666:role/reader"
regions = ["us-east-1", "ap-southeast-2"]

[[account]]
id = "777788889999"
role_arn = "arn:aws:iam::777788889999:role/reader"
regions = ["eu-west-1"]
"#;

/// Three regions, in which everything has lost the tags that say whose it is but some users' jobs.
pub(crate) fn untagged(users: u32, seed: u64) -> Shared {
    let mut scenario = small(users);
    "ap-southeast-2".clone_into(&mut scenario.domains[1].region);
    untagged_of(&scenario, seed)
}

fn untagged_of(scenario: &Scenario, seed: u64) -> Shared {
    let world = make(scenario, seed);
    alter(&world, |world| {
        let all = &mut world.organisation;
        let users = all.user_profiles.iter_mut().map(|it| &mut it.tags);
        let spaces = all.spaces.iter_mut().map(|it| &mut it.tags);
        let apps = all.apps.iter_mut().map(|it| &mut it.tags);
        for tags in users.chain(spaces).chain(apps) {
            tags.retain(|key, _| !key.starts_with("sagemaker:"));
        }
        for resource in &mut all.resources {
            resource.tags.remove(DOMAIN);
        }
    });
    world
}

/// Every tag of the world, thing by thing.
pub(crate) fn tags(world: &Shared) -> Vec<(String, Tags)> {
    alter(world, |world| {
        let all = &world.organisation;
        let mut tags: Vec<(String, Tags)> = Vec::new();
        tags.extend(all.domains.iter().map(|it| (it.id.clone(), it.tags.clone())));
        tags.extend(all.user_profiles.iter().map(|it| (it.name.clone(), it.tags.clone())));
        tags.extend(all.spaces.iter().map(|it| (it.name.clone(), it.tags.clone())));
        tags.extend(all.apps.iter().map(|it| (it.name.clone(), it.tags.clone())));
        tags.extend(all.resources.iter().map(|it| (it.arn.clone(), it.tags.clone())));
        tags.extend(all.file_systems.iter().map(|it| (it.id.clone(), it.tags.clone())));
        tags
    })
}

/// Checks that two states of the world are the same, and names what is not.
#[track_caller]
pub(crate) fn same(found: &[(String, Tags)], expected: &[(String, Tags)]) {
    let different: Vec<_> = found.iter().zip(expected).filter(|(one, two)| one != two).collect();
    assert!(different.is_empty(), "{different:#?}");
    assert_eq!(found.len(), expected.len());
}

/// A folder and a configuration to run `retag` with, in process.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    configuration: String,
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// How a run in process ended; nothing when its wire went dead.
pub(crate) type Ended = Option<Result<u8, Failure>>;

impl Desk {
    pub(crate) fn new(configuration: &str) -> Desk {
        Desk { folder: tempfile::tempdir().unwrap(), configuration: configuration.to_owned() }
    }

    /// Runs a command as the payer, on one thread; words that begin with `@` are files of the folder.
    pub(crate) fn run(&self, world: &Shared, words: &str) -> Result<u8, Failure> {
        self.run_until(world, words, None).unwrap()
    }

    /// The same, until a fuse blows.
    pub(crate) fn run_until(&self, world: &Shared, words: &str, fuse: Option<&Arc<Fuse>>) -> Ended {
        let (context, command) = (self.context(), self.command(words));
        runtime().block_on(async {
            let settings = fused(world, PAYER, None, fuse.cloned());
            let session = Session::open(&settings).await.unwrap();
            let dead = async {
                match fuse {
                    Some(fuse) => fuse.blown.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = dead => None,
                ended = retag(&context, &session, &command) => Some(ended),
            }
        })
    }

    /// Makes and keeps a plan, without a word on stdout.
    pub(crate) fn plan(&self, world: &Shared, more: &str) -> Plan<Marks> {
        let command = self.command(&format!("plan --snapshots @kept --all{more}"));
        let RetagCommand::Plan(args) = command else { panic!("it is `plan`") };
        let (context, caller) = (self.context(), AccountId::parse(PAYER).unwrap());
        let mapping = mapping(&args.wish).unwrap();
        let plan = runtime().block_on(async {
            let session = Session::open(&fused(world, PAYER, None, None)).await.unwrap();
            make_plan(&context, &session, &caller, &args.wish, &mapping).await.unwrap()
        });
        assert_eq!(plan.gaps, Vec::<String>::new());
        plans::store(&self.folder.path().join("plan.json"), &plan).unwrap();
        plan
    }

    fn context(&self) -> Context {
        Context {
            loaded: Loaded::of(&self.configuration).unwrap(),
            clock: Clock::Fixed(now()),
            ui: Ui::new(true, true),
        }
    }

    fn command(&self, words: &str) -> RetagCommand {
        let words = words.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => self.folder.path().join(name).to_string_lossy().into_owned(),
            None => word.to_owned(),
        });
        let typed = ["apportion", "retag"].map(str::to_owned).into_iter().chain(words);
        let arguments = Arguments::try_parse_from(typed).unwrap();
        let Command::Retag(command) = arguments.command else { panic!("it is `retag`") };
        command
    }

    /// Executes the plan that was kept.
    pub(crate) fn apply(&self, world: &Shared) -> Result<u8, Failure> {
        self.run(world, APPLY)
    }

    /// The one file that leads back, within the folder.
    pub(crate) fn undo(&self) -> String {
        let found = files(&self.folder.path().join("kept/undo"));
        assert_eq!(found.len(), 1, "{found:?}");
        format!("kept/undo/{}", found[0].display())
    }
}

pub(crate) const APPLY: &str = "apply --snapshots @kept --plan @plan.json --yes";

fn pending(plan: &Plan<Marks>) -> usize {
    plan.pending().count()
}

#[test]
fn what_is_planned_is_put_on_and_read_back_and_undone_to_the_letter() {
    for (seed, lag) in [(300, 0), (301, 600)] {
        let (desk, world) = (Desk::new(ACCOUNTS), untagged(3, seed));
        alter(&world, |world| world.variants.tag_lag_seconds = lag);
        let before = tags(&world);
        let plan = desk.plan(&world, "");
        assert!(pending(&plan) > 30, "{}", pending(&plan));
        assert!(
            plan.pending()
                .all(|it| matches!(it.change, Change::Create { .. } | Change::Update { .. }))
        );
        same(&tags(&world), &before);
        assert_eq!(desk.run(&world, "verify --plan @plan.json"), Ok(5));
        assert_eq!(desk.apply(&world), Ok(0));
        let after = tags(&world);
        let changed = before.iter().zip(&after).filter(|(before, after)| before != after);
        let mut count = 0;
        for ((name, before), (_, after)) in changed {
            let mut after = after.clone();
            assert!(after.remove(DOMAIN).is_some(), "{name}");
            assert_eq!(*before, after, "{name}");
            count += 1;
        }
        assert_eq!(count, pending(&plan));
        assert_eq!(desk.run(&world, "verify --plan @plan.json"), Ok(0));
        // The same again changes nothing, and what leads back is still what it was.
        let undo = desk.undo();
        assert_eq!(desk.apply(&world), Ok(0));
        same(&tags(&world), &after);
        assert_eq!(desk.undo(), undo);
        if lag == 0 {
            let again = desk.plan(&world, "");
            assert_eq!(pending(&again), 0);
            assert!(again.items.len() >= count);
        }
        assert_eq!(desk.run(&world, &format!("undo @{undo} --yes")), Ok(0));
        same(&tags(&world), &before);
        assert_eq!(desk.run(&world, &format!("verify --plan @{undo}")), Ok(0));
    }
}

#[test]
fn a_plan_is_refused_by_name_when_somebody_else_was_there() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(2, 310));
    let plan = desk.plan(&world, "");
    let planned: Vec<&str> = plan.pending().map(|it| it.id.as_str()).collect();
    let arn = alter(&world, |world| {
        let mut resources = world.organisation.resources.iter_mut();
        let other = resources.find(|it| planned.contains(&it.arn.as_str())).unwrap();
        other.tags.insert(DOMAIN.to_owned(), "arn:aws:sagemaker:x:1:domain/d-other".to_owned());
        other.arn.clone()
    });
    let before = tags(&world);
    let failure = desk.apply(&world).unwrap_err();
    assert!(failure.message.contains("stale"), "{}", failure.text());
    assert_eq!(failure.causes.len(), 1, "{}", failure.text());
    assert!(failure.causes[0].starts_with(&arn) && failure.causes[0].contains("d-other"));
    same(&tags(&world), &before);
    assert!(!desk.folder.path().join("kept/undo").exists());
}

#[test]
fn what_is_not_as_undo_expects_is_left_alone() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(2, 311));
    desk.plan(&world, "");
    assert_eq!(desk.apply(&world), Ok(0));
    let undo = format!("undo @{} --yes", desk.undo());
    let name = alter(&world, |world| {
        let space = &mut world.organisation.spaces[0];
        space.tags.insert("sagemaker:space-arn".to_owned(), "somebody else's".to_owned());
        space.name.clone()
    });
    let before = tags(&world);
    let failure = desk.run(&world, &undo).unwrap_err();
    assert!(failure.causes[0].contains(&name), "{}", failure.text());
    same(&tags(&world), &before);
    assert_eq!(desk.run(&world, &format!("{undo} --skip-changed")), Ok(5));
    let tagged: Vec<_> = tags(&world).into_iter().filter(|it| it.1.contains_key(DOMAIN)).collect();
    assert!(tagged.len() == 1 && tagged[0].0.contains(&name), "{tagged:?}");
    // What goes back is no plan to apply, and a plan is no way back.
    let swapped = format!("apply --snapshots @kept --plan @{} --yes", desk.undo());
    for words in [swapped.as_str(), "undo @plan.json --yes"] {
        let failure = desk.run(&world, words).unwrap_err().message;
        assert!(failure.contains("a plan of another sort"), "{failure}");
    }
}

#[test]
fn an_account_that_cannot_be_entered_is_named_and_the_others_are_served() {
    let world = untagged(2, 312);
    let without = ACCOUNTS.replace("role_arn = \"arn:aws:iam::777788889999:role/reader\"\n", "");
    let (whole, part) = (Desk::new(ACCOUNTS), Desk::new(&without));
    let plan = whole.plan(&world, "");
    assert_eq!(part.run(&world, "plan --all --snapshots @kept --save @plan.json"), Ok(5));
    let partial: Plan<Marks> =
        serde_json::from_slice(&read(&part.folder.path().join("plan.json"))).unwrap();
    assert!(partial.gaps[0].contains("NoRole"), "{:?}", partial.gaps);
    let of = |plan: &Plan<Marks>, account: &str| {
        plan.pending().filter(|it| it.id.contains(account)).map(|it| it.id.clone()).collect()
    };
    let (member, other): (Vec<String>, Vec<String>) =
        (of(&plan, MEMBER), of(&plan, "777788889999"));
    assert_eq!(of(&partial, MEMBER), member);
    assert_eq!((of(&partial, "777788889999"), other.is_empty()), (Vec::<String>::new(), false));
    // A whole plan, from where one account is out of reach.
    std::fs::copy(whole.folder.path().join("plan.json"), part.folder.path().join("plan.json"))
        .unwrap();
    let before = tags(&world);
    assert_eq!(part.apply(&world), Ok(5));
    let after = tags(&world);
    let changed = before.iter().zip(&after).filter(|(before, after)| before != after).count();
    assert_eq!(changed, member.len());
    assert_eq!(whole.apply(&world), Ok(0));
}

#[test]
fn a_mapping_is_checked_before_aws_is_asked_and_then_against_what_exists() {
    let (desk, world) = (Desk::new(ACCOUNTS), untagged(2, 313));
    let mapping = desk.folder.path().join("mapping.csv");
    let command = "plan --all --snapshots @kept --mapping @mapping.csv --save @plan.json";
    for (text, expected) in [("resource,domain\nx\n", "line 2"), ("", "line 1")] {
        std::fs::write(&mapping, text).unwrap();
        let failure = desk.run(&world, command).unwrap_err();
        assert!(failure.message.contains(expected), "{}", failure.text());
        assert_eq!((failure.code(), alter(&world, |world| world.counts.attempts)), (2, 0));
    }
    std::fs::write(&mapping, "resource,domain\nnothing-here-*,d-none\n").unwrap();
    let failure = desk.run(&world, command).unwrap_err();
    assert!(failure.causes[0].contains("d-none"), "{}", failure.text());
    assert_eq!(failure.code(), 2);
    // A model that nothing else tells anything of.
    let (name, domain) = alter(&world, |world| {
        let all = &mut world.organisation;
        let domain = all.domains.iter().find(|it| it.account == MEMBER).unwrap().clone();
        let mut model = all.resources.iter().find(|it| it.account == MEMBER).unwrap().clone();
        (model.kind, model.name) = ("model".to_owned(), "made-by-nobody".to_owned());
        model.region.clone_from(&domain.region);
        model.arn = format!("arn:aws:sagemaker:{}:{MEMBER}:model/made-by-nobody", domain.region);
        model.tags.clear();
        model.details = serde_json::json!({});
        model.deleted_at = None;
        let name = model.name.clone();
        all.resources.push(model);
        (name, domain.id)
    });
    let of = |plan: &Plan<Marks>| {
        plan.pending().find(|it| it.id.ends_with(&name)).map(|it| it.confidence.clone())
    };
    assert_eq!(of(&desk.plan(&world, "")), None);
    std::fs::write(&mapping, format!("resource,domain\nmade-by-*,{domain}\n")).unwrap();
    assert_eq!(of(&desk.plan(&world, " --mapping @mapping.csv")), Some(Some("certain".to_owned())));
}

/// Runs the binary as the payer.
pub(crate) fn binary(folder: &Path, sandbox: &Sandbox, words: &[&str]) -> Output {
    std::fs::write(folder.join("apportion.toml"), ACCOUNTS).unwrap();
    let first = ["--now", crate::run::NOW, "retag"];
    let words: Vec<&str> = first.iter().chain(words).copied().collect();
    apportion(folder, &words).against(sandbox).run()
}

/// Starts a sandbox of three regions in which everything has lost its tags.
pub(crate) fn site(users: u32, seed: u64) -> Sandbox {
    let world = Arc::try_unwrap(untagged(users, seed)).unwrap().into_inner().unwrap();
    Sandbox::start_with(world)
}

#[test]
fn the_binary_says_what_it_would_do_does_it_and_says_how_to_go_back() {
    let (folder, sandbox) = (tempfile::tempdir().unwrap(), site(2, 320));
    let run = |words: &[&str]| binary(folder.path(), &sandbox, words);
    let json = run(&["plan", "--format", "json", "--save", "plan.json", "--check"]);
    assert_eq!(json.code, 3, "{}", json.stderr);
    assert_eq!(json.stdout.as_bytes(), read(&folder.path().join("plan.json")));
    let plan: Plan<Marks> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(plan.stakes[0].amount, None);
    assert!(plan.stakes[0].text.contains("apportion collect"), "{:?}", plan.stakes);
    let text = run(&["plan"]);
    assert_eq!(text.code, 0, "{}", text.stderr);
    assert!(text.stdout.contains("because "), "{}", text.stdout);
    let refused = run(&["apply", "--plan", "plan.json"]);
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("give `--yes`"), "{}", refused.stderr);
    let applied = run(&["apply", "--plan", "plan.json", "--yes"]);
    assert_eq!((applied.code, applied.stdout.as_str()), (0, ""), "{}", applied.stderr);
    let count = pending(&plan);
    for words in [
        format!("{count} of {count} resources bear their tags now."),
        "apportion retag verify --plan plan.json".to_owned(),
        "what was billed before stays as it is".to_owned(),
    ] {
        assert!(applied.stderr.contains(&words), "no `{words}` in:\n{}", applied.stderr);
    }
    let (_, undo) = applied.stderr.split_once("`apportion retag undo ").unwrap();
    let undo = undo.split('`').next().unwrap();
    assert_eq!(run(&["plan", "--check"]).code, 0);
    assert_eq!(run(&["verify", "--plan", "plan.json"]).code, 0);
    let undone = run(&["undo", undo, "--yes"]);
    assert_eq!(undone.code, 0, "{}", undone.stderr);
    let different = run(&["verify", "--plan", "plan.json"]);
    assert_eq!(different.code, 5);
    assert_eq!(different.stdout.lines().count(), count + 2, "{}", different.stdout);
    // Without a file the plan is shown, kept and executed.
    let both = run(&["apply", "--yes"]);
    assert_eq!(both.code, 0, "{}", both.stderr);
    assert!(both.stdout.contains("+ arn:"), "{}", both.stdout);
    let (_, kept) = both.stderr.split_once("`apportion retag verify --plan ").unwrap();
    assert_eq!(run(&["verify", "--plan", kept.split('`').next().unwrap()]).code, 0);
}
