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

/// Returns the path and the name in an ARN of IAM: `/a/b/` and `c` in `…:policy/a/b/c`.
fn place(operation: &'static str, kind: &str, arn: &str) -> Result<(String, String), Error> {
    let named = |arn: Arn| {
        let rest = arn.resource.strip_prefix(kind)?;
        let (path, name) = rest.rsplit_once('/')?;
        let is_place = arn.service == "iam" && rest.starts_with('/') && !name.is_empty();
        is_place.then(|| (format!("{path}/"), name.to_owned()))
    };
    Arn::parse(arn).and_then(named).ok_or_else(|| {
        let text = format!("not the ARN of a {kind}: `{arn}`");
        Error::new(SERVICE, operation, Kind::Other, "NotArn", text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_path_and_name() {
        for (kind, arn, expected) in [
            ("policy", "arn:aws:iam::111122223333:policy/p", "/ p"),
            ("policy", "arn:aws-cn:iam::111122223333:policy/a/b/p", "/a/b/ p"),
            ("role", "arn:aws:iam::111122223333:role/service-role/r", "/service-role/ r"),
            ("role", "arn:aws:iam::111122223333:policy/p", "not the ARN of a role"),
            ("role", "arn:aws:iam::111122223333:role/", "not the ARN of a role"),
            ("role", "arn:aws:iam::111122223333:roles/r", "not the ARN of a role"),
            ("policy", "arn:aws:s3:::policy/p", "not the ARN of a policy"),
        ] {
            let told = match place("GetRole", kind, arn) {
                Ok((path, name)) => format!("{path} {name}"),
                Err(error) => error.message,
            };
            assert!(told.starts_with(expected), "{arn}: {told}");
        }
    }
}
