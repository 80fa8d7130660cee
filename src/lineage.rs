//! Owns lineage: what created what, what uses what, and the order in which that can be judged.
//!
//! **Invariant:** a thing stands after everything that it was created by or uses, unless it runs in a circle.

use std::collections::{BTreeMap, BTreeSet};

use crate::target::Target;

/// Who created and who uses whom, by places in the list of targets.
#[derive(Debug)]
pub struct Lineage {
    /// For each target, what created it.
    pub parents: Vec<BTreeSet<usize>>,
    /// For each target, what it uses.
    pub uses: Vec<BTreeSet<usize>>,
    /// Every target, what is created or used before what it was created by or uses it.
    pub order: Vec<usize>,
    /// The targets that run in a circle, or hang on one that does.
    pub circular: BTreeSet<usize>,
}

/// ARNs, to be found as they are written or, where only one is meant, without regard to case.
#[derive(Debug)]
pub struct Arns<'t> {
    exact: BTreeMap<&'t str, usize>,
    folded: BTreeMap<String, Vec<usize>>,
}

impl<'t> Arns<'t> {
    /// Indexes targets.
    pub fn new(targets: &'t [Target<'_>]) -> Arns<'t> {
        let mut folded: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        let mut exact = BTreeMap::new();
        for (index, target) in targets.iter().enumerate() {
            exact.insert(target.arn.as_str(), index);
            folded.entry(target.arn.to_lowercase()).or_default().push(index);
        }
        Arns { exact, folded }
    }

    /// Finds a target's place: some lists of SageMaker write ARNs in small letters, others as they are.
    pub fn find(&self, arn: &str) -> Option<usize> {
        let folded = || match self.folded.get(&arn.to_lowercase())?.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        self.exact.get(arn).copied().or_else(folded)
    }
}

/// Finds out who created and who uses whom.
pub fn trace(targets: &[Target<'_>], arns: &Arns<'_>) -> Lineage {
    let known = |names: Option<&Vec<String>>| -> BTreeSet<usize> {
        names.into_iter().flatten().filter_map(|arn| arns.find(arn)).collect()
    };
    let parents: Vec<BTreeSet<usize>> =
        targets.iter().map(|it| known(it.origin.map(|origin| &origin.parents))).collect();
    let uses: Vec<BTreeSet<usize>> =
        targets.iter().map(|it| known(it.origin.map(|origin| &origin.uses))).collect();
    let needs = |index: usize| parents[index].union(&uses[index]).copied();
    let mut open: Vec<usize> = (0..targets.len()).map(|index| needs(index).count()).collect();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); targets.len()];
    for index in 0..targets.len() {
        for need in needs(index) {
            needed_by[need].push(index);
        }
    }
    let mut order: Vec<usize> = (0..targets.len()).filter(|index| open[*index] == 0).collect();
    let mut next = 0;
    while let Some(index) = order.get(next).copied() {
        next += 1;
        for dependent in &needed_by[index] {
            open[*dependent] -= 1;
            if open[*dependent] == 0 {
                order.push(*dependent);
            }
        }
    }
    let circular: BTreeSet<usize> = (0..targets.len()).filter(|index| open[*index] > 0).collect();
    order.extend(&circular);
    Lineage { parents, uses, order, circular }
}
