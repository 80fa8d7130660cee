//! Owns the one computation behind every answer: the bill, filtered, grouped and summed by period.
//!
//! **Invariant:** the groups of a period sum to its total exactly.

use std::collections::BTreeMap;

use serde_json::Value;

use super::dimension::Dimension;
use super::expression::{Expression, TagKeys, tag_value};
use crate::period::{Month, Period};
use crate::sandbox::bill::{Charge, Metric, Stretch, Text};
use crate::sandbox::wire::{Caller, Refusal};
use crate::sandbox::world::World;

/// One of at most two keys to group by.
#[derive(Debug)]
pub(super) enum Group {
    /// By dimension.
    Dimension(Dimension),
    /// By the value of a tag.
    Tag { slot: usize, key: String },
    /// By a cost category; nobody has defined one.
    Category { name: String },
}

/// What is asked of the bill.
#[derive(Debug)]
pub(super) struct Query {
    /// The only account to see, for a member.
    pub(super) account: Option<String>,
    /// The filter.
    pub(super) filter: Option<Expression>,
    /// The grouping.
    pub(super) groups: Vec<Group>,
    /// The tag keys that filter and groups name.
    pub(super) keys: TagKeys,
    /// The buckets, in order.
    pub(super) periods: Vec<Period>,
    /// Whether the buckets are months; tax shows in no other.
    pub(super) monthly: bool,
}

/// The sums of a group in a period.
#[derive(Clone, Debug, Default)]
pub(super) struct Sums {
    /// One for each metric: 10⁻¹⁰ currency, or 10⁻⁶ units.
    pub(super) amounts: [i128; 7],
    unit: Option<Text>,
    mixed: bool,
}

/// The sums of one period.
#[derive(Debug)]
pub(super) struct Slot {
    /// The bucket.
    pub(super) period: Period,
    /// The groups that are not zero, ordered by their keys.
    pub(super) rows: Vec<([u32; 2], Sums)>,
    /// The sum of all.
    pub(super) total: Sums,
}

/// The answer to a query.
#[derive(Debug)]
pub(super) struct Sheet {
    /// The values that the rows' numbers stand for.
    pub(super) names: Vec<String>,
    /// One for each bucket.
    pub(super) slots: Vec<Slot>,
}

/// A run of days of one bucket on which the same tag keys were active.
struct Cut {
    slot: u32,
    stretch: Stretch,
    mask: u64,
}

impl Query {
    /// Makes a query from a caller's filter and grouping.
    pub(super) fn new(
        world: &World,
        caller: &Caller,
        filter: Option<&Value>,
        group_by: Option<&Value>,
    ) -> Result<Query, Refusal> {
        let member = caller.account != world.organisation.payer;
        let mut keys = TagKeys::default();
        let filter = match filter {
            Some(value) if !value.is_null() => Some(Expression::parse(value, &mut keys)?),
            _ => None,
        };
        let groups = group_by.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if groups.len() > 2 {
            return Err(Refusal::invalid("Number of GroupBy definitions exceeds the limit of 2"));
        }
        let groups =
            groups.iter().map(|group| Group::parse(group, &mut keys)).collect::<Result<_, _>>()?;
        Ok(Query {
            account: member.then(|| caller.account.clone()),
            filter,
            groups,
            keys,
            periods: Vec::new(),
            monthly: true,
        })
    }

    /// Computes the answer from the bill as it is visible now.
    pub(super) fn run(&self, world: &World) -> Sheet {
        let cuts = self.cuts(world);
        let mut names = Names::default();
        let mut sums: BTreeMap<(u32, [u32; 2]), Sums> = BTreeMap::new();
        let with_tax =
            self.monthly && self.filter.as_ref().is_none_or(Expression::is_by_account_only);
        for charge in &world.bill.charges {
            let foreign = self.account.as_deref().is_some_and(|it| it != &*charge.meter.account);
            if foreign || (!with_tax && &*charge.meter.record_type == "Tax") {
                continue;
            }
            let mut decided: Option<(u64, Option<[u32; 2]>)> = None;
            for cut in &cuts {
                let quantity = charge.quantity(cut.stretch);
                if quantity == 0 {
                    continue;
                }
                let group = match decided {
                    Some((mask, group)) if mask == cut.mask => group,
                    _ => self.group(charge, cut.mask, &mut names),
                };
                decided = Some((cut.mask, group));
                if let Some(group) = group {
                    sums.entry((cut.slot, group)).or_default().add(charge, quantity);
                }
            }
        }
        self.sheet(names, sums)
    }

    fn group<'a>(&self, charge: &'a Charge, mask: u64, names: &mut Names<'a>) -> Option<[u32; 2]> {
        if self.filter.as_ref().is_some_and(|filter| !filter.matches(charge, mask)) {
            return None;
        }
        let mut ids = [0, 0];
        for (id, group) in ids.iter_mut().zip(&self.groups) {
            *id = names.id(match group {
                Group::Dimension(dimension) => dimension.value(charge),
                Group::Tag { slot, key } => tag_value(charge, *slot, key, mask),
                Group::Category { .. } => "",
            });
        }
        Some(ids)
    }

    fn cuts(&self, world: &World) -> Vec<Cut> {
        let visible_end = world.visible_end();
        let mask_of = |day| {
            let active = |(_, key): &(usize, &String)| world.is_active(key, day);
            let keys = self.keys.0.iter().enumerate().filter(active);
            keys.fold(0, |mask: u64, (slot, _)| mask | 1 << slot)
        };
        let mut cuts = Vec::new();
        for (slot, period) in (0..).zip(&self.periods) {
            let end = period.end.min(visible_end);
            let mut start = period.start;
            while start < end {
                let mask = mask_of(start);
                let run = Period { start, end };
                let stop = if self.keys.0.is_empty() {
                    end
                } else {
                    run.days().find(|day| mask_of(*day) != mask).unwrap_or(end)
                };
                let stretch = Stretch::of(Period { start, end: stop });
                cuts.push(Cut { slot, stretch, mask });
                start = stop;
            }
        }
        cuts
    }

    fn sheet(&self, names: Names<'_>, sums: BTreeMap<(u32, [u32; 2]), Sums>) -> Sheet {
        let ranks = names.ranks();
        let rank = |id: u32| usize::try_from(id).ok().and_then(|id| ranks.get(id).copied());
        let slot =
            |period: &Period| Slot { period: *period, rows: Vec::new(), total: Sums::default() };
        let mut slots: Vec<Slot> = self.periods.iter().map(slot).collect();
        for ((at, group), sums) in sums {
            let slot = &mut slots[usize::try_from(at).expect("slots are few")];
            slot.total.merge(&sums);
            if sums.amounts.iter().any(|amount| *amount != 0) {
                slot.rows.push((group, sums));
            }
        }
        for slot in &mut slots {
            slot.rows.sort_by_key(|(group, _)| group.map(rank));
        }
        Sheet { names: names.list.into_iter().map(str::to_owned).collect(), slots }
    }
}

impl Group {
    fn parse(value: &Value, keys: &mut TagKeys) -> Result<Group, Refusal> {
        let text = |field| value.get(field).and_then(Value::as_str).unwrap_or_default();
        let key = text("Key");
        match text("Type") {
            "TAG" if !key.is_empty() => {
                Ok(Group::Tag { slot: keys.slot(key), key: key.to_owned() })
            }
            "COST_CATEGORY" if !key.is_empty() => Ok(Group::Category { name: key.to_owned() }),
            "DIMENSION" => Dimension::parse(key).map(Group::Dimension).ok_or_else(|| {
                Refusal::invalid(format!("Group Definition dimension is invalid. Key: {key}"))
            }),
            other => Err(Refusal::invalid(format!("Group Definition is invalid. Type: {other}"))),
        }
    }

    /// Returns what stands before the value in a group's key.
    pub(super) fn prefix(&self) -> String {
        match self {
            Group::Dimension(_) => String::new(),
            Group::Tag { key, .. } => format!("{key}$"),
            Group::Category { name } => format!("{name}$"),
        }
    }
}

impl Sums {
    fn add(&mut self, charge: &Charge, quantity: i64) {
        for (amount, metric) in self.amounts.iter_mut().zip(Metric::ALL) {
            *amount += charge.measure(metric, quantity);
        }
        if charge.counted {
            self.see(&charge.meter.unit);
        }
    }

    fn merge(&mut self, other: &Sums) {
        for (amount, more) in self.amounts.iter_mut().zip(other.amounts) {
            *amount += more;
        }
        if let Some(unit) = &other.unit {
            self.see(unit);
        }
        self.mixed |= other.mixed;
    }

    fn see(&mut self, unit: &Text) {
        match &self.unit {
            None => self.unit = Some(unit.clone()),
            Some(seen) => self.mixed |= seen != unit,
        }
    }

    /// Returns the unit that a metric is in.
    pub(super) fn unit(&self, metric: Metric) -> &str {
        match (&self.unit, metric) {
            (_, cost) if cost.is_cost() => "USD",
            (Some(unit), Metric::UsageQuantity) if !self.mixed => unit,
            _ => "N/A",
        }
    }
}

/// Numbers for the values seen, so that a group is two numbers.
#[derive(Default)]
struct Names<'a> {
    ids: BTreeMap<&'a str, u32>,
    list: Vec<&'a str>,
}

impl<'a> Names<'a> {
    fn id(&mut self, name: &'a str) -> u32 {
        let Names { ids, list } = self;
        *ids.entry(name).or_insert_with(|| {
            list.push(name);
            u32::try_from(list.len() - 1).expect("fewer than four billion names")
        })
    }

    fn ranks(&self) -> Vec<u32> {
        let mut ranks = vec![0; self.list.len()];
        for (rank, id) in (0..).zip(self.ids.values()) {
            ranks[usize::try_from(*id).expect("ids are positions")] = rank;
        }
        ranks
    }
}

/// Returns the months that a period touches, cut to it.
pub(super) fn months(period: Period) -> Vec<Period> {
    let last = period.end.yesterday().expect("periods end after year 1");
    let cut = |month: Month| Period {
        start: month.start().max(period.start),
        end: month.plus(1).start().min(period.end),
    };
    Month::of(period.start).through(Month::of(last)).into_iter().map(cut).collect()
}

/// Returns the days of a period, each a bucket.
pub(super) fn days(period: Period) -> Vec<Period> {
    let bucket = |day: jiff::civil::Date| Period {
        start: day,
        end: day.tomorrow().expect("periods end before year 9999"),
    };
    period.days().map(bucket).collect()
}
