//! Owns whose spend a budget watches, in words, and whether there is such a one at all and all of it is known.

use crate::arn::DomainId;
use crate::bearer::Bearer;
use crate::budget::Scope;
use crate::charge::Charges;
use crate::inventory::Inventory;
use crate::owner::Owner;
use crate::period::{Month, Period};
use crate::request::Purpose;
use crate::snapshot::Missing;

/// Tells whether an owner's cost counts for a budget; whose a team's is, membership tells.
pub fn holds(scope: &Scope, bearer: &Bearer) -> bool {
    let domain = bearer.owner.domain().map(|domain| &domain.id);
    match scope {
        Scope::All => true,
        Scope::Domain(id) => domain == Some(id),
        Scope::UserProfile(id, name) => {
            domain == Some(id) && bearer.user_profile.as_ref() == Some(name)
        }
        Scope::Space(id, name) => {
            matches!(&bearer.owner, Owner::Space(home, space) if home.id == *id && space == name)
        }
        Scope::Team(_) | Scope::Foreign(_) => false,
    }
}

/// Tells whether an owner was listed, now or before: a name that is mistyped spends nothing for ever.
///
/// Whether a team is one, its members and rules tell.
pub fn is_listed(scope: &Scope, inventory: &Inventory) -> bool {
    match scope {
        Scope::All | Scope::Foreign(_) => true,
        Scope::Team(_) => false,
        Scope::Domain(id) => inventory.domains.iter().any(|it| it.key.id == *id),
        Scope::UserProfile(id, name) => {
            inventory.user_profiles.iter().any(|it| it.domain == *id && it.name == *name)
        }
        Scope::Space(id, name) => {
            inventory.spaces.iter().any(|it| it.domain == *id && it.name == *name)
        }
    }
}

/// Tells whether the cost of a scope was read whole: a cell that was not read may be anybody's.
pub fn is_cost_read(scope: &Scope, run: Period, missing: &[Missing]) -> bool {
    let is_part = |purpose: &Purpose| match purpose {
        Purpose::Cells { .. } => *scope != Scope::All,
        // The user of a private space, and so its team, may be known by this evidence alone.
        Purpose::SpaceUsers => matches!(scope, Scope::UserProfile(..) | Scope::Team(_)),
        _ => false,
    };
    let is_within = |period: Period| period.start < run.end && run.start < period.end;
    !missing.iter().any(|missing| is_within(missing.period) && is_part(&missing.purpose))
}

/// Says that there is no such owner.
pub fn unknown(scope: &Scope) -> String {
    match scope {
        Scope::Domain(id) => format!("There is no such domain as {id}."),
        Scope::UserProfile(id, _) => format!("There is no such user profile in {id}."),
        Scope::Space(id, _) => format!("There is no such space in {id}."),
        Scope::Team(name) => format!("Nobody belongs to the team {name}, and no rule charges it."),
        Scope::All | Scope::Foreign(_) => String::new(),
    }
}

/// Says that the lines of SageMaker have no share of what was billed beside it, where pools charge one.
pub fn no_shares(scope: &Scope, charges: &Charges<'_>, month: Month) -> Option<String> {
    let is_charged = !charges.shares(month).is_empty();
    let words = "SageMaker's share of tax and support is not in it.";
    (*scope == Scope::All && is_charged).then(|| words.to_owned())
}

/// Returns whose spend it is for people, with the domain's name where it is known; empty where only AWS can tell.
pub fn words(scope: &Scope, inventory: &Inventory) -> String {
    let domain = |id: &DomainId| {
        let named = inventory.domains.iter().find(|it| it.key.id == *id && !it.name.is_empty());
        named.map_or_else(|| id.to_string(), |it| format!("{} ({id})", it.name))
    };
    match scope {
        Scope::All => "all of SageMaker".to_owned(),
        Scope::Domain(id) => format!("domain {}", domain(id)),
        Scope::UserProfile(id, name) => format!("user profile {name} in {}", domain(id)),
        Scope::Space(id, name) => format!("space {name} in {}", domain(id)),
        Scope::Team(name) => format!("team {name}"),
        Scope::Foreign(_) => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::arn::{SpaceName, UserProfileName};
    use crate::team::TeamName;

    #[test]
    fn nobody_is_said_to_be_nobody() {
        let domain = || DomainId::parse("d-a").unwrap();
        let none = Inventory::default();
        for (scope, in_words, why) in [
            (Scope::All, "all of SageMaker", ""),
            (Scope::Domain(domain()), "domain d-a", "There is no such domain as d-a."),
            (
                Scope::UserProfile(domain(), UserProfileName::parse("ana").unwrap()),
                "user profile ana in d-a",
                "There is no such user profile in d-a.",
            ),
            (
                Scope::Space(domain(), SpaceName::parse("lab").unwrap()),
                "space lab in d-a",
                "There is no such space in d-a.",
            ),
            (
                Scope::Team(TeamName::parse("R&D").unwrap()),
                "team R&D",
                "Nobody belongs to the team R&D, and no rule charges it.",
            ),
            (Scope::Foreign("{}".to_owned()), "", ""),
        ] {
            assert_eq!(words(&scope, &none), in_words);
            assert_eq!(unknown(&scope), why);
            assert_eq!(is_listed(&scope, &none), why.is_empty(), "{scope}");
        }
    }

    #[test]
    fn cost_that_was_not_read_may_be_of_any_owner() {
        let day = |text: &str| text.parse().unwrap();
        let cells = Purpose::Cells {
            slice: "rest".to_owned(),
            service: "Amazon SageMaker".to_owned(),
            record_type: "Usage".to_owned(),
        };
        let domain = || DomainId::parse("d-a").unwrap();
        let scopes = [
            Scope::All,
            Scope::Domain(domain()),
            Scope::UserProfile(domain(), UserProfileName::parse("ana").unwrap()),
            Scope::Team(TeamName::parse("R&D").unwrap()),
        ];
        let run = Period { start: day("2026-11-01"), end: day("2026-12-01") };
        for (purpose, start, end, expected) in [
            (cells.clone(), "2026-11-01", "2026-12-01", [true, false, false, false]),
            (cells.clone(), "2026-09-01", "2026-11-01", [true; 4]),
            (Purpose::SpaceUsers, "2026-10-01", "2026-12-01", [true, true, false, false]),
            (Purpose::BilledAccounts, "2026-10-01", "2026-12-01", [true; 4]),
        ] {
            let period = Period { start: day(start), end: day(end) };
            let missing = [Missing { purpose, period, error: "no answer".to_owned() }];
            let read = scopes.each_ref().map(|scope| is_cost_read(scope, run, &missing));
            assert_eq!(read, expected, "{missing:?}");
        }
        let year = Period { start: day("2026-01-01"), end: day("2027-01-01") };
        let period = Period { start: day("2026-09-01"), end: day("2026-10-01") };
        let missing = [Missing { purpose: cells, period, error: "no answer".to_owned() }];
        assert!(!is_cost_read(&scopes[1], year, &missing), "a longer run has that month too");
    }
}
