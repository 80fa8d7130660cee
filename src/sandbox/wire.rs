//! Owns what travels between the router and the imitated services: who calls, what is answered, what is refused.
//!
//! **Invariant:** names no service; every service is a function
//! `answer(&mut World, &Caller, operation: &str, body: &Value) -> Result<Body, Refusal>`.

use serde_json::Value;

/// Who calls, as told by the access key, and where, as told by the credential scope.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The 12-digit account.
    pub account: String,
    /// The region that the request was signed for.
    pub region: String,
}

/// The body of a good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A JSON document of a JSON or REST-JSON service.
    Json(Value),
    /// A JSON document already written: large Cost Explorer pages.
    Written(String),
    /// An XML document of a query service (STS).
    Xml(String),
}

impl From<Value> for Body {
    fn from(value: Value) -> Body {
        Body::Json(value)
    }
}

/// An error that AWS answers on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The HTTP status; 400 for nearly all.
    pub status: u16,
    /// The exception's name.
    pub code: String,
    /// The text.
    pub message: String,
}

impl Refusal {
    /// Makes a refusal with status 400.
    pub fn new(code: &str, message: impl Into<String>) -> Refusal {
        Refusal { status: 400, code: code.to_owned(), message: message.into() }
    }

    /// Makes the `ValidationException` that most bad requests get.
    pub fn invalid(message: impl Into<String>) -> Refusal {
        Refusal::new("ValidationException", message)
    }

    /// Makes the `AccessDeniedException` that missing permission gets.
    pub fn denied(message: impl Into<String>) -> Refusal {
        Refusal::new("AccessDeniedException", message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_client_error_with_its_code() {
        let refusal = Refusal::invalid("Selected metrics cannot be null.");
        assert_eq!((refusal.status, refusal.code.as_str()), (400, "ValidationException"));
        assert_eq!(Refusal::denied("no").code, "AccessDeniedException");
    }
}
