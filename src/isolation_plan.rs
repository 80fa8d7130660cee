//! Owns the plan of isolation policies: one for each domain, on the roles that are its alone, beside what IAM has.
//!
//! **Invariant:** a role that several domains use is given no policy, since it would isolate neither from the other.
//! **Invariant:** nothing is detached or deleted without being asked for, and nothing is deleted because a domain may not have been
//! listed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use crate::arn::{AccountId, Arn, DomainKey, Identity};
use crate::inventory::{Domain, Inventory, Whereabouts};
use crate::isolation::{self, Found, Isolation, PREFIX, Step};
use crate::isolation_document::partition;
use crate::plan::{self, Because, Change, Item, Left, Plan, PlanKind};
use crate::role::{Holding, Roles, role_name};
use crate::target::Domains;

/// What is to be planned.
#[derive(Debug)]
pub struct Wanted<'a> {
    /// What exists.
    pub inventory: &'a Inventory,
    /// The documents of the domains that are to have a policy.
    pub documents: &'a BTreeMap<DomainKey, Value>,
    /// The ids of domains that were named; all when empty.
    pub named: &'a BTreeSet<String>,
    /// The regions whose domains are planned; all that were read when empty.
    pub regions: &'a BTreeSet<String>,
    /// Whether what should not be is detached and deleted.
    pub is_pruning: bool,
}

/// The isolation policies that IAM has, by ARN.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Present {
    /// Their states.
    pub isolations: BTreeMap<String, Isolation>,
    /// How many users, groups and boundaries use one beside roles.
    pub elsewhere: BTreeMap<String, usize>,
}

impl Present {
    /// Takes what IAM has.
    pub fn new(found: BTreeMap<String, Found>) -> Present {
        let elsewhere = found.iter().map(|(arn, it)| (arn.clone(), it.elsewhere)).collect();
        let isolations = found.into_iter().map(|(arn, it)| (arn, it.isolation)).collect();
        Present { isolations, elsewhere }
    }
}

/// Makes the plan.
pub fn plan(
    wanted: &Wanted<'_>,
    present: &Present,
    caller: &AccountId,
    now: Timestamp,
) -> Plan<Isolation> {
    let domains = Domains::new(wanted.inventory);
    let roles = Roles::new(wanted.inventory, &domains);
    let mut left = Vec::new();
    let mut desired: BTreeMap<String, Isolation> = BTreeMap::new();
    let mut because: BTreeMap<String, Vec<Because>> = BTreeMap::new();
    let mut kept: BTreeSet<String> = BTreeSet::new();
    let is_named = |id: &str| wanted.named.is_empty() || wanted.named.contains(id);
    let is_chosen = |it: &DomainKey| {
        is_named(it.id.as_str())
            && (wanted.regions.is_empty() || wanted.regions.contains(&it.region))
    };
    for domain in wanted.inventory.domains.iter().filter(|it| is_chosen(&it.key)) {
        let arn = arn(domain, present);
        let found = present.isolations.get(&arn);
        let document = wanted.documents.get(&domain.key).expect("every domain has a document");
        if !roles.is_known(&domain.key.account) {
            left.push(leave(
                &arn,
                "unread",
                "which roles its account's domains use could not be read whole",
            ));
            kept.insert(arn);
            continue;
        }
        let mut own = own_roles(domain, &roles, &mut left);
        let attached = found.map(|it| it.roles.clone()).unwrap_or_default();
        let more: Vec<&String> = attached.difference(&own).collect();
        if !more.is_empty() && !wanted.is_pruning {
            let text = format!(
                "roles that should not have it have it: {}; `--prune` detaches it",
                list(&more)
            );
            because.entry(arn.clone()).or_default().push(reason("attached", text.clone()));
            left.push(leave(&arn, "attached", &text));
            own.extend(attached);
        }
        if own.is_empty() && found.is_none() {
            left.push(leave(
                &arn,
                "no_role",
                "no role is this domain's alone, so the policy would isolate nobody",
            ));
            continue;
        }
        desired.insert(arn, Isolation::new(document, own));
    }
    let mut items = plan::diff(&present.isolations, &desired);
    let is_about = |item: &Item<Isolation>| {
        let about = item.change.from().and_then(|it| domain_of(it.document()));
        let named = || name_of(&item.id).is_some_and(is_named);
        !kept.contains(&item.id) && about.map_or_else(named, |it| is_chosen(&it))
    };
    items.retain(|item| match &item.change {
        Change::Delete { from } if is_about(item) => {
            let kept = is_to_go(&item.id, from, wanted, present).err();
            let is_going = kept.is_none();
            left.extend(kept);
            is_going
        }
        Change::Delete { .. } => false,
        _ => true,
    });
    part(&mut items, present, &mut left);
    for item in items.iter_mut().filter(|it| it.change.is_pending()) {
        item.because = because.remove(&item.id).unwrap_or_default();
        item.because.extend(differing(&item.change));
    }
    left.sort_by(|one, other| (&one.id, &one.verdict).cmp(&(&other.id, &other.verdict)));
    left.dedup();
    Plan { left, ..Plan::new(PlanKind::Isolation, caller.clone(), now, items) }
}

/// Returns the ARN of a domain's policy: where it is, under whatever path, else where it will be.
pub fn arn(domain: &Domain, present: &Present) -> String {
    let (account, id) = (domain.key.account.as_str(), domain.key.id.as_str());
    let is_its = |arn: &&String| {
        name_of(arn) == Some(id) && Arn::parse(arn).is_some_and(|it| it.account == account)
    };
    let found = present.isolations.keys().find(is_its).cloned();
    found.unwrap_or_else(|| format!("arn:{}:iam::{account}:policy/{PREFIX}{id}", partition(domain)))
}

/// Returns the id of the domain that a policy is named for.
pub fn name_of(arn: &str) -> Option<&str> {
    arn.rsplit('/').next()?.strip_prefix(PREFIX)
}

/// Returns the names of the roles that are a domain's alone; all others are left alone, with the reason.
fn own_roles(domain: &Domain, roles: &Roles<'_>, left: &mut Vec<Left>) -> BTreeSet<String> {
    let mut own = BTreeSet::new();
    for role in roles.of(&domain.key) {
        match roles.holding(role, &domain.key) {
            Holding::Own => drop(own.insert(role_name(role).to_owned())),
            Holding::OfAccount(account) => {
                let text =
                    format!("it is of account {account}, and the domain {} is not", domain.key.id);
                left.push(leave(role, "other_account", &text));
            }
            Holding::Shared(users) => {
                let users: Vec<String> = users.iter().map(|it| it.id.to_string()).collect();
                let text = format!(
                    "domains {} use it, so it can isolate none of them from another: give each roles of its own",
                    users.join(", ")
                );
                left.push(leave(role, "shared_role", &text));
            }
            Holding::Unknown => {}
        }
    }
    own
}

/// Takes roles out of a plan that would have two domains' policies then: each denies what is the other's, and nobody could work.
fn part(items: &mut Vec<Item<Isolation>>, present: &Present, left: &mut Vec<Left>) {
    let mut after = present.isolations.clone();
    for item in items.iter() {
        match item.change.to() {
            Some(to) => drop(after.insert(item.id.clone(), to.clone())),
            None => drop(after.remove(&item.id)),
        }
    }
    items.retain_mut(|item| {
        let Some(to) = item.change.to().filter(|_| item.change.is_pending()) else { return true };
        let mut to = to.clone();
        let from = item.change.from().cloned();
        let account = Arn::parse(&item.id).map(|it| it.account);
        to.roles.retain(|role| {
            let other = after.iter().find(|(arn, it)| {
                **arn != item.id
                    && Arn::parse(arn).map(|it| it.account) == account
                    && it.roles.contains(role)
            });
            let is_old = from.as_ref().is_some_and(|it| it.roles.contains(role));
            let Some((other, _)) = other.filter(|_| !is_old) else { return true };
            let text = format!(
                "it has `{other}` as well, and with both it could use neither domain; `--prune` detaches what should not be there"
            );
            left.push(leave(role, "other_policy", &text));
            false
        });
        if to.roles.is_empty() && from.is_none() {
            return false;
        }
        if let Some(change) = Change::between(from, Some(to)) {
            item.change = change;
        }
        true
    });
}

/// Tells whether a policy that should not be there is deleted, or why not.
fn is_to_go(
    arn: &str,
    from: &Isolation,
    wanted: &Wanted<'_>,
    present: &Present,
) -> Result<(), Left> {
    let domain = domain_of(from.document());
    let listed = domain.as_ref().is_some_and(|it| {
        let place = Whereabouts { account: it.account.clone(), region: it.region.clone() };
        wanted.inventory.listed.contains(&place)
    });
    let elsewhere = present.elsewhere.get(arn).copied().unwrap_or(0);
    if !listed {
        return Err(leave(arn, "unread", "whether its domain still exists could not be read"));
    }
    if !wanted.is_pruning {
        return Err(leave(
            arn,
            "domain_gone",
            &format!(
                "its domain is gone, and it denies its roles what is theirs: {}; `--prune` detaches and deletes it",
                list(&from.roles.iter().collect::<Vec<&String>>())
            ),
        ));
    }
    if elsewhere > 0 {
        let text = format!(
            "its domain is gone, and {elsewhere} users, groups or boundaries have it; take it from them first"
        );
        return Err(leave(arn, "attached_elsewhere", &text));
    }
    Ok(())
}

/// Returns the domain that a document is about: the one whose ARN it compares tags with.
pub(crate) fn domain_of(document: &Value) -> Option<DomainKey> {
    let mut found = BTreeSet::new();
    collect(document, &mut found);
    let mut found = found.into_iter();
    found.next().filter(|_| found.next().is_none())
}

/// Collects the domains that a document names.
pub(crate) fn collect(value: &Value, found: &mut BTreeSet<DomainKey>) {
    match value {
        Value::String(text) => {
            if let Some(Identity::Domain(key)) = Identity::parse(text) {
                found.insert(key);
            }
        }
        Value::Array(list) => list.iter().for_each(|it| collect(it, found)),
        Value::Object(members) => members.values().for_each(|it| collect(it, found)),
        _ => {}
    }
}

/// Returns every state on the way from one to another, both ends included.
pub fn way(from: Option<&Isolation>, to: Option<&Isolation>) -> Vec<Option<Isolation>> {
    let mut states = vec![from.cloned()];
    let mut at = from.cloned();
    for step in isolation::steps(from, to) {
        let roles = at.as_ref().map(|it| it.roles.clone()).unwrap_or_default();
        let changed = |change: &dyn Fn(&mut BTreeSet<String>)| {
            let mut state = at.clone().expect("a policy is there before roles have it");
            change(&mut state.roles);
            Some(state)
        };
        at = match step {
            Step::Create | Step::Rewrite => to.map(|to| Isolation::new(to.document(), roles)),
            Step::Attach(role) => changed(&|roles| {
                roles.insert(role.clone());
            }),
            Step::Detach(role) => changed(&|roles| {
                roles.remove(&role);
            }),
            Step::Delete => None,
        };
        states.push(at.clone());
    }
    states
}

/// Tells which statements an update changes.
fn differing(change: &Change<Isolation>) -> Option<Because> {
    let Change::Update { from, to } = change else { return None };
    let (from, to) = (from.document(), to.document());
    if from == to {
        return None;
    }
    let statements = |document: &Value| {
        let list = document.get("Statement").and_then(Value::as_array).cloned().unwrap_or_default();
        list.into_iter()
            .enumerate()
            .map(|(index, it)| {
                let sid = it.get("Sid").and_then(Value::as_str).map(str::to_owned);
                (sid.unwrap_or_else(|| format!("#{}", index + 1)), it)
            })
            .collect::<BTreeMap<String, Value>>()
    };
    let (from, to) = (statements(from), statements(to));
    let told = |sign: &str, names: Vec<&String>| {
        (!names.is_empty()).then(|| format!("{sign} {}", list(&names)))
    };
    let gone = from.keys().filter(|it| !to.contains_key(*it)).collect();
    let new = to.keys().filter(|it| !from.contains_key(*it)).collect();
    let other = to.iter().filter(|(name, it)| from.get(*name).is_some_and(|old| old != *it));
    let other = other.map(|(name, _)| name).collect();
    let parts = [told("new:", new), told("other:", other), told("gone:", gone)];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let text = if parts.is_empty() {
        "its document differs beside its statements".to_owned()
    } else {
        format!("its statements differ; {}", parts.join("; "))
    };
    Some(reason("document", text))
}

fn list(names: &[&String]) -> String {
    names.iter().map(|it| it.as_str()).collect::<Vec<&str>>().join(", ")
}

fn reason(kind: &str, text: String) -> Because {
    Because { kind: kind.to_owned(), text }
}

fn leave(id: &str, verdict: &str, text: &str) -> Left {
    Left {
        id: id.to_owned(),
        verdict: verdict.to_owned(),
        is_quiet: false,
        because: vec![reason(verdict, text.to_owned())],
    }
}
