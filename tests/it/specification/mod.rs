//! Owns the proof that `docs/allocation.md` says what the program does: every example of it is run.
//!
//! **Invariant:** what an example states is compared as text, row by row, so a change of the document or of the program fails.

mod amounts;
pub(crate) mod bill;
mod bridge;
mod cents;
mod charges;
mod control;
mod document;
pub(crate) mod notation;
mod owners;
mod restatement;
mod settlement;
pub(crate) mod stock;

use std::collections::{BTreeMap, BTreeSet};

use document::{Block, blocks, rules};

/// What an example states and what the program does, row by row.
pub(crate) struct Comparison {
    stated: Vec<String>,
    done: Vec<String>,
}

type Run = fn(&Block) -> Comparison;

/// The kinds of examples, and how each is run.
const KINDS: [(&str, Run); 11] = [
    ("amounts", amounts::amounts),
    ("bridge", bridge::run),
    ("cents", cents::run),
    ("charges", charges::run),
    ("control", control::run),
    ("metrics", amounts::metrics),
    ("notation", notation::run),
    ("owners", owners::run),
    ("refused", charges::refused),
    ("restatement", restatement::run),
    ("settlement", settlement::run),
];

/// The rules that are stated at least.
const RULE_COUNT_MIN: usize = 23;

fn run_of(block: &Block) -> Run {
    let found = KINDS.iter().find(|(kind, _)| *kind == block.kind);
    let (_, run) = found.unwrap_or_else(|| {
        panic!("{}: nobody knows how to run an example of `{}`", block.place(), block.kind)
    });
    *run
}

#[test]
fn every_example_is_what_the_program_does() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for block in blocks() {
        let Comparison { stated, done } = run_of(&block)(&block);
        assert!(!stated.is_empty(), "{} states nothing", block.place());
        if stated != done {
            let text = |rows: &[String]| rows.join("\n  ");
            let (place, stated, done) = (block.place(), text(&stated), text(&done));
            wrong.push(format!("{place}\n  {stated}\nis not what is done:\n  {done}"));
        }
        *counts.entry(block.rule).or_default() += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    let rules = rules();
    assert!(rules.len() >= RULE_COUNT_MIN, "{rules:?}");
    let numbers: Vec<String> = (1..=rules.len()).map(|number| format!("A{number}")).collect();
    assert_eq!(rules, numbers, "rules are numbered in order");
    for rule in rules {
        assert!(counts.contains_key(&rule), "{rule} has no example");
    }
}

#[test]
fn every_kind_of_example_is_used() {
    let used: BTreeSet<String> = blocks().into_iter().map(|block| block.kind).collect();
    let known: BTreeSet<String> = KINDS.iter().map(|(kind, _)| (*kind).to_owned()).collect();
    assert_eq!(used, known);
}

#[test]
fn a_change_of_anything_that_an_example_states_is_found() {
    for block in blocks() {
        let run = run_of(&block);
        for changed in block.changes() {
            let Comparison { stated, done } = run(&changed);
            assert_ne!(stated, done, "{}: {}", block.place(), changed.text());
        }
    }
}
