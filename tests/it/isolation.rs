//! Owns running `isolate` in process, and what IAM has of the program's policies and of others'.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use apportion::aws::Session;
use apportion::cli::args::isolate::IsolateCommand;
use apportion::cli::args::{Arguments, Command};
use apportion::cli::clock::Clock;
use apportion::cli::commands::Context;
use apportion::cli::config::Loaded;
use apportion::cli::error::Failure;
use apportion::cli::isolate::run as run_isolate;
use apportion::cli::ui::Ui;
use apportion::isolation::{Isolation, PREFIX};
use apportion::plan::{Plan, PlanKind};
use apportion::sandbox::policy::{Policy, Role};
use apportion::sandbox::world::Shared;
use apportion::store::plans;
use clap::Parser;
use tempfile::TempDir;

use crate::world::{Fuse, PAYER, alter, fused, now};

/// The accounts that have domains, and how they are entered.
pub(crate) const ACCOUNTS: &str = r#"
[[account]]
id = "444455556666"
role_arn = "arn:aws:iam::444455556666:role/reader"
regions = ["us-east-1"]

[[account]]
id = "777788889999"
role_arn = "arn:aws:iam::777788889999:role/reader"
regions = ["eu-west-1"]

[aws]
retry_backoff_ms_max = 1
"#;

/// A folder, and a configuration to run `isolate` with, in process.
pub(crate) struct Desk {
    pub(crate) folder: TempDir,
    /// The table `[isolation]`.
    pub(crate) wish: String,
}

/// How a run in process ended; nothing when its wire went dead.
pub(crate) type Ended = Option<Result<u8, Failure>>;

impl Desk {
    pub(crate) fn new() -> Desk {
        Desk { folder: tempfile::tempdir().unwrap(), wish: String::new() }
    }

    /// Returns the whole configuration.
    pub(crate) fn configuration(&self) -> String {
        format!("{ACCOUNTS}\n[isolation]\n{}", self.wish)
    }

    fn command(&self, words: &str) -> IsolateCommand {
        let words = words.split(' ').map(|word| match word.strip_prefix('@') {
            Some(name) => self.folder.path().join(name).to_string_lossy().into_owned(),
            None => word.to_owned(),
        });
        let typed = ["apportion", "isolate"].map(str::to_owned).into_iter().chain(words);
        let Command::Isolate(command) = Arguments::try_parse_from(typed).unwrap().command else {
            panic!("it is `isolate`")
        };
        command
    }

    /// Runs a command as the payer, on one thread, until a fuse blows; words that begin with `@` are of the folder.
    pub(crate) fn run_until(&self, world: &Shared, words: &str, fuse: Option<&Arc<Fuse>>) -> Ended {
        let command = self.command(&format!("{words} --snapshots @kept"));
        let context = Context {
            loaded: Loaded::with(&self.configuration(), BTreeMap::new()).unwrap(),
            clock: Clock::Fixed(now()),
            ui: Ui::new(true, true),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
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
                ended = run_isolate(&context, &session, &command) => Some(ended),
            }
        })
    }

    pub(crate) fn run(&self, world: &Shared, words: &str) -> Result<u8, Failure> {
        self.run_until(world, words, None).unwrap()
    }

    /// Runs what must not fail; returns the exit code.
    pub(crate) fn done(&self, world: &Shared, words: &str) -> u8 {
        self.run(world, words).unwrap_or_else(|failure| panic!("{words}: {}", failure.text()))
    }

    /// Makes a plan, and leaves it in the folder.
    pub(crate) fn plan(&self, world: &Shared, more: &str) -> Plan<Isolation> {
        self.done(world, &format!("plan --save @plan.json{more}"));
        plans::load(&self.folder.path().join("plan.json"), &[PlanKind::Isolation]).unwrap()
    }
}

/// Returns a plan's items with their signs, by the ends of their ARNs.
pub(crate) fn told(plan: &Plan<Isolation>) -> Vec<String> {
    let sign = |it: &apportion::plan::Item<Isolation>| {
        format!("{}{}", it.change.sign(), it.id.rsplit('-').next().unwrap())
    };
    plan.items.iter().map(sign).collect()
}

/// Returns what a plan leaves alone, by verdict.
pub(crate) fn left(plan: &Plan<Isolation>) -> Vec<String> {
    plan.left
        .iter()
        .map(|it| format!("{} {}", it.verdict, it.id.rsplit(['/', '-']).next().unwrap()))
        .collect()
}

/// Returns the isolation policies that a world has.
pub(crate) fn ours(world: &Shared) -> Vec<Policy> {
    alter(world, |world| {
        let policies = world.organisation.policies.iter();
        policies.filter(|it| it.name.starts_with(PREFIX)).cloned().collect()
    })
}

/// Returns everything of IAM that is not the program's: policies, and roles without the program's policies.
pub(crate) fn others(world: &Shared) -> (Vec<Policy>, Vec<Role>) {
    alter(world, |world| {
        let policies = world.organisation.policies.iter();
        let mut roles = world.organisation.roles.clone();
        for role in &mut roles {
            role.attached.retain(|arn| !arn.contains(PREFIX));
        }
        (policies.filter(|it| !it.name.starts_with(PREFIX)).cloned().collect(), roles)
    })
}

/// Returns the roles that have a policy, by their ARNs.
pub(crate) fn holders(world: &Shared, arn: &str) -> Vec<String> {
    alter(world, |world| {
        let roles = world.organisation.roles.iter();
        roles.filter(|it| it.attached.contains(arn)).map(Role::arn).collect()
    })
}

/// Returns the id and all the roles of each domain.
pub(crate) fn domains(world: &Shared) -> BTreeMap<String, BTreeSet<String>> {
    alter(world, |world| {
        let of = |domain: &apportion::sandbox::organisation::Domain| {
            let profiles = world.organisation.user_profiles.iter();
            let own = profiles.filter(|it| it.domain == domain.id && it.deleted_at.is_none());
            let roles = own.filter_map(|it| it.execution_role.clone());
            let roles =
                roles.chain([domain.execution_role.clone()]).chain(domain.space_role.clone());
            (domain.id.clone(), roles.collect())
        };
        let domains = world.organisation.domains.iter().filter(|it| it.deleted_at.is_none());
        domains.map(of).collect()
    })
}

/// Returns the ARN of the policy of a domain.
pub(crate) fn arn_of(world: &Shared, id: &str) -> String {
    let found = ours(world).into_iter().find(|it| it.name.ends_with(id));
    found.unwrap_or_else(|| panic!("{id} has a policy")).arn()
}
