//! Owns the making of an organisation and its bill from a scenario, a seed and a clock.
//!
//! **Invariant:** the same four arguments make the same world, to the last digit.

mod budget;
mod domain;
mod grouped;
mod legacy;
mod meter;
mod name;
mod pool;
mod role;
mod work;

pub use grouped::grouped;

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::bill::{Bill, Charge, Text};
use super::organisation::{Account, Organisation, TagKey, Tags, Topic};
use super::scenario::{self, Scenario};
use super::world::{Variants, World};
use crate::period::{Month, Period};

/// Above so many user profiles, charges keep a figure a month and not a day.
const DAILY_USER_COUNT_MAX: u32 = 3000;

/// What has been made so far.
struct Making<'a> {
    scenario: &'a Scenario,
    variants: Variants,
    seed: u64,
    rng: ChaCha8Rng,
    now: Timestamp,
    today: Date,
    /// From thirteen months back to the end of next month, so that the clock can be moved on.
    span: Period,
    calendar: Vec<meter::Day>,
    coarse: bool,
    organisation: Organisation,
    charges: Vec<Charge>,
    plan: meter::Plan,
    texts: BTreeSet<Text>,
    serial: u64,
}

/// Makes a world; `scale` multiplies user profiles and spaces.
pub fn world(scenario: &Scenario, seed: u64, scale: u32, now: Timestamp) -> World {
    let scale = scale.max(1);
    let today = TimeZone::UTC.to_datetime(now).date();
    let open = Month::of(today);
    let templates = u32::try_from(scenario.domains.len().max(1)).expect("few domains");
    let described: u32 = scenario.domains.iter().map(|domain| domain.users).sum();
    let domain_count = scenario.domain_count.unwrap_or(templates);
    let users = scenario
        .user_count
        .map_or(described * domain_count / templates, |count| count.saturating_mul(domain_count));
    let span = Period::of_months(open.plus(-13), open.plus(1));
    let mut making = Making {
        scenario,
        variants: scenario.variants.clone(),
        seed,
        rng: ChaCha8Rng::seed_from_u64(seed),
        now,
        today,
        span,
        calendar: meter::calendar(span),
        coarse: users.saturating_mul(scale) > DAILY_USER_COUNT_MAX,
        organisation: Organisation::default(),
        charges: Vec::new(),
        plan: meter::Plan::default(),
        texts: BTreeSet::new(),
        serial: 0,
    };
    ground(&mut making);
    for (nth, template) in (0..domain_count).zip(scenario.domains.iter().cycle()) {
        domain::make(&mut making, template, nth, scale, templates);
    }
    pool::make(&mut making);
    let Making { mut organisation, charges, variants, .. } = making;
    if let Some(switches) = &scenario.legacy {
        legacy::make(&mut organisation, switches, seed, today);
    }
    role::make(&mut organisation);
    let mut world = World::new(now, organisation, Bill { charges }, variants);
    budget::make(&mut world, scenario);
    world
}

/// Makes the accounts, the tag keys and the topics.
fn ground(making: &mut Making<'_>) {
    let scenario = making.scenario;
    let organisation = &mut making.organisation;
    organisation.payer.clone_from(&scenario.payer);
    organisation.organization_id.clone_from(&scenario.organization_id);
    let joined_at = instant(date(2021, 3, 1));
    organisation.accounts = scenario
        .accounts
        .iter()
        .map(|account| Account {
            id: account.id.clone(),
            name: account.name.clone(),
            email: format!("aws+{}@example.com", account.name.to_lowercase().replace(' ', "-")),
            joined_at,
        })
        .collect();
    let now = making.now;
    organisation.tag_keys = scenario.tag_keys.iter().map(|it| tag_key(it, now)).collect();
    organisation.topics = scenario.topics.iter().map(|it| topic(it, &scenario.payer)).collect();
}

fn topic(described: &scenario::Topic, payer: &str) -> Topic {
    let scenario::Topic { name, region, account, budgets, encrypted } = described;
    let account = account.as_deref().unwrap_or(payer);
    Topic { encrypted: *encrypted, ..Topic::new(account, region, name, *budgets) }
}

/// Makes a tag key with the days from which its changes show.
fn tag_key(described: &scenario::TagKey, now: Timestamp) -> TagKey {
    let open = Month::of(TimeZone::UTC.to_datetime(now).date());
    let on_day = |months: i32| {
        let first = open.plus(-months).start();
        first + i64::from(described.day.unwrap_or(1).clamp(1, 28) - 1).days()
    };
    let on = described.active_months_ago.map(|months| (on_day(months), true));
    // What never was active cannot become inactive.
    let off = on.and(described.inactive_months_ago).map(|months| (on_day(months), false));
    let changes: Vec<(Date, bool)> = on.into_iter().chain(off).collect();
    TagKey {
        key: described.key.clone(),
        listed_at: described.listed_after_hours.map(|hours| now + i64::from(hours).hours()),
        updated_at: changes.last().map(|(day, _)| instant(*day)),
        changes,
        last_used: Some(open.start()),
    }
}

impl Making<'_> {
    /// Returns the shared copy of a text.
    fn text(&mut self, text: &str) -> Text {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        let text: Text = text.into();
        self.texts.insert(text.clone());
        text
    }
}

/// Returns nine o'clock of a day.
fn instant(day: Date) -> Timestamp {
    day.at(9, 0, 0, 0).to_zoned(TimeZone::UTC).expect("UTC has no gaps").timestamp()
}

/// Makes shared tags.
fn tags(pairs: &[(&str, &str)]) -> Arc<Tags> {
    Arc::new(pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::money::Money;
    use crate::sandbox::bill::Metric;

    fn make(seed: u64, change: impl Fn(&mut Variants)) -> World {
        let mut scenario = Scenario::default();
        change(&mut scenario.variants);
        world(&scenario, seed, 1, "2026-11-22T16:00:00Z".parse().unwrap())
    }

    fn october() -> Period {
        Month::parse("2026-10").unwrap().period()
    }

    fn sum(world: &World, metric: Metric, of: impl Fn(&Charge) -> bool) -> Money {
        let charges = world.bill.charges.iter().filter(|charge| of(charge));
        charges.map(|charge| charge.cost(metric, october())).sum()
    }

    #[test]
    fn a_seed_makes_one_world() {
        let print = |seed| {
            let world = make(seed, |_| ());
            let organisation = format!("{:?}", world.organisation);
            let totals = Metric::ALL.map(|metric| world.bill.total(metric, october()));
            (organisation, totals, world.bill.charges.len())
        };
        assert_eq!(print(1), print(1));
        assert_ne!(print(1), print(2));
    }

    #[test]
    fn the_organisation_is_as_large_as_described() {
        let world = make(1, |_| ());
        let sagemaker =
            sum(&world, Metric::UnblendedCost, |it| &*it.meter.service == "Amazon SageMaker");
        assert!(sagemaker > Money::from_cents(2_000_000), "{sagemaker} is too little");
        assert!(sagemaker < Money::from_cents(9_000_000), "{sagemaker} is too much");
        assert_eq!(world.organisation.user_profiles.len(), 60);
        assert_eq!(world.organisation.domains.len(), 5);
        assert!(world.organisation.user_profiles.iter().any(|it| it.deleted_at.is_some()));
    }

    #[test]
    fn every_variant_keeps_the_invoice() {
        let invoice = |world: &World| world.bill.total(Metric::NetUnblendedCost, october());
        let plain = invoice(&make(1, |_| ()));
        let variants: [fn(&mut Variants); 5] = [
            |it| it.negation_tagged = true,
            |it| "444455556666".clone_into(&mut it.fee_account),
            |it| it.credits_tagged = true,
            |it| it.shared_volumes_tagged = false,
            |it| it.discounts_tagged = true,
        ];
        for change in variants {
            let world = make(1, change);
            // The tax of two accounts is rounded to the cent each.
            let off = (invoice(&world) - plain).abs();
            assert!(off <= Money::from_cents(1), "{off} in {:?}", world.variants);
        }
    }

    #[test]
    fn the_savings_plan_adds_up() {
        let of_plan = |it: &Charge| it.meter.record_type.starts_with("SavingsPlan");
        for negation_tagged in [false, true] {
            let world = make(1, |it| it.negation_tagged = negation_tagged);
            let is = |name: &'static str| move |it: &Charge| &*it.meter.record_type == name;
            let covered = sum(&world, Metric::UnblendedCost, is("SavingsPlanCoveredUsage"));
            let negated = sum(&world, Metric::UnblendedCost, is("SavingsPlanNegation"));
            assert!(covered > Money::from_cents(100_000));
            assert_eq!(covered, -negated);
            assert!(sum(&world, Metric::AmortizedCost, is("SavingsPlanNegation")).is_zero());
            let unused = sum(&world, Metric::AmortizedCost, is("SavingsPlanRecurringFee"));
            assert!(unused > Money::ZERO);
            let fee = sum(&world, Metric::UnblendedCost, of_plan);
            assert_eq!(sum(&world, Metric::AmortizedCost, of_plan), fee);
        }
        let upfront = make(1, |it| it.all_upfront = true);
        assert!(sum(&upfront, Metric::UnblendedCost, of_plan).is_zero());
        assert!(sum(&upfront, Metric::AmortizedCost, of_plan) > Money::ZERO);
    }

    #[test]
    fn discounts_are_the_difference_between_gross_and_net() {
        let world = make(1, |it| it.discount_percent = 7);
        let not_tax = |it: &Charge| &*it.meter.record_type != "Tax";
        let gross = sum(&world, Metric::UnblendedCost, not_tax);
        assert_eq!(gross, sum(&world, Metric::NetUnblendedCost, not_tax));
        let discount = |it: &Charge| &*it.meter.record_type == "EdpDiscount";
        assert!(sum(&world, Metric::UnblendedCost, discount) < Money::from_cents(-10_000));
        assert!(sum(&world, Metric::NetUnblendedCost, discount).is_zero());
    }

    #[test]
    fn keys_are_as_the_scenario_tells() {
        let text = "[[tag_keys]]\nkey = 'never'\n\
            [[tag_keys]]\nkey = 'since'\nactive_months_ago = 2\nday = 9\n\
            [[tag_keys]]\nkey = 'once'\nactive_months_ago = 10\ninactive_months_ago = 3\n\
            [[tag_keys]]\nkey = 'unseen'\nlisted_after_hours = 30\n";
        let start =
            "payer = '111122223333'\norganization_id = 'o-a'\naccounts = []\ndomains = []\n";
        let scenario = Scenario::parse(&format!("{start}{text}")).unwrap();
        let world = world(&scenario, 1, 1, "2026-11-22T16:00:00Z".parse().unwrap());
        let print = |key: &TagKey| {
            let changes = key.changes.iter().map(|(day, on)| format!(" {day} {on}"));
            let at = |at: Option<Timestamp>| at.map_or("-".to_owned(), |at| at.to_string());
            let changes: String = changes.collect();
            format!("{}{changes} {} {}", key.key, at(key.updated_at), at(key.listed_at))
        };
        let keys: Vec<String> = world.organisation.tag_keys.iter().map(print).collect();
        assert_eq!(
            keys,
            [
                "never - -",
                "since 2026-09-09 true 2026-09-09T09:00:00Z -",
                "once 2026-01-01 true 2026-08-01 false 2026-08-01T09:00:00Z -",
                "unseen - 2026-11-23T22:00:00Z",
            ]
        );
    }

    #[test]
    fn large_organisations_keep_months_instead_of_days() {
        let mut scenario = Scenario::default();
        (scenario.domain_count, scenario.user_count) = (Some(7), Some(430));
        let world = world(&scenario, 1, 1, "2026-11-22T16:00:00Z".parse().unwrap());
        assert_eq!(world.organisation.user_profiles.len(), 3010);
        assert_eq!(world.organisation.domains.len(), 7);
        let of_plan = |it: &Charge| it.meter.record_type.starts_with("SavingsPlan");
        let fee = sum(&world, Metric::UnblendedCost, of_plan);
        assert_eq!(sum(&world, Metric::AmortizedCost, of_plan), fee);
    }
}
