//! Owns the budgets that should be in AWS, by the configuration, the snapshot and the day, and what there is to say of them.
//!
//! **Invariant:** what AWS cannot have is said with its dollars, as is what it cannot watch.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};

use crate::arn::{DomainKey, Identity};
use crate::bounds::check_name;
use crate::budget::{Budget, Notification, NotificationKind, Scope, is_own_view};
use crate::census::Census;
use crate::charge::Charges;
use crate::common::Common;
use crate::key;
use crate::limit::{Cycle, Limit};
use crate::metric::Metric;
use crate::owner::Owner;
use crate::period::{Month, day_of};
use crate::plan::{Because, Left, Stake};
use crate::reach::{self, Ground, Reach};
use crate::setup::{Alarm, Alarms, Ceiling, Setup};
use crate::snapshot::{Manifest, Snapshot};
use crate::watched::{self, Billed};
use crate::whose;

/// The verdict of a budget that this program judges alone.
pub const LOCAL_ONLY: &str = "local_only";

/// The verdict of a budget of somebody whom neither the bill nor the inventory knows.
pub const UNKNOWN_OWNER: &str = "unknown_owner";

/// How old a snapshot may be before the plan says so.
const AGE_HOURS_MAX: i64 = 48;

/// What the desired budgets follow from.
pub struct Wish<'a> {
    /// What all budgets have in common.
    pub common: &'a Common,
    /// The budgets of the configuration.
    pub budgets: &'a [Budget],
    /// The metric of those that name none.
    pub metric: Metric,
    /// The billing view, where it is not the account's own.
    pub billing_view: Option<&'a str>,
    /// The newest snapshot.
    pub snapshot: &'a Snapshot,
    /// Its charges.
    pub charges: &'a Charges<'a>,
    /// The present.
    pub now: Timestamp,
}

/// The budgets that should be in AWS, and what there is to say of them.
#[derive(Debug, Default)]
pub struct Desired {
    /// By their names in AWS.
    pub setups: BTreeMap<String, Setup>,
    /// What the reader must know of each.
    pub because: BTreeMap<String, Vec<Because>>,
    /// Those that AWS cannot have.
    pub left: Vec<Left>,
    /// What AWS cannot watch, in dollars.
    pub stakes: Vec<Stake>,
    /// What else there is to know.
    pub consequences: Vec<String>,
    /// What could not be read, and makes filters incomplete.
    pub gaps: Vec<String>,
    /// The places whose users and spaces could not be listed: who is not there may exist all the same.
    pub unlisted: BTreeSet<String>,
}

/// Returns the budgets that should be in AWS.
pub fn desired(wish: &Wish<'_>) -> Desired {
    let today = day_of(wish.now);
    let mut desired = Desired::default();
    let mut censuses: BTreeMap<Cycle, Census> = BTreeMap::new();
    let month = last_full(&wish.snapshot.manifest);
    let billed = month.map(|month| (month, Billed::new(wish.charges, month)));
    for budget in wish.budgets {
        let name = wish.common.aws_name(&budget.name);
        if budget.is_local {
            desired.leave(&name, LOCAL_ONLY, true, "the configuration says so");
            continue;
        }
        if let Err(why) = check_name(&name) {
            desired.leave(&name, "bad_name", false, &why);
            continue;
        }
        let census = censuses.entry(budget.cycle).or_insert_with(|| {
            // By the snapshot's day: what it knows does not change with the clock.
            let run = budget.cycle.run(day_of(wish.snapshot.manifest.taken_at));
            Census::new(wish.snapshot, wish.charges.ledger, run)
        });
        let ground = Ground {
            snapshot: wish.snapshot,
            charges: wish.charges,
            census,
            today,
            match_absent: wish.common.match_absent,
        };
        let reach = reach::reach(&budget.scope, &ground);
        desired.take_in(wish, budget, name, &reach, billed.as_ref());
    }
    let unlisted = unlisted(wish.snapshot);
    desired.gaps = gaps(&unlisted, &desired.setups);
    desired.unlisted = unlisted.iter().map(place).collect();
    desired.consequences = consequences(wish, &desired.setups);
    desired
}

impl Desired {
    fn leave(&mut self, name: &str, verdict: &str, is_quiet: bool, why: &str) {
        self.left.push(Left {
            id: name.to_owned(),
            verdict: verdict.to_owned(),
            is_quiet,
            because: vec![Because { kind: verdict.to_owned(), text: why.to_owned() }],
        });
    }

    fn take_in(
        &mut self,
        wish: &Wish<'_>,
        budget: &Budget,
        name: String,
        reach: &Reach,
        billed: Option<&(Month, Billed)>,
    ) {
        if self.setups.contains_key(&name) {
            self.leave(
                &name,
                "same_name",
                false,
                "another budget of the configuration has this name",
            );
            return;
        }
        let manifest = &wish.snapshot.manifest;
        let (excluded, unknown) = record_types(budget, manifest);
        let metric = budget.metric.unwrap_or(wish.metric);
        if let Some((month, billed)) = billed {
            let (charges, of) = ((wish.charges, billed), (*month, metric));
            self.stakes.extend(watched::stakes(&name, budget, reach, charges, of));
        }
        if reach.is_empty() && !is_known(wish, &budget.scope) {
            let why =
                format!("{} Compare its name with `owners.csv`.", whose::unknown(&budget.scope));
            self.leave(&name, UNKNOWN_OWNER, false, &why);
            return;
        }
        if reach.is_empty() {
            let why = format!(
                "nothing of {} can be told to AWS by a tag or service; `local_only = true` has this program judge it alone",
                budget.scope
            );
            self.leave(&name, "not_watchable", false, &why);
            return;
        }
        let filter = reach.filter(&excluded, &manifest.scope.keys);
        let setup = Setup {
            time_unit: budget.cycle.aws_name().to_owned(),
            ceiling: ceiling(&budget.limit, budget.cycle, day_of(wish.now)),
            currency: manifest.currency.clone(),
            metric: Some(metric.aws_name().to_owned()),
            filter,
            switches: None,
            billing_view: wish
                .billing_view
                .filter(|it| !is_own_view(&manifest.caller, it))
                .map(str::to_owned),
            ends_on: None,
            alarms: alarms(budget),
        };
        let mut because = remarks(budget, &unknown);
        if !reach.hidden.is_empty() {
            because.push(Because {
                kind: "hidden".to_owned(),
                text: format!(
                    "what no user or space claims of {} is in no filter without conditions on absence (`budgets.match_absent`)",
                    names(&reach.hidden)
                ),
            });
        }
        if !because.is_empty() {
            self.because.insert(name.clone(), because);
        }
        self.setups.insert(name, setup);
    }
}

/// Names a few owners, and counts the rest.
fn names(owners: &BTreeSet<Owner>) -> String {
    let mut names: Vec<String> = owners.iter().take(3).map(ToString::to_string).collect();
    if owners.len() > names.len() {
        names.push(format!("{} more", owners.len() - names.len()));
    }
    names.join(", ")
}

/// Tells whether bill, inventory or the terms know whose budget it is: a name that is mistyped spends nothing for ever.
fn is_known(wish: &Wish<'_>, scope: &Scope) -> bool {
    match scope {
        Scope::Team(team) => wish.charges.membership.teams.contains(team),
        scope => {
            whose::is_listed(scope, &wish.snapshot.inventory)
                || wish.charges.ledger.bearers.iter().any(|bearer| whose::holds(scope, bearer))
        }
    }
}

/// Returns the last full month, where the snapshot has it.
fn last_full(manifest: &Manifest) -> Option<Month> {
    let month = Month::of(day_of(manifest.taken_at)).plus(-1);
    manifest.months().contains(&month).then_some(month)
}

fn ceiling(limit: &Limit, cycle: Cycle, today: Date) -> Ceiling {
    match limit {
        Limit::Fixed(money) => Ceiling::Fixed(*money),
        Limit::Adjusted(adjustment) => Ceiling::Adjusted(*adjustment),
        Limit::Yearly(_) | Limit::Listed(_) => {
            limit.planned(cycle, today).map_or(Ceiling::None, Ceiling::Planned)
        }
    }
}

/// Returns the alarms: the thresholds that tell somebody, since AWS has no others.
fn alarms(budget: &Budget) -> Alarms {
    let told = budget.notifications.iter().filter(|(_, whom)| !whom.is_empty());
    told.map(|(notification, whom)| (alarm(notification), whom.clone())).collect()
}

fn alarm(notification: &Notification) -> Alarm {
    let kind = match notification.kind {
        NotificationKind::Actual => "ACTUAL",
        NotificationKind::Forecast => "FORECASTED",
    };
    Alarm {
        kind: kind.to_owned(),
        operator: "GREATER_THAN".to_owned(),
        threshold: notification.threshold,
    }
}

/// Returns the record types that are left out as the bill spells them, and those that the bill has none of.
fn record_types(budget: &Budget, manifest: &Manifest) -> (BTreeSet<String>, BTreeSet<String>) {
    let billed: BTreeSet<&str> = manifest.bill.iter().map(|it| it.record_type.as_str()).collect();
    let spelled = billed.into_iter().filter(|it| budget.excludes(it)).map(str::to_owned);
    let spelled: BTreeSet<String> = spelled.collect();
    let is_unknown = |typed: &&String| {
        let one = Budget { excluded: BTreeSet::from([(*typed).clone()]), ..budget.clone() };
        !spelled.iter().any(|it| one.excludes(it))
    };
    let unknown: BTreeSet<String> = budget.excluded.iter().filter(is_unknown).cloned().collect();
    (spelled.union(&unknown).cloned().collect(), unknown)
}

fn remarks(budget: &Budget, unknown: &BTreeSet<String>) -> Vec<Because> {
    let because = |kind: &str, text: String| Because { kind: kind.to_owned(), text };
    let mut remarks = Vec::new();
    let silent: Vec<String> = budget
        .notifications
        .iter()
        .filter(|(_, whom)| whom.is_empty())
        .map(|(notification, _)| format!("`{notification}`"))
        .collect();
    if !silent.is_empty() {
        let text = format!(
            "nobody is told of {}, so AWS has no such alarm: give `emails` or `sns_topic_arn`, there or in `[budgets]`",
            silent.join(", ")
        );
        remarks.push(because("nobody_told", text));
    }
    for record_type in unknown {
        let text = format!("the bill has no record type `{record_type}`; it is left out as typed");
        remarks.push(because("unknown_record_type", text));
    }
    remarks
}

/// Returns the domains whose users and spaces could not be listed.
fn unlisted(snapshot: &Snapshot) -> BTreeSet<DomainKey> {
    let values = snapshot.records.distinct_values().into_iter();
    let billed = values.filter_map(|(_, value)| Some(Identity::parse(&value)?.domain().clone()));
    let known = snapshot.inventory.domains.iter().map(|it| it.key.clone());
    billed.chain(known).filter(|domain| !snapshot.inventory.is_listed(domain)).collect()
}

fn place(domain: &DomainKey) -> String {
    format!("{} in {}", domain.account, domain.region)
}

/// Tells where users and spaces could not be listed, so far as a filter names any of them and may lack others.
fn gaps(unlisted: &BTreeSet<DomainKey>, setups: &BTreeMap<String, Setup>) -> Vec<String> {
    let filters = filters(setups);
    let names_some = |domain: &&DomainKey| {
        let place = format!(":{}:{}:", domain.region, domain.account);
        let sorts = ["user-profile/", "space/"].map(|sort| format!("{place}{sort}"));
        filters.iter().any(|filter| sorts.iter().any(|it| filter.contains(it)))
    };
    let places: BTreeSet<String> = unlisted.iter().filter(names_some).map(place).collect();
    let text = |place: String| {
        format!(
            "users and spaces of {place} could not be listed, so filters name those alone that the bill has shown"
        )
    };
    places.into_iter().map(text).collect()
}

fn filters(setups: &BTreeMap<String, Setup>) -> Vec<String> {
    setups.values().filter_map(|it| it.filter.as_ref()).map(ToString::to_string).collect()
}

fn consequences(wish: &Wish<'_>, setups: &BTreeMap<String, Setup>) -> Vec<String> {
    let manifest = &wish.snapshot.manifest;
    let filters = filters(setups);
    let is_used = |key: &str| filters.iter().any(|it| it.contains(&format!("\"user:{key}\"")));
    // Of the filters' own keys: one that was never active has no part in the plan of requests.
    let all = key::PRECEDENCE.iter().map(|key| (*key).to_owned());
    let all = all.chain(manifest.configured_keys.iter().cloned());
    let keys: Vec<String> = all.filter(|key| is_used(key)).collect();
    let mut told = Vec::new();
    match &manifest.key_statuses {
        None if !keys.is_empty() => told.push(
            "whether the tag keys are active could not be read; by one that is not, AWS finds nothing".to_owned(),
        ),
        None => {}
        Some(statuses) => told.extend(keys.iter().filter_map(|key| {
            let status = statuses.iter().find(|it| it.key == *key);
            let is_active = status.is_some_and(|it| it.active == Some(true));
            (!is_active).then(|| {
                format!("`{key}` is not active, so AWS finds nothing by it until it is: `apportion tags plan`")
            })
        })),
    }
    if last_full(manifest).is_none() && !setups.is_empty() {
        told.push(
            "the snapshot has no full month, so what AWS cannot watch has no dollars".to_owned(),
        );
    }
    if wish.now > manifest.taken_at + AGE_HOURS_MAX.hours() {
        told.push(format!(
            "the snapshot is of {}, and who came since is in no filter: `apportion collect` takes a new one",
            manifest.taken_at
        ));
    }
    told
}
