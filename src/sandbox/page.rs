//! Owns how a request's members are read and how a list is cut into pages.
//!
//! **Invariant:** a token is only good for the list that gave it.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::wire::Refusal;
use crate::money::Money;

/// How one operation cuts its list into pages.
#[derive(Clone, Copy)]
pub(super) struct Paging {
    /// The member that asks for a page size.
    pub size_key: &'static str,
    /// The member that carries the token.
    pub token_key: &'static str,
    /// The smallest size that is allowed.
    pub least: u64,
    /// The largest size that is allowed.
    pub most: u64,
    /// The size of a page when none is asked for.
    pub usual: usize,
    /// The error code for a size out of range.
    pub bad_size: &'static str,
    /// The error code for a token of another list.
    pub bad_token: &'static str,
}

/// Returns a text member; empty counts as absent.
pub(super) fn text<'a>(body: &'a Value, key: &str) -> Option<&'a str> {
    body.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Returns a text member that the operation cannot do without.
pub(super) fn required<'a>(body: &'a Value, key: &str, code: &str) -> Result<&'a str, Refusal> {
    text(body, key).ok_or_else(|| {
        let message = format!(
            "1 validation error detected: Value null at '{}' failed to satisfy constraint: \
             Member must not be null",
            member(key)
        );
        Refusal::new(code, message)
    })
}

/// Returns the part of the list that is asked for, and the token of what follows it.
pub(super) fn cut<'a, T>(
    paging: &Paging,
    scope: &str,
    body: &Value,
    items: &'a [T],
) -> Result<(&'a [T], Option<String>), Refusal> {
    cut_at(size(paging, body)?, paging, scope, body, items)
}

/// Does what [`cut`] does, with a page size that was settled before.
pub(super) fn cut_at<'a, T>(
    size: usize,
    paging: &Paging,
    scope: &str,
    body: &Value,
    items: &'a [T],
) -> Result<(&'a [T], Option<String>), Refusal> {
    let start = match text(body, paging.token_key) {
        None => 0,
        Some(token) => match read_token(token) {
            Some((of, start)) if of == scope => start,
            _ => return Err(Refusal::new(paging.bad_token, "The pagination token is invalid.")),
        },
    };
    let start = start.min(items.len());
    let end = start.saturating_add(size).min(items.len());
    let next = (end < items.len()).then(|| token(scope, end));
    Ok((&items[start..end], next))
}

/// Makes the answer of a list operation: the list, and the token when there is more.
pub(super) fn listed(
    list: &str,
    items: Vec<Value>,
    token_key: &str,
    next: Option<String>,
) -> Value {
    let mut answer = Map::new();
    answer.insert(list.to_owned(), Value::Array(items));
    if let Some(next) = next {
        answer.insert(token_key.to_owned(), Value::String(next));
    }
    Value::Object(answer)
}

/// Refuses an operation that a service of the imitation does not have.
pub(super) fn unknown(operation: &str) -> Refusal {
    Refusal::new(
        "UnknownOperationException",
        format!("The operation {operation} is not part of this imitation"),
    )
}

/// Returns the page size asked for, or the usual one.
pub(super) fn size(paging: &Paging, body: &Value) -> Result<usize, Refusal> {
    let asked = match body.get(paging.size_key) {
        None | Some(Value::Null) => return Ok(paging.usual),
        Some(asked) => asked,
    };
    // Query strings carry numbers as text.
    let number = asked.as_u64().or_else(|| asked.as_str().and_then(|text| text.parse().ok()));
    let bound = match number {
        Some(number) if number > paging.most => format!("less than or equal to {}", paging.most),
        Some(number) if number >= paging.least => {
            return Ok(usize::try_from(number).unwrap_or(usize::MAX));
        }
        _ => format!("greater than or equal to {}", paging.least),
    };
    let shown = asked.as_str().map_or_else(|| asked.to_string(), str::to_owned);
    let message = format!(
        "1 validation error detected: Value '{shown}' at '{}' failed to satisfy constraint: \
         Member must have value {bound}",
        member(paging.size_key)
    );
    Err(Refusal::new(paging.bad_size, message))
}

/// Makes the opaque token of a position in a list.
pub(super) fn token(scope: &str, position: usize) -> String {
    hex(format!("{scope}|{position}").as_bytes())
}

/// Returns bytes as hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| {
        char::from_digit(u32::from(half), 16).expect("half a byte is one hexadecimal digit")
    };
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Reads a token back into its list and position.
pub(super) fn read_token(token: &str) -> Option<(String, usize)> {
    if !token.is_ascii() || !token.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Option<Vec<u8>> = (0..token.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&token[at..at + 2], 16).ok())
        .collect();
    let plain = String::from_utf8(bytes?).ok()?;
    let (scope, position) = plain.rsplit_once('|')?;
    Some((scope.to_owned(), position.parse().ok()?))
}

/// Returns an instant as AWS sends it in JSON: seconds since 1970, with a fraction where there is one.
pub(super) fn seconds(at: Timestamp) -> Value {
    let milliseconds = at.as_millisecond();
    let (whole, rest) = (milliseconds.div_euclid(1000), milliseconds.rem_euclid(1000));
    if rest == 0 {
        return json!(whole);
    }
    number(&format!("{whole}.{rest:03}"))
}

/// Returns a decimal text as a JSON number.
pub(super) fn number(decimal: &str) -> Value {
    serde_json::from_str(decimal).expect("an exact decimal is a JSON number")
}

/// Returns a JSON number, or a text that holds one, as an exact decimal.
pub(super) fn decimal(value: &Value) -> Option<Money> {
    match value {
        Value::Number(number) => Money::parse(&number.to_string()).ok(),
        Value::String(text) => Money::parse(text).ok(),
        _ => None,
    }
}

/// Returns an instant as a decimal count of seconds, to be compared with a member of a request.
pub(super) fn instant(at: Timestamp) -> Money {
    Money::from_units(at.as_nanosecond() * 1000)
}

/// Names a member as AWS's validation messages do: with a small first letter.
pub(super) fn member(key: &str) -> String {
    let mut letters = key.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGING: Paging = Paging {
        size_key: "MaxResults",
        token_key: "NextToken",
        least: 1,
        most: 100,
        usual: 10,
        bad_size: "ValidationException",
        bad_token: "ValidationException",
    };

    #[test]
    fn pages_tile_the_list() {
        let items: Vec<u32> = (0..25).collect();
        let mut seen = Vec::new();
        let mut body = json!({});
        loop {
            let (page, next) = cut(&PAGING, "ListApps", &body, &items).unwrap();
            assert!(page.len() <= 10);
            seen.extend_from_slice(page);
            match next {
                Some(next) => body = json!({ "NextToken": next }),
                None => break,
            }
        }
        assert_eq!(seen, items);
    }

    #[test]
    fn foreign_tokens_and_sizes_out_of_range_are_refused() {
        let items = [1, 2, 3];
        for (body, part) in [
            (json!({ "NextToken": token("ListDomains", 1) }), "token is invalid"),
            (json!({ "NextToken": "é" }), "token is invalid"),
            (json!({ "MaxResults": 0 }), "Value '0' at 'maxResults'"),
            (json!({ "MaxResults": 101 }), "less than or equal to 100"),
            (json!({ "MaxResults": -1 }), "greater than or equal to 1"),
        ] {
            let refusal = cut(&PAGING, "ListApps", &body, &items).unwrap_err();
            assert!(refusal.message.contains(part), "{body}: {}", refusal.message);
        }
    }

    #[test]
    fn instants_keep_their_milliseconds() {
        let at: Timestamp = "2024-03-19T15:24:35.063Z".parse().unwrap();
        assert_eq!(seconds(at).to_string(), "1710861875.063");
        assert_eq!(decimal(&seconds(at)), Some(instant(at)));
    }
}
