//! What `retag` proposes is true and complete, over many worlds whose makers noted what can be told of each resource.
//!
//! **Invariant:** what is expected was written down when a resource was made, and by no rule of the program.

use std::collections::{BTreeMap, BTreeSet};

use apportion::arn::AccountId;
use apportion::aws::{Session, estate};
use apportion::cli::collect::inventory::append;
use apportion::evidence::{self, Confidence, Finding, Mapping};
use apportion::inventory::{Inventory, Whereabouts};
use apportion::plan::{Item, Plan};
use apportion::retag::{self, Marks, Wish};
use apportion::sandbox::organisation::{Clue, Trace};
use apportion::sandbox::scenario::{Legacy, Scenario};
use apportion::sandbox::world::Shared;

use crate::world::{PAYER, alter, make, now, settings, small};

const SEED_COUNT: u64 = 40;

fn legacy(switches: Legacy) -> Scenario {
    Scenario { legacy: Some(switches), ..small(3) }
}

/// Reads the estate of every account and region with a domain, in process.
fn read(world: &Shared, wide: bool) -> Inventory {
    let places: BTreeSet<(String, String)> = alter(world, |world| {
        let domains = world.organisation.domains.iter();
        domains.map(|it| (it.account.clone(), it.region.clone())).collect()
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut all = Inventory::default();
    for (account, region) in places {
        let read = runtime.block_on(async {
            let session = Session::open(&settings(world, &account, None)).await.unwrap();
            let account = AccountId::parse(&account).unwrap();
            estate::read(&session, &account, &region, now(), wide, &|_| {}).await
        });
        assert_eq!(read.gaps, [], "{account} {region}");
        let account = AccountId::parse(&account).unwrap();
        append(&mut all, &account, &region, read);
        assert!(all.listed.contains(&Whereabouts { account, region }));
    }
    all.sort();
    all
}

/// A world, what was read of it, and what is planned.
struct Judged {
    seed: u64,
    traces: Vec<Trace>,
    /// The true domains of what has no trace, by ARN.
    truths: BTreeMap<String, String>,
    inventory: Inventory,
    findings: Vec<Finding>,
}

impl Judged {
    fn of(switches: Legacy, seed: u64, wide: bool) -> Judged {
        let world = make(&legacy(switches), seed);
        let inventory = read(&world, wide);
        let findings = evidence::weigh(&inventory, &Mapping::default());
        let (traces, truths) = alter(&world, |world| {
            let resources = world.organisation.resources.iter();
            let known = resources.filter_map(|it| Some((it.arn.clone(), it.truth.clone()?)));
            (world.organisation.traces.clone(), known.collect())
        });
        Judged { seed, traces, truths, inventory, findings }
    }

    fn plan(&self, all: bool, floor: Confidence) -> Plan<Marks> {
        let wish = Wish { all, floor, overwrite: false };
        let caller = AccountId::parse(PAYER).unwrap();
        retag::plan(&self.findings, &self.inventory, &wish, &caller, now())
    }

    /// The true domain of a resource: noted, or told by the ARN of what lies in a domain.
    fn truth(&self, arn: &str) -> Option<String> {
        if let Some(trace) = self.traces.iter().find(|trace| trace.arn == arn) {
            return trace.truth.clone();
        }
        let inside = arn.split('/').nth(1).filter(|id| id.starts_with("d-")).map(str::to_owned);
        self.truths.get(arn).cloned().or(inside)
    }

    /// Every proposal that is wrong, of those that are that sure at least.
    fn wrong(&self, plan: &Plan<Marks>) -> Vec<String> {
        let mut wrong = Vec::new();
        for item in plan.pending() {
            let (proposed, truth) = (proposed(item), self.truth(&item.id));
            if truth != Some(proposed.clone()) {
                wrong.push(self.tell(&item.id, &format!("{proposed} is proposed, not {truth:?}")));
            }
        }
        wrong
    }

    fn tell(&self, arn: &str, what: &str) -> String {
        let trace = self.traces.iter().find(|trace| trace.arn == arn);
        let finding = self.findings.iter().find(|finding| finding.arn == arn);
        let (verdict, evidence) = finding.map(|it| (&it.verdict, &it.evidence)).unzip();
        format!("seed {}: {arn}: {what}\n  {trace:?}\n  {verdict:?} {evidence:?}\n", self.seed)
    }
}

/// The id of the domain that an item puts on.
fn proposed(item: &Item<Marks>) -> String {
    let to = item.change.to().expect("tags are put on, never taken off");
    to.0["sagemaker:domain-arn"].rsplit('/').next().unwrap().to_owned()
}

fn assert_none(wrong: &[String]) {
    let first: Vec<&String> = wrong.iter().take(12).collect();
    assert!(wrong.is_empty(), "{} are wrong:\n{first:#?}", wrong.len());
}

/// Compares what is planned for each trace with what its maker noted.
fn judge(judged: &Judged) -> Vec<String> {
    let some = judged.plan(false, Confidence::Likely);
    let all = judged.plan(true, Confidence::Likely);
    let pending = |plan: &Plan<Marks>| -> BTreeSet<String> {
        plan.pending().map(|item| item.id.clone()).collect()
    };
    let (in_some, in_all) = (pending(&some), pending(&all));
    let kept: BTreeSet<&str> =
        all.items.iter().filter(|it| !it.change.is_pending()).map(|it| it.id.as_str()).collect();
    let left: BTreeMap<&str, &str> =
        all.left.iter().map(|it| (it.id.as_str(), it.verdict.as_str())).collect();
    let mut wrong = judged.wrong(&all);
    wrong.extend(judged.wrong(&some));
    for trace in &judged.traces {
        let arn = trace.arn.as_str();
        let (by_default, with_all) = (in_some.contains(arn), in_all.contains(arn));
        let verdict = left.get(arn).copied();
        let is_right = match trace.clue {
            Clue::Told => with_all && by_default == trace.costs,
            Clue::Tagged => kept.contains(arn),
            // Whether it is right was compared above.
            Clue::Contested | Clue::Blind => true,
            Clue::Tied => !with_all && verdict == Some("tie"),
            Clue::Hinted | Clue::Silent | Clue::Barred => !with_all && !by_default,
            Clue::Contradicted => !with_all && verdict == Some("contradiction"),
            Clue::Stale => !with_all && matches!(verdict, Some("stale" | "contradiction")),
        };
        if !is_right {
            let what = format!("by default {by_default}, with all {with_all}, left as {verdict:?}");
            wrong.push(judged.tell(arn, &what));
        }
    }
    wrong
}

#[test]
fn every_proposal_is_true_and_nothing_that_is_told_is_missed() {
    let mut counts: BTreeMap<Clue, usize> = BTreeMap::new();
    for seed in 0..SEED_COUNT {
        let judged = Judged::of(Legacy::default(), seed, true);
        assert_none(&judge(&judged));
        for trace in &judged.traces {
            *counts.entry(trace.clue).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 9, "{counts:?}");
    assert!(counts[&Clue::Told] > 5000, "{counts:?}");
}

#[test]
fn reading_only_what_costs_something_proposes_the_same() {
    for seed in SEED_COUNT..SEED_COUNT + 8 {
        let wide = Judged::of(Legacy::default(), seed, true);
        let narrow = Judged::of(Legacy::default(), seed, false);
        let proposals = |judged: &Judged| -> BTreeMap<String, String> {
            let plan = judged.plan(false, Confidence::Likely);
            plan.pending().map(|item| (item.id.clone(), proposed(item))).collect()
        };
        assert_eq!(proposals(&wide), proposals(&narrow), "seed {seed}");
    }
}

#[test]
fn what_is_certain_stays_right_where_nobody_can_tell() {
    let switches = Legacy { blind: true, ..Legacy::default() };
    let mut misled = 0;
    for seed in 0..8 {
        let judged = Judged::of(switches, seed, true);
        let certain = judged.plan(true, Confidence::Certain);
        assert_none(&judged.wrong(&certain));
        // The worlds would show nothing if no proposal were misled.
        misled += judged.wrong(&judged.plan(true, Confidence::Likely)).len();
    }
    assert!(misled > 0);
}

#[test]
fn a_role_alone_is_proposed_only_on_demand() {
    let judged = Judged::of(Legacy::default(), 1, true);
    let pending = |floor| judged.plan(true, floor).pending().count();
    assert!(pending(Confidence::Review) > pending(Confidence::Likely));
    let asked = judged.plan(true, Confidence::Review);
    let hinted = judged.traces.iter().filter(|trace| trace.case == "role alone" && trace.costs);
    for trace in hinted {
        let item = asked.pending().find(|item| item.id == trace.arn);
        let item = item.unwrap_or_else(|| panic!("{}", judged.tell(&trace.arn, "not proposed")));
        assert_eq!(Some(proposed(item)), trace.truth);
        assert_eq!(item.confidence.as_deref(), Some("review"));
    }
}
