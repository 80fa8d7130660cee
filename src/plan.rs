//! Owns plans: what is to be created, updated, deleted or kept in AWS, as data.
//!
//! **Invariant:** what is kept is planned too, so whether a plan is stale is one comparison for each thing.
//! **Invariant:** a plan holds all that its execution needs; nothing is read again but what it is compared with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::arn::AccountId;
use crate::money::Money;

/// The version of a plan's stored form that this program writes.
pub const VERSION: u32 = 1;

/// What a plan is about; a plan of one kind is never executed as another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// Cost allocation tag keys and the billing backfill.
    Tags,
    /// Tags on resources.
    Retag,
    /// Back to the tags that were there before.
    RetagUndo,
    /// Budgets of AWS.
    Budgets,
    /// Isolation policies of domains.
    Isolation,
}

/// The state of a thing, as far as plans of its kind are concerned with it.
pub trait State: Clone + PartialEq {
    /// Returns what is shown of it: names and values, in order.
    fn fields(&self) -> Vec<(String, String)>;
}

/// What becomes of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change<T> {
    /// It is not there and will be.
    Create {
        /// The state to reach.
        to: T,
    },
    /// It is there and will be different.
    Update {
        /// The state that was found.
        from: T,
        /// The state to reach.
        to: T,
    },
    /// It is there and will not be.
    Delete {
        /// The state that was found.
        from: T,
    },
    /// It is there and as it should be.
    Keep {
        /// The state that was found.
        from: T,
    },
}

/// A reason for what becomes of a thing, or for leaving it alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Because {
    /// What sort of reason it is, in snake case.
    pub kind: String,
    /// The reason for people.
    pub text: String,
}

/// One thing of a plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Item<T> {
    /// What it is called in AWS: an ARN, a key, a name.
    pub id: String,
    /// What becomes of it.
    pub change: Change<T>,
    /// How sure it is, where that is a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<String>,
    /// Why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Because>,
}

/// A thing that was looked at and is not in the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Left {
    /// What it is called in AWS.
    pub id: String,
    /// Why it is left alone, in snake case.
    pub verdict: String,
    /// Whether nobody needs to look at it, so that it is only counted where people read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_quiet: bool,
    /// The reasons.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub because: Vec<Because>,
}

/// An amount that the reader of a plan should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stake {
    /// What it is about.
    pub what: String,
    /// The amount a month, or of the month named; absent when nobody can tell.
    pub amount: Option<Money>,
    /// What the amount is and is not.
    pub text: String,
}

/// What is to become of things in AWS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    deny_unknown_fields,
    bound(serialize = "T: Serialize", deserialize = "T: Deserialize<'de>")
)]
pub struct Plan<T> {
    /// The version of this form.
    pub version: u32,
    /// What it is about.
    pub kind: PlanKind,
    /// When it was made.
    pub made_at: Timestamp,
    /// The account that made it.
    pub caller: AccountId,
    /// Everything that is created, updated, deleted or kept, by id.
    pub items: Vec<Item<T>>,
    /// What was looked at and left alone, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left: Vec<Left>,
    /// What else changes when the plan is executed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub consequences: Vec<String>,
    /// The amounts concerned.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stakes: Vec<Stake>,
    /// What could not be read when it was made.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
}

/// How a planned thing stands when the plan is to be executed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// As the plan found it.
    Ready,
    /// As the plan wants it, already.
    Done,
    /// Neither: somebody else has changed it.
    Stale,
}

/// A thing that somebody else has changed since the plan was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// What it is called in AWS.
    pub id: String,
    /// As the plan found it.
    pub planned: String,
    /// As it is.
    pub found: String,
}

impl<T> Change<T> {
    /// Returns the state that the plan found; absent for what is not there.
    pub fn from(&self) -> Option<&T> {
        match self {
            Change::Create { .. } => None,
            Change::Update { from, .. } | Change::Delete { from } | Change::Keep { from } => {
                Some(from)
            }
        }
    }

    /// Returns the state that the plan wants; absent for what is to go.
    pub fn to(&self) -> Option<&T> {
        match self {
            Change::Create { to } | Change::Update { to, .. } => Some(to),
            Change::Delete { .. } => None,
            Change::Keep { from } => Some(from),
        }
    }

    /// Tells whether something is to be done.
    pub fn is_pending(&self) -> bool {
        !matches!(self, Change::Keep { .. })
    }

    /// Returns the sign that stands before it in a printed plan.
    pub fn sign(&self) -> char {
        match self {
            Change::Create { .. } => '+',
            Change::Update { .. } => '~',
            Change::Delete { .. } => '-',
            Change::Keep { .. } => '=',
        }
    }
}

impl<T: State> Change<T> {
    /// Returns the change from one state to another; absent when there is nothing before and nothing after.
    pub fn between(from: Option<T>, to: Option<T>) -> Option<Change<T>> {
        match (from, to) {
            (None, None) => None,
            (None, Some(to)) => Some(Change::Create { to }),
            (Some(from), None) => Some(Change::Delete { from }),
            (Some(from), Some(to)) if from == to => Some(Change::Keep { from }),
            (Some(from), Some(to)) => Some(Change::Update { from, to }),
        }
    }

    /// Tells how the thing stands, given what it is now.
    pub fn standing(&self, found: Option<&T>) -> Standing {
        if found == self.from() {
            // What is kept is both; there is nothing to do for it.
            if self.is_pending() { Standing::Ready } else { Standing::Done }
        } else if found == self.to() {
            Standing::Done
        } else {
            Standing::Stale
        }
    }
}

/// Compares what is with what should be, thing by thing, in the order of their ids.
pub fn diff<T: State>(
    current: &BTreeMap<String, T>,
    desired: &BTreeMap<String, T>,
) -> Vec<Item<T>> {
    let ids: BTreeSet<&String> = current.keys().chain(desired.keys()).collect();
    ids.into_iter()
        .filter_map(|id| {
            let change = Change::between(current.get(id).cloned(), desired.get(id).cloned())?;
            Some(Item::of(id, change))
        })
        .collect()
}

/// Returns every thing of a plan that is neither as the plan found it nor as it wants it.
pub fn check<T: State>(plan: &Plan<T>, current: &BTreeMap<String, T>) -> Vec<Stale> {
    let stale = plan.items.iter().filter_map(|item| {
        let found = current.get(&item.id);
        (item.change.standing(found) == Standing::Stale).then(|| Stale {
            id: item.id.clone(),
            planned: told(item.change.from()),
            found: told(found),
        })
    });
    stale.collect()
}

/// Tells a state in one line.
pub fn told<T: State>(state: Option<&T>) -> String {
    let Some(state) = state else { return "absent".to_owned() };
    let fields = state.fields().into_iter().map(|(name, value)| format!("{name} = {value}"));
    fields.collect::<Vec<String>>().join(", ")
}

impl<T> Item<T> {
    /// Makes an item that needs no reason.
    pub fn of(id: &str, change: Change<T>) -> Item<T> {
        Item { id: id.to_owned(), change, confidence: None, because: Vec::new() }
    }
}

impl<T: State> Plan<T> {
    /// Makes a plan of items that are put in order.
    pub fn new(
        kind: PlanKind,
        caller: AccountId,
        made_at: Timestamp,
        mut items: Vec<Item<T>>,
    ) -> Plan<T> {
        items.sort_by(|left, right| left.id.cmp(&right.id));
        Plan {
            version: VERSION,
            kind,
            made_at,
            caller,
            items,
            left: Vec::new(),
            consequences: Vec::new(),
            stakes: Vec::new(),
            gaps: Vec::new(),
        }
    }

    /// Returns the items for which something is to be done.
    pub fn pending(&self) -> impl Iterator<Item = &Item<T>> {
        self.items.iter().filter(|item| item.change.is_pending())
    }

    /// Returns the plan that leads back: what this one changes, the other way round.
    #[must_use]
    pub fn inverse(&self) -> Plan<T> {
        let items = self.pending().filter_map(|item| {
            let change = Change::between(item.change.to().cloned(), item.change.from().cloned())?;
            Some(Item::of(&item.id, change))
        });
        let kind = match self.kind {
            PlanKind::Tags => PlanKind::Tags,
            PlanKind::Retag => PlanKind::RetagUndo,
            PlanKind::RetagUndo => PlanKind::Retag,
            PlanKind::Budgets => PlanKind::Budgets,
            PlanKind::Isolation => PlanKind::Isolation,
        };
        Plan::new(kind, self.caller.clone(), self.made_at, items.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
    struct Limit(u32);

    impl State for Limit {
        fn fields(&self) -> Vec<(String, String)> {
            vec![("limit".to_owned(), self.0.to_string())]
        }
    }

    fn limits(text: &str) -> BTreeMap<String, Limit> {
        text.split_whitespace()
            .map(|word| {
                let (id, limit) = word.split_once('=').unwrap();
                (id.to_owned(), Limit(limit.parse().unwrap()))
            })
            .collect()
    }

    fn plan(current: &str, desired: &str) -> Plan<Limit> {
        let items = diff(&limits(current), &limits(desired));
        let caller = AccountId::parse("111122223333").unwrap();
        Plan::new(PlanKind::Tags, caller, Timestamp::UNIX_EPOCH, items)
    }

    #[test]
    fn each_thing_is_created_updated_deleted_or_kept() {
        let plan = plan("a=1 b=2 c=3", "b=2 c=4 d=5");
        let signs: Vec<String> =
            plan.items.iter().map(|item| format!("{}{}", item.change.sign(), item.id)).collect();
        assert_eq!(signs.join(" "), "-a =b ~c +d");
    }

    #[test]
    fn a_plan_is_stale_where_things_are_neither_as_found_nor_as_wanted() {
        let plan = plan("a=1 b=2 c=3", "b=2 c=4 d=5");
        for (now, expected) in [
            ("a=1 b=2 c=3", ""),
            // Half of it was done before the program was killed.
            ("b=2 c=4", ""),
            ("b=2 c=4 d=5", ""),
            ("a=9 b=2 c=3", "a: limit = 1 is now limit = 9"),
            ("a=1 c=3", "b: limit = 2 is now absent"),
            ("a=1 b=2 c=3 d=6", "d: absent is now limit = 6"),
        ] {
            let stale: Vec<String> = check(&plan, &limits(now))
                .into_iter()
                .map(|stale| format!("{}: {} is now {}", stale.id, stale.planned, stale.found))
                .collect();
            assert_eq!(stale.join("; "), expected, "{now}");
        }
    }

    #[test]
    fn the_inverse_leads_back() {
        let plan = plan("a=1 b=2 c=3", "b=2 c=4 d=5");
        let mut now = limits("b=2 c=4 d=5");
        let back = plan.inverse();
        assert_eq!(check(&back, &now), []);
        for item in back.pending() {
            match item.change.to() {
                Some(to) => now.insert(item.id.clone(), to.clone()),
                None => now.remove(&item.id),
            };
        }
        assert_eq!(now, limits("a=1 b=2 c=3"));
    }

    #[test]
    fn a_plan_is_read_back_as_it_was_written() {
        let plan = plan("a=1 b=2 c=3", "b=2 c=4 d=5");
        let text = serde_json::to_string(&plan).unwrap();
        assert!(text.contains(r#"{"id":"c","change":{"update":{"from":3,"to":4}}}"#), "{text}");
        assert_eq!(serde_json::from_str::<Plan<Limit>>(&text).unwrap(), plan);
    }
}
