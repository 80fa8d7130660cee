//! Owns the calls to Cost Explorer: pages of cost, tag keys, backfills and forecasts.
//!
//! **Invariant:** one call of `page` is one page, so that a limit on spending can be checked before each.

pub mod page;
mod question;

use aws_sdk_costexplorer::types;

use crate::key::{Backfill, KeyStatus};
use crate::metric::Metric;
use crate::money::Money;
use crate::period::Period;
use crate::query::{Filter, Query};

use super::error::Error;
use super::pages;
use super::session::Session;

pub use page::{GroupRow, Page, ResultByTime};

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

    /// Asks for the status of tag keys; one that billing has never seen is not in the answer.
    pub async fn list_tag_keys(&self, keys: &[&str]) -> Result<Vec<KeyStatus>, Error> {
        let operation = "ListCostAllocationTags";
        let mut statuses = Vec::new();
        for keys in keys.chunks(100) {
            // No filter by type: billing counts SageMaker's keys as the user's, SageMaker as AWS's.
            let request = self
                .client
                .list_cost_allocation_tags()
                .set_tag_keys(Some(keys.iter().map(|key| (*key).to_owned()).collect()));
            let stream = request.into_paginator().send();
            let listed = pages::list(SERVICE, operation, stream, |page| {
                (page.next_token, page.cost_allocation_tags)
            });
            for tag in listed.await.whole()? {
                statuses.push(
                    key_status(tag).map_err(|text| Error::unreadable(SERVICE, operation, text))?,
                );
            }
        }
        statuses.sort_by(|left, right| left.key.cmp(&right.key));
        Ok(statuses)
    }

    /// Asks for the billing backfills there were, newest first as AWS lists them.
    pub async fn backfills(&self) -> Result<Vec<Backfill>, Error> {
        let operation = "ListCostAllocationTagBackfillHistory";
        let stream =
            self.client.list_cost_allocation_tag_backfill_history().into_paginator().send();
        let listed = pages::list(SERVICE, operation, stream, |page| {
            (page.next_token, page.backfill_requests)
        });
        let requests = listed.await.whole()?.into_iter();
        Ok(requests
            .map(|request| Backfill {
                from: request.backfill_from.unwrap_or_default(),
                requested_at: request.requested_at.unwrap_or_default(),
                status: request
                    .backfill_status
                    .map(|status| status.as_str().to_owned())
                    .unwrap_or_default(),
            })
            .collect())
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

fn key_status(tag: types::CostAllocationTag) -> Result<KeyStatus, String> {
    let day = |text: Option<String>| text.as_deref().map(page::date).transpose();
    Ok(KeyStatus {
        active: Some(tag.status == types::CostAllocationTagStatus::Active),
        updated_at: tag.last_updated_date.as_deref().map(page::instant).transpose()?,
        last_used: day(tag.last_used_date)?,
        key: tag.tag_key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, sequence};
    use serde_json::{Value, json};

    #[tokio::test]
    async fn key_status_is_read_and_a_token_that_repeats_is_an_error() {
        let page = |token: Value| {
            let body = json!({
                "CostAllocationTags": [
                    {"TagKey": "team", "Type": "UserDefined", "Status": "Inactive"},
                    {"TagKey": "sagemaker:domain-arn", "Type": "UserDefined", "Status": "Active",
                     "LastUpdatedDate": "2026-05-02T00:00:00Z", "LastUsedDate": "2026-10-01T00:00:00Z"}
                ],
                "NextToken": token
            });
            Answer::Body(200, body.to_string())
        };
        let (session, _) = sequence(vec![page(json!(null))]).await;
        let keys = CostExplorer::new(&session, None).list_tag_keys(&["team"]).await.unwrap();
        assert_eq!(keys[0].key, "sagemaker:domain-arn");
        assert_eq!(keys[0].updated_on(), Some(jiff::civil::date(2026, 5, 2)));
        assert_eq!((keys[0].active, keys[1].active), (Some(true), Some(false)));
        let (session, _) = sequence(vec![page(json!("t")), page(json!("t"))]).await;
        let error = CostExplorer::new(&session, None).list_tag_keys(&["team"]).await.unwrap_err();
        assert_eq!(error.code, "RepeatedToken");
    }
}
