//! Owns the XML of query services: elements, answers and errors.
//!
//! **Invariant:** what stands in an element is escaped.

use super::wire::{Body, Refusal};
use super::world::World;

/// Returns an element that holds a text.
pub(super) fn element(name: &str, text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<{name}>{text}</{name}>")
}

/// Makes the answer of an operation from the elements of its result.
pub(super) fn answer(world: &World, namespace: &str, operation: &str, result: &str) -> Body {
    let result = format!("<{operation}Result>{result}</{operation}Result>");
    respond(world, namespace, operation, &result)
}

/// Makes the answer of an operation that has no result.
pub(super) fn done(world: &World, namespace: &str, operation: &str) -> Body {
    respond(world, namespace, operation, "")
}

fn respond(world: &World, namespace: &str, operation: &str, result: &str) -> Body {
    // The id differs from request to request and is the same in every run.
    let id = format!("00000000-0000-4000-8000-{:012x}", world.counts.attempts);
    Body::Xml(format!(
        "<{operation}Response xmlns=\"{namespace}\">{result}<ResponseMetadata><RequestId>{id}</RequestId></ResponseMetadata>\
         </{operation}Response>"
    ))
}

/// Writes an error.
pub(super) fn error(namespace: &str, refusal: &Refusal) -> String {
    let code = element("Code", &refusal.code);
    let message = element("Message", &refusal.message);
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>Sender</Type>{code}{message}</Error>\
         <RequestId>sandbox</RequestId></ErrorResponse>"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_escaped() {
        let refusal = Refusal::new("InvalidParameter", "a < b & c");
        assert_eq!(
            error("urn:x", &refusal),
            "<ErrorResponse xmlns=\"urn:x\"><Error><Type>Sender</Type>\
             <Code>InvalidParameter</Code><Message>a &lt; b &amp; c</Message></Error>\
             <RequestId>sandbox</RequestId></ErrorResponse>"
        );
    }
}
