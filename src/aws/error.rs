//! Owns what a failed call to AWS says: its code, its message and who can do something about it.
//!
//! Most codes that matter are in no service model, so they are matched by their text.
//! **Invariant:** an answer that cannot be read is an error too, and says whether it may have been charged for.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::chain::chain;

/// A call to AWS that failed.
#[derive(Debug, thiserror::Error)]
#[error("{}", headline(self))]
pub struct Error {
    /// The service's name for people.
    pub service: &'static str,
    /// The operation's name in AWS's reference.
    pub operation: &'static str,
    /// AWS's error code, or what happened when there is none.
    pub code: String,
    /// AWS's message, or the chain of causes.
    pub message: String,
    /// What sort of failure it is.
    pub kind: Kind,
    /// Whether the request was sent and its answer lost, so that it may have been charged for.
    pub charge_unknown: bool,
    #[source]
    answer: Answer,
}

/// The code and the message as one cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Answer(String);

/// What sort of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The credentials are good, the permission is missing.
    AccessDenied,
    /// Too many requests, or others that change the same thing, still after every retry.
    Throttled,
    /// Cost Explorer is not enabled for the account, or has no data yet.
    NotEnabled,
    /// A page token that is no longer good, or a request that changed between pages.
    BadToken,
    /// No credentials, or such as AWS does not know or no longer accepts.
    Credentials,
    /// No connection or no answer.
    Network,
    /// An answer that is not AWS's: an HTML page, half a body, an amount that is no number.
    Unparsable,
    /// Anything else that AWS said.
    Other,
}

impl Error {
    /// Makes the error of a call that AWS or the way there ended.
    pub fn new(
        service: &'static str,
        operation: &'static str,
        kind: Kind,
        code: impl Into<String>,
        message: impl Into<String>,
    ) -> Error {
        let (code, message) = (code.into(), message.into());
        let answer = Answer(if message.is_empty() {
            code.clone()
        } else if code.is_empty() {
            message.clone()
        } else {
            format!("{code}: {message}")
        });
        Error { service, operation, code, message, kind, charge_unknown: false, answer }
    }

    /// Makes the error of an answer that arrived whole and says what it must not.
    pub(super) fn unreadable(
        service: &'static str,
        operation: &'static str,
        message: impl Into<String>,
    ) -> Error {
        Error::new(service, operation, Kind::Unparsable, "UnreadableAnswer", message)
    }

    /// Reads the error of the SDK.
    pub(super) fn of<E>(
        service: &'static str,
        operation: &'static str,
        error: &SdkError<E, HttpResponse>,
    ) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        if let Some(code) = error.code() {
            let message = error.message().unwrap_or_default();
            return Error::new(service, operation, kind_of(code, message), code, message);
        }
        let text = chain(error);
        let (kind, code, charge_unknown) = match error {
            SdkError::ServiceError(_) | SdkError::ResponseError(_) => {
                let status = error.raw_response().map_or(0, |raw| raw.status().as_u16());
                (Kind::Unparsable, format!("HTTP {status}"), true)
            }
            SdkError::TimeoutError(_) => (Kind::Network, "Timeout".to_owned(), true),
            _ if text.contains("redential") => {
                (Kind::Credentials, "NoCredentials".to_owned(), false)
            }
            SdkError::DispatchFailure(_) => {
                (Kind::Network, "NoAnswer".to_owned(), !never_sent(error))
            }
            _ => (Kind::Other, "NotSent".to_owned(), false),
        };
        Error { charge_unknown, ..Error::new(service, operation, kind, code, text) }
    }

    /// Tells whether the period reaches further back than Cost Explorer's history.
    pub fn is_history_limit(&self) -> bool {
        self.code == "ValidationException" && self.message.contains("14 months")
    }

    /// Tells whether what was asked is for the payer alone, whatever the permissions of this account.
    pub fn is_for_payer(&self) -> bool {
        self.kind == Kind::AccessDenied
            && self.message.contains("Linked account doesn't have access")
    }

    /// Tells whether the account belongs to no organization.
    pub fn is_organization_absent(&self) -> bool {
        self.code == "AWSOrganizationsNotInUseException"
    }
}

fn headline(error: &Error) -> String {
    let Error { service, operation, .. } = error;
    match error.kind {
        Kind::Network => format!("no answer from {service} to {operation}"),
        Kind::Unparsable => format!("the answer of {service} to {operation} could not be read"),
        Kind::Credentials => format!("no valid credentials for {service} {operation}"),
        _ => format!("{service} refused {operation}"),
    }
}

/// Returns the sort of failure that a code of AWS stands for.
fn kind_of(code: &str, message: &str) -> Kind {
    match code {
        "AccessDeniedException" if message.contains("not enabled for cost explorer") => {
            Kind::NotEnabled
        }
        "DataUnavailableException" => Kind::NotEnabled,
        "AccessDeniedException"
        | "AccessDenied"
        | "AuthorizationError"
        | "UnauthorizedOperation" => Kind::AccessDenied,
        // IAM's `LimitExceeded` is a quota, which no time mends.
        "ConcurrentModification"
        | "LimitExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "SlowDown"
        | "Throttling"
        | "ThrottledException"
        | "ThrottlingException"
        | "TooManyRequestsException" => Kind::Throttled,
        "ExpiredNextTokenException"
        | "InvalidNextTokenException"
        | "PaginationTokenExpiredException"
        | "RequestChangedException" => Kind::BadToken,
        "AuthFailure"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Kind::Credentials,
        _ => Kind::Other,
    }
}

/// Tells whether the connection was never made, so that nothing was sent and nothing charged.
///
/// The SDK keeps that fact to itself; the HTTP client's own words are all that is left of it.
pub(super) fn never_sent(error: &(dyn StdError + 'static)) -> bool {
    let text = chain(error);
    ["(Connect)", "HTTP connect timeout", "dns error"].iter().any(|words| text.contains(words))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_who_can_act() {
        let table = [
            ("AccessDeniedException", "User: x is not authorized", Kind::AccessDenied),
            (
                "AccessDeniedException",
                "User not enabled for cost explorer access",
                Kind::NotEnabled,
            ),
            ("DataUnavailableException", "Data is not available.", Kind::NotEnabled),
            ("LimitExceededException", "Rate exceeded", Kind::Throttled),
            ("ThrottledException", "", Kind::Throttled),
            ("Throttling", "Rate exceeded", Kind::Throttled),
            ("ConcurrentModification", "", Kind::Throttled),
            ("AccessDenied", "User: x is not authorized", Kind::AccessDenied),
            ("NoSuchEntity", "", Kind::Other),
            ("LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10", Kind::Other),
            ("MalformedPolicyDocument", "", Kind::Other),
            ("EntityAlreadyExists", "", Kind::Other),
            ("DeleteConflict", "", Kind::Other),
            ("RequestChangedException", "", Kind::BadToken),
            ("ExpiredTokenException", "", Kind::Credentials),
            ("ValidationException", "", Kind::Other),
        ];
        for (code, message, kind) in table {
            assert_eq!(kind_of(code, message), kind, "{code}");
        }
    }

    #[test]
    fn the_cause_is_code_and_message() {
        let error = Error::new(
            "Cost Explorer",
            "GetCostAndUsage",
            Kind::Other,
            "ValidationException",
            "You haven't enabled historical data beyond 14 months.",
        );
        assert_eq!(error.to_string(), "Cost Explorer refused GetCostAndUsage");
        assert_eq!(
            error.source().unwrap().to_string(),
            "ValidationException: You haven't enabled historical data beyond 14 months."
        );
        assert!(error.is_history_limit());
    }
}
