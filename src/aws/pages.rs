//! Owns reading a list to its end, page after page.
//!
//! The SDK takes a token that comes back unchanged for the end of the list; here it is an error.
//! **Invariant:** an empty page with a token is not the end, and a token seen twice never loops.

use std::collections::BTreeSet;
use std::error::Error as StdError;

use aws_smithy_async::future::pagination_stream::PaginationStream;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::error::{Error, Kind};

/// What a list held, as far as it could be read.
pub(super) struct Listed<T> {
    /// What was read.
    pub(super) items: Vec<T>,
    /// Why the rest was not.
    pub(super) error: Option<Error>,
}

impl<T> Listed<T> {
    /// Returns the whole list, or the error that cut it short.
    pub(super) fn whole(self) -> Result<Vec<T>, Error> {
        match self.error {
            None => Ok(self.items),
            Some(error) => Err(error),
        }
    }
}

/// Reads a list to its end; `take` moves the next token and the items out of a page.
pub(super) async fn list<P, T, E>(
    service: &'static str,
    operation: &'static str,
    pages: PaginationStream<Result<P, SdkError<E, HttpResponse>>>,
    take: impl Fn(P) -> (Option<String>, Option<Vec<T>>),
) -> Listed<T>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let mut items = Vec::new();
    let error = each(service, operation, pages, |page| {
        let (token, page) = take(page);
        items.extend(page.unwrap_or_default());
        token
    })
    .await;
    Listed { items, error }
}

/// Reads a list to its end, and returns what cut it short; `take` takes in a page and returns the next token.
pub(super) async fn each<P, E>(
    service: &'static str,
    operation: &'static str,
    mut pages: PaginationStream<Result<P, SdkError<E, HttpResponse>>>,
    mut take: impl FnMut(P) -> Option<String>,
) -> Option<Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    let mut seen = BTreeSet::new();
    while let Some(answer) = pages.next().await {
        let token = match answer {
            Ok(page) => take(page),
            Err(error) => return Some(Error::of(service, operation, &error)),
        };
        if let Some(token) = token.filter(|token| !token.is_empty())
            && !seen.insert(token)
        {
            return Some(repeated(service, operation));
        }
    }
    None
}

/// Makes the error of a list that goes round in a circle.
pub(super) fn repeated(service: &'static str, operation: &'static str) -> Error {
    let text = "the same page token came twice, so the list is cut short";
    Error::new(service, operation, Kind::BadToken, "RepeatedToken", text)
}
