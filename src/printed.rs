//! Owns how the cents of a printed figure came about: each level at which a whole's cents were handed to its parts.
//!
//! **Invariant:** the cents are those that statements print; what statements do not print has none here.

use crate::explanation::Handed;
use crate::figure::{self, Figure};
use crate::inquiry::Inquiry;
use crate::money::{Money, UNITS_PER_CENT};
use crate::owner::Owner;
use crate::report::{NO_TEAM, Report};

/// What stands beside one another at a level: each with its exact amount and its cents, in order.
struct Branches<K> {
    of: Vec<(K, Money, i128)>,
}

/// Returns the levels from the month down to what is asked; none where statements print no such figure.
pub fn trace(report: &Report<'_>, inquiry: &Inquiry) -> Vec<Handed> {
    let is_printed = Inquiry { team: None, without_team: false, owner: None, ..inquiry.clone() }
        == Inquiry::default();
    let Some(figures) = figure::of(report).filter(|_| is_printed) else { return Vec::new() };
    let month = branch(&figures, |_| ());
    let Some(((), exact, cents)) = month.of.first() else { return Vec::new() };
    let mut levels = vec![Handed {
        of: format!("{}", report.month),
        exact: *exact,
        floor: floor(*exact),
        cents: Money::from_cents(*cents),
        because: "rounded half to even".to_owned(),
    }];
    let owner = |figure: &&Figure| owner(report, figure);
    let is_asked = |figure: &Figure| {
        inquiry.owner.as_ref().is_none_or(|asked| *asked == owner(&figure).to_string())
    };
    let name = |team: Option<usize>| {
        let team = team.map(|team| report.charges.membership.teams[team].to_string());
        team.unwrap_or_else(|| NO_TEAM.to_owned())
    };
    let is_team = |team: Option<usize>| match &inquiry.team {
        Some(asked) => team.is_some() && name(team) == *asked,
        None => !inquiry.without_team || team.is_none(),
    };
    let teams = branch(&figures, |figure| figure.team);
    let mut asked: Vec<Option<usize>> =
        figures.iter().filter(|it| is_asked(it)).map(|it| it.team).collect();
    asked.retain(|team| is_team(*team));
    asked.dedup();
    if *inquiry == Inquiry::default() {
        return levels;
    }
    // Of an owner of several teams no one figure is printed.
    let [team] = asked.as_slice() else { return Vec::new() };
    levels.extend(teams.hand(*cents, |it| it == team, &name(*team)));
    if let Some(path) = &inquiry.owner {
        let of_team: Vec<Figure> =
            figures.into_iter().filter(|figure| figure.team == *team).collect();
        let whole = of_team.iter().map(|figure| figure.amount.cents).sum();
        let owners = branch(&of_team, |figure| figure.bearer);
        let bearer = of_team.iter().find(|it| is_asked(it)).map(|it| it.bearer);
        levels.extend(owners.hand(whole, |it| Some(*it) == bearer, path));
    }
    levels
}

fn owner<'a>(report: &'a Report<'_>, figure: &Figure) -> &'a Owner {
    &report.charges.bearers[figure.bearer].owner
}

fn floor(exact: Money) -> Money {
    Money::from_cents(exact.units().div_euclid(UNITS_PER_CENT))
}

/// Groups figures that follow one another by a key.
fn branch<K: PartialEq>(figures: &[Figure], key: impl Fn(&Figure) -> K) -> Branches<K> {
    let mut of: Vec<(K, Money, i128)> = Vec::new();
    for figure in figures {
        let (key, amount) = (key(figure), figure.amount);
        match of.last_mut().filter(|last| last.0 == key) {
            Some(last) => {
                last.1 += amount.exact;
                last.2 += amount.cents;
            }
            None => of.push((key, amount.exact, amount.cents)),
        }
    }
    Branches { of }
}

impl<K> Branches<K> {
    /// Tells how one branch got its cents of the whole's.
    fn hand(&self, whole_cents: i128, is_it: impl Fn(&K) -> bool, name: &str) -> Option<Handed> {
        let place = self.of.iter().position(|branch| is_it(&branch.0))?;
        let remainder = |exact: Money| exact - floor(exact);
        let (_, exact, cents) = &self.of[place];
        let floors: Money = self.of.iter().map(|branch| floor(branch.1)).sum();
        let left = Money::from_cents(whole_cents) - floors;
        let mine = remainder(*exact);
        let is_before = |(index, branch): &(usize, &(K, Money, i128))| {
            let other = remainder(branch.1);
            other > mine || (other == mine && *index < place)
        };
        let rank = self.of.iter().enumerate().filter(is_before).count() + 1;
        let count = self.of.len();
        let given =
            if Money::from_cents(*cents) == floor(*exact) { "gets none" } else { "gets one" };
        let because = format!(
            "the cents below the {count} parts are short of {} by {left}, a cent each to the largest \
             remainders; this one, {mine}, is number {rank} and {given}",
            Money::from_cents(whole_cents)
        );
        Some(Handed {
            of: name.to_owned(),
            exact: *exact,
            floor: floor(*exact),
            cents: Money::from_cents(*cents),
            because,
        })
    }
}
