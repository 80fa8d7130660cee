//! Owns people: one human's user profiles across domains.
//!
//! **Invariant:** a user profile is one person's.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Deserialize;

use crate::arn::{DomainId, UserProfileName};
use crate::bearer::Bearer;
use crate::inventory::Inventory;
use crate::team::TeamName;

/// One human: a `[[person]]` table.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Person {
    /// Its line in the configuration.
    #[serde(skip)]
    pub line: u64,
    /// The name, said in files and on pages.
    pub name: String,
    /// The team.
    pub team: Option<TeamName>,
    /// The value at the single sign-on provider.
    pub sso: Option<String>,
    /// A user profile's name in whatever domain.
    pub user_profile: Option<String>,
    /// User profiles as `domain/name`, the domain by its id or name.
    #[serde(default)]
    pub profiles: Vec<String>,
}

/// How profiles are joined to one person without being listed: the `[people]` table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Table {
    /// What makes profiles of several domains one person's.
    pub join: Vec<Join>,
}

/// What makes profiles of several domains one person's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Join {
    /// The same value at the single sign-on provider.
    Sso,
    /// The same name.
    Name,
}

/// What is wrong with a table of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The table's line.
    pub line: u64,
    /// What is wrong.
    pub why: String,
}

/// Everybody, and whose each user profile is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct People {
    /// Those of the configuration in their order, then those whose profiles were joined.
    pub humans: Vec<Human>,
    whose: BTreeMap<DomainId, BTreeMap<UserProfileName, usize>>,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Human {
    /// The name: as configured, or else what joins the profiles.
    pub name: String,
    /// Every value at the single sign-on provider.
    pub sso: BTreeSet<String>,
    /// Whether any user profile is theirs.
    pub has_profile: bool,
}

/// A user profile that two persons of the configuration claim; the first has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Contest {
    /// The profile's domain.
    pub domain: DomainId,
    /// The profile's name.
    pub user_profile: UserProfileName,
    /// The places of both persons; the first has it.
    pub persons: [usize; 2],
}

/// What one person of the configuration may have and no other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Claim<'a> {
    Name(&'a str),
    Sso(&'a str),
    Anywhere(&'a str),
    Profile(&'a str, &'a str),
}

/// A user profile with what can tell whose it is.
struct Profile<'a> {
    domain_name: Option<&'a str>,
    sso: Option<&'a str>,
}

type Profiles<'a> = BTreeMap<(&'a DomainId, &'a UserProfileName), Profile<'a>>;

impl fmt::Display for Claim<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Claim::Name(name) => write!(formatter, "the name `{name}`"),
            Claim::Sso(sso) => write!(formatter, "the single sign-on value `{sso}`"),
            Claim::Anywhere(name) => write!(formatter, "the user profile `{name}` of any domain"),
            Claim::Profile(domain, name) => write!(formatter, "the user profile `{domain}/{name}`"),
        }
    }
}

impl Person {
    /// Returns the profiles that are listed, as domain and name.
    fn listed(&self) -> impl Iterator<Item = (&str, &str)> {
        self.profiles.iter().filter_map(|profile| profile.split_once('/'))
    }

    fn claims(&self) -> impl Iterator<Item = Claim<'_>> {
        let listed = self.listed().map(|(domain, name)| Claim::Profile(domain, name));
        let sso = self.sso.as_deref().map(Claim::Sso);
        sso.into_iter().chain(self.user_profile.as_deref().map(Claim::Anywhere)).chain(listed)
    }
}

/// Checks the people of the configuration by themselves.
pub fn check(persons: &[Person]) -> Result<(), Wrong> {
    let mut claims: BTreeMap<Claim<'_>, u64> = BTreeMap::new();
    for person in persons {
        let wrong = |why: String| Wrong { line: person.line, why };
        if person.name.is_empty() || person.name.trim() != person.name {
            return Err(wrong(format!("not a person's name: `{}`", person.name)));
        }
        if person.claims().next().is_none() && person.profiles.is_empty() {
            let why = "nothing tells which user profiles are theirs: give `sso`, `user_profile` or `profiles`";
            return Err(wrong(format!("`{}`: {why}", person.name)));
        }
        if let Some(odd) = person.profiles.iter().find(|it| !it.contains('/')) {
            return Err(wrong(format!("not a user profile, as `domain/name`: `{odd}`")));
        }
        for claim in person.claims().chain([Claim::Name(&person.name)]) {
            // Her own claims may say one thing twice.
            match claims.insert(claim.clone(), person.line) {
                Some(line) if line != person.line => {
                    return Err(wrong(format!("the person on line {line} has {claim} already")));
                }
                _ => {}
            }
        }
    }
    for person in persons {
        for (domain, name) in person.listed() {
            if let Some(line) = claims.get(&Claim::Anywhere(name)).filter(|it| **it != person.line)
            {
                let claim = Claim::Profile(domain, name);
                let why =
                    format!("the person on line {line} has {claim} already, by its name alone");
                return Err(Wrong { line: person.line, why });
            }
        }
    }
    Ok(())
}

impl People {
    /// Joins the user profiles of an inventory and of a ledger's owners, and tells which are claimed twice.
    pub fn new(
        persons: &[Person],
        join: &[Join],
        inventory: &Inventory,
        bearers: &[Bearer],
    ) -> (People, Vec<Contest>) {
        if persons.is_empty() && join.is_empty() {
            return (People::default(), Vec::new());
        }
        let profiles = profiles(inventory, bearers);
        let humans = persons.iter().map(|person| Human {
            name: person.name.clone(),
            sso: person.sso.iter().cloned().collect(),
            has_profile: false,
        });
        let mut people = People { humans: humans.collect(), whose: BTreeMap::new() };
        let contests = people.claim(persons, &profiles);
        people.join(join, &profiles);
        (people, contests)
    }

    /// Returns the place of the person whose user profile it is.
    pub fn of(&self, domain: &DomainId, user_profile: &UserProfileName) -> Option<usize> {
        self.whose.get(domain)?.get(user_profile).copied()
    }

    /// Returns the name of the person whose user profile it is.
    pub fn name(&self, domain: &DomainId, user_profile: &UserProfileName) -> Option<&str> {
        Some(&self.humans[self.of(domain, user_profile)?].name)
    }

    fn give(
        &mut self,
        (domain, name): (&DomainId, &UserProfileName),
        sso: Option<&str>,
        to: usize,
    ) {
        self.whose.entry(domain.clone()).or_default().insert(name.clone(), to);
        self.humans[to].sso.extend(sso.map(str::to_owned));
        self.humans[to].has_profile = true;
    }

    /// Gives profiles to the people of the configuration: what is listed, then by single sign-on value, then by name.
    fn claim(&mut self, persons: &[Person], profiles: &Profiles<'_>) -> Vec<Contest> {
        let claims: BTreeMap<Claim<'_>, usize> = persons
            .iter()
            .enumerate()
            .flat_map(|(place, person)| person.claims().map(move |claim| (claim, place)))
            .collect();
        let mut contests = Vec::new();
        for ((domain, name), profile) in profiles {
            let text = name.as_str();
            let ways = [
                Some(Claim::Profile(domain.as_str(), text)),
                profile.domain_name.map(|domain| Claim::Profile(domain, text)),
                profile.sso.map(Claim::Sso),
                Some(Claim::Anywhere(text)),
            ];
            let mut found = ways.iter().flatten().filter_map(|claim| claims.get(claim).copied());
            let Some(first) = found.next() else { continue };
            self.give((domain, name), profile.sso, first);
            if let Some(second) = found.find(|place| *place != first) {
                let (domain, user_profile) = ((*domain).clone(), (*name).clone());
                contests.push(Contest { domain, user_profile, persons: [first, second] });
            }
        }
        contests
    }

    /// Joins what nobody of the configuration claims: by single sign-on value where there is one, else by name.
    fn join(&mut self, join: &[Join], profiles: &Profiles<'_>) {
        let free: Vec<_> =
            profiles.iter().filter(|((domain, name), _)| self.of(domain, name).is_none()).collect();
        let sso = |profile: &Profile<'_>| {
            profile.sso.filter(|_| join.contains(&Join::Sso)).map(str::to_owned)
        };
        let mut of_name: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for ((_, name), profile) in &free {
            of_name.entry(name.as_str()).or_default().extend(sso(profile));
        }
        let mut groups: BTreeMap<(Join, String), Vec<_>> = BTreeMap::new();
        for (key, profile) in free {
            let name = key.1.as_str();
            let group = match (sso(profile), &of_name[name]) {
                (Some(value), _) => (Join::Sso, value),
                (None, _) if !join.contains(&Join::Name) => continue,
                // Those of her name who say who they are, are all the same.
                (None, values) if values.len() == 1 => {
                    (Join::Sso, values.first().cloned().unwrap_or_default())
                }
                (None, _) => (Join::Name, name.to_owned()),
            };
            groups.entry(group).or_default().push((*key, profile.sso));
        }
        for ((_, name), profiles) in groups {
            self.humans.push(Human { name, sso: BTreeSet::new(), has_profile: true });
            let to = self.humans.len() - 1;
            for (key, sso) in profiles {
                self.give(key, sso, to);
            }
        }
    }
}

/// Every user profile that was listed, or bears a cost.
fn profiles<'a>(inventory: &'a Inventory, bearers: &'a [Bearer]) -> Profiles<'a> {
    let names: BTreeMap<&DomainId, &str> =
        inventory.domains.iter().map(|domain| (&domain.key.id, domain.name.as_str())).collect();
    let listed = inventory.user_profiles.iter();
    let listed = listed.map(|it| ((&it.domain, &it.name), it.sso_value.as_deref()));
    let seen = bearers.iter().filter_map(|bearer| {
        Some(((&bearer.owner.domain()?.id, bearer.user_profile.as_ref()?), None))
    });
    let mut profiles = Profiles::new();
    for (key, sso) in listed.chain(seen) {
        let sso = sso.filter(|value| !value.is_empty());
        let domain_name = names.get(key.0).copied();
        profiles.entry(key).or_insert(Profile { domain_name, sso });
    }
    profiles
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::inventory::UserProfile;

    fn persons(text: &str) -> Vec<Person> {
        #[derive(Deserialize)]
        struct All {
            person: Vec<toml::Spanned<Person>>,
        }
        let all: All = toml::from_str(text).unwrap();
        let line = |at: usize| u64::try_from(text[..at].matches('\n').count() + 1).unwrap();
        let persons = all.person.into_iter();
        persons.map(|it| Person { line: line(it.span().start), ..it.into_inner() }).collect()
    }

    fn inventory(profiles: &[(&str, &str, &str)]) -> Inventory {
        let profile = |(domain, name, sso): &(&str, &str, &str)| UserProfile {
            domain: DomainId::parse(domain).unwrap(),
            name: UserProfileName::parse(name).unwrap(),
            sso_value: Some((*sso).to_owned()).filter(|sso| !sso.is_empty()),
            execution_role: None,
            tags: BTreeMap::new(),
            last_seen_at: "2026-11-20T08:00:00Z".parse().unwrap(),
            gone_by: None,
        };
        Inventory { user_profiles: profiles.iter().map(profile).collect(), ..Inventory::default() }
    }

    #[test]
    fn what_two_persons_claim_is_refused_with_both_lines() {
        for (first, second, why) in [
            ("sso = 'x'", "sso = 'x'", "line 1 has the single sign-on value `x` already"),
            ("user_profile = 'u'", "user_profile = 'u'", "the user profile `u` of any domain"),
            ("profiles = ['d/u']", "profiles = ['d/u']", "the user profile `d/u` already"),
            ("profiles = ['d/u']", "user_profile = 'u'", "line 5 has the user profile `d/u`"),
            ("sso = 'x'", "profiles = ['u']", "not a user profile, as `domain/name`: `u`"),
            ("sso = 'x'", "", "nothing tells which user profiles are theirs"),
        ] {
            let text =
                format!("[[person]]\nname = 'A'\n{first}\n\n[[person]]\nname = 'B'\n{second}\n");
            let wrong = check(&persons(&text)).unwrap_err();
            assert!(wrong.why.contains(why), "{wrong:?}");
        }
        let twice = "[[person]]\nname = 'A'\nsso = 'x'\n[[person]]\nname = 'A'\nsso = 'y'\n";
        let wrong = check(&persons(twice)).unwrap_err();
        assert_eq!(
            (wrong.line, wrong.why.as_str()),
            (4, "the person on line 1 has the name `A` already")
        );
    }

    #[test]
    fn one_human_has_profiles_in_many_domains() {
        let persons = persons(
            "[[person]]\nname = 'Ana'\nsso = 'ana@x'\nprofiles = ['d-z/old']\n\
             [[person]]\nname = 'Ben'\nuser_profile = 'ben'\n\
             [[person]]\nname = 'Nobody'\nsso = 'gone@x'\n",
        );
        check(&persons).unwrap();
        let inventory = inventory(&[
            ("d-a", "ana", "ana@x"),
            ("d-b", "a-smith", "ana@x"),
            ("d-z", "old", ""),
            ("d-a", "ben", ""),
            ("d-b", "ben", "ana@x"),
            ("d-a", "eve", "eve@x"),
            ("d-b", "eve", ""),
            ("d-a", "mel", "mel-one@x"),
            ("d-b", "mel", "mel-two@x"),
            ("d-c", "mel", ""),
            ("d-d", "mel", ""),
        ]);
        for (join, expected) in [
            (&[][..], "Ana Ana Ana Ben Ana - - - - - -"),
            (&[Join::Sso], "Ana Ana Ana Ben Ana eve@x - mel-one@x mel-two@x - -"),
            (&[Join::Name], "Ana Ana Ana Ben Ana eve eve mel mel mel mel"),
            (
                &[Join::Name, Join::Sso],
                "Ana Ana Ana Ben Ana eve@x eve@x mel-one@x mel-two@x mel mel",
            ),
        ] {
            let (people, contests) = People::new(&persons, join, &inventory, &[]);
            let whose = inventory.user_profiles.iter();
            let whose = whose.map(|it| people.name(&it.domain, &it.name).unwrap_or("-"));
            assert_eq!(whose.collect::<Vec<_>>().join(" "), expected, "{join:?}");
            let contests: Vec<_> =
                contests.iter().map(|it| (it.domain.as_str(), it.persons)).collect();
            assert_eq!(contests, [("d-b", [0, 1])]);
            assert!(!people.humans[2].has_profile);
        }
    }
}
