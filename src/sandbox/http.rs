//! Owns the server: one URL for all services, or the same without a socket.
//!
//! **Invariant:** binds to loopback only.

use std::net::Ipv4Addr;

use axum::Router;
use axum::body::{Body as HttpBody, Bytes, to_bytes};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Request as HttpRequest, Response};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::line::{Door, Scissors};
use super::route::{self, Reply};
use super::world::Shared;

const REQUEST_BYTES_MAX: usize = 8 << 20;

/// One HTTP request.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST` …
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// A running server; it stops when dropped.
#[derive(Debug)]
pub struct Server {
    /// Where it listens: `http://127.0.0.1:<port>`.
    pub url: String,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

/// Answers one request; `None` when the connection is cut instead.
pub async fn respond(world: &Shared, request: &Request) -> Option<Reply> {
    let (reply, late_ms) = {
        let mut world = world.lock().expect("no request panics");
        route::answer(&mut world, request)
    };
    if late_ms > 0 {
        tokio::time::sleep(std::time::Duration::from_millis(late_ms)).await;
    }
    reply
}

/// Starts the server on loopback; port 0 takes any free one.
pub async fn start(world: Shared, port: u16) -> std::io::Result<Server> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let (stop, stopped) = oneshot::channel();
    let router = Router::new().fallback(handle).with_state(world);
    let service = router.into_make_service_with_connect_info::<Scissors>();
    let task = tokio::spawn(async move {
        let serve = axum::serve(Door(listener), service).with_graceful_shutdown(async {
            // An error means that the server was dropped, which stops it too.
            stopped.await.unwrap_or_default();
        });
        serve.await.expect("the accept loop retries its errors");
    });
    Ok(Server { url, stop: Some(stop), task })
}

impl Server {
    /// Stops the server and waits until open requests are answered.
    pub async fn stop(mut self) {
        if let Some(stop) = self.stop.take() {
            // A send fails only when the server has stopped already.
            stop.send(()).unwrap_or_default();
        }
        (&mut self.task).await.unwrap_or_default();
    }
}

async fn handle(
    State(world): State<Shared>,
    ConnectInfo(scissors): ConnectInfo<Scissors>,
    request: HttpRequest<HttpBody>,
) -> Response<HttpBody> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_BYTES_MAX).await else {
        return Response::builder().status(413).body(HttpBody::empty()).expect("a status is valid");
    };
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let method = parts.method.as_str().to_owned();
    let request = Request { method, path, headers: parts.headers, body };
    let Some(reply) = respond(&world, &request).await else {
        scissors.cut();
        return Response::new(HttpBody::empty());
    };
    let mut response = Response::builder().status(reply.status);
    for (name, value) in &reply.headers {
        response = response.header(*name, value);
    }
    response.body(HttpBody::from(reply.body)).expect("headers are made of plain text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::generate::grouped;
    use std::io::{Read, Write};

    fn exchange(url: &str, text: &str) -> String {
        let mut stream = std::net::TcpStream::connect(url.trim_start_matches("http://")).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A cut connection may end in a reset; what came before it counts.
        stream.read_to_end(&mut answer).unwrap_or_default();
        String::from_utf8(answer).unwrap()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_cut_connection_sends_nothing() {
        let world = grouped(1, 1, "2026-11-22T16:00:00Z".parse().unwrap()).share();
        let server = start(world.clone(), 0).await.unwrap();
        let body = "{\"TimePeriod\":{\"Start\":\"2026-11-01\",\"End\":\"2026-12-01\"},\
                    \"Granularity\":\"MONTHLY\",\"Metrics\":[\"UnblendedCost\"]}";
        let request = format!(
            "POST / HTTP/1.1\r\nHost: sandbox\r\nConnection: close\r\nContent-Length: {}\r\n\
             X-Amz-Target: AWSInsightsIndexService.GetCostAndUsage\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=AKIASANDBOX111122223333/20261122/us-east-1/\
             ce/aws4_request, SignedHeaders=host, Signature={}\r\n\r\n{body}",
            body.len(),
            "0".repeat(64),
        );
        let url = server.url.clone();
        let first = tokio::task::block_in_place(|| exchange(&url, &request));
        assert!(first.starts_with("HTTP/1.1 200 OK\r\n"), "{first}");
        assert!(first.contains("\"Estimated\":true"), "{first}");
        world.lock().unwrap().faults.lose_next = 1;
        assert_eq!(tokio::task::block_in_place(|| exchange(&url, &request)), "");
        assert_eq!(world.lock().unwrap().counts.paid, 2);
        server.stop().await;
        assert!(std::net::TcpStream::connect(url.trim_start_matches("http://")).is_err());
    }
}
