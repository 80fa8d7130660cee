//! Owns how a use of something becomes charges: the rhythm of days, the Savings Plan, the discount.
//!
//! **Invariant:** covered usage and its negation cancel exactly in `UnblendedCost`.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::{Date, Weekday};

use super::Making;
use super::name::region;
use crate::period::{Month, Period};
use crate::sandbox::bill::{Charge, Meter, Rates, Text, day_number};
use crate::sandbox::faults::mix;
use crate::sandbox::organisation::Tags;

/// SageMaker's name in Cost Explorer.
pub(super) const SAGEMAKER: &str = "Amazon SageMaker";
const PLAN_PERCENT: i64 = 64;
const HOUR: i64 = 1_000_000;

/// How use is spread over days; quantities in 10⁻⁶ units.
#[derive(Clone, Copy, Debug)]
pub(super) enum Rhythm {
    /// People at work: weekdays, rarely weekends.
    Work { a_day: i64 },
    /// Always the same.
    Always { a_day: i64 },
    /// Jobs, on so many of a hundred days.
    Jobs { a_day: i64, percent: u64 },
    /// Something stored: GiB, billed in GB-months.
    Stored { gib: i64 },
}

/// A use that is to be billed.
pub(super) struct Use<'a> {
    pub(super) account: &'a str,
    pub(super) region: &'a str,
    pub(super) service: &'a str,
    /// The usage type after the region's prefix.
    pub(super) usage: String,
    /// 10⁻⁴ USD in `us-east-1`.
    pub(super) price: i64,
    pub(super) unit: &'a str,
    pub(super) operation: &'a str,
    pub(super) tags: Arc<Tags>,
    pub(super) truth: String,
    pub(super) rhythm: Rhythm,
    /// From when to when; cut to the history.
    pub(super) from: Date,
    pub(super) to: Date,
    /// Whether the Savings Plan covers it.
    pub(super) covered: bool,
}

/// What the Savings Plan did so far.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// What a day of full use costs at the plan's rates, in 10⁻¹⁰ USD.
    pub(super) daily_ticks: i64,
    /// What was used of it, by month.
    pub(super) used: BTreeMap<Month, i64>,
    /// What is negated, by account, region, usage type and day.
    pub(super) negated: BTreeMap<(Text, Text, Text), BTreeMap<Date, i64>>,
}

/// Bills a use of SageMaker or another service.
pub(super) fn bill(making: &mut Making<'_>, it: Use<'_>) {
    let from = it.from.max(making.span.start);
    let to = it.to.min(making.span.end);
    if from >= to {
        return;
    }
    making.serial += 1;
    let salt = mix(making.seed ^ mix(making.serial));
    let days = making.days(from).iter().take_while(|day| day.date < to);
    let quantities: Vec<i64> = days.map(|day| quantity(it.rhythm, day, salt)).collect();
    let (prefix, percent) = region(it.region);
    let price = it.price * percent / 100;
    let meter = Meter {
        account: making.text(it.account),
        region: making.text(it.region),
        service: making.text(it.service),
        usage_type: making.text(&format!("{prefix}-{}", it.usage)),
        operation: making.text(it.operation),
        record_type: making.text("Usage"),
        unit: making.text(it.unit),
        tags: it.tags,
        truth: it.truth.into(),
    };
    let rest = if it.covered {
        cover(making, &meter, it.rhythm, price, from, &quantities)
    } else {
        quantities
    };
    push(making, meter, Rates::flat(price), from, rest);
}

/// Splits what the Savings Plan covers from what is left on demand.
fn cover(
    making: &mut Making<'_>,
    meter: &Meter,
    rhythm: Rhythm,
    price: i64,
    first: Date,
    quantities: &[i64],
) -> Vec<i64> {
    let cap = match rhythm {
        Rhythm::Work { a_day } => a_day / 2,
        Rhythm::Always { a_day } | Rhythm::Jobs { a_day, .. } => a_day,
        Rhythm::Stored { .. } => 0,
    };
    let rate = price * PLAN_PERCENT / 100;
    making.plan.daily_ticks += cap * rate;
    let covered: Vec<i64> = quantities.iter().map(|quantity| *quantity.min(&cap)).collect();
    let key = (meter.account.clone(), meter.region.clone(), meter.usage_type.clone());
    let negated = making.plan.negated.entry(key).or_default();
    let used = &mut making.plan.used;
    for (day, quantity) in days_from(&making.calendar, first).iter().zip(&covered) {
        *used.entry(day.month).or_default() += quantity * rate;
        if !making.variants.negation_tagged {
            *negated.entry(day.date).or_default() += quantity * price;
        }
    }
    let rest = quantities.iter().zip(&covered).map(|(whole, part)| whole - part).collect();
    let with = |making: &mut Making<'_>, record_type: &str| Meter {
        record_type: making.text(record_type),
        ..meter.clone()
    };
    let meter = with(making, "SavingsPlanCoveredUsage");
    if making.variants.negation_tagged {
        let negation = with(making, "SavingsPlanNegation");
        let mut charge = lumped(making, negation, Rates::spread(-price, 0), first, covered.clone());
        charge.counted = false;
        making.charges.push(charge);
    }
    let charge = lumped(making, meter, Rates::spread(price, rate), first, covered);
    making.charges.push(charge);
    rest
}

/// Adds usage on demand and, where one was negotiated, its discount.
fn push(making: &mut Making<'_>, meter: Meter, rates: Rates, first: Date, quantities: Vec<i64>) {
    if quantities.iter().all(|quantity| *quantity == 0) {
        return;
    }
    let percent = i64::from(making.variants.discount_percent);
    let net = rates.unblended * (100 - percent) / 100;
    let rates = Rates { net_unblended: net, net_amortized: net, ..rates };
    if percent > 0 {
        let off = net - rates.unblended;
        let tags =
            if making.variants.discounts_tagged { meter.tags.clone() } else { Arc::default() };
        let record_type = making.text("EdpDiscount");
        let discount = Meter { record_type, tags, ..meter.clone() };
        let rates = Rates { unblended: off, amortized: off, blended: off, ..Rates::default() };
        let mut charge = lumped(making, discount, rates, first, quantities.clone());
        charge.counted = false;
        making.charges.push(charge);
    }
    let charge = lumped(making, meter, rates, first, quantities);
    making.charges.push(charge);
}

/// Makes a charge by day, or by one day a month where the organisation is too large for days.
fn lumped(
    making: &Making<'_>,
    meter: Meter,
    rates: Rates,
    first: Date,
    quantities: Vec<i64>,
) -> Charge {
    if !making.coarse {
        return Charge::daily(meter, rates, first, quantities);
    }
    let mut months: Vec<(Date, i64)> = Vec::with_capacity(15);
    for (day, quantity) in making.days(first).iter().zip(quantities) {
        match months.last_mut().filter(|(at, _)| Month::of(*at) == day.month) {
            Some((_, sum)) => *sum += quantity,
            None => months.push((day.date, quantity)),
        }
    }
    Charge::on(meter, rates, &months)
}

/// A day of the history, with what its quantities depend on.
pub(super) struct Day {
    pub(super) date: Date,
    month: Month,
    month_days: i64,
    weekend: bool,
    /// Days since 1970, for the noise.
    number: u64,
    /// Days since the history began, for the growth.
    age: i64,
}

/// Returns every day of the history.
pub(super) fn calendar(span: Period) -> Vec<Day> {
    let day = |(age, date): (i64, Date)| Day {
        date,
        month: Month::of(date),
        month_days: i64::from(Month::of(date).day_count()),
        weekend: matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday),
        number: u64::from(day_number(date).unsigned_abs()),
        age,
    };
    (0..).zip(span.days()).map(day).collect()
}

/// Returns the days from one on.
fn days_from(calendar: &[Day], first: Date) -> &[Day] {
    &calendar[calendar.partition_point(|day| day.date < first)..]
}

impl Making<'_> {
    fn days(&self, first: Date) -> &[Day] {
        days_from(&self.calendar, first)
    }
}

/// Returns the quantity of a day.
fn quantity(rhythm: Rhythm, day: &Day, salt: u64) -> i64 {
    let noise = mix(salt ^ day.number);
    let chance = noise % 100;
    let spread = 600 + i64::try_from((noise >> 8) % 800).expect("below 800");
    // Use grows by half within a year and a half.
    let growth = 850 + day.age;
    let grown = |quantity: i64| quantity * spread / 1000 * growth / 1000;
    match rhythm {
        Rhythm::Always { a_day } => a_day,
        Rhythm::Stored { gib } => gib * HOUR / day.month_days,
        Rhythm::Jobs { a_day, percent } if chance < percent => grown(a_day),
        Rhythm::Jobs { .. } => 0,
        Rhythm::Work { a_day } => {
            let works = chance < if day.weekend { 7 } else { 88 };
            if works { grown(a_day) } else { 0 }
        }
    }
}
