//! Owns what a page of cost says.
//!
//! Here, and only here, `key$value` is split and texts become amounts.
//! **Invariant:** an amount that is no number is an error, and a metric that was not delivered stays absent.

use aws_sdk_costexplorer::operation::get_cost_and_usage::GetCostAndUsageOutput;
use aws_sdk_costexplorer::types;
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::query::{Group, Query};

pub(super) const USAGE_QUANTITY: &str = "UsageQuantity";

/// One page of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// The token of the next page, absent on the last.
    pub next: Option<String>,
    /// The periods; one period may go on over several pages.
    pub results: Vec<ResultByTime>,
    /// Names of accounts, when they were grouped by.
    pub account_names: Vec<(String, String)>,
}

/// One period of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResultByTime {
    /// The first day.
    pub start: Date,
    /// The day after the last.
    pub end: Date,
    /// Whether AWS may still change it.
    pub estimated: bool,
    /// The groups; one without keys when nothing was grouped by.
    pub groups: Vec<GroupRow>,
}

/// One group of a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupRow {
    /// A value for each key asked for: the dimension's, or the tag's, empty when there is no tag.
    pub keys: Vec<String>,
    /// The amounts.
    pub amounts: Amounts,
    /// The decimal places seen, in the order of [`Metric::ALL`].
    pub scales: [Option<u32>; 4],
    /// The usage in 10⁻¹² of its unit.
    pub usage: Option<i128>,
    /// The usage's unit, `N/A` where units are mixed.
    pub usage_unit: Option<String>,
    /// The currency of the amounts.
    pub currency: Option<String>,
}

/// Reads a page by moving out of it what it holds; the error says what could not be read.
pub(super) fn read(query: &Query, output: GetCostAndUsageOutput) -> Result<Page, String> {
    let results = output.results_by_time.unwrap_or_default();
    let named = output.dimension_value_attributes.unwrap_or_default();
    Ok(Page {
        next: output.next_page_token.filter(|token| !token.is_empty()),
        results: results
            .into_iter()
            .map(|result| result_by_time(query, result))
            .collect::<Result<_, _>>()?,
        account_names: named
            .into_iter()
            .filter_map(|value| Some((value.value?, value.attributes?.remove("description")?)))
            .collect(),
    })
}

fn result_by_time(query: &Query, result: types::ResultByTime) -> Result<ResultByTime, String> {
    let period = result.time_period.ok_or("a result without a period")?;
    let groups = if query.group_by.is_empty() {
        vec![group_row(query, Vec::new(), result.total.unwrap_or_default())?]
    } else {
        let groups = result.groups.unwrap_or_default().into_iter();
        groups
            .map(|group| {
                let keys = group.keys.unwrap_or_default();
                group_row(query, keys, group.metrics.unwrap_or_default())
            })
            .collect::<Result<_, _>>()?
    };
    Ok(ResultByTime {
        start: date(&period.start)?,
        end: date(&period.end)?,
        estimated: result.estimated,
        groups,
    })
}

fn group_row(
    query: &Query,
    mut keys: Vec<String>,
    metrics: impl IntoIterator<Item = (String, types::MetricValue)>,
) -> Result<GroupRow, String> {
    if keys.len() != query.group_by.len() {
        let asked: Vec<&str> = query.group_by.iter().map(Group::key).collect();
        return Err(format!("grouped by {asked:?}, answered with {keys:?}"));
    }
    for (asked, text) in query.group_by.iter().zip(&mut keys) {
        if let Group::Tag(key) = asked {
            strip_key(key, text)?;
        }
    }
    let mut row = GroupRow {
        keys,
        amounts: Amounts::ABSENT,
        scales: [None; 4],
        usage: None,
        usage_unit: None,
        currency: None,
    };
    for (name, value) in metrics {
        let Some(text) = value.amount else { continue };
        let parsed = Money::parse_with_scale(&text)
            .map_err(|error| format!("{name} of {:?}: {error}", row.keys))?;
        if let Some(metric) = Metric::parse(&name) {
            row.amounts.put(metric, Some(parsed.money));
            row.scales[metric.index()] = Some(parsed.scale);
            match (&row.currency, value.unit) {
                (Some(currency), Some(unit)) if *currency != unit => {
                    return Err(format!("{:?} in {currency} and in {unit}", row.keys));
                }
                (_, unit) => row.currency = unit.or(row.currency),
            }
        } else if name == USAGE_QUANTITY {
            row.usage = Some(parsed.money.units());
            row.usage_unit = value.unit;
        }
    }
    Ok(row)
}

/// Takes `key$` off a tag's group, at the first `$`: a value may have more of them.
fn strip_key(key: &str, text: &mut String) -> Result<(), String> {
    match text.split_once('$') {
        Some((prefix, _)) if prefix == key => {
            text.drain(..=key.len());
            Ok(())
        }
        _ => Err(format!("grouped by the tag `{key}`, answered with `{text}`")),
    }
}

/// Reads the day of a date or of a moment.
pub(super) fn date(text: &str) -> Result<Date, String> {
    text.get(..10).and_then(|day| day.parse().ok()).ok_or_else(|| format!("not a date: `{text}`"))
}

/// Reads an instant, or a bare day as its beginning.
pub(super) fn instant(text: &str) -> Result<Timestamp, String> {
    let day = || date(text).ok()?.to_zoned(TimeZone::UTC).ok().map(|day| day.timestamp());
    text.parse().ok().or_else(day).ok_or_else(|| format!("not an instant: `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cost_explorer::CostExplorer;
    use crate::aws::testing::{Answer, sequence};
    use crate::period::Month;
    use crate::query::{Filter, Granularity};
    use serde_json::{Value, json};

    fn query() -> Query {
        Query {
            period: Month::parse("2026-10").unwrap().period(),
            granularity: Granularity::Monthly,
            filter: Filter::all(vec![
                Filter::tag_present("sagemaker:space-arn"),
                Filter::dimension("RECORD_TYPE", &["Usage".to_owned()]).unwrap(),
            ]),
            group_by: vec![
                Group::Tag("sagemaker:space-arn".to_owned()),
                Group::dimension("USAGE_TYPE"),
            ],
        }
    }

    fn answer(keys: &Value, metrics: &Value, token: &Value) -> Answer {
        let body = json!({
            "ResultsByTime": [{
                "TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"},
                "Total": {},
                "Groups": [{"Keys": keys, "Metrics": metrics}],
                "Estimated": true
            }],
            "DimensionValueAttributes":
                [{"Value": "111122223333", "Attributes": {"description": "research"}}],
            "NextPageToken": token
        });
        Answer::Body(200, body.to_string())
    }

    #[tokio::test]
    async fn every_page_is_asked_for_with_the_same_body() {
        let keys = json!(["sagemaker:space-arn$a$b", "USE1-Studio:ml.t3.medium"]);
        let usd = |amount| json!({"Amount": amount, "Unit": "USD"});
        let metrics = json!({
            "UnblendedCost": usd("1.2E-7"),
            "NetAmortizedCost": usd("-0.50"),
            "UsageQuantity": {"Amount": "0.25", "Unit": "Hrs"}
        });
        let pages =
            vec![answer(&keys, &metrics, &json!("t")), answer(&keys, &metrics, &json!(null))];
        let (session, bodies) = sequence(pages).await;
        let cost_explorer = CostExplorer::new(&session, None);
        let first = cost_explorer.page(&query(), None).await.unwrap();
        let last = cost_explorer.page(&query(), first.next.as_deref()).await.unwrap();
        assert_eq!((first.next.as_deref(), last.next), (Some("t"), None));
        assert_eq!(first.account_names, [("111122223333".to_owned(), "research".to_owned())]);

        let bodies: Vec<Value> =
            bodies.lock().unwrap().iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        let expected = json!({
            "TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"},
            "Granularity": "MONTHLY",
            "Filter": query().filter.unwrap().to_json(),
            "Metrics": ["UnblendedCost", "AmortizedCost", "NetAmortizedCost", "NetUnblendedCost", "UsageQuantity"],
            "GroupBy": [
                {"Type": "TAG", "Key": "sagemaker:space-arn"},
                {"Type": "DIMENSION", "Key": "USAGE_TYPE"}
            ]
        });
        assert_eq!(bodies[0], expected);
        let mut second = expected;
        second["NextPageToken"] = json!("t");
        assert_eq!(bodies[1], second);

        let row = &first.results[0].groups[0];
        assert!(first.results[0].estimated);
        assert_eq!(row.keys, ["a$b", "USE1-Studio:ml.t3.medium"]);
        assert_eq!(row.amounts.get(Metric::UnblendedCost).unwrap().to_string(), "0.00000012");
        assert_eq!(row.amounts.get(Metric::AmortizedCost), None);
        assert_eq!(row.scales, [Some(8), None, Some(2), None]);
        assert_eq!(row.usage, Some(250_000_000_000));
        assert_eq!(row.currency.as_deref(), Some("USD"));
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_an_error_that_names_it() {
        let good = json!({"UnblendedCost": {"Amount": "1", "Unit": "USD"}});
        let two = json!({
            "UnblendedCost": {"Amount": "1", "Unit": "USD"},
            "AmortizedCost": {"Amount": "1", "Unit": "CNY"}
        });
        let bad = json!({"UnblendedCost": {"Amount": "1,5", "Unit": "USD"}});
        let table = [
            (json!(["sagemaker:space-arn$", "x"]), &bad, "not a decimal amount: `1,5`"),
            (json!(["team$a", "x"]), &good, "answered with `team$a`"),
            (json!(["sagemaker:space-arn", "x"]), &good, "answered with `sagemaker:space-arn`"),
            (json!(["sagemaker:space-arn$"]), &good, "answered with [\"sagemaker:space-arn$\"]"),
            (json!(["sagemaker:space-arn$", "x"]), &two, "[\"\", \"x\"] in "),
        ];
        for (keys, metrics, expected) in table {
            let (session, _) = sequence(vec![answer(&keys, metrics, &json!(null))]).await;
            let error = CostExplorer::new(&session, None).page(&query(), None).await.unwrap_err();
            assert!(error.message.contains(expected), "{}", error.message);
            assert!(!error.charge_unknown);
        }
    }
}
