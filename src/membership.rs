//! Owns which teams bear an owner's cost in a month, in which days, and which source says so.
//!
//! **Invariant:** an owner's parts of a month are disjoint in days, and their weights split its cost whole.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::bearer::Bearer;
use crate::daily::Daily;
use crate::facts::{Facts, Index};
use crate::inventory::Inventory;
use crate::ledger::Ledger;
use crate::metric::Metric;
use crate::money::Money;
use crate::note::Note;
use crate::period::{Month, Period};
use crate::person::People;
use crate::roster::Row;
use crate::stint::{self, ByDays};
use crate::strangers;
use crate::team::TeamName;

pub use crate::source::{Source, Sources};

/// Who belongs to which team, month by month.
#[derive(Clone, Debug, Default)]
pub struct Membership {
    /// Every team that anybody belongs to, in order; a part names one by its place.
    pub teams: Vec<TeamName>,
    /// People, and whose each user profile is.
    pub people: People,
    /// Months of owners that were split by days, though not by what the days cost.
    pub by_days: BTreeMap<(Month, usize), ByDays>,
    pub(crate) sources: Sources,
    pub(crate) facts: Vec<Option<Facts>>,
    /// The only part of each owner, where it is the same in every month.
    always: Vec<Vec<Part>>,
    /// The parts of those for whom it is not.
    moved: BTreeMap<usize, BTreeMap<Month, Vec<Part>>>,
}

/// The days of a month in which an owner belonged to one team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The team's place in [`Membership::teams`]; absent where no source names one.
    pub team: Option<usize>,
    /// The days; of one who never moves, those of every month.
    pub days: Period,
    /// What the owner cost in them, or how many they are, as a weight; absent where there is one part only.
    pub weight: Option<Money>,
    /// What says so.
    pub source: Source,
}

/// What says which team an owner is in, apart from the month.
struct Say {
    /// Rows of the roster, by their places.
    rows: Vec<usize>,
    /// What counts outside their days.
    rest: (Source, Option<TeamName>),
}

/// Tells which teams bear each owner's cost in each month, and what the reader must know of it.
///
/// The cost of a month's parts is weighed in `metric`.
/// `named` are teams that must be in the membership though nobody belongs to them, since rules charge them.
pub fn assign(
    ledger: &Ledger,
    inventory: &Inventory,
    daily: &Daily,
    sources: &Sources,
    metric: Metric,
    months: &[Month],
    named: impl Iterator<Item = TeamName>,
) -> (Membership, Vec<Note>) {
    let (people, contests) =
        People::new(&sources.people, &sources.join, inventory, &ledger.bearers);
    let index = Index::new(inventory, &people, sources.keys());
    let facts: Vec<Option<Facts>> = ledger.bearers.iter().map(|bearer| index.of(bearer)).collect();
    let nobody = || Say { rows: Vec::new(), rest: (Source::Nothing, None) };
    let say = |facts: &Option<Facts>| {
        facts.as_ref().map_or_else(nobody, |facts| Say {
            rows: sources.roster.of(facts, &people),
            rest: sources.beyond_roster(facts),
        })
    };
    let says: Vec<Say> = facts.iter().map(say).collect();
    let notes = strangers::notes(sources, inventory, &index, &facts, &people, &contests);
    let of_rows = says.iter().flat_map(|say| &say.rows).copied().collect::<BTreeSet<usize>>();
    let of_rows = of_rows.into_iter().map(|place| sources.roster.rows[place].team.clone());
    let teams: BTreeSet<TeamName> =
        named.chain(of_rows).chain(says.iter().filter_map(|say| say.rest.1.clone())).collect();
    let mut membership = Membership {
        teams: teams.into_iter().collect(),
        sources: sources.clone(),
        facts,
        ..Membership::default()
    };
    for (place, (say, bearer)) in says.iter().zip(&ledger.bearers).enumerate() {
        membership.place(place, say, bearer, months, daily, metric);
    }
    membership.people = people;
    (membership, notes)
}

/// Where somebody is, day by day.
struct Stays<'a> {
    rows: Vec<&'a Row>,
    rest: Option<TeamName>,
}

impl Stays<'_> {
    fn on(&self, day: Date) -> Option<&TeamName> {
        let row = self.rows.iter().find(|row| row.days.contains(day));
        row.map_or(self.rest.as_ref(), |row| Some(&row.team))
    }
}

impl Membership {
    /// Returns the parts of an owner's month, by its place in the ledger; empty where no team is known.
    pub fn of(&self, month: Month, bearer: usize) -> &[Part] {
        let moved = self.moved.get(&bearer).and_then(|months| months.get(&month));
        moved.or_else(|| self.always.get(bearer)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Returns the team that an owner belongs to on a day, by its place.
    pub fn on(&self, day: Date, bearer: usize) -> Option<usize> {
        let parts = self.of(Month::of(day), bearer);
        parts.iter().find(|part| part.days.contains(day))?.team
    }

    /// Returns the teams that any owner belongs to in any month, by their places.
    pub fn peopled(&self) -> BTreeSet<usize> {
        let moved = self.moved.values().flat_map(BTreeMap::values);
        let parts = self.always.iter().chain(moved).flatten();
        parts.filter_map(|part| part.team).collect()
    }

    /// Tells whether somebody of whom the facts are known is in a team on any day of a month.
    pub fn is_ever_in(&self, team: usize, month: Month, facts: &Facts) -> bool {
        let name = &self.teams[team];
        let stays = self.stays(facts);
        month.period().days().any(|day| stays.on(day) == Some(name))
    }

    /// Returns the team in which somebody of whom the facts are known is on a day.
    pub fn team_on(&self, day: Date, facts: &Facts) -> Option<TeamName> {
        self.stays(facts).on(day).cloned()
    }

    fn stays(&self, facts: &Facts) -> Stays<'_> {
        let rows = self.sources.roster.of(facts, &self.people);
        let rows = rows.into_iter().map(|row| &self.sources.roster.rows[row]).collect();
        Stays { rows, rest: self.sources.beyond_roster(facts).1 }
    }

    /// Returns what is known of anybody of an inventory, so far as it can tell a team.
    pub fn index<'a>(&'a self, inventory: &'a Inventory) -> Index<'a> {
        Index::new(inventory, &self.people, self.sources.keys())
    }

    /// Takes in what is said of the owner at the next place.
    fn place(
        &mut self,
        place: usize,
        say: &Say,
        bearer: &Bearer,
        months: &[Month],
        daily: &Daily,
        metric: Metric,
    ) {
        let (Some(first), Some(last)) = (months.first(), months.last()) else { return };
        let whole = Period::of_months(*first, *last);
        let parts = self.parts(say, whole);
        if parts.len() == 1 {
            self.always.push(known(parts));
            return;
        }
        self.always.push(Vec::new());
        for month in months {
            let mut parts = self.parts(say, month.period());
            if parts.len() > 1 {
                let stints: Vec<Period> = parts.iter().map(|part| part.days).collect();
                let days = daily.of(&bearer.owner, *month);
                let (weights, why) = stint::weigh(&stints, days, metric);
                for (part, weight) in parts.iter_mut().zip(weights) {
                    part.weight = Some(weight);
                }
                self.by_days.extend(why.map(|why| ((*month, place), why)));
            }
            self.moved.entry(place).or_default().insert(*month, known(parts));
        }
    }

    /// Returns the parts of some days, without weights.
    fn parts(&self, say: &Say, period: Period) -> Vec<Part> {
        let rows = &self.sources.roster.rows;
        let days = say.rows.iter().map(|row| rows[*row].days);
        let bounds = days.flat_map(|days| [days.start, days.end]).flatten();
        let mut bounds: BTreeSet<Date> =
            bounds.filter(|day| period.start < *day && *day < period.end).collect();
        bounds.extend([period.start, period.end]);
        let mut parts: Vec<Part> = Vec::new();
        for (start, end) in bounds.iter().zip(bounds.iter().skip(1)) {
            let row = say.rows.iter().map(|row| &rows[*row]).find(|row| row.days.contains(*start));
            let (source, team) = match row {
                Some(row) => (Source::Roster { line: row.line }, Some(&row.team)),
                None => (say.rest.0.clone(), say.rest.1.as_ref()),
            };
            if let Some(last) = parts.last_mut().filter(|last| last.source == source) {
                last.days.end = *end;
                continue;
            }
            let place = |team| self.teams.binary_search(team).expect("every team was taken in");
            let days = Period { start: *start, end: *end };
            parts.push(Part { team: team.map(place), days, weight: None, source });
        }
        parts
    }
}

/// Leaves out that nothing is known.
fn known(parts: Vec<Part>) -> Vec<Part> {
    if parts.iter().all(|part| part.team.is_none()) { Vec::new() } else { parts }
}

#[cfg(test)]
mod tests {
    use super::*;

    use std::fmt::Write;

    use crate::arn::{AccountId, DomainId, DomainKey, SpaceName, UserProfileName};
    use crate::bearer::Existence;
    use crate::ledger::Names;
    use crate::owner::{Owner, Pool};
    use crate::roster::Roster;

    fn bearer(text: &str) -> Bearer {
        let domain = |id: &str| DomainKey {
            account: AccountId::parse("111122223333").unwrap(),
            region: "us-east-1".to_owned(),
            id: DomainId::parse(id).unwrap(),
        };
        let user = |name: &str| UserProfileName::parse(name).unwrap();
        let parts: Vec<&str> = text.split('/').collect();
        let (owner, user_profile) = match parts.as_slice() {
            ["pool"] => (Owner::Pool(Pool::SavingsPlan), None),
            ["tag", key, value] => {
                (Owner::Tag { key: (*key).to_owned(), value: (*value).to_owned() }, None)
            }
            [id] => (Owner::Domain(domain(id)), None),
            [id, name] => (Owner::UserProfile(domain(id), user(name)), Some(user(name))),
            [id, name, space] => {
                let space = SpaceName::parse(space).unwrap();
                (Owner::Space(domain(id), space), Some(*name).filter(|it| !it.is_empty()).map(user))
            }
            _ => unreachable!("{text}"),
        };
        Bearer {
            owner,
            domain_name: Some("research".to_owned()),
            user_profile,
            shared: None,
            existence: Existence::Unknown,
        }
    }

    /// What each owner belongs to in October, with the number of days as a weight where there are several parts.
    fn assigned(owners: &[&str], sources: &Sources) -> (String, Vec<Note>, Membership) {
        let month = Month::parse("2026-10").unwrap();
        let bearers: Vec<Bearer> = owners.iter().map(|owner| bearer(owner)).collect();
        let ledger = Ledger {
            bearers,
            names: Names::default(),
            lines: Vec::new(),
            findings: crate::control::Findings::default(),
            doubts: BTreeSet::new(),
        };
        let (inventory, daily) = (Inventory::default(), Daily::default());
        let metric = Metric::NetAmortizedCost;
        let named = std::iter::empty();
        let (membership, notes) =
            assign(&ledger, &inventory, &daily, sources, metric, &[month], named);
        let mut text = String::new();
        for (place, owner) in owners.iter().enumerate() {
            write!(text, "{owner}:").unwrap();
            for part in membership.of(month, place) {
                let team = part.team.map_or("-", |team| membership.teams[team].as_str());
                let days = part.weight.map(|days| format!(" {days}")).unwrap_or_default();
                write!(text, " {team}{days} ({})", membership.words(&part.source)).unwrap();
            }
            text.push('\n');
        }
        (text, notes, membership)
    }

    fn sources() -> Sources {
        let roster = "person,domain,user_profile,space,account,team,valid_from,valid_to\n\
                      ,research,,,,Domain,,2026-10-15\n\
                      ,d-a,ana,,,First,,2026-10-04\n\
                      ,d-a,ana,,,Second,2026-10-05,2026-10-10\n\
                      ,d-a,,box,,Space,2026-10-10,2026-10-10\n\
                      ,,,,999999999999,Nobody,,\n\
                      Eva,,,,,Old,,2026-09-30\n";
        let assignments =
            ["team = 'Ben'\nuser_profile = 'ben'", "team = 'Rest'\ndomain = 'd-[a-y]'"];
        let people =
            ["name = 'Eva'\nteam = 'Own'\nuser_profile = 'eva'", "name = 'Xu'\nsso = 'xu'"];
        Sources {
            roster: Roster::parse("teams.csv", roster.as_bytes(), &[]).unwrap(),
            people: people.iter().map(|text| toml::from_str(text).unwrap()).collect(),
            assignments: assignments.iter().map(|text| toml::from_str(text).unwrap()).collect(),
            tags: vec!["team".to_owned()],
            ..Sources::default()
        }
    }

    #[test]
    fn the_roster_counts_on_its_days_and_the_next_source_on_the_others() {
        let owners = [
            "d-a/ana",
            "d-a/ana/box",
            "d-a/ben",
            "d-a/eva",
            "d-z",
            "tag/team/Blue",
            "tag/x/y",
            "pool",
        ];
        let (text, _, membership) = assigned(&owners, &sources());
        insta::assert_snapshot!(text, @r"
        d-a/ana: First 4 (line 3 of `teams.csv`: user profile d-a/ana) Second 6 (line 4 of `teams.csv`: user profile d-a/ana) Domain 5 (line 2 of `teams.csv`: domain research) Rest 16 (assignment 2 on line 0)
        d-a/ana/box: First 4 (line 3 of `teams.csv`: user profile d-a/ana) Second 5 (line 4 of `teams.csv`: user profile d-a/ana) Space 1 (line 5 of `teams.csv`: space d-a/box) Domain 5 (line 2 of `teams.csv`: domain research) Rest 16 (assignment 2 on line 0)
        d-a/ben: Domain 15 (line 2 of `teams.csv`: domain research) Ben 16 (assignment 1 on line 0)
        d-a/eva: Domain 15 (line 2 of `teams.csv`: domain research) Own 16 (person `Eva` on line 0)
        d-z: Domain 15 (line 2 of `teams.csv`: domain research) - 16 (no source names a team)
        tag/team/Blue: Blue (tag team=Blue)
        tag/x/y:
        pool:
        ");
        let because = membership.because(Month::parse("2026-10").unwrap(), 3);
        assert_eq!(because[1].passed, ["assignment 2 on line 0, to `Rest`"]);
        assert_eq!(membership.by_days.len(), 5);
        for why in membership.by_days.values() {
            assert_eq!(*why, ByDays::NotRead);
        }
    }

    #[test]
    fn what_fits_nobody_is_said() {
        let (_, notes, _) = assigned(&["d-b/zoe"], &sources());
        let notes: Vec<&str> = notes.iter().map(|note| note.text.as_str()).collect();
        insta::assert_snapshot!(notes.join("\n"), @r"
        What `teams.csv` says is about nobody in cost or inventory on line 3 (user profile d-a/ana), line 4 (user profile d-a/ana), line 5 (space d-a/box), line 6 (account 999999999999), line 7 (person Eva).
        Assignment 1 on line 0, to `Ben`, matches nobody.
        The person `Eva` on line 0 has no user profile, in cost or inventory.
        The person `Xu` on line 0 has no user profile, in cost or inventory.
        ");
    }
}
