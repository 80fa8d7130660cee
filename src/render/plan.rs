//! Owns how a plan reads on a terminal.
//!
//! **Invariant:** whatever a name from AWS holds, it cannot steer the terminal.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::{clean, dollars};
use crate::plan::{Because, Change, Item, Left, Plan, State};

/// Writes a plan: what is to be done, what was left alone, and what else there is to know.
///
/// What is kept without a reason, and what is left alone and quiet, is only counted, unless `all` is set.
pub fn text<T: State>(plan: &Plan<T>, all: bool) -> String {
    let mut text = String::new();
    let is_told = |item: &&Item<T>| all || item.change.is_pending() || !item.because.is_empty();
    for item in plan.items.iter().filter(is_told) {
        let sure = item.confidence.as_ref().map(|it| format!("  ({})", clean(it)));
        line(
            &mut text,
            &format!("{} {}{}", item.change.sign(), clean(&item.id), sure.unwrap_or_default()),
        );
        for field in fields(&item.change) {
            line(&mut text, &format!("    {}", clean(&field)));
        }
        because(&mut text, &item.because, "    ");
    }
    left_alone(&mut text, &plan.left, all);
    section(&mut text, "Could not be read:", plan.gaps.iter().cloned());
    section(&mut text, "What else changes:", plan.consequences.iter().cloned());
    let stakes = plan.stakes.iter().map(|stake| {
        let amount =
            stake.amount.map_or_else(|| "unknown".to_owned(), |it| format!("${}", dollars(it)));
        let more = if stake.text.is_empty() { String::new() } else { format!("  {}", stake.text) };
        format!("{}: {amount}{more}", stake.what)
    });
    section(&mut text, "Amounts:", stakes);
    line(&mut text, &tally(plan));
    text
}

/// Writes what is left alone, verdict by verdict.
fn left_alone(text: &mut String, left: &[Left], all: bool) {
    let mut by_verdict: BTreeMap<&str, Vec<&Left>> = BTreeMap::new();
    for it in left {
        by_verdict.entry(&it.verdict).or_default().push(it);
    }
    if !left.is_empty() {
        line(text, &format!("Left alone ({}):", left.len()));
    }
    for (verdict, left) in by_verdict {
        line(text, &format!("  {} ({}):", clean(verdict), left.len()));
        let (named, counted): (Vec<&Left>, Vec<&Left>) =
            left.into_iter().partition(|it| all || !it.is_quiet);
        for it in named {
            line(text, &format!("    {}", clean(&it.id)));
            because(text, &it.because, "      ");
        }
        if !counted.is_empty() {
            line(text, &format!("    {} not shown without `plan --full`", counted.len()));
        }
    }
}

/// Tells how many things become what.
pub fn tally<T: State>(plan: &Plan<T>) -> String {
    let count = |sign| plan.items.iter().filter(|item| item.change.sign() == sign).count();
    let (create, update, delete, keep) = (count('+'), count('~'), count('-'), count('='));
    let left = match plan.left.len() {
        0 => String::new(),
        count => format!(", {count} left alone"),
    };
    if create + update + delete == 0 {
        return format!("Nothing to do: {keep} as they should be{left}.");
    }
    format!(
        "Plan: {create} to create, {update} to update, {delete} to delete, {keep} to keep{left}."
    )
}

fn fields<T: State>(change: &Change<T>) -> Vec<String> {
    let of = |state: Option<&T>| state.map(State::fields).unwrap_or_default();
    let (from, to) = (of(change.from()), of(change.to()));
    let value = |fields: &[(String, String)], name: &str| {
        fields.iter().find(|field| field.0 == name).map(|field| field.1.clone())
    };
    match change {
        Change::Create { .. } => to.iter().map(|(name, to)| format!("{name}: {to}")).collect(),
        Change::Update { .. } => {
            let mut names: Vec<&String> = from.iter().chain(&to).map(|field| &field.0).collect();
            names.sort();
            names.dedup();
            names
                .into_iter()
                .filter_map(|name| {
                    let absent = || "(absent)".to_owned();
                    let (from, to) = (value(&from, name), value(&to, name));
                    (from != to).then(|| {
                        let (from, to) = (from.unwrap_or_else(absent), to.unwrap_or_else(absent));
                        format!("{name}: {from} -> {to}")
                    })
                })
                .collect()
        }
        Change::Delete { .. } | Change::Keep { .. } => {
            from.iter().map(|(name, from)| format!("{name}: {from}")).collect()
        }
    }
}

fn because(text: &mut String, reasons: &[Because], indent: &str) {
    for reason in reasons {
        line(text, &format!("{indent}because {}: {}", clean(&reason.kind), clean(&reason.text)));
    }
}

fn section(text: &mut String, title: &str, lines: impl Iterator<Item = String>) {
    for (index, it) in lines.enumerate() {
        if index == 0 {
            line(text, title);
        }
        line(text, &format!("  {}", clean(&it)));
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::AccountId;
    use crate::plan::{Item, PlanKind, Stake, diff};
    use jiff::Timestamp;

    #[derive(Clone, PartialEq)]
    struct Tags(BTreeMap<String, String>);

    impl State for Tags {
        fn fields(&self) -> Vec<(String, String)> {
            self.0.clone().into_iter().collect()
        }
    }

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        Tags(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
    }

    #[test]
    fn a_plan_reads_from_top_to_bottom() {
        let current = BTreeMap::from([
            ("b".to_owned(), tags(&[("k", "1"), ("same", "x")])),
            ("c".to_owned(), tags(&[("k", "1")])),
            ("d".to_owned(), tags(&[("k", "1")])),
        ]);
        let desired = BTreeMap::from([
            ("a\u{1b}[31m".to_owned(), tags(&[("k", "2")])),
            ("b".to_owned(), tags(&[("k", "2"), ("new", "y"), ("same", "x")])),
            ("c".to_owned(), tags(&[("k", "1")])),
        ]);
        let mut items: Vec<Item<Tags>> = diff(&current, &desired);
        items[0].confidence = Some("certain".to_owned());
        let reason = Because { kind: "own_arn".to_owned(), text: "it lies there".to_owned() };
        items[0].because = vec![reason.clone()];
        // What is kept for a reason is told with it.
        items[2].because = vec![reason.clone()];
        let caller = AccountId::parse("111122223333").unwrap();
        let mut plan = Plan::new(PlanKind::Retag, caller, Timestamp::UNIX_EPOCH, items);
        let left = |id: &str, verdict: &str, is_quiet| Left {
            id: id.to_owned(),
            verdict: verdict.to_owned(),
            is_quiet,
            because: vec![reason.clone()],
        };
        plan.left = vec![
            left("e", "tie", false),
            left("f", "undetermined", true),
            left("g", "idle", true),
            left("h", "undetermined", false),
            left("i", "idle", true),
        ];
        plan.consequences = vec!["something".to_owned()];
        plan.stakes =
            vec![Stake { what: "endpoints".to_owned(), amount: None, text: String::new() }];
        let expected = "\
+ a\u{fffd}[31m  (certain)
    k: 2
    because own_arn: it lies there
~ b
    k: 1 -> 2
    new: (absent) -> y
= c
    k: 1
    because own_arn: it lies there
- d
    k: 1
Left alone (5):
  idle (2):
    2 not shown without `plan --full`
  tie (1):
    e
      because own_arn: it lies there
  undetermined (2):
    h
      because own_arn: it lies there
    1 not shown without `plan --full`
What else changes:
  something
Amounts:
  endpoints: unknown
Plan: 1 to create, 1 to update, 1 to delete, 1 to keep, 5 left alone.
";
        assert_eq!(text(&plan, false), expected);
        let full = text(&plan, true);
        assert!(full.contains("= c\n    k: 1\n"));
        assert!(full.contains("  idle (2):\n    g\n") && !full.contains("--full"), "{full}");
    }
}
