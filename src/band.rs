//! Owns amounts that are known within bounds, in one metric or in all of them.
//!
//! **Invariant:** an end that cannot be told is absent, and stays so in sums.

use std::collections::BTreeSet;

use crate::doubt::{Doubt, Truth};
use crate::metric::{Amounts, Metric};
use crate::money::Money;

/// An amount that is known within bounds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Band {
    /// The least that it can be; absent where it cannot be told.
    pub least: Option<Money>,
    /// The most that it can be; absent where it cannot be told.
    pub most: Option<Money>,
    /// What makes it uncertain.
    pub doubts: BTreeSet<Doubt>,
}

/// The least and the most in each metric.
#[derive(Clone, Debug)]
pub(crate) struct Bounds {
    pub(crate) ends: [Option<(Money, Money)>; 4],
    pub(crate) doubts: BTreeSet<Doubt>,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds { ends: [Some((Money::ZERO, Money::ZERO)); 4], doubts: BTreeSet::new() }
    }
}

impl Bounds {
    /// Takes amounts in.
    pub(crate) fn take(&mut self, truth: Truth, amounts: &Amounts) {
        for metric in Metric::ALL {
            let ends = amounts.get(metric).map(|money| ends(truth, money));
            self.widen(metric, if truth == Truth::No { Some(Default::default()) } else { ends });
        }
    }

    pub(crate) fn widen(&mut self, metric: Metric, more: Option<(Money, Money)>) {
        let ends = &mut self.ends[metric.index()];
        *ends = ends.zip(more).map(|(old, more)| (old.0 + more.0, old.1 + more.1));
    }

    pub(crate) fn join(&mut self, other: &Bounds) {
        for metric in Metric::ALL {
            self.widen(metric, other.ends[metric.index()]);
        }
        self.doubts.extend(other.doubts.iter().cloned());
    }

    pub(crate) fn band(&self, metric: Metric) -> Band {
        let ends = self.ends[metric.index()];
        let mut doubts = self.doubts.clone();
        if ends.is_none() {
            doubts.insert(Doubt::NotDelivered);
        }
        Band { least: ends.map(|it| it.0), most: ends.map(|it| it.1), doubts }
    }
}

pub(crate) fn ends(truth: Truth, money: Money) -> (Money, Money) {
    match truth {
        Truth::No => (Money::ZERO, Money::ZERO),
        Truth::Unknown => (money.min(Money::ZERO), money.max(Money::ZERO)),
        Truth::Yes => (money, money),
    }
}

impl Band {
    /// Returns the band of nothing.
    pub fn zero() -> Band {
        Band { least: Some(Money::ZERO), most: Some(Money::ZERO), doubts: BTreeSet::new() }
    }

    /// Returns the band of what cannot be told.
    pub fn open(doubt: Doubt) -> Band {
        Band { least: None, most: None, doubts: BTreeSet::from([doubt]) }
    }

    /// Returns the sum of both.
    #[must_use]
    pub fn plus(mut self, other: Band) -> Band {
        let sum = |one: Option<Money>, other: Option<Money>| Some(one? + other?);
        self.doubts.extend(other.doubts);
        Band { least: sum(self.least, other.least), most: sum(self.most, other.most), ..self }
    }
}

/// Returns what both bounds leave; where they contradict each other, the wide ones.
pub(crate) fn meet(wide: (Money, Money), narrow: Option<(Money, Money)>) -> (Money, Money) {
    let Some(narrow) = narrow else { return wide };
    let both = (wide.0.max(narrow.0), wide.1.min(narrow.1));
    if both.0 <= both.1 { both } else { wide }
}
