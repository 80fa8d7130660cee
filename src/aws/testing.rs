//! Owns a stand-in for the network in tests: a function that answers each request in process, without waiting.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_smithy_async::rt::sleep::{AsyncSleep, SharedAsyncSleep, Sleep};
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::session::{Session, Settings, Static};

/// What a request is answered with.
pub(super) enum Answer {
    /// A status and a body.
    Body(u16, String),
    /// The connection is lost once the request was sent.
    Lost,
    /// The connection was never made.
    Refused,
}

/// Answers an operation and its body; the operation of a REST service is its path.
type Script = dyn Fn(&str, &str) -> Answer + Send + Sync;

#[derive(Clone)]
struct Scripted(Arc<Script>);

impl fmt::Debug for Scripted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Scripted")
    }
}

/// The words of the HTTP client for a connection that was never made.
#[derive(Debug, thiserror::Error)]
#[error("client error (Connect)")]
struct NotConnected;

impl HttpConnector for Scripted {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let target = request.headers().get("x-amz-target").unwrap_or(request.uri());
        let operation = target.rsplit(['.', '/']).next().unwrap_or_default();
        let body = std::str::from_utf8(request.body().bytes().unwrap_or_default()).unwrap();
        let lost = |cause: Box<dyn StdError + Send + Sync>| Err(ConnectorError::io(cause));
        HttpConnectorFuture::ready(match (self.0)(operation, body) {
            Answer::Body(status, body) => {
                Ok(HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body)))
            }
            Answer::Lost => lost("connection reset".into()),
            Answer::Refused => lost(Box::new(NotConnected)),
        })
    }
}

#[derive(Debug)]
struct Instant;

impl AsyncSleep for Instant {
    fn sleep(&self, _duration: Duration) -> Sleep {
        Sleep::new(std::future::ready(()))
    }
}

/// Opens a session whose every request is answered by the script.
pub(super) async fn session(
    script: impl Fn(&str, &str) -> Answer + Send + Sync + 'static,
) -> Session {
    let connector = SharedHttpConnector::new(Scripted(Arc::new(script)));
    let settings = Settings {
        attempt_timeout_s: None,
        endpoint: Some(Static {
            url: "http://aws.test".to_owned(),
            access_key: "AKIATEST".to_owned(),
        }),
        http: Some(http_client_fn(move |_, _| connector.clone())),
        sleep: Some(SharedAsyncSleep::new(Instant)),
        ..Settings::default()
    };
    Session::open(&settings).await.unwrap()
}

/// Opens a session that gives these answers one after the other, and the list of bodies it was sent.
pub(super) async fn sequence(answers: Vec<Answer>) -> (Session, Arc<Mutex<Vec<String>>>) {
    let bodies = Arc::new(Mutex::new(Vec::new()));
    let (sent, answers) = (Arc::clone(&bodies), Mutex::new(answers.into_iter()));
    let session = session(move |_, body| {
        sent.lock().unwrap().push(body.to_owned());
        answers.lock().unwrap().next().expect("no more requests than answers")
    })
    .await;
    (session, bodies)
}
