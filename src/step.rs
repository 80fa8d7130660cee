//! Owns steps: the calls that lead from one setup of a budget to another, in an order that never leaves anybody unwatched.
//!
//! What is new is there before what is old goes; where AWS's counts leave no room for both, the old becomes the new in
//! one call (Billing and Cost Management API Reference, `UpdateNotification`, `UpdateSubscriber`).
//! **Invariant:** what a step does to a setup is known here too, so where a run was cut off can be told from what is there.

use std::collections::BTreeSet;

use crate::bounds::{EMAIL_COUNT_MAX, NOTIFICATION_COUNT_MAX};
use crate::budget::Subscriber;
use crate::limit::Cycle;
use crate::setup::{Alarm, Alarms, Setup};

/// One call of the Budgets API about one budget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// `CreateBudget`, with all that it has.
    CreateBudget(Setup),
    /// `UpdateBudget`: all but the alarms, which stay as they are.
    UpdateBudget(Setup),
    /// `DeleteBudget`, with all that it has.
    DeleteBudget,
    /// `CreateNotification`.
    CreateAlarm(Alarm, BTreeSet<Subscriber>),
    /// `UpdateNotification`: the first becomes the second and keeps its subscribers.
    UpdateAlarm(Alarm, Alarm),
    /// `DeleteNotification`, with its subscribers.
    DeleteAlarm(Alarm),
    /// `CreateSubscriber`.
    CreateSubscriber(Alarm, Subscriber),
    /// `UpdateSubscriber`: the first becomes the second.
    UpdateSubscriber(Alarm, Subscriber, Subscriber),
    /// `DeleteSubscriber`; never an alarm's last one, with which AWS deletes the alarm.
    DeleteSubscriber(Alarm, Subscriber),
}

/// Returns the calls that lead from one setup to another; absent means that there is no budget.
pub fn steps(from: Option<&Setup>, to: Option<&Setup>) -> Vec<Step> {
    match (from, to) {
        (None, None) => Vec::new(),
        (None, Some(to)) => vec![Step::CreateBudget(to.clone())],
        (Some(_), None) => vec![Step::DeleteBudget],
        (Some(from), Some(to)) => {
            let update = (!from.is_same_budget(to)).then(|| Step::UpdateBudget(to.clone()));
            let alarms = alarm_steps(&from.alarms, &to.alarms);
            // A daily budget has no alarms of forecasts, so these go before it becomes one.
            if Cycle::of_aws(&to.time_unit) == Some(Cycle::Daily) {
                return alarms.into_iter().chain(update).collect();
            }
            update.into_iter().chain(alarms).collect()
        }
    }
}

fn alarm_steps(from: &Alarms, to: &Alarms) -> Vec<Step> {
    let added: Vec<&Alarm> = to.keys().filter(|it| !from.contains_key(it)).collect();
    let removed: Vec<&Alarm> = from.keys().filter(|it| !to.contains_key(it)).collect();
    // As many old ones become new ones as there is no room for both.
    let turned = (from.len() + added.len()).saturating_sub(NOTIFICATION_COUNT_MAX);
    let mut steps = Vec::new();
    let mut gone = Vec::new();
    for (old, new) in removed.iter().zip(&added).take(turned) {
        steps.push(Step::UpdateAlarm((*old).clone(), (*new).clone()));
        let (more, fewer) = subscriber_steps(new, &from[*old], &to[*new]);
        steps.extend(more);
        gone.extend(fewer);
    }
    for new in added.iter().skip(turned) {
        steps.push(Step::CreateAlarm((*new).clone(), to[*new].clone()));
    }
    for (alarm, before) in from {
        if let Some(after) = to.get(alarm) {
            let (more, fewer) = subscriber_steps(alarm, before, after);
            steps.extend(more);
            gone.extend(fewer);
        }
    }
    steps.extend(gone);
    steps.extend(removed.iter().skip(turned).map(|old| Step::DeleteAlarm((*old).clone())));
    steps
}

/// Returns the calls that add or turn subscribers, and those that take some away.
fn subscriber_steps(
    alarm: &Alarm,
    from: &BTreeSet<Subscriber>,
    to: &BTreeSet<Subscriber>,
) -> (Vec<Step>, Vec<Step>) {
    let (mut more, mut fewer) = (Vec::new(), Vec::new());
    for (kind, most) in [("EMAIL", EMAIL_COUNT_MAX), ("SNS", 1)] {
        let is_kind = |it: &&Subscriber| it.aws_kind() == kind;
        let added: Vec<&Subscriber> = to.difference(from).filter(is_kind).collect();
        let removed: Vec<&Subscriber> = from.difference(to).filter(is_kind).collect();
        let before = from.iter().filter(is_kind).count();
        let turned = (before + added.len()).saturating_sub(most);
        for (old, new) in removed.iter().zip(&added).take(turned) {
            let (old, new) = ((*old).clone(), (*new).clone());
            more.push(Step::UpdateSubscriber(alarm.clone(), old, new));
        }
        let rest = added.iter().skip(turned);
        more.extend(rest.map(|new| Step::CreateSubscriber(alarm.clone(), (*new).clone())));
        let rest = removed.iter().skip(turned);
        fewer.extend(rest.map(|old| Step::DeleteSubscriber(alarm.clone(), (*old).clone())));
    }
    (more, fewer)
}

/// Returns what a setup becomes by a step.
pub fn after(setup: Option<&Setup>, step: &Step) -> Option<Setup> {
    let mut setup = match (setup, step) {
        (_, Step::CreateBudget(to)) => return Some(to.clone()),
        (_, Step::DeleteBudget) | (None, _) => return None,
        (Some(setup), _) => setup.clone(),
    };
    let alarms = &mut setup.alarms;
    let whom =
        |alarms: &mut Alarms, alarm: &Alarm, old: Option<&Subscriber>, new: Option<&Subscriber>| {
            let Some(set) = alarms.get_mut(alarm) else { return };
            if let Some(old) = old {
                set.remove(old);
            }
            set.extend(new.cloned());
            if set.is_empty() {
                alarms.remove(alarm);
            }
        };
    match step {
        Step::UpdateBudget(to) => {
            let alarms = std::mem::take(alarms);
            setup = Setup { alarms, ..to.clone() };
        }
        Step::CreateAlarm(alarm, subscribers) => {
            alarms.insert(alarm.clone(), subscribers.clone());
        }
        Step::UpdateAlarm(old, new) => {
            if let Some(subscribers) = alarms.remove(old) {
                alarms.insert(new.clone(), subscribers);
            }
        }
        Step::DeleteAlarm(alarm) => drop(alarms.remove(alarm)),
        Step::CreateSubscriber(alarm, new) => whom(alarms, alarm, None, Some(new)),
        Step::UpdateSubscriber(alarm, old, new) => whom(alarms, alarm, Some(old), Some(new)),
        Step::DeleteSubscriber(alarm, old) => whom(alarms, alarm, Some(old), None),
        Step::CreateBudget(_) | Step::DeleteBudget => unreachable!("returned above"),
    }
    Some(setup)
}

/// Returns every state on the way from one setup to another, both ends in.
pub fn way(from: Option<&Setup>, to: Option<&Setup>) -> Vec<Option<Setup>> {
    let mut states = vec![from.cloned()];
    for step in steps(from, to) {
        let last = states.last().and_then(Option::as_ref);
        states.push(after(last, &step));
    }
    states
}

impl std::fmt::Display for Step {
    /// Prints the operation of the API and what it is about.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Step::CreateBudget(_) => formatter.write_str("CreateBudget"),
            Step::UpdateBudget(_) => formatter.write_str("UpdateBudget"),
            Step::DeleteBudget => formatter.write_str("DeleteBudget"),
            Step::CreateAlarm(alarm, _) => write!(formatter, "CreateNotification {alarm}"),
            Step::UpdateAlarm(old, new) => write!(formatter, "UpdateNotification {old} to {new}"),
            Step::DeleteAlarm(alarm) => write!(formatter, "DeleteNotification {alarm}"),
            Step::CreateSubscriber(alarm, new) => {
                write!(formatter, "CreateSubscriber {alarm}: {}", new.address())
            }
            Step::UpdateSubscriber(alarm, old, new) => {
                let (old, new) = (old.address(), new.address());
                write!(formatter, "UpdateSubscriber {alarm}: {old} to {new}")
            }
            Step::DeleteSubscriber(alarm, old) => {
                write!(formatter, "DeleteSubscriber {alarm}: {}", old.address())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Threshold;
    use crate::money::Money;
    use crate::setup::Ceiling;
    use proptest::prelude::*;

    /// A setup of a limit and alarms, as `5 80:a,b 100:a,sns`.
    fn setup(text: &str) -> Setup {
        let mut words = text.split(' ');
        let limit = Money::parse(words.next().unwrap()).unwrap();
        let alarm = |word: &str| {
            let (percent, whom) = word.split_once(':').unwrap();
            let whom = whom.split(',').map(|name| match name.strip_prefix("sns") {
                Some(_) => Subscriber::Sns(name.to_owned()),
                None => Subscriber::Email(name.to_owned()),
            });
            let threshold = Threshold::BasisPoints(percent.parse::<i64>().unwrap() * 100);
            let (kind, operator) = ("ACTUAL".to_owned(), "GREATER_THAN".to_owned());
            (Alarm { kind, operator, threshold }, whom.collect())
        };
        Setup {
            time_unit: "MONTHLY".to_owned(),
            ceiling: Ceiling::Fixed(limit),
            currency: "USD".to_owned(),
            metric: Some("NetAmortizedCost".to_owned()),
            filter: None,
            switches: None,
            billing_view: None,
            ends_on: None,
            alarms: words.map(alarm).collect(),
        }
    }

    fn told(from: &str, to: &str) -> String {
        let steps = steps(Some(&setup(from)), Some(&setup(to)));
        steps.iter().map(ToString::to_string).collect::<Vec<String>>().join("; ")
    }

    #[test]
    fn what_is_new_comes_before_what_is_old_goes() {
        for (from, to, expected) in [
            ("5 80:a", "5 80:a", ""),
            ("5 80:a", "6 80:a", "UpdateBudget"),
            (
                "5 80:a",
                "5 90:a",
                "CreateNotification ACTUAL > 90 %; DeleteNotification ACTUAL > 80 %",
            ),
            (
                "5 80:a",
                "5 80:b",
                "CreateSubscriber ACTUAL > 80 %: b; DeleteSubscriber ACTUAL > 80 %: a",
            ),
            ("5 80:a,sns1", "5 80:a,sns2", "UpdateSubscriber ACTUAL > 80 %: sns1 to sns2"),
        ] {
            assert_eq!(told(from, to), expected, "{from} to {to}");
        }
    }

    #[test]
    fn alarms_of_forecasts_go_before_a_budget_becomes_daily() {
        let from = setup("5 80:a");
        let to = Setup { time_unit: "DAILY".to_owned(), ..setup("5 90:a") };
        let told: Vec<String> =
            steps(Some(&from), Some(&to)).iter().map(ToString::to_string).collect();
        assert_eq!(
            told.join("; "),
            "CreateNotification ACTUAL > 90 %; DeleteNotification ACTUAL > 80 %; UpdateBudget"
        );
        let back: Vec<Step> = steps(Some(&to), Some(&from));
        assert!(matches!(back[0], Step::UpdateBudget(_)), "{back:?}");
    }

    #[test]
    fn where_there_is_no_room_for_both_the_old_becomes_the_new() {
        let ten = |first: u32| {
            let words: Vec<String> = (first..first + 10).map(|it| format!("{it}:a")).collect();
            format!(" {}", words.join(" "))
        };
        let steps = told(&format!("5{}", ten(1)), &format!("5{}", ten(2)));
        assert_eq!(steps, "UpdateNotification ACTUAL > 1 % to ACTUAL > 11 %");
        let emails =
            |first: char| (0..10).map(|it| format!("{first}{it}")).collect::<Vec<_>>().join(",");
        let steps = told(&format!("5 80:{}", emails('a')), &format!("5 80:{}", emails('b')));
        assert_eq!(steps.matches("UpdateSubscriber").count(), 10, "{steps}");
    }

    /// Draws a setup of few names, so that two of them have much in common, and some are full.
    fn any_setup() -> impl Strategy<Value = Setup> {
        let whom = proptest::collection::btree_set(0..14_u32, 1..=10);
        let alarm = (whom, proptest::option::of(0..2_u32));
        let alarms = proptest::collection::btree_map(1..16_u32, alarm, 0..=10);
        (1..3_u32, alarms).prop_map(|(limit, alarms)| {
            let alarms = alarms.into_iter().map(|(percent, (whom, topic))| {
                let emails = whom.into_iter().map(|it| format!("m{it}"));
                let topic = topic.map(|it| format!("sns{it}"));
                format!(" {percent}:{}", emails.chain(topic).collect::<Vec<_>>().join(","))
            });
            setup(&format!("{limit}{}", alarms.collect::<Vec<String>>().concat()))
        })
    }

    proptest! {
        #[test]
        fn every_way_leads_there_within_what_aws_takes(from in any_setup(), to in any_setup()) {
            let way = way(Some(&from), Some(&to));
            prop_assert_eq!(way.last().unwrap(), &Some(to.clone()));
            for state in &way {
                let state = state.as_ref().unwrap();
                prop_assert!(state.alarms.len() <= NOTIFICATION_COUNT_MAX);
                // Somebody who is told before and after is told in between.
                if !from.alarms.is_empty() && !to.alarms.is_empty() {
                    prop_assert!(!state.alarms.is_empty());
                }
                for whom in state.alarms.values() {
                    let emails = whom.iter().filter(|it| it.aws_kind() == "EMAIL").count();
                    prop_assert!(!whom.is_empty() && emails <= EMAIL_COUNT_MAX);
                    prop_assert!(whom.len() - emails <= 1);
                }
                for (alarm, whom) in &from.alarms {
                    if let Some(after) = to.alarms.get(alarm) {
                        let now = &state.alarms[alarm];
                        prop_assert!(whom.intersection(after).all(|it| now.contains(it)));
                    }
                }
            }
        }

        #[test]
        fn from_any_point_of_a_way_the_rest_is_found(from in any_setup(), to in any_setup()) {
            for state in way(Some(&from), Some(&to)) {
                let rest = super::way(state.as_ref(), Some(&to));
                prop_assert_eq!(rest.last().unwrap(), &Some(to.clone()));
            }
        }
    }
}
