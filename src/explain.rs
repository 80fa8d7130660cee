//! Owns explaining: from a figure down to each line, rule, weight and rounding, and to the request behind it.
//!
//! **Invariant:** what an explanation says sums to the figure exactly, and every balance in it to what was moved.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::charge::{Cause, Charge, Charges};
use crate::explanation::{
    Balance, Billed, Explanation, Figure, Moved, Rule, SCHEMA, Share, Step, Sum, Target,
};
use crate::feed::{self, Fed, Feed};
use crate::inquiry::Inquiry;
use crate::ledger::{Line, Reason};
use crate::metric::Amounts;
use crate::money::Money;
use crate::origin::{self, Origins};
use crate::printed;
use crate::report::Report;
use crate::why;

/// A figure that nothing stands under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nothing {
    /// What may be asked instead.
    pub hints: Vec<String>,
}

/// A charge, and which of its owner's parts of the month it is.
struct Found {
    charge: Charge,
    part: usize,
}

/// What an explanation is made from.
struct Ground<'a> {
    report: &'a Report<'a>,
    origins: Origins,
    /// What each balance was fed by, by the places of its spread and of itself.
    feeds: BTreeMap<(usize, usize), Feed>,
}

/// Explains what an inquiry asks of the report's month.
pub fn explain(report: &Report<'_>, inquiry: &Inquiry) -> Result<Explanation, Nothing> {
    let (charges, manifest) = (report.charges, &report.snapshot.manifest);
    let found = find(report, inquiry);
    if found.is_empty() {
        return Err(Nothing { hints: inquiry.hints(charges, report.month) });
    }
    let moved = found.iter().filter_map(|found| match found.charge.cause {
        Cause::Out { spread, balance } | Cause::In { spread, balance, .. } => {
            Some((spread, balance))
        }
        Cause::Billed { .. } | Cause::Outside { .. } => None,
    });
    let feeds = feed::trace(charges, moved.collect());
    let lines = found.iter().filter_map(|found| match found.charge.cause {
        Cause::Billed { line } => Some(line),
        _ => None,
    });
    let lines: BTreeSet<usize> =
        lines.chain(feeds.values().flat_map(|feed| feed.lines.iter().copied())).collect();
    let origins =
        Origins::find(report.snapshot, report.ledger, report.month, &lines, report.metric);
    let ground = Ground { report, origins, feeds };
    let shares = ground.shares(&found);
    let total: Amounts = shares.iter().map(|share| &share.sum.amounts).sum();
    let sum_of = |is_billed: bool| {
        let amounts = found.iter().filter(|found| found.charge.cause.is_billed() == is_billed);
        let amounts: Amounts = amounts.map(|found| &found.charge.amounts).sum();
        amounts.get(report.metric)
    };
    let parts = [sum_of(true), sum_of(false)];
    let handed = printed::trace(report, inquiry);
    let figure = Figure::new(Sum::new(total, report.metric), parts, handed);
    let balances: Vec<Balance> =
        ground.feeds.iter().map(|(place, feed)| ground.balance(*place, feed)).collect();
    let cited = origin::cited(&shares, &balances);
    Ok(Explanation {
        schema: SCHEMA,
        asked: inquiry.clone(),
        month: report.month,
        metric: report.metric,
        currency: manifest.currency.clone(),
        snapshot: manifest.id.clone(),
        taken_at: manifest.taken_at,
        figure,
        rules: ground.rules(),
        requests: origin::requests(report.snapshot, &cited),
        shares,
        balances,
    })
}

/// Returns the charges that are asked for, each with the part of its owner's month that it is.
fn find(report: &Report<'_>, inquiry: &Inquiry) -> Vec<Found> {
    let mut last: Option<(usize, Cause)> = None;
    let mut part = 0;
    let mut found = Vec::new();
    for charge in report.charges.of_month(report.month) {
        // The parts of one amount follow one another.
        let this = (charge.bearer, charge.cause);
        part = if last == Some(this) { part + 1 } else { 0 };
        last = Some(this);
        if inquiry.matches(report.charges, &charge) {
            found.push(Found { charge, part });
        }
    }
    found
}

/// The key that puts the largest amount first, whatever its sign.
fn by_size(sum: &Sum) -> Reverse<Option<Money>> {
    Reverse(sum.amount.map(Money::abs))
}

impl Ground<'_> {
    fn charges(&self) -> &Charges<'_> {
        self.report.charges
    }

    /// The name of a rule in the explanation: its place in the month, from 1.
    fn rule_id(&self, spread: usize) -> String {
        let spreads = &self.charges().allocation.spreads[..spread];
        let before = spreads.iter().filter(|spread| spread.month == self.report.month).count();
        (before + 1).to_string()
    }

    fn balance_id(&self, (spread, balance): (usize, usize)) -> String {
        format!("{}.{}", self.rule_id(spread), balance + 1)
    }

    fn text(&self, number: u32) -> String {
        self.report.ledger.names.text(number).to_owned()
    }

    fn owner(&self, bearer: usize) -> String {
        self.charges().bearers[bearer].owner.to_string()
    }

    fn sum(&self, amounts: &Amounts) -> Sum {
        Sum::new(*amounts, self.report.metric)
    }

    /// What each owner and team have, largest first.
    fn shares(&self, found: &[Found]) -> Vec<Share> {
        let mut groups: BTreeMap<(usize, Option<usize>), Vec<&Found>> = BTreeMap::new();
        for found in found {
            groups.entry((found.charge.bearer, found.charge.team)).or_default().push(found);
        }
        let mut shares: Vec<Share> =
            groups.into_iter().map(|((bearer, _), found)| self.share(bearer, &found)).collect();
        shares.sort_by_key(|share| by_size(&share.sum));
        shares
    }

    fn share(&self, place: usize, found: &[&Found]) -> Share {
        let charges = self.charges();
        let bearer = &charges.bearers[place];
        let mut billed: Vec<Billed> = Vec::new();
        let mut moved: Vec<Moved> = Vec::new();
        for found in found {
            match found.charge.cause {
                Cause::Billed { .. } | Cause::Outside { .. } => billed.push(self.billed(found)),
                Cause::Out { spread, balance } => {
                    moved.push(self.moved(found, (spread, balance), None));
                }
                Cause::In { spread, balance, target } => {
                    moved.push(self.moved(found, (spread, balance), Some(target)));
                }
            }
        }
        billed.sort_by_key(|billed| by_size(&billed.sum));
        moved.sort_by_key(|moved| by_size(&moved.sum));
        let total: Amounts = found.iter().map(|found| &found.charge.amounts).sum();
        let records = billed.iter().flat_map(|billed| &billed.records);
        let owner_because = why::owner(self.report, bearer, records);
        let (team_because, team_parts) = why::team(charges, self.report.month, place);
        let is_weighed = team_parts.len() > 1
            && !charges.membership.by_days.contains_key(&(self.report.month, place));
        let weight_requests =
            origin::of_days(self.report.snapshot, self.report.month).filter(|_| is_weighed);
        let domain = bearer.owner.domain();
        Share {
            owner: bearer.owner.to_string(),
            account: domain.map(|domain| domain.account.to_string()),
            region: domain.map(|domain| domain.region.clone()),
            domain_name: bearer.domain_name.clone(),
            user_profile: bearer.user_profile.as_ref().map(ToString::to_string),
            team: charges.team(&found[0].charge).map(ToString::to_string),
            sum: self.sum(&total),
            owner_because,
            team_because,
            team_parts,
            weight_requests: weight_requests.collect(),
            billed,
            moved,
        }
    }

    /// The step by which an owner that changed teams had an amount split over its parts of the month.
    fn team_step(&self, found: &Found, whole: &Amounts) -> Option<Step> {
        let charge = &found.charge;
        let parts = self.charges().membership.of(charge.month, charge.bearer);
        if parts.len() < 2 {
            return None;
        }
        let weight = |part: &crate::membership::Part| part.weight.unwrap_or(Money::ZERO);
        let part = &parts[found.part];
        let by = format!("weight of {} in the owner's month", part.days);
        let total = parts.iter().map(weight).sum();
        let both = [whole, &charge.amounts];
        Some(Step::new(by, both, weight(part), total, self.report.metric))
    }

    fn billed(&self, found: &Found) -> Billed {
        let charge = &found.charge;
        match charge.cause {
            Cause::Billed { line } => {
                let whole = &self.report.ledger.lines[line];
                let steps = self.team_step(found, &whole.amounts).into_iter().collect();
                let usage = charge.usage;
                Billed {
                    sum: self.sum(&charge.amounts),
                    usage: usage.map(Money::from_units),
                    steps,
                    ..self.line(line)
                }
            }
            Cause::Outside { index } => {
                let whole = self.charges().allocation.outside[index].amounts;
                let steps = self.team_step(found, &whole);
                let mut billed = self.outside(index);
                billed.steps.extend(steps);
                Billed { sum: self.sum(&charge.amounts), ..billed }
            }
            Cause::Out { .. } | Cause::In { .. } => {
                unreachable!("only what was billed is asked for")
            }
        }
    }

    /// A line as a whole.
    fn line(&self, index: usize) -> Billed {
        let ledger = self.report.ledger;
        let line: &Line = &ledger.lines[index];
        let control = origin::compare(self.report.snapshot, ledger, index, self.report.metric);
        let kind = match (&control, line.reason) {
            (Some(_), Some(Reason::NotRead)) => "not_read",
            (Some(_), _) => "residual",
            (None, _) => "line",
        };
        Billed {
            kind,
            service: self.text(line.service),
            component: line.component.name(),
            usage_type: Some(self.text(line.usage_type)).filter(|text| !text.is_empty()),
            record_type: self.text(line.record_type),
            billed_account: line.billed_account.map(|account| self.text(account)),
            reason: line.reason.map(Reason::name),
            usage: line.usage.map(Money::from_units),
            usage_unit: line.usage_unit.map(|unit| self.text(unit)),
            estimated: line.estimated,
            sum: self.sum(&line.amounts),
            steps: Vec::new(),
            records: self.origins.of(index).to_vec(),
            control,
            requests: Vec::new(),
            because: why::reason(line.reason).into_iter().collect(),
        }
    }

    /// SageMaker's share of what lies outside the scope, as a whole.
    fn outside(&self, index: usize) -> Billed {
        let share = &self.charges().allocation.outside[index];
        Billed {
            kind: "outside",
            service: self.text(share.service),
            component: share.component.name(),
            usage_type: None,
            record_type: self.text(share.record_type),
            billed_account: None,
            reason: None,
            usage: None,
            usage_unit: None,
            estimated: share.estimated,
            sum: self.sum(&share.amounts),
            steps: vec![feed::outside_step(share, self.report.metric)],
            records: Vec::new(),
            control: None,
            requests: origin::of_outside(self.report.snapshot, share.month),
            because: vec!["SageMaker's share of what the bill has outside the scope".to_owned()],
        }
    }

    /// What left a balance, or what a target got of it.
    fn moved(&self, found: &Found, place: (usize, usize), target: Option<usize>) -> Moved {
        let whole = match target {
            None => self.charges().allocation.spreads[place.0].balances[place.1].amounts.negated(),
            Some(_) if self.is_whole(found) => found.charge.amounts,
            Some(target) => feed::part(self.charges(), place, target),
        };
        let mut steps: Vec<Step> = Vec::new();
        steps.extend(target.map(|target| self.target_step(place, target, &whole)));
        steps.extend(self.team_step(found, &whole));
        self.move_of(place, target.is_some(), &found.charge.amounts, steps)
    }

    /// Whether an owner was in one team all the month, so that its charges are not split.
    fn is_whole(&self, found: &Found) -> bool {
        self.charges().membership.of(found.charge.month, found.charge.bearer).len() < 2
    }

    fn target_step(
        &self,
        (spread, balance): (usize, usize),
        target: usize,
        part: &Amounts,
    ) -> Step {
        let spread = &self.charges().allocation.spreads[spread];
        let total = spread.targets.iter().map(|target| target.weight).sum();
        let by = format!("weight of {}", self.owner(spread.targets[target].bearer));
        let both = [&spread.balances[balance].amounts, part];
        Step::new(by, both, spread.targets[target].weight, total, self.report.metric)
    }

    fn move_of(
        &self,
        place: (usize, usize),
        is_in: bool,
        amounts: &Amounts,
        steps: Vec<Step>,
    ) -> Moved {
        let spread = &self.charges().allocation.spreads[place.0];
        let balance = &spread.balances[place.1];
        Moved {
            direction: if is_in { "in" } else { "out" },
            pool: self.charges().pools[spread.pool].name.clone(),
            rule: self.rule_id(place.0),
            balance: self.balance_id(place),
            record_type: self.text(balance.record_type),
            component: balance.component.name(),
            sum: self.sum(amounts),
            steps,
        }
    }

    fn balance(&self, place: (usize, usize), feed: &Feed) -> Balance {
        let spread = &self.charges().allocation.spreads[place.0];
        let balance = &spread.balances[place.1];
        let lines = feed.lines.iter().map(|line| self.line(*line));
        let outside = feed.outside.iter().map(|index| self.outside(*index));
        let mut billed: Vec<Billed> = lines.chain(outside).collect();
        billed.sort_by_key(|billed| by_size(&billed.sum));
        let mut moved: Vec<Moved> = feed.fed.iter().map(|it| self.fed(it)).collect();
        moved.sort_by_key(|moved| by_size(&moved.sum));
        Balance {
            id: self.balance_id(place),
            rule: self.rule_id(place.0),
            pool: self.charges().pools[spread.pool].name.clone(),
            owner: self.owner(balance.from),
            service: self.text(balance.service),
            component: balance.component.name(),
            record_type: self.text(balance.record_type),
            billed_account: balance.billed_account.map(|account| self.text(account)),
            reason: balance.reason.map(Reason::name),
            estimated: balance.estimated,
            sum: self.sum(&balance.amounts),
            billed,
            fed: moved,
        }
    }

    fn fed(&self, fed: &Fed) -> Moved {
        let step = self.target_step(fed.place, fed.target, &fed.amounts);
        self.move_of(fed.place, true, &fed.amounts, vec![step])
    }

    fn rules(&self) -> Vec<Rule> {
        let spreads: BTreeSet<usize> = self.feeds.keys().map(|(spread, _)| *spread).collect();
        let rule = |place: usize| {
            let spread = &self.charges().allocation.spreads[place];
            let pool = &self.charges().pools[spread.pool];
            let target = |target: &crate::allocate::Target| Target {
                owner: self.owner(target.bearer),
                weight: target.weight,
            };
            Rule {
                id: self.rule_id(place),
                pool: pool.name.clone(),
                because: why::rule(pool, self.report),
                weight_total: spread.targets.iter().map(|target| target.weight).sum(),
                targets: spread.targets.iter().map(target).collect(),
            }
        };
        spreads.into_iter().map(rule).collect()
    }
}
