//! Owns budgets as a CloudFormation template.
//!
//! CloudFormation Template Reference, `AWS::Budgets::Budget`; its counts are in the User Guide, "CloudFormation quotas".
//! **Invariant:** an amount is written as a number with its exact digits.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::stack::{self, Filter, Inexpressible, Leaf, Node};
use crate::bounds::NOTIFICATION_COUNT_MAX;
use crate::budget::Subscriber;
use crate::limit::Adjustment;
use crate::money::Money;
use crate::setup::{Alarm, Ceiling, Setup};

/// Resources of one template at most.
const RESOURCE_COUNT_MAX: usize = 500;
/// Bytes of one template at most, from a bucket: a megabyte.
const TEMPLATE_BYTES_MAX: usize = 1_000_000;
/// What begins a reference that CloudFormation puts a secret or a parameter in place of.
const DYNAMIC_REFERENCE: &str = "{{resolve:";

/// Writes budgets, by their names in AWS, as a template in JSON.
pub fn cloudformation(setups: &BTreeMap<String, Setup>) -> Result<String, Inexpressible> {
    let mut resources = Vec::new();
    for (name, setup) in setups {
        let resource = resource(name, setup).map_err(|why| Inexpressible::budget(name, why))?;
        resources.push((id(name), resource));
    }
    template(["budget", "budgets"], "Budgets of SageMaker, written by apportion", resources)
}

/// Writes a template of resources, whose words for one and for many are given.
pub(super) fn template(
    [one, many]: [&str; 2],
    description: &str,
    resources: Vec<(String, Node)>,
) -> Result<String, Inexpressible> {
    let refused = |why: String| Inexpressible { what: "the template".to_owned(), why };
    if resources.is_empty() {
        return Err(refused(format!("CloudFormation takes no template without a {one}")));
    }
    if resources.len() > RESOURCE_COUNT_MAX {
        let count = resources.len();
        let why = format!(
            "CloudFormation takes {RESOURCE_COUNT_MAX} resources, and there are {count} {many}"
        );
        return Err(refused(why));
    }
    let ids: BTreeSet<&String> = resources.iter().map(|(id, _)| id).collect();
    assert!(ids.len() == resources.len(), "the beginnings of two SHA-256 differ");
    let template = Node::map([
        ("AWSTemplateFormatVersion", Node::text("2010-09-09")),
        ("Description", Node::text(description)),
        ("Resources", Node::Map(resources)),
    ]);
    let text = template.print();
    if text.len() > TEMPLATE_BYTES_MAX {
        return Err(refused(format!(
            "CloudFormation takes {TEMPLATE_BYTES_MAX} bytes, and there are {}",
            text.len()
        )));
    }
    Ok(text)
}

/// Makes a resource, none of whose texts CloudFormation would replace.
pub(super) fn typed(kind: &str, properties: Node) -> Result<Node, String> {
    if properties.has_text(&|text| text.contains(DYNAMIC_REFERENCE)) {
        return Err(format!("CloudFormation would replace a text with `{DYNAMIC_REFERENCE}`"));
    }
    Ok(Node::map([("Type", Node::text(kind)), ("Properties", properties)]))
}

/// Returns a logical id: letters and digits only.
pub(super) fn id(name: &str) -> String {
    let capitalised = stack::words(name).into_iter().map(|word| {
        let (first, rest) = word.split_at(1);
        format!("{}{rest}", first.to_ascii_uppercase())
    });
    capitalised.chain([stack::mark(name)]).collect()
}

fn resource(name: &str, setup: &Setup) -> Result<Node, String> {
    stack::check(setup)?;
    if setup.alarms.len() > NOTIFICATION_COUNT_MAX {
        let count = setup.alarms.len();
        return Err(format!(
            "AWS takes {NOTIFICATION_COUNT_MAX} notifications, and it has {count}"
        ));
    }
    let alarms: Result<Vec<Node>, String> =
        setup.alarms.iter().map(|(alarm, whom)| notification(alarm, whom)).collect();
    let mut properties = vec![("Budget".to_owned(), budget(name, setup)?)];
    if !setup.alarms.is_empty() {
        properties.push(("NotificationsWithSubscribers".to_owned(), Node::List(alarms?)));
    }
    typed("AWS::Budgets::Budget", Node::Map(properties))
}

fn budget(name: &str, setup: &Setup) -> Result<Node, String> {
    let spend = |money: &Money| {
        Node::map([("Amount", Node::money(*money)), ("Unit", Node::text(&setup.currency))])
    };
    let limit = match &setup.ceiling {
        Ceiling::Fixed(money) => ("BudgetLimit", spend(money)),
        Ceiling::Planned(amounts) => {
            let planned = amounts.iter().map(|(start, money)| (second(*start), spend(money)));
            ("PlannedBudgetLimits", Node::Map(planned.collect()))
        }
        Ceiling::Adjusted(adjustment) => ("AutoAdjustData", adjusted(*adjustment)),
        Ceiling::None => unreachable!("a setup without a limit was refused"),
    };
    let filter = setup.filter.as_ref().map(Filter::parse).transpose()?;
    let metric = setup.metric.as_ref();
    let ends_on = setup.ends_on.map(|day| Node::map([("End", Node::Text(second(day)))]));
    let members = [
        ("BudgetName", Some(Node::text(name))),
        ("BudgetType", Some(Node::text("COST"))),
        ("TimeUnit", Some(Node::text(&setup.time_unit))),
        (limit.0, Some(limit.1)),
        ("FilterExpression", filter.as_ref().map(expression)),
        ("Metrics", metric.map(|metric| Node::texts([metric]))),
        ("BillingViewArn", setup.billing_view.as_deref().map(Node::text)),
        ("TimePeriod", ends_on),
    ];
    let present = members.into_iter().filter_map(|(name, it)| Some((name.to_owned(), it?)));
    Ok(Node::Map(present.collect()))
}

fn adjusted(adjustment: Adjustment) -> Node {
    match adjustment {
        Adjustment::Forecast => Node::map([("AutoAdjustType", Node::text("FORECAST"))]),
        Adjustment::Historical(count) => Node::map([
            ("AutoAdjustType", Node::text("HISTORICAL")),
            (
                "HistoricalOptions",
                Node::map([("BudgetAdjustmentPeriod", Node::Number(count.to_string()))]),
            ),
        ]),
    }
}

/// Returns the second at which a day begins, as a text: so the API counts time.
fn second(day: Date) -> String {
    let begins = day.to_zoned(TimeZone::UTC).expect("a day of a budget lies in the calendar");
    begins.timestamp().as_second().to_string()
}

fn expression(filter: &Filter) -> Node {
    let list = |list: &[Filter]| Node::List(list.iter().map(expression).collect());
    match filter {
        Filter::And(operands) => Node::map([("And", list(operands))]),
        Filter::Or(operands) => Node::map([("Or", list(operands))]),
        Filter::Not(operand) => Node::map([("Not", expression(operand))]),
        Filter::Leaf(Leaf { kind, key, values, match_options }) => {
            let mut members = vec![("Key".to_owned(), Node::text(key))];
            for (name, texts) in [("Values", values), ("MatchOptions", match_options)] {
                if !texts.is_empty() {
                    members.push((name.to_owned(), Node::texts(texts)));
                }
            }
            Node::Map(vec![(kind.clone(), Node::Map(members))])
        }
    }
}

fn notification(alarm: &Alarm, whom: &BTreeSet<Subscriber>) -> Result<Node, String> {
    let (threshold, kind) = stack::threshold(alarm.threshold);
    // The schema of the resource is narrower than the API, which takes 0 to 15 × 10¹².
    let (least, most) = (Money::from_cents(10), Money::from_cents(100_000_000_000));
    if !(least..=most).contains(&threshold) {
        return Err(format!(
            "CloudFormation takes thresholds from {least} to {most}, and it has `{alarm}`"
        ));
    }
    let subscriber = |it: &Subscriber| {
        Node::map([
            ("SubscriptionType", Node::text(it.aws_kind())),
            ("Address", Node::text(it.address())),
        ])
    };
    Ok(Node::map([
        (
            "Notification",
            Node::map([
                ("NotificationType", Node::text(&alarm.kind)),
                ("ComparisonOperator", Node::text(&alarm.operator)),
                ("Threshold", Node::money(threshold)),
                ("ThresholdType", Node::text(kind)),
            ]),
        ),
        ("Subscribers", Node::List(whom.iter().map(subscriber).collect())),
    ]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::Threshold;
    use crate::render::stack::samples::{alarm, money, nested, setup, whom};
    use crate::setup::Alarms;
    use serde_json::{Value, json};

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    /// The template of one budget.
    fn one(name: &str, setup: Setup) -> Value {
        let text = cloudformation(&BTreeMap::from([(name.to_owned(), setup)])).unwrap();
        let template: Value = serde_json::from_str(&text).unwrap();
        template["Resources"].as_object().unwrap().values().next().unwrap()["Properties"].clone()
    }

    fn refused(setup: Setup) -> String {
        let refused = cloudformation(&BTreeMap::from([("apportion/x".to_owned(), setup)]));
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_fixed_budget_is_written_with_its_digits() {
        let mut setup = setup(Ceiling::Fixed(money("12345678901234567.000000000001")));
        let topic = Subscriber::Sns("arn:aws:sns:us-east-1:111122223333:costs".to_owned());
        setup.alarms.values_mut().next().unwrap().insert(topic);
        let setups = BTreeMap::from([("apportion/team \"größe\"".to_owned(), setup)]);
        let expected = r#"{
  "AWSTemplateFormatVersion": "2010-09-09",
  "Description": "Budgets of SageMaker, written by apportion",
  "Resources": {
    "ApportionTeamGrEMARK": {
      "Type": "AWS::Budgets::Budget",
      "Properties": {
        "Budget": {
          "BudgetName": "apportion/team \"größe\"",
          "BudgetType": "COST",
          "TimeUnit": "MONTHLY",
          "BudgetLimit": {
            "Amount": 12345678901234567.000000000001,
            "Unit": "USD"
          },
          "FilterExpression": {
            "Tags": {
              "Key": "user:team",
              "Values": [
                "a",
                "b"
              ]
            }
          },
          "Metrics": [
            "NetAmortizedCost"
          ]
        },
        "NotificationsWithSubscribers": [
          {
            "Notification": {
              "NotificationType": "ACTUAL",
              "ComparisonOperator": "GREATER_THAN",
              "Threshold": 80.5,
              "ThresholdType": "PERCENTAGE"
            },
            "Subscribers": [
              {
                "SubscriptionType": "EMAIL",
                "Address": "a@example.com"
              },
              {
                "SubscriptionType": "SNS",
                "Address": "arn:aws:sns:us-east-1:111122223333:costs"
              }
            ]
          }
        ]
      }
    }
  }
}
"#;
        let expected = expected.replace("MARK", &stack::mark("apportion/team \"größe\""));
        assert_eq!(cloudformation(&setups).unwrap(), expected);
    }

    #[test]
    fn every_sort_of_limit_has_its_member() {
        let planned = [(day("2026-11-01"), money("5.5")), (day("2026-12-01"), money("6"))];
        let mut setup = setup(Ceiling::Planned(planned.into()));
        setup.ends_on = Some(day("2027-04-01"));
        setup.billing_view = Some("arn:aws:billing::111122223333:billingview/custom-x".to_owned());
        let budget = one("x", setup.clone())["Budget"].clone();
        let spend = |amount: Value| json!({ "Amount": amount, "Unit": "USD" });
        assert_eq!(
            budget["PlannedBudgetLimits"],
            json!({ "1793491200": spend(json!(5.5)), "1796083200": spend(json!(6)) })
        );
        assert_eq!(budget["TimePeriod"], json!({ "End": "1806537600" }));
        assert_eq!(budget["BillingViewArn"], setup.billing_view.clone().unwrap());
        assert!(budget.get("BudgetLimit").is_none());
        for (adjustment, expected) in [
            (Adjustment::Forecast, json!({ "AutoAdjustType": "FORECAST" })),
            (
                Adjustment::Historical(6),
                json!({ "AutoAdjustType": "HISTORICAL", "HistoricalOptions": { "BudgetAdjustmentPeriod": 6 } }),
            ),
        ] {
            let setup = Setup { ceiling: Ceiling::Adjusted(adjustment), ..setup.clone() };
            let budget = one("x", setup)["Budget"].clone();
            assert_eq!(budget["AutoAdjustData"], expected);
            assert!(budget.get("BudgetLimit").is_none());
        }
    }

    #[test]
    fn a_filter_comes_out_as_it_went_in() {
        let absent = json!({ "Tags": { "Key": "user:k", "MatchOptions": ["ABSENT"] } });
        let within = json!({ "And": [absent, { "Or": [nested(3), nested(1)] }] });
        let setup = Setup { filter: Some(within.clone()), ..setup(Ceiling::Fixed(money("5"))) };
        assert_eq!(one("x", setup.clone())["Budget"]["FilterExpression"], within);
        let budget = one("x", Setup { filter: None, alarms: Alarms::new(), ..setup });
        assert!(budget["Budget"].get("FilterExpression").is_none());
        assert!(budget.get("NotificationsWithSubscribers").is_none());
    }

    #[test]
    fn ten_notifications_are_written_and_eleven_refused() {
        let many = |count: i64| {
            let alarms = (1..=count).map(|percent| {
                (alarm("FORECASTED", Threshold::BasisPoints(percent * 100)), whom(&["a@b.example"]))
            });
            Setup { alarms: alarms.collect(), ..setup(Ceiling::Fixed(money("5"))) }
        };
        let told = one("x", many(10))["NotificationsWithSubscribers"].clone();
        let thresholds: Vec<i64> = told
            .as_array()
            .unwrap()
            .iter()
            .map(|it| it["Notification"]["Threshold"].as_i64().unwrap())
            .collect();
        assert_eq!(thresholds, (1..=10).collect::<Vec<i64>>());
        assert!(refused(many(11)).starts_with("budget `apportion/x`: AWS takes 10"));
    }

    #[test]
    fn what_cloudformation_lacks_is_refused_by_name() {
        let good = setup(Ceiling::Fixed(money("5")));
        let told = |threshold| Setup {
            alarms: Alarms::from([(alarm("ACTUAL", threshold), whom(&["a@b.example"]))]),
            ..good.clone()
        };
        let reference =
            json!({ "Tags": { "Key": "user:k", "Values": ["{{resolve:ssm:secret}}"] } });
        for (setup, expected) in [
            (
                told(Threshold::BasisPoints(9)),
                "from 0.1 to 1000000000, and it has `ACTUAL > 0.09 %`",
            ),
            (told(Threshold::Amount(money("1000000000.01"))), "1000000000.01`"),
            (Setup { filter: Some(reference), ..good.clone() }, "`{{resolve:`"),
        ] {
            let refused = refused(setup);
            assert!(refused.starts_with("budget `apportion/x`: "), "{refused}");
            assert!(refused.contains(expected), "{refused}");
        }
        assert!(cloudformation(&BTreeMap::new()).is_err());
        let many = |count: u32| (0..count).map(|it| (it.to_string(), good.clone())).collect();
        assert!(cloudformation(&many(500)).is_ok());
        let refused = cloudformation(&many(501)).unwrap_err().to_string();
        assert!(refused.contains("500 resources, and there are 501 budgets"), "{refused}");
    }

    #[test]
    fn ids_are_of_letters_and_digits_and_stay() {
        for name in ["a/b", "a b", "予算", "\"2026\"", "x"] {
            let id = id(name);
            assert!(id.chars().all(|it| it.is_ascii_alphanumeric()), "{id}");
            assert!(id.ends_with(&stack::mark(name)));
        }
        assert_eq!(id("a/b"), "ABc14cddc033f6");
        let good = setup(Ceiling::Fixed(money("5")));
        let two = ["a/b", "a b"].map(|name| (name.to_owned(), good.clone()));
        let text = cloudformation(&BTreeMap::from(two)).unwrap();
        let template: Value = serde_json::from_str(&text).unwrap();
        let resources = template["Resources"].as_object().unwrap();
        assert_eq!(resources.len(), 2);
        assert_eq!(resources["ABc14cddc033f6"]["Properties"]["Budget"]["BudgetName"], "a/b");
    }
}
