//! Owns the plan of cost allocation tag keys: which are wanted, and what is to become of each.
//!
//! Rules of AWS: Billing User Guide, "Activating user-defined cost allocation tags".
//! **Invariant:** no key is ever deactivated here, and no clock is read: the present is given.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::arn::AccountId;
use crate::backfill::{self, Known, Radius, Ruling, covering, judge};
use crate::key::{self, KeyStatus};
use crate::period::Month;
use crate::plan::{Because, Change, Item, Left, Plan, PlanKind, State};

/// The state of one thing in a plan of tag keys.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Setting {
    /// A key that billing has seen.
    Key {
        /// Whether it is active.
        active: bool,
    },
    /// A backfill that applies the present status of every key.
    Backfill {
        /// From which month on.
        from: Month,
    },
}

/// A key that is to be active.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The key.
    pub key: String,
    /// Whether SageMaker puts it on; else the configuration names it.
    pub is_sagemakers: bool,
    /// Whether waiting is over only when it is effective: an organization may never see SageMaker's rarer keys.
    pub is_required: bool,
}

/// Returns the keys that are to be active: SageMaker's, those that claim cost, and those of `[tags] activate`.
pub fn wanted(configured: &[String], activate: &[String]) -> Vec<Wanted> {
    let mut seen = BTreeSet::new();
    let names = key::PRECEDENCE.iter().map(|key| (*key).to_owned());
    let all = names.chain(configured.iter().cloned()).chain(activate.iter().cloned());
    all.filter(|key| seen.insert(key.clone()))
        .map(|name| {
            let is_named = configured.contains(&name) || activate.contains(&name);
            let is_sagemakers = key::PRECEDENCE.contains(&name.as_str());
            Wanted { is_required: is_named || name == key::DOMAIN, key: name, is_sagemakers }
        })
        .collect()
}

/// Returns the name of a key in a plan.
pub fn key_id(key: &str) -> String {
    format!("key/{key}")
}

/// Returns the name of a backfill in a plan.
pub fn backfill_id(from: Month) -> String {
    format!("backfill/{from}")
}

/// Plans the activation of wanted keys, and a backfill where one is asked for.
///
/// With a backfill every other key of the organization is kept in the plan, so that a change of any makes it stale.
pub fn plan(
    wanted: &[Wanted],
    from: Option<Month>,
    known: &Known,
    caller: AccountId,
    now: Timestamp,
) -> Plan<Setting> {
    let mut items = Vec::new();
    let mut left = Vec::new();
    for key in wanted {
        match known.status(&key.key) {
            Some(status) => items.push(planned(status)),
            None => left.push(Left {
                id: key_id(&key.key),
                verdict: "not_seen".to_owned(),
                is_quiet: false,
                because: vec![not_seen()],
            }),
        }
    }
    let activated = pending_keys(&items);
    let mut consequences = Vec::new();
    if let Some(from) = from {
        let others = known.statuses.iter().filter(|it| !wanted.iter().any(|key| key.key == it.key));
        items.extend(others.map(|status| {
            Item::of(&key_id(&status.key), Change::Keep { from: Setting::of(status) })
        }));
        let setting = Setting::Backfill { from };
        let item = |change, because: Because| Item {
            because: vec![because],
            ..Item::of(&backfill_id(from), change)
        };
        let refused = |verdict: &str, because| Left {
            id: backfill_id(from),
            verdict: verdict.to_owned(),
            is_quiet: false,
            because: vec![because],
        };
        let ruling = judge(from, known, !activated.is_empty(), now);
        let why = ruling.because(from);
        if !matches!(ruling, Ruling::Covered(_)) {
            consequences = told(from, &backfill::radius(from, known, &activated));
        }
        match ruling {
            Ruling::Free => items.push(item(Change::Create { to: setting }, why)),
            Ruling::Covered(_) => items.push(item(Change::Keep { from: setting }, why)),
            Ruling::Busy(_) => left.push(refused("busy", why)),
            Ruling::TooSoon { .. } => left.push(refused("too_soon", why)),
        }
    }
    left.sort_by(|left, right| left.id.cmp(&right.id));
    let mut plan = Plan::new(PlanKind::Tags, caller, now, items);
    plan.left = left;
    plan.consequences = consequences;
    plan
}

fn planned(status: &KeyStatus) -> Item<Setting> {
    let id = key_id(&status.key);
    let from = Setting::of(status);
    if status.active == Some(true) {
        return Item::of(&id, Change::Keep { from });
    }
    let text = match status.updated_at {
        Some(at) => format!("inactive since {at}, and active before"),
        None => "billing has seen it, and nobody has activated it yet".to_owned(),
    };
    let because = vec![Because { kind: "inactive".to_owned(), text }];
    Item { because, ..Item::of(&id, Change::Update { from, to: Setting::Key { active: true } }) }
}

fn not_seen() -> Because {
    let text = "billing has not seen it; a key can be activated up to 24 hours after it is on a resource \
                with billed usage, so run this again then";
    Because { kind: "not_seen".to_owned(), text: text.to_owned() }
}

fn told(from: Month, radius: &Radius) -> Vec<String> {
    let gains = radius.gains.iter().map(|key| {
        format!("`{key}` gains what history from {from} on was tagged with it at the time")
    });
    let lost = radius.at_risk.iter().map(|(key, since)| {
        let since = since.map(|at| format!(" since {at}")).unwrap_or_default();
        format!("`{key}`, inactive{since}, LOSES what history it has from {from} on")
    });
    let told: Vec<String> = gains.chain(lost).collect();
    if told.is_empty() {
        let text = "no key's history changes, and AWS takes one backfill a day";
        return vec![text.to_owned()];
    }
    told
}

/// Returns the keys that a plan's items activate.
pub fn pending_keys(items: &[Item<Setting>]) -> BTreeSet<String> {
    let pending = items.iter().filter(|item| item.change.is_pending());
    pending.filter_map(|item| Some(item.id.strip_prefix("key/")?.to_owned())).collect()
}

/// Returns the month of the backfill that is an item of a plan, done or to be done.
pub fn backfill_of(plan: &Plan<Setting>) -> Option<Month> {
    plan.items.iter().find_map(|item| match item.change.to() {
        Some(Setting::Backfill { from }) => Some(*from),
        _ => None,
    })
}

/// Returns what a plan is compared with before it is executed.
pub fn current(plan: &Plan<Setting>, known: &Known) -> BTreeMap<String, Setting> {
    let keys = known.statuses.iter().map(|status| (key_id(&status.key), Setting::of(status)));
    let backfill = backfill_of(plan).filter(|from| covering(*from, known).is_some());
    keys.chain(backfill.map(|from| (backfill_id(from), Setting::Backfill { from }))).collect()
}

impl Setting {
    fn of(status: &KeyStatus) -> Setting {
        Setting::Key { active: status.active == Some(true) }
    }
}

impl State for Setting {
    fn fields(&self) -> Vec<(String, String)> {
        match self {
            Setting::Key { active } => {
                vec![("status".to_owned(), if *active { "active" } else { "inactive" }.to_owned())]
            }
            Setting::Backfill { from } => vec![("from".to_owned(), from.start().to_string())],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backfill::testing::{known, now};

    fn keys(names: &[&str]) -> Vec<Wanted> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        wanted(&[], &names).into_iter().filter(|it| names.contains(&it.key)).collect()
    }

    fn caller() -> AccountId {
        AccountId::parse("111122223333").unwrap()
    }

    fn text(plan: &Plan<Setting>) -> String {
        let items = plan.items.iter().map(|it| format!("{}{}", it.change.sign(), it.id));
        let left = plan.left.iter().map(|it| format!("!{} {}", it.id, it.verdict));
        items.chain(left).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn each_wanted_key_is_wanted_once_and_the_domain_and_the_configured_ones_are_required() {
        let team = ["team".to_owned()];
        let all = wanted(&team, &["team".to_owned(), key::SPACE.to_owned()]);
        let told: Vec<String> = all
            .iter()
            .map(|it| format!("{} {} {}", it.key, it.is_sagemakers, it.is_required))
            .collect();
        assert_eq!(
            told.join("; "),
            "sagemaker:space-arn true true; sagemaker:shared-space-arn true false; sagemaker:user-profile-arn true false; sagemaker:domain-arn true true; ManagedByAmazonSageMakerResource true false; team false true"
        );
    }

    #[test]
    fn wanted_keys_are_activated_and_nothing_is_ever_deactivated() {
        for (statuses, from, expected) in [
            ("a+2026-05 b- c-2026-06", None, "=key/a, ~key/b, !key/d not_seen"),
            // With a backfill the rest of the organization is in the plan.
            (
                "a+2026-05 b- c-2026-06",
                Some("2026-01"),
                "+backfill/2026-01, =key/a, ~key/b, =key/c, !key/d not_seen",
            ),
            ("a+2026-05 b+2026-05 d+2026-05", None, "=key/a, =key/b, =key/d"),
        ] {
            let from = from.map(|from| Month::parse(from).unwrap());
            let plan = plan(&keys(&["a", "b", "d"]), from, &known(statuses, ""), caller(), now());
            assert_eq!(text(&plan), expected, "{statuses}");
        }
    }

    #[test]
    fn a_plan_says_whose_history_changes_and_is_stale_when_any_key_did() {
        let before = known("a- b-2026-06 c+2026-06", "");
        let from = Month::parse("2026-03").unwrap();
        let plan = plan(&keys(&["a"]), Some(from), &before, caller(), now());
        assert_eq!(
            plan.consequences.join("\n"),
            "`a` gains what history from 2026-03 on was tagged with it at the time\n\
             `c` gains what history from 2026-03 on was tagged with it at the time\n\
             `b`, inactive since 2026-06-01T00:00:00Z, LOSES what history it has from 2026-03 on"
        );
        for (now, stale) in [
            ("a- b-2026-06 c+2026-06", ""),
            ("a+2026-11 b-2026-06 c+2026-06", ""),
            ("a- b+2026-11 c+2026-06", "key/b"),
            ("a- b-2026-06 c-2026-11", "key/c"),
            ("a- b-2026-06", "key/c"),
        ] {
            let found = crate::plan::check(&plan, &current(&plan, &known(now, "")));
            let ids: Vec<String> = found.into_iter().map(|it| it.id).collect();
            assert_eq!(ids.join(" "), stale, "{now}");
        }
    }

    #[test]
    fn a_second_plan_keeps_all() {
        let after = known("a+2026-11 b-2026-06", "2026-03 2026-11-20T08:00:00Z PROCESSING");
        let from = Month::parse("2026-03").unwrap();
        let plan = plan(&keys(&["a"]), Some(from), &after, caller(), now());
        assert_eq!(text(&plan), "=backfill/2026-03, =key/a, =key/b");
        assert!(plan.consequences.is_empty(), "{:?}", plan.consequences);
        assert_eq!(crate::plan::check(&plan, &current(&plan, &after)), []);
    }
}
