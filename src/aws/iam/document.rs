//! Owns reading policy documents, which IAM sends percent-encoded.
//!
//! RFC 3986, by IAM API Reference, `PolicyVersion`: a `+` is a plus sign there, and no space.
//! **Invariant:** what is not JSON in that form is an error.

use serde_json::Value;

use crate::aws::error::Error;

use super::SERVICE;

/// Reads a document out of the answer to an operation.
pub(super) fn read(operation: &'static str, text: &str) -> Result<Value, Error> {
    let unreadable = |why: String| {
        Error::unreadable(SERVICE, operation, format!("its policy document {why}: `{text}`"))
    };
    let decoded = decode(text).ok_or_else(|| unreadable("is not percent-encoded".to_owned()))?;
    let document: Value = serde_json::from_str(&decoded)
        .map_err(|error| unreadable(format!("is not JSON ({error})")))?;
    if document.is_object() { Ok(document) } else { Err(unreadable("is no object".to_owned())) }
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let hex = |at: usize| char::from(*tail.get(at)?).to_digit(16);
        bytes.push(u8::try_from(hex(0)? * 16 + hex(1)?).expect("two hex digits make a byte"));
        rest = &tail[2..];
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_is_decoded_or_an_error() {
        for (text, expected) in [
            ("%7B%22a%22%3A%20%22x%2By%22%7D", r#"{"a":"x+y"}"#),
            ("%7b%22a%22:%22x+y%20%C3%A4%25%22%7D", r#"{"a":"x+y ä%"}"#),
            (r#"{"a": "plain"}"#, r#"{"a":"plain"}"#),
            ("%7B%22a%22%3A%22%E4%22%7D", "is not percent-encoded"),
            (r#"{"a": "100%"}"#, "is not percent-encoded"),
            ("%7B%7D%4", "is not percent-encoded"),
            ("%7B", "is not JSON"),
            ("", "is not JSON"),
            ("%22text%22", "is no object"),
        ] {
            let told = match read("GetPolicyVersion", text) {
                Ok(document) => document.to_string(),
                Err(error) => {
                    assert_eq!(error.code, "UnreadableAnswer");
                    error.message
                }
            };
            assert!(told.contains(expected), "{text}: {told}");
        }
    }
}
