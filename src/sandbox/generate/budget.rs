//! Owns the making of budgets, whose limits follow from what is spent.
//!
//! **Invariant:** limits are whole currency units.

use jiff::ToSpan;
use serde_json::json;

use crate::money::Money;
use crate::period::{Month, Period};
use crate::sandbox::ce;
use crate::sandbox::organisation::{Budget, BudgetFilter, BudgetLimit, Domain, Notification};
use crate::sandbox::scenario::{self, Limit, Scenario};
use crate::sandbox::world::World;

/// Makes the scenario's budgets in the payer's account.
pub(super) fn make(world: &mut World, scenario: &Scenario) {
    for described in &scenario.budgets {
        let of_name = |domain: &&Domain| domain.name == described.domain;
        let Some(domain) = world.organisation.domains.iter().find(of_name) else { continue };
        let Domain { region, account, id, .. } = domain;
        let arn = format!("arn:aws:sagemaker:{region}:{account}:domain/{id}");
        let budget = budget(world, described, &arn);
        world.organisation.budgets.push(budget);
    }
}

fn budget(world: &World, described: &scenario::Budget, arn: &str) -> Budget {
    let prefix = if described.without_prefix { "" } else { "user:" };
    let key = format!("{prefix}sagemaker:domain-arn");
    Budget {
        account: world.organisation.payer.clone(),
        name: described.name.clone(),
        limit: BudgetLimit::Fixed(limit(world, described, arn)),
        filter: BudgetFilter::Expression {
            filter: Some(json!({"Tags": {"Key": key, "Values": [arn]}})),
            metric: Some(described.metric.clone()),
        },
        notifications: vec![
            notification("ACTUAL", 100, &described.name),
            notification("FORECASTED", 100, &described.name),
        ],
        updated_at: world.now - (24 * 90).hours(),
        ..Budget::default()
    }
}

fn notification(kind: &str, percent: i128, name: &str) -> Notification {
    let topic = "arn:aws:sns:us-east-1:111122223333:sagemaker-cost";
    let mail = format!("{}@example.com", name.split(' ').next().unwrap_or(name));
    Notification {
        kind: kind.to_owned(),
        operator: "GREATER_THAN".to_owned(),
        threshold: Money::from_cents(percent * 100),
        threshold_type: "PERCENTAGE".to_owned(),
        subscribers: vec![("EMAIL".to_owned(), mail), ("SNS".to_owned(), topic.to_owned())],
    }
}

fn limit(world: &World, described: &scenario::Budget, arn: &str) -> Money {
    let filter = json!({"Tags": {"Key": "sagemaker:domain-arn", "Values": [arn]}});
    let payer = &world.organisation.payer;
    let cents = |period: Period| {
        ce::spend(world, payer, Some(&filter), &described.metric, period)
            .expect("the filter is valid")
            .cents()
    };
    let open = Month::of(world.today());
    let spent = cents(open.period());
    let last = cents(open.plus(-1).period());
    let days = i128::from(open.day_count());
    let past = i128::from(world.visible_end().day().max(2) - 1);
    let cents = match described.limit {
        Limit::Over => spent * 7 / 10,
        // Halfway between what is spent and what the month comes to at the same pace.
        Limit::Forecast => spent + spent * (days - past) / past / 2,
        Limit::Far => last * 3,
    };
    Money::from_cents((cents / 100).max(1) * 100)
}
