//! Owns what goes wrong on purpose, and when.
//!
//! **Invariant:** the same seed and the same sequence of requests meet the same faults.

use serde::{Deserialize, Serialize};

use crate::money::Money;

/// The faults that are switched on; all off by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Faults {
    /// The seed of every chance.
    pub seed: u64,
    /// The services (signing names) that chances and counted faults apply to; all when empty.
    pub services: Vec<String>,
    /// The next so many requests are throttled.
    pub throttle_next: u64,
    /// The chance in percent that a burst of throttling starts at a request.
    pub throttle_percent: u64,
    /// How many requests a burst throttles, at least one.
    pub throttle_burst: u64,
    /// The chance in percent of an internal error.
    pub error_percent: u64,
    /// The chance in percent that the connection is cut before anything is computed.
    pub cut_percent: u64,
    /// The chance in percent that the answer is computed and then lost.
    pub lose_percent: u64,
    /// The next so many answers are computed and then lost.
    pub lose_next: u64,
    /// The chance in percent of a slow answer.
    pub slow_percent: u64,
    /// How slow, in milliseconds; never above ten seconds.
    pub slow_ms: u64,
    /// The chance in percent that the tagging API fails to tag one resource of several.
    pub tag_fail_percent: u64,
    /// Page tokens stop working after so many continued pages.
    pub expire_tokens_after: Option<u64>,
    /// What is denied.
    pub denied: Vec<Denied>,
    /// Nobody has switched Cost Explorer on.
    pub cost_explorer_disabled: bool,
    /// Amounts that are altered on their way out.
    pub tamper: Option<Tamper>,
    /// The open month moves while it is read.
    pub drift: Option<Drift>,
    /// Requests seen so far.
    #[serde(skip)]
    pub(super) seen: u64,
    /// Requests of the current burst still to be throttled.
    #[serde(skip)]
    pub(super) burst: u64,
}

/// A denial; what is not named applies to all.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Denied {
    /// The signing name: `ce`, `sagemaker`, `tagging` …
    pub service: Option<String>,
    /// The operation.
    pub operation: Option<String>,
    /// The region.
    pub region: Option<String>,
    /// The caller's account.
    pub account: Option<String>,
}

/// A wrong amount in an otherwise right answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tamper {
    /// Which matching `GetCostAndUsage` page, the first being 1.
    pub page: u64,
    /// A text that the request's JSON must contain.
    #[serde(default)]
    pub request_contains: String,
    /// What is added to the first amount of each metric of cost on that page.
    pub delta: Money,
    /// Matching pages seen so far.
    #[serde(skip)]
    pub(super) seen: u64,
}

/// A new charge that lands between two requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Drift {
    /// How many Cost Explorer pages are answered before it lands.
    pub after: u64,
    /// Its amount.
    pub amount: Money,
    /// How many more times it lands, each after as many pages again.
    #[serde(default)]
    pub repeats: u64,
    /// Pages seen since it last landed.
    #[serde(skip)]
    pub(super) seen: u64,
}

/// What happens to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing special.
    Normal,
    /// It is refused for its rate.
    Throttled,
    /// It is answered with an internal error.
    Failed,
    /// The connection is cut and nothing was computed.
    Cut,
    /// The answer is computed, and then the connection is cut.
    Lost,
}

impl Faults {
    /// Decides the fate of the next request and by how many milliseconds it is late.
    pub fn next_fate(&mut self, service: &str) -> (Fate, u64) {
        if !self.services.is_empty() && !self.services.iter().any(|it| it == service) {
            return (Fate::Normal, 0);
        }
        self.seen += 1;
        let late = if self.chance(1, self.slow_percent) { self.slow_ms.min(10_000) } else { 0 };
        (self.fate(), late)
    }

    fn fate(&mut self) -> Fate {
        if self.throttle_next > 0 {
            self.throttle_next -= 1;
            return Fate::Throttled;
        }
        if self.burst == 0 && self.chance(2, self.throttle_percent) {
            self.burst = self.throttle_burst.max(1);
        }
        if self.burst > 0 {
            self.burst -= 1;
            return Fate::Throttled;
        }
        if self.lose_next > 0 {
            self.lose_next -= 1;
            return Fate::Lost;
        }
        if self.chance(3, self.error_percent) {
            return Fate::Failed;
        }
        if self.chance(4, self.cut_percent) {
            return Fate::Cut;
        }
        if self.chance(5, self.lose_percent) { Fate::Lost } else { Fate::Normal }
    }

    /// Tells whether a call is denied.
    pub fn denies(&self, service: &str, operation: &str, region: &str, account: &str) -> bool {
        let names = |wanted: &Option<String>, is: &str| wanted.as_deref().is_none_or(|it| it == is);
        self.denied.iter().any(|it| {
            names(&it.service, service)
                && names(&it.operation, operation)
                && names(&it.region, region)
                && names(&it.account, account)
        })
    }

    /// Tells whether the next resource of a tagging request fails by itself.
    pub fn fails_tag(&mut self) -> bool {
        // Each resource draws anew; requests draw the same as ever when the fault is off.
        self.seen += u64::from(self.tag_fail_percent > 0);
        self.chance(6, self.tag_fail_percent)
    }

    fn chance(&self, salt: u64, percent: u64) -> bool {
        percent > 0 && mix(self.seed ^ mix(self.seen ^ (salt << 56))) % 100 < percent
    }
}

/// Mixes the bits of a number, so that neighbours have nothing in common.
pub fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fates(faults: &Faults, count: usize) -> Vec<Fate> {
        let mut faults = faults.clone();
        (0..count).map(|_| faults.next_fate("ce").0).collect()
    }

    #[test]
    fn nothing_goes_wrong_by_default() {
        assert!(fates(&Faults::default(), 500).iter().all(|fate| *fate == Fate::Normal));
    }

    #[test]
    fn the_same_seed_meets_the_same_faults() {
        let faults = Faults {
            seed: 7,
            throttle_percent: 5,
            throttle_burst: 3,
            error_percent: 5,
            cut_percent: 5,
            lose_percent: 5,
            ..Faults::default()
        };
        let first = fates(&faults, 400);
        assert_eq!(first, fates(&faults, 400));
        assert_ne!(first, fates(&Faults { seed: 8, ..faults }, 400));
        for fate in [Fate::Throttled, Fate::Failed, Fate::Cut, Fate::Lost] {
            assert!(first.contains(&fate), "{fate:?} never happened");
        }
    }

    #[test]
    fn a_denial_applies_to_all_that_it_does_not_name() {
        let region = Some("eu-west-1".to_owned());
        let faults =
            Faults { denied: vec![Denied { region, ..Denied::default() }], ..Faults::default() };
        assert!(faults.denies("sagemaker", "ListDomains", "eu-west-1", "1"));
        assert!(!faults.denies("sagemaker", "ListDomains", "us-east-1", "1"));
    }
}
