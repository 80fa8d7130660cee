//! Owns the count of what was sent to AWS: each attempt, and whether its answer was charged for.
//!
//! Cost Explorer charges for each page it answers and for no error; an answer that got lost may have been charged.
//! **Invariant:** an attempt counts before it is sent, so one that is never heard of again is unknown, not forgotten.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use super::error::never_sent;
use crate::snapshot::Receipt;
use aws_sdk_costexplorer::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_costexplorer::operation::get_cost_and_usage::GetCostAndUsageError;
use aws_sdk_costexplorer::operation::get_cost_forecast::GetCostForecastError;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeTransmitInterceptorContextRef, Error as AnyError, FinalizerInterceptorContextRef,
};
use aws_smithy_runtime_api::client::orchestrator::{Metadata, OrchestratorError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The operations of Cost Explorer that cost money.
const PAID: [&str; 4] = ["GetCostAndUsage", "GetCostForecast", "GetTags", "GetDimensionValues"];

/// Counts the attempts of every client that carries it; clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    sent: u64,
    answered: u64,
    failed: u64,
    unsent: u64,
    free: BTreeMap<String, u64>,
}

impl Meter {
    /// Returns what the paid requests came to so far.
    pub fn receipt(&self) -> Receipt {
        let counts = self.counts();
        let failed = counts.failed + counts.unsent;
        Receipt {
            requests: counts.sent,
            pages: counts.answered,
            failed,
            unknown: counts.sent - counts.answered - failed,
        }
    }

    /// Returns the number of free attempts, service by service.
    pub fn free(&self) -> BTreeMap<String, u64> {
        self.counts().free.clone()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().expect("no holder of the count panics")
    }
}

impl Intercept for Meter {
    fn name(&self) -> &'static str {
        "Meter"
    }

    fn read_before_transmit(
        &self,
        _context: &BeforeTransmitInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let Some(metadata) = config.load::<Metadata>() else { return Ok(()) };
        let mut counts = self.counts();
        if is_paid(metadata) {
            counts.sent += 1;
        } else {
            *counts.free.entry(metadata.service().to_owned()).or_default() += 1;
        }
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _components: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let paid = config.load::<Metadata>().is_some_and(is_paid);
        let Some(answer) = context.output_or_error().filter(|_| paid) else { return Ok(()) };
        let mut counts = self.counts();
        match answer {
            Ok(_) => counts.answered += 1,
            Err(error) if is_coded(error) => counts.failed += 1,
            Err(error) if error.as_connector_error().is_some_and(|error| never_sent(error)) => {
                counts.unsent += 1;
            }
            Err(_) => (),
        }
        Ok(())
    }
}

fn is_paid(metadata: &Metadata) -> bool {
    metadata.service() == "Cost Explorer" && PAID.contains(&metadata.name())
}

/// Tells whether the error is one that the service itself gave: an HTML page of something in between is not.
fn is_coded(error: &OrchestratorError<AnyError>) -> bool {
    let Some(error) = error.as_operation_error() else { return false };
    let usage = error.downcast_ref::<GetCostAndUsageError>().and_then(ProvideErrorMetadata::code);
    let forecast =
        error.downcast_ref::<GetCostForecastError>().and_then(ProvideErrorMetadata::code);
    usage.or(forecast).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::cost_explorer::CostExplorer;
    use crate::aws::testing::{Answer, sequence};
    use crate::aws::{Error, Kind};
    use crate::period::Month;
    use crate::query::{Granularity, Query};

    fn body(status: u16, text: &str) -> Answer {
        Answer::Body(status, text.to_owned())
    }

    async fn ask(answers: Vec<Answer>) -> (Option<Error>, Receipt) {
        let (session, _) = sequence(answers).await;
        let query = Query {
            period: Month::parse("2026-10").unwrap().period(),
            granularity: Granularity::Monthly,
            filter: None,
            group_by: vec![],
        };
        let answer = CostExplorer::new(&session, None).page(&query, None).await;
        (answer.err(), session.meter().receipt())
    }

    #[tokio::test]
    async fn each_attempt_is_charged_free_or_unknown() {
        let throttle = r#"{"__type":"LimitExceededException","message":"Rate exceeded"}"#;
        let page = r#"{"ResultsByTime":[]}"#;
        let (error, receipt) = ask(vec![
            body(400, throttle),
            Answer::Lost,
            Answer::Refused,
            body(500, "<html>not ours</html>"),
            body(200, page),
        ])
        .await;
        assert!(error.is_none(), "{error:?}");
        assert_eq!(receipt, Receipt { requests: 5, pages: 1, failed: 2, unknown: 2 });
    }

    #[tokio::test]
    async fn an_error_says_whether_its_answer_may_have_cost() {
        let table = [
            (body(400, r#"{"__type":"x#ValidationException","message":"no"}"#), Kind::Other, 0),
            (body(200, r#"{"ResultsByTime":[{"Gro"#), Kind::Unparsable, 1),
        ];
        for (answer, kind, unknown) in table {
            let (error, receipt) = ask(vec![answer]).await;
            let error = error.unwrap();
            assert_eq!((error.kind, error.charge_unknown), (kind, unknown == 1), "{error:?}");
            assert_eq!((receipt.requests, receipt.pages, receipt.unknown), (1, 0, unknown));
        }
    }

    #[tokio::test]
    async fn retries_come_to_an_end() {
        let (error, receipt) = ask((0..5).map(|_| body(502, "<html>")).collect()).await;
        let error = error.unwrap();
        assert_eq!((error.kind, error.code.as_str()), (Kind::Unparsable, "HTTP 502"));
        assert_eq!(receipt, Receipt { requests: 5, pages: 0, failed: 0, unknown: 5 });
        let (error, receipt) = ask((0..5).map(|_| Answer::Refused).collect()).await;
        let error = error.unwrap();
        assert_eq!((error.kind, error.charge_unknown), (Kind::Network, false));
        assert_eq!(error.to_string(), "no answer from Cost Explorer to GetCostAndUsage");
        assert_eq!(receipt, Receipt { requests: 5, pages: 0, failed: 5, unknown: 0 });
    }
}
