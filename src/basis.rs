//! Owns bases: who may get a part of a pool in a month, and what each weighs.
//!
//! **Invariant:** weights come from what was billed beside the pools, never from what another rule moved.
//! **Invariant:** a weight that cannot be known is no weight of zero: the basis then says why there is none.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use crate::arn::DomainKey;
use crate::daily::Daily;
use crate::ledger::{Ledger, Line};
use crate::membership::{Membership, Part};
use crate::metric::Metric;
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::pool::{Method, Over, Pool};
use crate::selection::Selector;
use crate::team::TeamName;
use crate::weight;

/// Who can be weighed, over all months.
pub struct Field<'a> {
    ledger: &'a Ledger,
    membership: &'a Membership,
    daily: &'a Daily,
    /// The places of teams as wholes among the owners, by team.
    team_places: Vec<usize>,
    /// The user or shared space that an owner counts to.
    user_of: Vec<Option<usize>>,
    /// The owners of each user, the user profile first.
    users: Vec<Vec<usize>>,
    /// Users and spaces by domain and name, once a file of weights names them.
    named: OnceCell<Named<'a>>,
}

/// Owners by the domain's id or name and their own; nobody where a domain's name is that of several.
type Named<'a> = BTreeMap<(&'a str, Whom, &'a str), usize>;

/// What a month billed beside the pools.
pub struct Billed<'a> {
    month: Month,
    lines: Vec<&'a Line>,
    has_lines: Vec<bool>,
}

/// What each possible target of a pool weighs in a month.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Basis {
    /// Owners in the order of their places, each with its weight: zero for who may have a part and weighs nothing.
    pub weights: Vec<(usize, Money)>,
    /// Who would weigh less than nothing, and counts as zero.
    pub negative: BTreeMap<usize, Money>,
    /// Why no weight is known at all.
    pub lacking: Option<&'static str>,
    /// Lines of the pool's file that name nobody who can have a part.
    pub unknown: Vec<u64>,
    /// Lines of it that weigh whom an earlier one weighs under the domain's other name, and do not count.
    pub again: Vec<u64>,
}

impl<'a> Field<'a> {
    /// Finds users and shared spaces among the owners.
    pub fn new(
        ledger: &'a Ledger,
        membership: &'a Membership,
        daily: &'a Daily,
        team_places: Vec<usize>,
    ) -> Field<'a> {
        type User<'b> = (&'b DomainKey, Result<&'b str, usize>);
        let mut numbers: BTreeMap<User<'_>, usize> = BTreeMap::new();
        let mut users: Vec<Vec<usize>> = Vec::new();
        let mut user_of = Vec::with_capacity(ledger.bearers.len());
        for (place, bearer) in ledger.bearers.iter().enumerate() {
            let user = match (&bearer.owner, &bearer.user_profile) {
                (Owner::UserProfile(domain, _) | Owner::Space(domain, _), Some(name)) => {
                    Some((domain, Ok(name.as_str())))
                }
                (Owner::Space(domain, _), None) => Some((domain, Err(place))),
                _ => None,
            };
            let number = user.map(|user| {
                *numbers.entry(user).or_insert_with(|| {
                    users.push(Vec::new());
                    users.len() - 1
                })
            });
            if let Some(number) = number {
                match bearer.owner {
                    Owner::UserProfile(..) => users[number].insert(0, place),
                    _ => users[number].push(place),
                }
            }
            user_of.push(number);
        }
        let named = OnceCell::new();
        Field { ledger, membership, daily, team_places, user_of, users, named }
    }

    /// Takes in what a month billed beside the pools.
    pub fn billed<'b>(&self, month: Month, lines: Vec<&'b Line>) -> Billed<'b> {
        let mut has_lines = vec![false; self.ledger.bearers.len()];
        for line in &lines {
            has_lines[line.bearer] = true;
        }
        Billed { month, lines, has_lines }
    }

    /// Weighs who may have a part of a pool.
    pub fn weigh(&self, billed: &Billed<'_>, pool: &Pool, by: &Selector, metric: Metric) -> Basis {
        let metric = pool.metric.unwrap_or(metric);
        let mut slots: Vec<Option<Money>> = vec![None; self.slot_count(pool.over())];
        self.for_each_billed(billed, pool.over(), |slot, _| slots[slot] = Some(Money::ZERO));
        let mut basis = Basis::default();
        match pool.method.expect("only what is split is weighed") {
            Method::Even => slots.iter_mut().flatten().for_each(|it| *it = Money::from_cents(100)),
            Method::Proportional => {
                if self.cost(billed, pool.over(), by, metric, &mut slots).is_none() {
                    basis.lacking = Some("the metric of the weights was not delivered");
                }
            }
            Method::Fixed => {
                for (team, share) in &pool.shares {
                    slots[self.team(team)] = Some(*share);
                }
            }
            Method::Weights => self.file(billed, pool, &mut slots, &mut basis),
            Method::ActiveDays => {
                basis.lacking = self.days(billed, pool.over(), metric, &mut slots);
            }
            // What is kept is not weighed.
            Method::Keep => {}
        }
        for (slot, weight) in slots.into_iter().enumerate() {
            let Some(weight) = weight else { continue };
            let place = self.place(billed, pool.over(), slot);
            if weight < Money::ZERO {
                basis.negative.insert(place, weight);
            }
            let known = if basis.lacking.is_some() { Money::ZERO } else { weight };
            basis.weights.push((place, known.max(Money::ZERO)));
        }
        basis.weights.sort_unstable();
        basis
    }

    fn slot_count(&self, over: Over) -> usize {
        match over {
            Over::Teams => self.team_places.len(),
            Over::Owners => self.ledger.bearers.len(),
            Over::Users => self.users.len(),
        }
    }

    /// Tells the owner that a slot's part goes to: of a user the profile where it was billed, else the first billed space.
    fn place(&self, billed: &Billed<'_>, over: Over, slot: usize) -> usize {
        match over {
            Over::Teams => self.team_places[slot],
            Over::Owners => slot,
            Over::Users => {
                let owners = &self.users[slot];
                *owners.iter().find(|owner| billed.has_lines[**owner]).unwrap_or(&owners[0])
            }
        }
    }

    fn team(&self, name: &TeamName) -> usize {
        self.membership.teams.binary_search(name).expect("every team is in the membership")
    }

    /// Calls with each slot that each owner billed beside the pools counts to, and the owner.
    fn for_each_billed(&self, billed: &Billed<'_>, over: Over, mut call: impl FnMut(usize, usize)) {
        let owners = billed.has_lines.iter().enumerate().filter(|(_, has_lines)| **has_lines);
        for (owner, _) in owners {
            match over {
                Over::Teams => {
                    let parts = self.membership.of(billed.month, owner);
                    // In days that cost nothing the owner was in a team, and nothing was billed to it.
                    let is_billed = |part: &&Part| part.weight.is_none_or(|it| !it.is_zero());
                    let teams = parts.iter().filter(is_billed).filter_map(|it| it.team);
                    teams.for_each(|team| call(team, owner));
                }
                Over::Owners => {
                    let is_nobody = matches!(
                        self.ledger.bearers[owner].owner,
                        Owner::Unattributed | Owner::Pool(_) | Owner::Team(_)
                    );
                    if !is_nobody {
                        call(owner, owner);
                    }
                }
                Over::Users => self.user_of[owner].into_iter().for_each(|user| call(user, owner)),
            }
        }
    }

    /// Sums what each slot was billed on the lines that match; absent where one lacks the metric.
    fn cost(
        &self,
        billed: &Billed<'_>,
        over: Over,
        by: &Selector,
        metric: Metric,
        slots: &mut [Option<Money>],
    ) -> Option<()> {
        let mut add = |slot: usize, money: Option<Money>| {
            if let Some(sum) = &mut slots[slot] {
                *sum += money?;
            }
            Some(())
        };
        for line in billed.lines.iter().filter(|line| by.takes(line)) {
            let money = line.amounts.get(metric);
            match over {
                Over::Owners => add(line.bearer, money)?,
                Over::Users => {
                    if let Some(user) = self.user_of[line.bearer] {
                        add(user, money)?;
                    }
                }
                Over::Teams => match self.membership.of(billed.month, line.bearer) {
                    [] => {}
                    [only] => only.team.map_or(Some(()), |team| add(team, money))?,
                    several => {
                        let weights: Vec<Money> =
                            several.iter().map(|it| it.weight.unwrap_or_default()).collect();
                        let split = money?.split(&weights).expect("an owner's parts have weight");
                        for (part, money) in several.iter().zip(split) {
                            part.team.map_or(Some(()), |team| add(team, Some(money)))?;
                        }
                    }
                },
            }
        }
        Some(())
    }

    /// Takes the weights of the pool's file, and the lines that do not count.
    fn file(
        &self,
        billed: &Billed<'_>,
        pool: &Pool,
        slots: &mut [Option<Money>],
        basis: &mut Basis,
    ) {
        let over = pool.over();
        let find = |domain: &str, whom, name: &str| {
            self.named.get_or_init(|| self.named()).get(&(domain, whom, name)).copied()
        };
        let mut rows: Vec<_> = pool.weights.of(billed.month).collect();
        rows.sort_by_key(|(_, entry)| entry.line);
        let mut seen = BTreeSet::new();
        for (named, entry) in rows {
            let slot = match named {
                weight::Named::Team(team) => Some(self.team(team)),
                weight::Named::UserProfile(domain, name) => find(domain, Whom::User, name.as_str()),
                weight::Named::Space(domain, name) => find(domain, Whom::Space, name.as_str()),
            };
            let is_space = matches!(named, weight::Named::Space(..));
            if slot.is_some_and(|slot| !seen.insert((is_space, slot))) {
                basis.again.push(entry.line);
                continue;
            }
            let slot = match (over, slot) {
                // A user is weighed as an owner by the one that a part of the user would go to.
                (Over::Owners, Some(owner)) if matches!(named, weight::Named::UserProfile(..)) => {
                    let user =
                        self.user_of[owner].expect("a user profile's owner counts to a user");
                    Some(self.place(billed, Over::Users, user))
                }
                (Over::Users, Some(owner)) => self.user_of[owner],
                (_, slot) => slot,
            };
            match slot {
                // A user and one of the user's own spaces may both be named.
                Some(slot) => {
                    slots[slot] = Some(slots[slot].unwrap_or_default() + entry.weight);
                }
                None => basis.unknown.push(entry.line),
            }
        }
    }

    /// Finds users and spaces by name.
    fn named(&self) -> Named<'a> {
        let ledger = self.ledger;
        let mut domains: BTreeMap<&str, BTreeSet<&DomainKey>> = BTreeMap::new();
        for bearer in &ledger.bearers {
            if let (Some(name), Some(domain)) = (&bearer.domain_name, bearer.owner.domain()) {
                domains.entry(name).or_default().insert(domain);
            }
        }
        let mut named = Named::new();
        for (place, bearer) in ledger.bearers.iter().enumerate() {
            let Some(domain) = bearer.owner.domain() else { continue };
            let name = bearer.domain_name.as_deref().filter(|name| domains[name].len() == 1);
            for domain in [Some(domain.id.as_str()), name].into_iter().flatten() {
                if let Owner::Space(_, space) = &bearer.owner {
                    named.insert((domain, Whom::Space, space.as_str()), place);
                }
                if let Some(user) = &bearer.user_profile {
                    named.entry((domain, Whom::User, user.as_str())).or_insert(place);
                }
            }
        }
        named
    }

    /// Counts the days on which any owner of a slot cost more than nothing; says why where they are not known.
    fn days(
        &self,
        billed: &Billed<'_>,
        over: Over,
        metric: Metric,
        slots: &mut [Option<Money>],
    ) -> Option<&'static str> {
        let mut active: Vec<u32> = vec![0; slots.len()];
        let mut lacking = None;
        self.for_each_billed(billed, over, |slot, owner| {
            let Some(days) = self.daily.of(&self.ledger.bearers[owner].owner, billed.month) else {
                lacking = Some("the month was not read day by day");
                return;
            };
            let parts = self.membership.of(billed.month, owner);
            let is_member = |day| {
                over != Over::Teams
                    || parts.iter().any(|it| it.team == Some(slot) && it.days.contains(day))
            };
            for (day, amounts) in days {
                match amounts.get(metric) {
                    None => lacking = Some("the metric of the weights was not delivered by day"),
                    Some(money) if money > Money::ZERO && is_member(day) => {
                        active[slot] |= 1 << (day.day() - 1);
                    }
                    Some(_) => {}
                }
            }
        });
        for (slot, days) in slots.iter_mut().zip(active) {
            if let Some(weight) = slot {
                *weight = Money::from_cents(i128::from(days.count_ones()) * 100);
            }
        }
        lacking
    }
}

/// What a name in a file of weights is the name of.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Whom {
    User,
    Space,
}
