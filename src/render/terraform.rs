//! Owns budgets as a Terraform configuration in JSON, for a file `*.tf.json`.
//!
//! Terraform Registry, provider `hashicorp/aws`, resource `aws_budgets_budget`; Terraform Language, "JSON Configuration Syntax".
//! **Invariant:** what the provider cannot say of a budget is refused by name, and never left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::stack::{self, Filter, Inexpressible, Leaf, Node};
use crate::bounds::NOTIFICATION_COUNT_MAX;
use crate::budget::Subscriber;
use crate::limit::Adjustment;
use crate::money::Money;
use crate::setup::{Alarm, Ceiling, Setup};

/// So many operators the provider has above a leaf: its blocks are written out level by level.
const OPERATOR_DEPTH_MAX: usize = 2;

/// Writes budgets, by their names in AWS, as a configuration in JSON.
pub fn terraform(setups: &BTreeMap<String, Setup>) -> Result<String, Inexpressible> {
    let mut resources = Vec::new();
    let mut ids = BTreeSet::new();
    for (name, setup) in setups {
        let resource = resource(name, setup).map_err(|why| Inexpressible::budget(name, why))?;
        let id = id(name);
        assert!(ids.insert(id.clone()), "the beginnings of two SHA-256 differ");
        resources.push((id, resource));
    }
    let budgets = Node::map([("aws_budgets_budget", Node::Map(resources))]);
    Ok(Node::map([("resource", budgets)]).print())
}

/// Returns a resource's name: letters, digits and underscores, and no digit first.
pub(super) fn id(name: &str) -> String {
    let mut words: Vec<String> =
        stack::words(name).into_iter().map(|word| word.to_ascii_lowercase()).collect();
    if words[0].starts_with(|it: char| it.is_ascii_digit()) {
        words.insert(0, "budget".to_owned());
    }
    words.push(stack::mark(name));
    words.join("_")
}

fn resource(name: &str, setup: &Setup) -> Result<Node, String> {
    stack::check(setup)?;
    if setup.alarms.len() > NOTIFICATION_COUNT_MAX {
        let count = setup.alarms.len();
        return Err(format!(
            "AWS takes {NOTIFICATION_COUNT_MAX} notifications, and it has {count}"
        ));
    }
    if setup.metric.is_some() && setup.filter.is_none() {
        return Err("the provider takes `metrics` only beside `filter_expression`".to_owned());
    }
    let mut members = vec![
        ("name", literal(name)?),
        ("budget_type", Node::text("COST")),
        ("time_unit", Node::text(&setup.time_unit)),
    ];
    members.extend(limit(setup)?);
    if let (Some(filter), Some(metric)) = (&setup.filter, &setup.metric) {
        members.push(("filter_expression", expression(&Filter::parse(filter)?, 0)?));
        members.push(("metrics", literals([metric])?));
    }
    if let Some(view) = &setup.billing_view {
        members.push(("billing_view_arn", literal(view)?));
    }
    if let Some(day) = setup.ends_on {
        members.push(("time_period_end", moment(day)));
    }
    if !setup.alarms.is_empty() {
        let blocks: Result<Vec<Node>, String> =
            setup.alarms.iter().map(|(alarm, whom)| notification(alarm, whom)).collect();
        members.push(("notification", Node::List(blocks?)));
    }
    Ok(Node::Map(members.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()))
}

fn limit(setup: &Setup) -> Result<Vec<(&'static str, Node)>, String> {
    let unit = literal(&setup.currency)?;
    Ok(match &setup.ceiling {
        Ceiling::Fixed(money) => {
            vec![("limit_amount", Node::Text(money.to_string())), ("limit_unit", unit)]
        }
        Ceiling::Planned(amounts) => {
            let block = |(start, money): (&Date, &Money)| {
                Node::map([
                    ("start_time", moment(*start)),
                    ("amount", Node::Text(money.to_string())),
                    ("unit", unit.clone()),
                ])
            };
            vec![("planned_limit", Node::List(amounts.iter().map(block).collect()))]
        }
        Ceiling::Adjusted(Adjustment::Forecast) => {
            let data = Node::map([("auto_adjust_type", Node::text("FORECAST"))]);
            vec![("auto_adjust_data", data)]
        }
        Ceiling::Adjusted(Adjustment::Historical(count)) => {
            let period = Node::Number(count.to_string());
            let data = Node::map([
                ("auto_adjust_type", Node::text("HISTORICAL")),
                ("historical_options", Node::map([("budget_adjustment_period", period)])),
            ]);
            vec![("auto_adjust_data", data)]
        }
        Ceiling::None => unreachable!("a setup without a limit was refused"),
    })
}

/// Returns the beginning of a day, as the provider writes moments.
fn moment(day: Date) -> Node {
    Node::Text(format!("{day}_00:00"))
}

fn expression(filter: &Filter, depth: usize) -> Result<Node, String> {
    let operator = |name: &str, operand: &dyn Fn(usize) -> Result<Node, String>| {
        if depth == OPERATOR_DEPTH_MAX {
            return Err(format!(
                "the provider nests {OPERATOR_DEPTH_MAX} of `and`, `or` and `not` in a filter, and its own nests more"
            ));
        }
        Ok(Node::Map(vec![(name.to_owned(), operand(depth + 1)?)]))
    };
    let list = |list: &[Filter], depth: usize| -> Result<Node, String> {
        list.iter().map(|it| expression(it, depth)).collect::<Result<_, _>>().map(Node::List)
    };
    match filter {
        Filter::And(operands) => operator("and", &|depth| list(operands, depth)),
        Filter::Or(operands) => operator("or", &|depth| list(operands, depth)),
        Filter::Not(operand) => operator("not", &|depth| expression(operand, depth)),
        Filter::Leaf(leaf) => self::leaf(leaf),
    }
}

fn leaf(Leaf { kind, key, values, match_options }: &Leaf) -> Result<Node, String> {
    // The provider wants values with every option, and AWS takes none with this one.
    if match_options.iter().any(|it| it == "ABSENT") {
        return Err(format!("the provider has no `ABSENT`, which its filter has for `{key}`"));
    }
    if values.is_empty() {
        return Err(format!("the provider wants values, and its filter has none for `{key}`"));
    }
    let name = match kind.as_str() {
        "Dimensions" => "dimensions",
        "Tags" => "tags",
        _ => "cost_categories",
    };
    let mut members =
        vec![("key".to_owned(), literal(key)?), ("values".to_owned(), literals(values)?)];
    if !match_options.is_empty() {
        members.push(("match_options".to_owned(), literals(match_options)?));
    }
    Ok(Node::Map(vec![(name.to_owned(), Node::Map(members))]))
}

fn notification(alarm: &Alarm, whom: &BTreeSet<Subscriber>) -> Result<Node, String> {
    let (threshold, kind) = stack::threshold(alarm.threshold);
    let mut members = vec![
        ("comparison_operator", Node::text(&alarm.operator)),
        ("threshold", Node::money(threshold)),
        ("threshold_type", Node::text(kind)),
        ("notification_type", Node::text(&alarm.kind)),
    ];
    for (name, kind) in
        [("subscriber_email_addresses", "EMAIL"), ("subscriber_sns_topic_arns", "SNS")]
    {
        let of_kind = whom.iter().filter(|it| it.aws_kind() == kind);
        let addresses: Vec<String> = of_kind.map(|it| it.address().to_owned()).collect();
        if !addresses.is_empty() {
            members.push((name, literals(&addresses)?));
        }
    }
    Ok(Node::Map(members.into_iter().map(|(name, it)| (name.to_owned(), it)).collect()))
}

fn literals<'a>(texts: impl IntoIterator<Item = &'a String>) -> Result<Node, String> {
    texts.into_iter().map(|text| literal(text)).collect::<Result<_, _>>().map(Node::List)
}

/// Returns a text that Terraform, to whom every text is a template, takes for itself.
pub(super) fn literal(text: &str) -> Result<Node, String> {
    // A doubled sign before a brace is an escape already, and three of them are no documented one.
    if let Some(odd) = ["$${", "%%{"].into_iter().find(|it| text.contains(it)) {
        return Err(format!("Terraform has no way to write `{odd}` in a text: `{text}`"));
    }
    Ok(Node::Text(text.replace("${", "$${").replace("%{", "%%{")))
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

    /// The arguments of one budget.
    fn one(name: &str, setup: Setup) -> Value {
        let text = terraform(&BTreeMap::from([(name.to_owned(), setup)])).unwrap();
        let configuration: Value = serde_json::from_str(&text).unwrap();
        configuration["resource"]["aws_budgets_budget"][id(name)].clone()
    }

    fn refused(setup: Setup) -> String {
        let refused = terraform(&BTreeMap::from([("apportion/x".to_owned(), setup)]));
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_fixed_budget_is_written_with_its_digits() {
        let mut setup = setup(Ceiling::Fixed(money("12345678901234567.000000000001")));
        let topic = Subscriber::Sns("arn:aws:sns:us-east-1:111122223333:costs".to_owned());
        setup.alarms.values_mut().next().unwrap().insert(topic);
        let setups = BTreeMap::from([("2026/team \"größe\"".to_owned(), setup)]);
        let expected = r#"{
  "resource": {
    "aws_budgets_budget": {
      "budget_2026_team_gr_e_MARK": {
        "name": "2026/team \"größe\"",
        "budget_type": "COST",
        "time_unit": "MONTHLY",
        "limit_amount": "12345678901234567.000000000001",
        "limit_unit": "USD",
        "filter_expression": {
          "tags": {
            "key": "user:team",
            "values": [
              "a",
              "b"
            ]
          }
        },
        "metrics": [
          "NetAmortizedCost"
        ],
        "notification": [
          {
            "comparison_operator": "GREATER_THAN",
            "threshold": 80.5,
            "threshold_type": "PERCENTAGE",
            "notification_type": "ACTUAL",
            "subscriber_email_addresses": [
              "a@example.com"
            ],
            "subscriber_sns_topic_arns": [
              "arn:aws:sns:us-east-1:111122223333:costs"
            ]
          }
        ]
      }
    }
  }
}
"#;
        let expected = expected.replace("MARK", &stack::mark("2026/team \"größe\""));
        assert_eq!(terraform(&setups).unwrap(), expected);
        let none = terraform(&BTreeMap::new()).unwrap();
        assert_eq!(none, "{\n  \"resource\": {\n    \"aws_budgets_budget\": {}\n  }\n}\n");
    }

    #[test]
    fn every_sort_of_limit_has_its_argument() {
        let planned = [(day("2026-11-01"), money("5.50")), (day("2026-12-01"), money("6"))];
        let mut setup = setup(Ceiling::Planned(planned.into()));
        setup.ends_on = Some(day("2027-04-01"));
        setup.billing_view = Some("arn:aws:billing::111122223333:billingview/custom-x".to_owned());
        let budget = one("x", setup.clone());
        assert_eq!(
            budget["planned_limit"],
            json!([
                { "start_time": "2026-11-01_00:00", "amount": "5.5", "unit": "USD" },
                { "start_time": "2026-12-01_00:00", "amount": "6", "unit": "USD" }
            ])
        );
        assert_eq!(budget["time_period_end"], "2027-04-01_00:00");
        assert_eq!(budget["billing_view_arn"], setup.billing_view.clone().unwrap());
        assert!(budget.get("limit_amount").is_none() && budget.get("limit_unit").is_none());
        for (adjustment, expected) in [
            (Adjustment::Forecast, json!({ "auto_adjust_type": "FORECAST" })),
            (
                Adjustment::Historical(6),
                json!({ "auto_adjust_type": "HISTORICAL", "historical_options": { "budget_adjustment_period": 6 } }),
            ),
        ] {
            let setup = Setup { ceiling: Ceiling::Adjusted(adjustment), ..setup.clone() };
            let budget = one("x", setup);
            assert_eq!(budget["auto_adjust_data"], expected);
            assert!(budget.get("planned_limit").is_none());
        }
    }

    #[test]
    fn a_filter_nests_as_deep_as_the_provider_does() {
        let good = setup(Ceiling::Fixed(money("5")));
        let with = |filter: Value| Setup { filter: Some(filter), ..good.clone() };
        let tags = json!({ "tags": { "key": "user:k", "values": ["v"] } });
        let service = json!({ "dimensions": { "key": "SERVICE", "values": ["s"] } });
        for (depth, expected) in [
            (0, tags.clone()),
            (1, json!({ "not": tags })),
            (2, json!({ "and": [{ "not": tags }, service] })),
        ] {
            assert_eq!(one("x", with(nested(depth)))["filter_expression"], expected);
        }
        let deep = refused(with(nested(3)));
        assert!(deep.starts_with("budget `apportion/x`: the provider nests 2 of"), "{deep}");
        let either = json!({ "Or": [nested(0), { "CostCategories": {
            "Key": "c", "Values": ["v"], "MatchOptions": ["STARTS_WITH"]
        } }] });
        let category = json!({ "cost_categories": {
            "key": "c", "values": ["v"], "match_options": ["STARTS_WITH"]
        } });
        let budget = one("x", with(either));
        assert_eq!(budget["filter_expression"], json!({ "or": [tags, category] }));
    }

    #[test]
    fn what_the_provider_lacks_is_refused_by_name() {
        let good = setup(Ceiling::Fixed(money("5")));
        let absent = json!({ "Tags": { "Key": "user:k", "MatchOptions": ["ABSENT"] } });
        let valueless = json!({ "Tags": { "Key": "user:k" } });
        let escape = json!({ "Tags": { "Key": "user:k", "Values": ["$${x}"] } });
        let eleven = (1..=11).map(|percent| {
            (alarm("ACTUAL", Threshold::BasisPoints(percent * 100)), whom(&["a@b.example"]))
        });
        for (setup, expected) in [
            (Setup { filter: Some(absent), ..good.clone() }, "no `ABSENT`"),
            (Setup { filter: Some(valueless), ..good.clone() }, "wants values"),
            (Setup { filter: Some(escape), ..good.clone() }, "`$${`"),
            (Setup { filter: None, ..good.clone() }, "`metrics` only beside"),
            (Setup { alarms: eleven.collect(), ..good.clone() }, "AWS takes 10"),
        ] {
            let refused = refused(setup);
            assert!(refused.starts_with("budget `apportion/x`: "), "{refused}");
            assert!(refused.contains(expected), "{refused}");
        }
    }

    #[test]
    fn a_text_is_no_template_and_an_amount_no_float() {
        let told = alarm("ACTUAL", Threshold::Amount(money("0.000000000001")));
        let setup = Setup {
            filter: Some(json!({ "Tags": { "Key": "user:k", "Values": ["${a}%{b}$c"] } })),
            alarms: Alarms::from([(told, whom(&["a@b.example"]))]),
            ..setup(Ceiling::Fixed(money("5")))
        };
        let text = terraform(&BTreeMap::from([("x".to_owned(), setup)])).unwrap();
        assert!(text.contains(r#""$${a}%%{b}$c""#), "{text}");
        assert!(text.contains("\"threshold\": 0.000000000001,"), "{text}");
        assert!(text.contains("\"threshold_type\": \"ABSOLUTE_VALUE\""), "{text}");
    }

    #[test]
    fn ids_are_names_of_terraform_and_stay() {
        for name in ["a/b", "a b", "予算", "2026", "A-b"] {
            let id = id(name);
            assert!(id.chars().all(|it| it.is_ascii_alphanumeric() || it == '_'), "{id}");
            assert!(!id.starts_with(|it: char| it.is_ascii_digit()), "{id}");
        }
        assert_eq!(id("a/b"), "a_b_c14cddc033f6");
        let good = setup(Ceiling::Fixed(money("5")));
        let two = ["a/b", "a b"].map(|name| (name.to_owned(), good.clone()));
        let text = terraform(&BTreeMap::from(two)).unwrap();
        let configuration: Value = serde_json::from_str(&text).unwrap();
        let budgets = configuration["resource"]["aws_budgets_budget"].as_object().unwrap();
        assert_eq!((budgets.len(), &budgets["a_b_c14cddc033f6"]["name"]), (2, &json!("a/b")));
    }
}
