//! Owns the proof that budgets are planned, applied and kept as the configuration says, and watch the money that it means.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::BTreeMap;
use std::sync::Arc;

use apportion::arn::{AccountId, Identity};
use apportion::aws::{Session, budgets};
use apportion::budget::Scope;
use apportion::cli::args::budgets::BudgetsCommand;
use apportion::cli::args::{Arguments, Command};
use apportion::cli::budgets::plan::{Made, make as make_plan};
use apportion::cli::budgets::run as run_budgets;
use apportion::cli::clock::Clock;
use apportion::cli::commands::Context;
use apportion::cli::config::Loaded;
use apportion::cli::error::Failure;
use apportion::cli::ui::Ui;
use apportion::key;
use apportion::ledger;
use apportion::metric::Metric;
use apportion::money::Money;
use apportion::period::Month;
use apportion::plan::{Change, Plan};
use apportion::sandbox::world::Shared;
use apportion::setup::Setup;
use apportion::snapshot::Snapshot;
use apportion::store::{plans, snapshots};
use apportion::whose;
use clap::Parser;
use jiff::{Timestamp, ToSpan};
use tempfile::TempDir;

use crate::world::{Fuse, PAYER, alter, ask, fused, make, month, now, small, with_inventory};

/// A folder with a snapshot of a world, and a configuration to run `budgets` with, in process.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    pub(crate) configuration: String,
    /// The files that the configuration names.
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    now: Timestamp,
}

/// How a run in process ended; nothing when its wire went dead.
pub(crate) type Ended = Option<Result<u8, Failure>>;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

impl Desk {
    /// Collects a snapshot of the world.
    pub(crate) fn new(world: &Shared, configuration: &str) -> (Desk, Snapshot) {
        let folder = tempfile::tempdir().unwrap();
        let snapshot = ask(world, &with_inventory(), None);
        let kept = folder.path().join("kept");
        apportion::store::disk::create_folder(&kept).unwrap();
        let snapshot = snapshots::store(&kept, snapshot).unwrap();
        let configuration = configuration.to_owned();
        (Desk { folder, configuration, files: BTreeMap::new(), now: now() }, snapshot)
    }

    pub(crate) fn context(&self) -> Context {
        Context {
            loaded: Loaded::with(&self.configuration, self.files.clone()).unwrap(),
            clock: Clock::Fixed(self.now),
            ui: Ui::new(true, true),
        }
    }

    fn command(&self, words: &str) -> BudgetsCommand {
        let words = words.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => self.folder.path().join(name).to_string_lossy().into_owned(),
            None => word.to_owned(),
        });
        let typed = ["apportion", "budgets"].map(str::to_owned).into_iter().chain(words);
        let Command::Budgets(command) = Arguments::try_parse_from(typed).unwrap().command else {
            panic!("it is `budgets`")
        };
        command
    }

    /// Runs a command as the payer, on one thread, until a fuse blows; words that begin with `@` are of the folder.
    pub(crate) fn run_until(&self, world: &Shared, words: &str, fuse: Option<&Arc<Fuse>>) -> Ended {
        let (context, command) = (self.context(), self.command(words));
        runtime().block_on(async {
            let session = Session::open(&fused(world, PAYER, None, fuse.cloned())).await.unwrap();
            let dead = async {
                match fuse {
                    Some(fuse) => fuse.blown.notified().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = dead => None,
                ended = run_budgets(&context, &session, &command) => Some(ended),
            }
        })
    }

    pub(crate) fn run(&self, world: &Shared, words: &str) -> Result<u8, Failure> {
        self.run_until(world, words, None).unwrap()
    }

    pub(crate) fn apply(&self, world: &Shared) -> Result<u8, Failure> {
        self.run(world, "apply --snapshots @kept --yes --prune")
    }

    /// Makes a plan, without a word on stdout.
    pub(crate) fn plan(&self, world: &Shared, more: &str) -> Plan<Setup> {
        let command = self.command(&format!("plan --snapshots @kept{more}"));
        let BudgetsCommand::Plan(args) = command else { panic!("it is `plan`") };
        let (context, caller) = (self.context(), AccountId::parse(PAYER).unwrap());
        runtime().block_on(async {
            let session = Session::open(&fused(world, PAYER, None, None)).await.unwrap();
            let made = make_plan(&context, &session, &caller, &args.wish).await;
            let Made { plan, .. } = made.unwrap_or_else(|failure| panic!("{}", failure.text()));
            plan
        })
    }
}

/// Returns a plan's items with their signs.
pub(crate) fn told<'a>(plan: &'a Plan<Setup>) -> Vec<String> {
    let sign =
        |item: &'a apportion::plan::Item<Setup>| format!("{}{}", item.change.sign(), item.id);
    plan.items.iter().map(sign).collect()
}

/// A budget of each sort for a domain of the small world, with people to tell.
pub(crate) fn of_every_sort(snapshot: &Snapshot) -> String {
    let domain = |index: usize| snapshot.inventory.domains[index].key.id.to_string();
    let user = snapshot.inventory.user_profiles[0].clone();
    let shared = snapshot.inventory.spaces.iter().find(|it| it.shared == Some(true)).unwrap();
    format!(
        "[budgets]\nemails = [\"b@example.com\", \"a@example.com\"]\n\
         [[budget]]\nname = \"all\"\nall = true\nlimit = \"30000\"\nthresholds = [80, 100]\nforecast_thresholds = [100]\n\
         sns_topic_arn = \"arn:aws:sns:us-east-1:111122223333:sagemaker-cost\"\n\
         [[budget]]\nname = \"a domain\"\ndomain = \"{}\"\nlimit = \"5000.5\"\nthresholds = [80]\nexclude = [\"Credit\", \"Refund\"]\n\
         [[budget]]\nname = \"planned\"\ndomain = \"{}\"\nthresholds = [100]\n\
         planned = [\"1\", \"2\", \"3\", \"4\", \"5\", \"6\", \"7\", \"8\", \"9\", \"10\", \"11\", \"12\"]\n\
         [[budget]]\nname = \"by quarter\"\ndomain = \"{}\"\nperiod = \"quarterly\"\nplanned = {{ 2026-10 = \"10.25\", 2027-01 = \"11\" }}\n\
         [[budget]]\nname = \"adjusted\"\ndomain = \"{}\"\nauto_adjust = {{ historical = 6 }}\nthresholds = [100]\nmetric = \"unblended_cost\"\n\
         [[budget]]\nname = \"a day\"\ndomain = \"{}\"\nperiod = \"daily\"\nlimit = \"100\"\n\
         [[budget.notification]]\nof = \"actual\"\namount = \"99.5\"\n\
         [[budget.notification]]\nof = \"actual\"\npercent = \"80.5\"\n\
         [[budget]]\nname = \"a user\"\ndomain = \"{}\"\nuser_profile = \"{}\"\nlimit = \"500\"\nthresholds = [100]\n\
         [[budget]]\nname = \"a space\"\ndomain = \"{}\"\nspace = \"{}\"\nlimit = \"500\"\nthresholds = [100]\n\
         [[budget]]\nname = \"here only\"\ndomain = \"{}\"\nlimit = \"500\"\nlocal_only = true\n",
        domain(0),
        domain(1),
        domain(2),
        domain(3),
        domain(0),
        user.domain,
        user.name,
        shared.domain,
        shared.name,
        domain(0),
    )
}

#[test]
fn what_was_applied_is_kept_whatever_aws_makes_of_it() {
    let world = make(&small(2), 21);
    let (mut desk, snapshot) = Desk::new(&world, "");
    desk.configuration = of_every_sort(&snapshot);
    let others: Vec<_> = alter(&world, |world| world.organisation.budgets.clone());
    let plan = desk.plan(&world, "");
    assert!(told(&plan).iter().all(|it| it.starts_with("+apportion/")), "{:?}", told(&plan));
    assert_eq!(plan.items.len(), 8);
    assert_eq!(desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text())), 0);
    let second = desk.plan(&world, "");
    assert!(told(&second).iter().all(|it| it.starts_with('=')), "{second:#?}");
    assert_eq!(second.items.len(), 8);
    // What is others' is as it was.
    let prefix = |name: &str| name.starts_with("apportion/");
    let now_there: Vec<_> = alter(&world, |world| {
        world.organisation.budgets.iter().filter(|it| !prefix(&it.name)).cloned().collect()
    });
    assert_eq!(now_there, others);
}

#[test]
fn a_new_month_brings_the_planned_roll_and_nothing_else() {
    for is_past_kept in [false, true] {
        let world = make(&small(2), 21);
        alter(&world, |world| world.variants.planned_past_kept = is_past_kept);
        let (mut desk, snapshot) = Desk::new(&world, "");
        desk.configuration = of_every_sort(&snapshot);
        desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text()));
        for (at, expected) in [
            ("2026-11-30T23:59:59Z", &[][..]),
            ("2026-12-01T00:00:00Z", &["~apportion/planned"]),
            ("2027-01-01T00:00:00Z", &["~apportion/by quarter", "~apportion/planned"]),
        ] {
            desk.now = at.parse().unwrap();
            alter(&world, |world| world.now = desk.now);
            let plan = desk.plan(&world, "");
            let pending: Vec<String> =
                told(&plan).into_iter().filter(|it| !it.starts_with('=')).collect();
            assert_eq!(pending, expected, "{at}");
            for item in plan.pending() {
                let Change::Update { from, to } = &item.change else { panic!("{item:?}") };
                let is_ceiling_alone = Setup { ceiling: to.ceiling.clone(), ..from.clone() } == *to;
                assert!(is_ceiling_alone, "{item:?}");
            }
            assert_eq!(desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text())), 0);
        }
    }
}

/// What the lines of a scope come to in the open month.
fn billed(snapshot: &Snapshot, scope: &Scope, metric: Metric, leaves_out: &[&str]) -> Money {
    let ledger = ledger::post(snapshot);
    let lines = ledger.of_month(month("2026-11")).iter();
    let lines = lines.filter(|line| whose::holds(scope, ledger.bearer(line)));
    let lines = lines.filter(|line| !leaves_out.contains(&ledger.names.text(line.record_type)));
    lines.map(|line| line.amounts.get(metric).unwrap()).sum()
}

/// Takes work out of the bill whose domain tag names another domain than its user's: each domain's budget counts that.
pub(crate) fn without_contradictions(world: &Shared) {
    let domain = |tags: &BTreeMap<String, String>, key: &str| {
        let identity = Identity::parse(tags.get(key)?)?;
        Some(identity.domain().id.clone())
    };
    alter(world, |world| {
        world.bill.charges.retain(|charge| {
            let tags = &charge.meter.tags;
            let (user, home) = (domain(tags, key::USER_PROFILE), domain(tags, key::DOMAIN));
            user.is_none() || home.is_none() || user == home
        });
    });
}

#[test]
fn each_budget_of_aws_counts_what_the_report_gives_to_its_scope() {
    for seed in 30..34 {
        let world = make(&small(3), seed);
        without_contradictions(&world);
        alter(&world, |world| {
            // Every second organisation has tags wherever they can be.
            world.variants.negation_tagged = seed % 2 == 0;
            world.variants.credits_tagged = seed % 2 == 0;
            for budget in &mut world.organisation.budgets {
                budget.updated_at = now() - 240.hours();
            }
        });
        let (mut desk, snapshot) = Desk::new(&world, "");
        let text = "[[budget]]\nname = \"all\"\nall = true\nlimit = \"9\"\n\
            [[budget]]\nname = \"net {domain}\"\neach = \"domain\"\nlimit = \"9\"\nexclude = [\"Credit\"]\n\
            [[budget]]\nname = \"{domain}\"\neach = \"domain\"\nlimit = \"9\"\nmetric = \"unblended_cost\"\n\
            [[budget]]\nname = \"{domain} {user_profile}\"\neach = \"user_profile\"\nlimit = \"9\"\n\
            [[budget]]\nname = \"{domain} space {space}\"\neach = \"space\"\nlimit = \"9\"\n";
        desk.configuration = text.to_owned();
        assert_eq!(desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text())), 0);
        // The figures come with the next refresh; the bill is that of the snapshot all the same.
        alter(&world, |world| {
            for budget in &mut world.organisation.budgets {
                budget.updated_at = now() - 240.hours();
            }
        });
        let shown: BTreeMap<String, Option<Money>> = runtime().block_on(async {
            let session = Session::open(&fused(&world, PAYER, None, None)).await.unwrap();
            let caller = AccountId::parse(PAYER).unwrap();
            let all = budgets::describe(&session, &caller).await.unwrap();
            all.into_iter().map(|it| (it.name, it.actual)).collect()
        });
        let context = desk.context();
        let ledger = ledger::post(&snapshot);
        let terms = apportion::terms::Terms::default();
        let metric = Metric::NetAmortizedCost;
        let charges = apportion::charge::charge(&snapshot, &ledger, &terms, metric);
        let wanted = context.budgets(&snapshot, &charges).unwrap();
        assert!(wanted.len() > 30, "{}", wanted.len());
        let mut counted = Money::ZERO;
        for budget in wanted {
            let leaves_out: &[&str] = if budget.excluded.is_empty() { &[] } else { &["Credit"] };
            let metric = budget.metric.unwrap_or(metric);
            let expected = billed(&snapshot, &budget.scope, metric, leaves_out);
            let found = shown[&format!("apportion/{}", budget.name)];
            assert_eq!(found, Some(expected), "seed {seed}: {} {}", budget.name, budget.scope);
            counted += expected;
        }
        assert!(counted > Money::from_cents(100_000), "{counted}");
    }
}

#[test]
fn a_plan_that_was_saved_is_executed_unless_somebody_changed_what_it_is_about() {
    let world = make(&small(2), 21);
    let (mut desk, snapshot) = Desk::new(&world, "");
    desk.configuration = of_every_sort(&snapshot);
    let plan = desk.plan(&world, "");
    plans::store(&desk.folder.path().join("plan.json"), &plan).unwrap();
    let apply = "apply --snapshots @kept --plan @plan.json --yes";
    assert_eq!(desk.run(&world, apply).unwrap_or_else(|it| panic!("{}", it.text())), 0);
    // Done already is not stale.
    assert_eq!(desk.run(&world, apply).unwrap_or_else(|it| panic!("{}", it.text())), 0);
    let of = |world: &Shared| {
        alter(world, |world| {
            let mut budgets = world.organisation.budgets.iter_mut();
            let one = budgets.find(|it| it.name == "apportion/a domain").unwrap();
            one.limit = apportion::sandbox::organisation::BudgetLimit::Fixed(Money::from_cents(1));
        });
    };
    of(&world);
    let failure = desk.run(&world, apply).unwrap_err();
    assert!(failure.message.contains("stale"), "{}", failure.text());
    assert!(
        failure.causes[0].starts_with("apportion/a domain: planned from absent"),
        "{failure:?}"
    );
    assert_eq!(failure.causes.len(), 1);
    // A fresh plan mends it.
    let again = desk.plan(&world, "");
    let pending: Vec<String> = told(&again).into_iter().filter(|it| !it.starts_with('=')).collect();
    assert_eq!(pending, ["~apportion/a domain"]);
}

#[test]
fn what_is_not_configured_stays_unless_it_is_pruned() {
    let world = make(&small(2), 21);
    let (mut desk, snapshot) = Desk::new(&world, "");
    desk.configuration = of_every_sort(&snapshot);
    desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text()));
    "[[budget]]\nname = \"all\"\nall = true\nlimit = \"1\"\n".clone_into(&mut desk.configuration);
    let plan = desk.plan(&world, "");
    assert_eq!(told(&plan), ["~apportion/all"]);
    assert_eq!(plan.left.iter().filter(|it| it.verdict == "not_configured").count(), 7);
    let pruned = desk.plan(&world, " --prune");
    assert_eq!(told(&pruned).iter().filter(|it| it.starts_with('-')).count(), 7);
    assert_eq!(desk.run(&world, "apply --snapshots @kept --yes").unwrap(), 0);
    assert_eq!(told(&desk.plan(&world, "")), ["=apportion/all"]);
    assert_eq!(desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text())), 0);
    assert_eq!(desk.plan(&world, "").left, []);
}

#[test]
fn a_new_space_makes_the_plan_change() {
    let world = make(&small(2), 21);
    let (mut desk, snapshot) = Desk::new(&world, "");
    let domain = snapshot.inventory.domains[0].key.id.to_string();
    desk.configuration =
        format!("[[budget]]\nname = \"d\"\ndomain = \"{domain}\"\nlimit = \"5\"\n");
    desk.apply(&world).unwrap_or_else(|it| panic!("{}", it.text()));
    alter(&world, |world| {
        let spaces = &mut world.organisation.spaces;
        let mut new = spaces.iter().find(|it| it.domain == domain).unwrap().clone();
        "brand-new".clone_into(&mut new.name);
        new.created_at = now() - 1.hours();
        spaces.push(new);
    });
    assert!(told(&desk.plan(&world, "")).iter().all(|it| it.starts_with('=')));
    let (mut later, _) = Desk::new(&world, "");
    later.configuration.clone_from(&desk.configuration);
    let plan = later.plan(&world, "");
    assert_eq!(told(&plan), ["~apportion/d"]);
    let text = format!("{:?}", plan.items[0].change.to());
    assert!(text.contains("brand-new"), "{text}");
    assert_eq!(Month::of(now().to_zoned(jiff::tz::TimeZone::UTC).date()), month("2026-11"));
}
