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
use crate::plan::{self, Because, Change, Item, Left, Plan, PlanKind, Stale};
use crate::role::Roles;
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
    for domain in wanted.inventory.domains.iter().filter(|it| is_named(it.key.id.as_str())) {
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
    items.retain(|item| {
        let is_of_this = name_of(&item.id).is_some_and(is_named);
        match &item.change {
            Change::Delete { .. } if kept.contains(&item.id) || !is_of_this => false,
            Change::Delete { from } => match is_to_go(&item.id, from, wanted, present) {
                Ok(()) => true,
                Err(reason) => {
                    left.push(reason);
                    false
                }
            },
            _ => true,
        }
    });
    for item in items.iter_mut().filter(|it| it.change.is_pending()) {
        item.because = because.remove(&item.id).unwrap_or_default();
        if let Change::Update { from, to } = &item.change
            && from.document() != to.document()
        {
            item.because.push(reason("document", "its document is another one".to_owned()));
        }
    }
    left.sort_by(|one, other| (&one.id, &one.verdict).cmp(&(&other.id, &other.verdict)));
    left.dedup();
    let mut plan = Plan::new(PlanKind::Isolation, caller.clone(), now, items);
    plan.left = left;
    plan
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
        let account = Arn::parse(role).map(|it| it.account).unwrap_or_default();
        if account != domain.key.account.as_str() {
            left.push(leave(
                role,
                "other_account",
                &format!("it is of account {account}, and the domain {} is not", domain.key.id),
            ));
            continue;
        }
        if roles.is_only_of(role, &domain.key) {
            own.insert(role_name(role).to_owned());
            continue;
        }
        let users: Vec<String> = roles.users(role).iter().map(|it| it.id.to_string()).collect();
        let text = format!(
            "domains {} use it, so it can isolate none of them from another: give each roles of its own",
            users.join(", ")
        );
        left.push(leave(role, "shared_role", &text));
    }
    own
}

/// Returns a role's name: the end of its ARN, after any path.
pub fn role_name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
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
            "its domain is gone; `--prune` detaches and deletes it",
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
fn domain_of(document: &Value) -> Option<DomainKey> {
    let mut found = BTreeSet::new();
    collect(document, &mut found);
    let mut found = found.into_iter();
    found.next().filter(|_| found.next().is_none())
}

fn collect(value: &Value, found: &mut BTreeSet<DomainKey>) {
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

/// Returns every policy of a plan that is neither as the plan found it, nor as it wants it, nor on the way.
pub fn check(plan: &Plan<Isolation>, present: &Present) -> Vec<Stale> {
    let mut stale = plan::check(plan, &present.isolations);
    stale.retain(|it| {
        let item = plan.items.iter().find(|item| item.id == it.id);
        let way = item.map(|item| way(item.change.from(), item.change.to())).unwrap_or_default();
        !way.contains(&present.isolations.get(&it.id).cloned())
    });
    stale
}

/// Says why a stored plan cannot be executed, if so: it is about something else than isolation policies.
pub fn check_form(plan: &Plan<Isolation>) -> Result<(), String> {
    let foreign = plan.items.iter().find(|item| {
        let is_policy = Arn::parse(&item.id)
            .is_some_and(|it| it.service == "iam" && it.resource.starts_with("policy/"));
        !is_policy || name_of(&item.id).is_none_or(str::is_empty)
    });
    match foreign {
        Some(Item { id, .. }) => Err(format!("`{id}` is no isolation policy")),
        None => Ok(()),
    }
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
