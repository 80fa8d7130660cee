//! Owns what can be asked of a month's charges: by whom, for what, and which names come near where nothing matches.
//!
//! **Invariant:** what is asked matches by whole names, as the files print them; nothing is guessed.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::charge::{Cause, Charge, Charges};
use crate::period::Month;
use crate::usage;

/// What is asked; what is given must all match.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Inquiry {
    /// The team charged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// Whether only what no team is charged is asked.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub without_team: bool,
    /// The owner, as a path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The owner's domain, by its id or name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The user profile that the cost is counted to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user_profile: Option<String>,
    /// The component, by its name in files or for people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub component: Option<String>,
    /// The service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The record type, with or without spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record_type: Option<String>,
    /// The pool that moved it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<String>,
}

/// What one part of an inquiry is called, what was given, and what it is compared with.
type Facet<'a> = (&'static str, Option<&'a str>, fn(&Charges<'_>, &Charge) -> Vec<String>);

/// The most names that a hint shows.
const NEAR_COUNT_MAX: usize = 5;

impl Inquiry {
    fn facets(&self) -> [Facet<'_>; 8] {
        [
            ("team", self.team.as_deref(), |charges, charge| {
                charges.team(charge).map(ToString::to_string).into_iter().collect()
            }),
            ("owner", self.owner.as_deref(), |charges, charge| {
                vec![charges.bearer(charge).owner.to_string()]
            }),
            ("domain", self.domain.as_deref(), |charges, charge| {
                let bearer = charges.bearer(charge);
                let id = bearer.owner.domain().map(|domain| domain.id.to_string());
                id.into_iter().chain(bearer.domain_name.clone()).collect()
            }),
            ("user profile", self.user_profile.as_deref(), |charges, charge| {
                let user = charges.bearer(charge).user_profile.as_ref();
                user.map(ToString::to_string).into_iter().collect()
            }),
            ("component", self.component.as_deref(), |_, charge| {
                vec![charge.component.name().to_owned(), charge.component.title().to_owned()]
            }),
            ("service", self.service.as_deref(), |charges, charge| {
                vec![charges.ledger.names.text(charge.service).to_owned()]
            }),
            ("record type", self.record_type.as_deref(), |charges, charge| {
                let name = charges.ledger.names.text(charge.record_type);
                vec![name.to_owned(), usage::unspaced(name)]
            }),
            ("pool", self.pool.as_deref(), |charges, charge| {
                pool(charges, charge).map(str::to_owned).into_iter().collect()
            }),
        ]
    }

    /// Tells whether a charge is asked for.
    pub fn matches(&self, charges: &Charges<'_>, charge: &Charge) -> bool {
        if self.without_team && charge.team.is_some() {
            return false;
        }
        let mut facets = self.facets().into_iter();
        facets.all(|(_, given, values)| {
            given.is_none_or(|given| values(charges, charge).iter().any(|value| value == given))
        })
    }

    /// Returns the words for what is asked.
    pub fn words(&self) -> String {
        let given = self
            .facets()
            .into_iter()
            .filter_map(|(name, given, _)| given.map(|given| format!("{name} {given}")));
        let without = self.without_team.then(|| "without a team".to_owned());
        let words: Vec<String> = without.into_iter().chain(given).collect();
        if words.is_empty() { "the whole month".to_owned() } else { words.join(", ") }
    }

    /// Tells why nothing of a month matches: names that are not there, with those that come near.
    pub fn hints(&self, charges: &Charges<'_>, month: Month) -> Vec<String> {
        let mut hints = Vec::new();
        for (name, given, values) in self.facets() {
            let Some(given) = given else { continue };
            let known: BTreeSet<String> =
                charges.of_month(month).flat_map(|charge| values(charges, &charge)).collect();
            if known.contains(given) {
                continue;
            }
            let near: Vec<String> =
                nearest(given, &known).into_iter().map(|name| format!("`{name}`")).collect();
            let is_idle = name == "pool" && charges.pools.iter().any(|pool| pool.name == given);
            hints.push(if is_idle {
                format!("ask for its owner: the pool `{given}` moved nothing in {month}")
            } else if known.is_empty() {
                format!("leave out the {name}: no charge of {month} has any")
            } else if near.is_empty() {
                format!("name another {name}: none is called anything like `{given}` in {month}")
            } else {
                format!("name another {name}; nearest to `{given}`: {}", near.join(", "))
            });
        }
        if hints.is_empty() {
            hints
                .push("ask for less at once: each name is there, but no charge has all".to_owned());
        }
        hints
    }
}

/// Returns the name of the pool that moved a charge.
fn pool<'a>(charges: &'a Charges<'_>, charge: &Charge) -> Option<&'a str> {
    match charge.cause {
        Cause::Billed { .. } | Cause::Outside { .. } => None,
        Cause::Out { spread, .. } | Cause::In { spread, .. } => {
            Some(&charges.pools[charges.allocation.spreads[spread].pool].name)
        }
    }
}

/// Returns the names nearest to a text: those that hold it or that it holds, then those that few letters part from it.
fn nearest<'a>(text: &str, known: &'a BTreeSet<String>) -> Vec<&'a str> {
    let text = text.to_lowercase();
    let mut ranked: Vec<(bool, usize, &str)> = known
        .iter()
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let is_part = lower.contains(&text) || text.contains(&lower);
            let apart = distance(&text, &lower);
            let is_near = is_part || apart * 2 <= text.chars().count();
            is_near.then_some((!is_part, apart, name.as_str()))
        })
        .collect();
    ranked.sort_unstable();
    ranked.into_iter().take(NEAR_COUNT_MAX).map(|(_, _, name)| name).collect()
}

/// Returns how many letters must be put in, taken out or changed to make one text the other.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (index, letter) in left.chars().enumerate() {
        let mut row = vec![index + 1];
        for (column, other) in right.iter().enumerate() {
            let changed = above[column] + usize::from(letter != *other);
            row.push(changed.min(above[column + 1] + 1).min(row[column] + 1));
        }
        above = row;
    }
    above[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_counted_in_letters() {
        for (left, right, expected) in [
            ("", "", 0),
            ("abc", "abc", 0),
            ("", "abc", 3),
            ("research", "reserch", 1),
            ("ü", "u", 1),
        ] {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }

    #[test]
    fn what_holds_the_text_comes_first_and_what_is_far_off_does_not_come() {
        let known = ["space/d-a/lab", "space/d-a/lab-2", "space/d-b/lob", "unattributed"];
        let known: BTreeSet<String> = known.map(str::to_owned).into();
        assert_eq!(nearest("d-a/lab", &known), ["space/d-a/lab", "space/d-a/lab-2"]);
        assert_eq!(nearest("Space/D-A/LAB", &known)[0], "space/d-a/lab");
        assert_eq!(nearest("unatributed", &known), ["unattributed"]);
        assert_eq!(nearest("zzz", &known), [""; 0]);
    }

    #[test]
    fn an_inquiry_says_what_it_asks() {
        assert_eq!(Inquiry::default().words(), "the whole month");
        let inquiry = Inquiry {
            without_team: true,
            domain: Some("research".to_owned()),
            ..Inquiry::default()
        };
        assert_eq!(inquiry.words(), "without a team, domain research");
    }
}
