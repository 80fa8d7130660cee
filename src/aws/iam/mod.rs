//! Owns the calls to Identity and Access Management: isolation policies, found and changed, and what a role is granted.
//!
//! **Invariant:** a list that is cut short and an answer that lacks what it must say are errors, never an empty grant.

use std::error::Error as StdError;

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::arn::Arn;

use super::error::{Error, Kind};
use super::pages;

/// Sends a request, and returns its answer.
macro_rules! ask {
    ($operation:expr, $request:expr) => {
        match $request.send().await {
            Ok(answer) => Ok(answer),
            Err(error) => Err(Error::of(SERVICE, $operation, &error)),
        }
    };
}

mod document;
mod policy;
mod find;
mod grant;
mod take;
#[cfg(test)]
mod xml;

pub use find::{isolation, isolations};
pub use grant::grants;
pub use take::take;

const SERVICE: &str = "IAM";

/// The largest page of every list.
const PAGE_SIZE: i32 = 1_000;

/// A page of a list.
struct Page<T> {
    items: Vec<T>,
    is_truncated: bool,
    marker: Option<String>,
}

/// Reads a list to its end.
///
/// `IsTruncated` tells whether there is more, and `Marker` how to go on (IAM API Reference, `ListPolicies`); the SDK looks
/// at the marker alone. `take` makes nothing of a page that lacks its list.
async fn list<P, T, E>(
    operation: &'static str,
    stream: PaginationStream<Result<P, SdkError<E, HttpResponse>>>,
    take: impl Fn(P) -> Option<Page<T>>,
) -> Result<Vec<T>, Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let (mut items, mut lacking) = (Vec::new(), None);
    let error = pages::each(SERVICE, operation, stream, |page| {
        let Some(page) = take(page) else {
            lacking = Some("list");
            return None;
        };
        let marker = page.marker.filter(|marker| !marker.is_empty());
        if page.is_truncated && marker.is_none() {
            lacking = Some("marker of the page after it");
        }
        items.extend(page.items);
        marker
    });
    match (error.await, lacking) {
        (None, None) => Ok(items),
        (Some(error), _) => Err(error),
        (None, Some(what)) => Err(self::lacking(operation, what)),
    }
}

/// Makes the error of an answer that lacks something.
fn lacking(operation: &'static str, what: &str) -> Error {
    Error::unreadable(SERVICE, operation, format!("no {what} in it"))
}

/// Tells whether IAM knows nothing of the name or the ARN.
fn is_absent(error: &Error) -> bool {
    error.code == "NoSuchEntity"
}

/// Returns the path and the name in the ARN of a policy or a role.
fn place(operation: &'static str, kind: &str, arn: &str) -> Result<(String, String), Error> {
    Arn::parse(arn).and_then(|arn| arn.path_and_name(kind)).ok_or_else(|| {
        let text = format!("not the ARN of a {kind}: `{arn}`");
        Error::new(SERVICE, operation, Kind::Other, "NotArn", text)
    })
}
