//! Owns the words for why: why an owner, why a team, why a pool was moved as it was.
//!
//! Rules are named by their numbers in `docs/allocation.md`.
//! **Invariant:** words follow the facts that decided; what nobody knows is said to be unknown.

use std::collections::BTreeSet;

use crate::bearer::{Bearer, Existence};
use crate::charge::Charges;
use crate::explanation::{Origin, TeamPart};
use crate::inventory::Space;
use crate::key;
use crate::ledger::Reason;

use crate::owner::{Owner, Pool as Shared};
use crate::period::Month;
use crate::pool::{Kind, Method, Over, Pool, WithoutWeight};
use crate::report::Report;
use crate::request::REST;
use crate::selection::Selection;

/// The most tag values that are said; all of them are in the records.
const VALUE_COUNT_MAX: usize = 3;

/// Says why lines are an owner's, from the records behind them.
pub fn owner<'o>(
    report: &Report<'_>,
    bearer: &Bearer,
    origins: impl Iterator<Item = &'o Origin>,
) -> Vec<String> {
    let claims: BTreeSet<(&str, &str)> =
        origins.map(|origin| (origin.slice.as_str(), origin.value.as_str())).collect();
    let mut words: Vec<String> = claims
        .iter()
        .take(VALUE_COUNT_MAX)
        .map(|(slice, value)| claim(bearer, slice, value))
        .collect();
    if claims.len() > VALUE_COUNT_MAX {
        words.push(format!("and {} more values, with the records", claims.len() - VALUE_COUNT_MAX));
    }
    match &bearer.owner {
        Owner::Space(..) => words.push(private(report, bearer, &claims)),
        Owner::Team(_) => words.push("a team as a whole: a rule charges it so".to_owned()),
        Owner::Pool(Shared::Tax | Shared::Support) => words.push(
            "SageMaker's share of what lies outside the scope, which a pool takes in".to_owned(),
        ),
        Owner::Pool(Shared::Named(name)) => {
            words.push(format!("the pool `{name}`, which other pools flow into"));
        }
        _ => {}
    }
    if let Existence::LastSeen(at) = bearer.existence {
        words.push(format!("A4: it no longer exists, and was last listed at {at}"));
    }
    words
}

/// Says how one claiming key and its value lead to an owner.
fn claim(bearer: &Bearer, slice: &str, value: &str) -> String {
    match &bearer.owner {
        Owner::Pool(_) if slice == REST => {
            "A5: no key claims it, and its service or record type is of a Savings Plan".to_owned()
        }
        _ if slice == REST => "A6: no key claims it".to_owned(),
        Owner::Unattributed => {
            format!(
                "A1: `{slice}` is `{value}`, which is not an ARN of the kind that the key names"
            )
        }
        Owner::Tag { .. } => format!("A1: the configured key `{slice}` is `{value}`"),
        owner => {
            let name = owner.to_string();
            let is_spelt_so = value.ends_with(&name);
            let folded = if is_spelt_so { "" } else { " (A3: matched without regard to case)" };
            format!("A1: `{slice}` is `{value}`{folded}")
        }
    }
}

/// Says whose a space is by rule A2, and how that was found.
fn private(report: &Report<'_>, bearer: &Bearer, claims: &BTreeSet<(&str, &str)>) -> String {
    let Owner::Space(domain, name) = &bearer.owner else { return String::new() };
    let inventory = &report.snapshot.inventory;
    let listed =
        inventory.spaces.iter().find(|space| space.domain == domain.id && space.name == *name);
    let by = |space: &Space| {
        if space.last_seen_at >= report.snapshot.manifest.taken_at {
            "by the inventory of this snapshot".to_owned()
        } else {
            format!("as listed last at {}, and carried forward", space.last_seen_at)
        }
    };
    match (listed, &bearer.user_profile) {
        (Some(space @ Space { shared: Some(true), .. }), _) => {
            format!("A2: a shared space, {}; it bears its own cost", by(space))
        }
        (Some(space @ Space { shared: Some(false), owner: Some(_), .. }), Some(user)) => {
            format!("A2: the private space of `{user}`, {}", by(space))
        }
        (_, Some(user)) => {
            format!(
                "A2: `{user}` is the only user profile seen on its lines in the collected months"
            )
        }
        (_, None) if claims.iter().any(|(slice, _)| *slice == key::SHARED_SPACE) => {
            "A2: a shared space by its key; it bears its own cost".to_owned()
        }
        (_, None) if !inventory.is_listed(domain) => {
            "A2: whose space it is is unknown: its account and region were not inventoried"
                .to_owned()
        }
        (_, None) => "A2: whose space it is is unknown: it is on no list, and no one user profile \
                      was seen on its lines"
            .to_owned(),
    }
}

/// Says why an amount is a team's, or why it is no team's, with the parts of its owner's month.
pub fn team(charges: &Charges<'_>, month: Month, bearer: usize) -> (Vec<String>, Vec<TeamPart>) {
    let membership = &charges.membership;
    let parts = membership.of(month, bearer);
    let name = |team: Option<usize>| team.map(|team| membership.teams[team].to_string());
    let all: Vec<TeamPart> = membership
        .because(month, bearer)
        .into_iter()
        .enumerate()
        .map(|(index, because)| TeamPart {
            team: name(because.team),
            days: because.days,
            weight: parts.get(index).and_then(|part| part.weight),
            source: because.source,
            passed_over: because.passed,
        })
        .collect();
    let mut words: Vec<String> = match all.as_slice() {
        [] => vec![match &charges.bearers[bearer].owner {
            Owner::Team(_) => "it is the team itself".to_owned(),
            Owner::Pool(_) => "a pool is in no team".to_owned(),
            _ => "nobody owns it, so it is in no team".to_owned(),
        }],
        [only] => vec![sourced(only)],
        several => several.iter().map(part).collect(),
    };
    if all.len() > 1 {
        words.push(match membership.by_days.get(&(month, bearer)) {
            None => "the weights are what it cost in those days, as asked by day".to_owned(),
            Some(why) => format!("the weights are the numbers of days, since {}", why.words()),
        });
    }
    (words, all)
}

fn part(part: &TeamPart) -> String {
    let team = part.team.as_deref().unwrap_or("no team");
    let weight = part.weight.map(|weight| format!(", weight {weight}")).unwrap_or_default();
    // As people write days and as the roster has them: both are in.
    let (first, last) = (part.days.start, part.days.last());
    format!("{first} to {last}: {team}, {}{weight}", sourced(part))
}

fn sourced(part: &TeamPart) -> String {
    let passed = &part.passed_over;
    let passed =
        if passed.is_empty() { String::new() } else { format!("; before {}", passed.join(", ")) };
    format!("{}{passed}", part.source)
}

/// Says what a pool holds and how its rule moves it.
pub fn rule(pool: &Pool, report: &Report<'_>) -> Vec<String> {
    let mut words = vec![
        format!("`[[pool]]` on line {} of the configuration", pool.line),
        format!("holds {}{}", holds(pool.of), only(&pool.only)),
    ];
    if let Some(into) = &pool.into {
        words.push(format!("flows as a whole into the pool `{into}`"));
    }
    if let Some(method) = pool.method {
        let over = match method {
            Method::Keep => String::new(),
            _ => format!(", over {}", targets(pool.over())),
        };
        let metric = pool.metric.unwrap_or(report.metric);
        let weights = match method {
            Method::Even => "split evenly".to_owned(),
            Method::Proportional => {
                format!(
                    "split in proportion to what each was billed in {}{}",
                    metric.title(),
                    only(&pool.by)
                )
            }
            Method::Fixed => "split by the shares in percent of the configuration".to_owned(),
            Method::Weights => {
                let file = pool.file.as_deref().unwrap_or_default();
                format!("split by the weights of `{file}`")
            }
            Method::ActiveDays => {
                "split by the days of the month on which each cost anything".to_owned()
            }
            Method::Keep => "kept where it is".to_owned(),
        };
        words.push(format!("{weights}{over}"));
    }
    if pool.without_weight == WithoutWeight::Even {
        words.push("split evenly in a month in which nobody has any weight".to_owned());
    }
    words
}

fn holds(kind: Kind) -> &'static str {
    match kind {
        Kind::Domain => "what only a domain is known of",
        Kind::HomeEfs => "home file systems of domains",
        Kind::SavingsPlan => "fees, untagged negations and unused commitment of Savings Plans",
        Kind::Credit => "credits that nobody owns",
        Kind::Refund => "refunds that nobody owns",
        Kind::Unattributed => "what else nobody owns",
        Kind::Tax => "SageMaker's share of tax",
        Kind::Support => "SageMaker's share of support",
        Kind::Pools => "what other pools flow into it",
    }
}

fn targets(over: Over) -> &'static str {
    match over {
        Over::Teams => "teams as wholes",
        Over::Owners => "every space, user profile, domain and tag that was billed",
        Over::Users => "the user profiles and spaces of the domain",
    }
}

fn only(selection: &Selection) -> String {
    let Selection { domain, account, service, component, usage_type, record_type, reason } =
        selection;
    let given = [
        ("domain", domain),
        ("account", account),
        ("service", service),
        ("component", component),
        ("usage type", usage_type),
        ("record type", record_type),
        ("reason", reason),
    ];
    let given = given.into_iter().filter_map(|(what, pattern)| {
        pattern.as_ref().map(|pattern| format!("{what} `{pattern}`"))
    });
    let words: Vec<String> = given.collect();
    if words.is_empty() { String::new() } else { format!(", only of {}", words.join(" and ")) }
}

/// Says what a reason means, beside its word.
pub fn reason(reason: Option<Reason>) -> Option<String> {
    reason.map(|reason| format!("A6: {}", reason.title()))
}
