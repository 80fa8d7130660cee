//! Owns how a budget is set up in AWS, so far as plans are concerned with it, in one form whoever writes it.
//!
//! AWS fills in defaults and returns lists in an order of its own; what means the same is equal here.
//! **Invariant:** what AWS computes (spend, the present limit of a planned budget, alarms) is no part of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::budget::{Subscriber, Threshold};
use crate::expression;
use crate::limit::Adjustment;
use crate::money::Money;
use crate::plan::State;

/// How a cost budget is set up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    /// `DAILY`, `MONTHLY` …, as AWS spells it.
    pub time_unit: String,
    /// What may be spent.
    pub ceiling: Ceiling,
    /// The currency of its amounts.
    pub currency: String,
    /// The metric as AWS spells it; absent in a budget of the older make, whose switches are in `switches`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// `FilterExpression`, in the one order of [`expression::tidy`]; absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Value>,
    /// `CostFilters` and `CostTypes` of a budget of the older make; the program never writes them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switches: Option<Value>,
    /// The billing view, where it is not the account's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub billing_view: Option<String>,
    /// The day on which it ends for good, where that is not the end of time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ends_on: Option<Date>,
    /// Thresholds, and whom each tells.
    #[serde(with = "alarms")]
    pub alarms: Alarms,
}

/// Thresholds and whom each tells.
pub type Alarms = BTreeMap<Alarm, BTreeSet<Subscriber>>;

/// What may be spent, as AWS has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ceiling {
    /// The same in every run.
    Fixed(Money),
    /// By the first day of each run, from the present one on.
    Planned(BTreeMap<Date, Money>),
    /// Set by AWS.
    Adjusted(Adjustment),
    /// None that AWS told.
    None,
}

/// A notification by all that identifies it in AWS: it has no id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarm {
    /// `ACTUAL` or `FORECASTED`.
    pub kind: String,
    /// `GREATER_THAN`, `LESS_THAN` or `EQUAL_TO`.
    pub operator: String,
    /// The threshold.
    pub threshold: Threshold,
}

/// Alarms are stored as a list, since they are no texts that could be keys.
mod alarms {
    use super::{Alarm, Alarms, BTreeSet, Subscriber};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Row {
        alarm: Alarm,
        subscribers: BTreeSet<Subscriber>,
    }

    pub(super) fn serialize<S: Serializer>(alarms: &Alarms, to: S) -> Result<S::Ok, S::Error> {
        let row = |(alarm, subscribers): (&Alarm, &BTreeSet<Subscriber>)| Row {
            alarm: alarm.clone(),
            subscribers: subscribers.clone(),
        };
        alarms.iter().map(row).collect::<Vec<Row>>().serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Alarms, D::Error> {
        let rows = Vec::<Row>::deserialize(from)?;
        Ok(rows.into_iter().map(|row| (row.alarm, row.subscribers)).collect())
    }
}

impl std::fmt::Display for Alarm {
    /// Prints `ACTUAL > 80 %`.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = match self.operator.as_str() {
            "GREATER_THAN" => ">",
            "LESS_THAN" => "<",
            _ => "=",
        };
        write!(formatter, "{} {sign} {}", self.kind, self.threshold)
    }
}

impl Setup {
    /// Returns the setup without limits of runs that are over: whether AWS still shows them is its own affair.
    #[must_use]
    pub fn since(mut self, first: Date) -> Setup {
        if let Ceiling::Planned(amounts) = &mut self.ceiling {
            amounts.retain(|start, _| *start >= first);
        }
        self
    }

    /// Tells whether all but the alarms is the same.
    pub fn is_same_budget(&self, other: &Setup) -> bool {
        Setup { alarms: Alarms::new(), ..self.clone() }
            == Setup { alarms: Alarms::new(), ..other.clone() }
    }
}

impl State for Setup {
    fn fields(&self) -> Vec<(String, String)> {
        let mut fields = vec![("period".to_owned(), self.time_unit.clone())];
        let currency = &self.currency;
        match &self.ceiling {
            Ceiling::Fixed(money) => {
                fields.push(("limit".to_owned(), format!("{money} {currency}")));
            }
            Ceiling::Planned(amounts) => {
                fields.extend(amounts.iter().map(|(start, money)| {
                    (format!("limit {start}"), format!("{money} {currency}"))
                }));
            }
            Ceiling::Adjusted(Adjustment::Forecast) => {
                fields.push(("limit".to_owned(), "by AWS, from its forecast".to_owned()));
            }
            Ceiling::Adjusted(Adjustment::Historical(count)) => {
                fields.push(("limit".to_owned(), format!("by AWS, from {count} runs before")));
            }
            Ceiling::None => {}
        }
        let mut put = |name: &str, value: Option<String>| {
            fields.extend(value.map(|value| (name.to_owned(), value)));
        };
        put("metric", self.metric.clone());
        put("filter", self.filter.as_ref().map(expression::told));
        put("filter of the older make", self.switches.as_ref().map(Value::to_string));
        put("billing view", self.billing_view.clone());
        put("ends on", self.ends_on.map(|day| day.to_string()));
        for (alarm, whom) in &self.alarms {
            let whom: Vec<&str> = whom.iter().map(Subscriber::address).collect();
            fields.push((format!("alarm {alarm}"), whom.join(", ")));
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn setup() -> Setup {
        let alarm = Alarm {
            kind: "ACTUAL".to_owned(),
            operator: "GREATER_THAN".to_owned(),
            threshold: Threshold::BasisPoints(8_050),
        };
        let whom = BTreeSet::from([Subscriber::Email("a@b.c".to_owned())]);
        let limit = |start: &str, cents| (start.parse().unwrap(), Money::from_cents(cents));
        Setup {
            time_unit: "MONTHLY".to_owned(),
            ceiling: Ceiling::Planned(BTreeMap::from([
                limit("2026-11-01", 100),
                limit("2026-12-01", 250),
            ])),
            currency: "USD".to_owned(),
            metric: Some("NetAmortizedCost".to_owned()),
            filter: Some(json!({ "Tags": { "Key": "user:team", "Values": ["x"] } })),
            switches: None,
            billing_view: None,
            ends_on: None,
            alarms: Alarms::from([(alarm, whom)]),
        }
    }

    #[test]
    fn a_setup_is_read_back_as_it_was_written() {
        let text = serde_json::to_string(&setup()).unwrap();
        assert!(text.contains(r#""planned":{"2026-11-01":"1","2026-12-01":"2.5"}"#), "{text}");
        assert_eq!(serde_json::from_str::<Setup>(&text).unwrap(), setup());
    }

    #[test]
    fn what_is_shown_is_each_part_by_its_name() {
        let fields: Vec<String> =
            setup().fields().iter().map(|(name, value)| format!("{name}: {value}")).collect();
        assert_eq!(
            fields.join("; "),
            "period: MONTHLY; limit 2026-11-01: 1 USD; limit 2026-12-01: 2.5 USD; metric: NetAmortizedCost; \
             filter: user:team = x; alarm ACTUAL > 80.5 %: a@b.c"
        );
    }

    #[test]
    fn a_limit_of_a_run_that_is_over_is_no_difference() {
        let since = |day: &str| setup().since(day.parse().unwrap());
        assert_eq!(since("2026-11-01"), setup());
        let later = since("2026-12-01");
        assert_ne!(later, setup());
        assert!(!later.is_same_budget(&setup()));
        assert_eq!(later.fields().len(), setup().fields().len() - 1);
    }
}
