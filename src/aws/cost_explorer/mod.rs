//! Owns the calls to Cost Explorer: pages of cost and forecasts, and those about tag keys in a file of their own.
//!
//! **Invariant:** one call of `page` is one page, so that a limit on spending can be checked before each.

pub mod page;
mod question;
mod tags;

use aws_sdk_costexplorer::types;

use crate::metric::Metric;
use crate::money::Money;
use crate::period::Period;
use crate::query::{Filter, Query};

use super::error::Error;
use super::session::Session;

pub use page::{GroupRow, Page, ResultByTime};
pub use tags::Activation;

const SERVICE: &str = "Cost Explorer";
const USAGE: &str = "GetCostAndUsage";
const FORECAST: &str = "GetCostForecast";

/// A client of Cost Explorer.
#[derive(Clone, Debug)]
pub struct CostExplorer {
    client: aws_sdk_costexplorer::Client,
    /// The billing view that is asked, where it is not the account's own.
    pub billing_view_arn: Option<String>,
}

/// What Cost Explorer expects a period to come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// The mean.
    pub mean: Money,
}

impl CostExplorer {
    /// Makes a client of the session.
    pub fn new(session: &Session, billing_view_arn: Option<String>) -> CostExplorer {
        CostExplorer { client: session.cost_explorer(), billing_view_arn }
    }

    /// Asks for one page; the first has no token. Each page answered is charged for.
    pub async fn page(&self, query: &Query, token: Option<&str>) -> Result<Page, Error> {
        let output = question::input(query, self.billing_view_arn.as_deref(), token)
            .send_with(&self.client)
            .await
            .map_err(|error| Error::of(SERVICE, USAGE, &error))?;
        page::read(query, output).map_err(|text| Error::unreadable(SERVICE, USAGE, text))
    }

    /// Asks what a period of today and later is expected to come to. An answer is charged for.
    pub async fn forecast(
        &self,
        filter: Option<&Filter>,
        metric: Metric,
        period: Period,
    ) -> Result<Forecast, Error> {
        let unreadable = |text| Error::unreadable(SERVICE, FORECAST, text);
        let output = self
            .client
            .get_cost_forecast()
            .time_period(question::interval(period))
            .metric(question::forecast_metric(metric))
            .granularity(types::Granularity::Monthly)
            .set_filter(filter.map(question::expression))
            .set_billing_view_arn(self.billing_view_arn.clone())
            .send()
            .await
            .map_err(|error| Error::of(SERVICE, FORECAST, &error))?;
        let text = output.total.and_then(|total| total.amount);
        let text = text.ok_or_else(|| unreadable("no total in it".to_owned()))?;
        let mean = Money::parse(&text).map_err(|error| unreadable(error.to_string()))?;
        Ok(Forecast { mean })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, sequence};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn a_forecast_of_one_tag_is_asked_for_in_its_own_words() {
        let answer = json!({"Total": {"Amount": "12.5", "Unit": "USD"}});
        let (session, bodies) = sequence(vec![Answer::Body(200, answer.to_string())]).await;
        let explorer = CostExplorer::new(&session, None);
        let filter = Filter::tag("team", &["a".to_owned(), "b".to_owned()]).unwrap();
        let period =
            Period { start: "2026-11-20".parse().unwrap(), end: "2026-12-01".parse().unwrap() };
        let asked = explorer.forecast(Some(&filter), Metric::NetAmortizedCost, period).await;
        assert_eq!(asked.unwrap().mean, Money::from_cents(1_250));
        assert_eq!(session.meter().receipt().pages, 1);
        let sent: Value = serde_json::from_str(&bodies.lock().unwrap()[0]).unwrap();
        assert_eq!(sent["Filter"], filter.to_json());
    }
}
