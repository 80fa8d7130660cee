//! Owns the pages of long answers, kept between requests by their tokens.
//!
//! **Invariant:** a token is bound to the caller and the request that it continues, and may be used again.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::usage::Answer;
use crate::sandbox::faults::mix;
use crate::sandbox::wire::{Caller, Refusal};

const ANSWER_COUNT_MAX: usize = 16;

/// Where a page starts: the bucket and the group in it, or the item in a plain list.
pub(super) type Cursor = (usize, usize);

/// Answers that still have pages to fetch.
#[derive(Debug, Default)]
pub struct Pages {
    next: u64,
    continued: u64,
    answers: BTreeMap<u64, Entry>,
    tokens: BTreeMap<String, (u64, Cursor)>,
}

#[derive(Debug)]
struct Entry {
    caller: Caller,
    request: Value,
    answer: Option<Arc<Answer>>,
}

/// A token that was found good.
#[derive(Debug)]
pub(super) struct Continued {
    /// The number of the request's answer.
    pub(super) id: u64,
    /// The computed answer, where it is one of groups.
    pub(super) answer: Option<Arc<Answer>>,
    /// Where to go on.
    pub(super) cursor: Cursor,
}

impl Pages {
    /// Remembers a request with more pages and returns its number.
    pub(super) fn keep(
        &mut self,
        caller: &Caller,
        body: &Value,
        answer: Option<Arc<Answer>>,
    ) -> u64 {
        let id = self.next;
        self.next += 1;
        self.answers.insert(id, Entry { caller: caller.clone(), request: plain(body), answer });
        while self.answers.len() > ANSWER_COUNT_MAX {
            if let Some((oldest, _)) = self.answers.pop_first() {
                self.tokens.retain(|_, (id, _)| *id != oldest);
            }
        }
        id
    }

    /// Returns the token of a place in an answer.
    pub(super) fn token(&mut self, id: u64, cursor: Cursor) -> String {
        let place =
            u64::try_from(cursor.0).unwrap_or(0) << 32 | u64::try_from(cursor.1).unwrap_or(0);
        let (left, right) = (mix(id ^ 0x5a17), mix(mix(id) ^ place));
        let token = format!("{left:016x}{right:016x}");
        self.tokens.insert(token.clone(), (id, cursor));
        token
    }

    /// Returns what a request continues, if it has a token.
    pub(super) fn resume(
        &mut self,
        caller: &Caller,
        body: &Value,
        expire_after: Option<u64>,
    ) -> Result<Option<Continued>, Refusal> {
        let token = body.get("NextPageToken").or_else(|| body.get("NextToken"));
        let Some(token) = token.and_then(Value::as_str) else { return Ok(None) };
        let invalid = || Refusal::new("InvalidNextTokenException", "Invalid NextPageToken.");
        if expire_after.is_some_and(|count| self.continued >= count) {
            // Once: whoever starts the answer again gets it.
            self.continued = 0;
            self.answers.clear();
            self.tokens.clear();
            return Err(Refusal::new("InvalidNextTokenException", "NextPageToken has expired."));
        }
        let (id, cursor) = *self.tokens.get(token).ok_or_else(invalid)?;
        let entry = self.answers.get(&id).ok_or_else(invalid)?;
        if entry.request != plain(body) || entry.caller.account != caller.account {
            return Err(Refusal::new(
                "RequestChangedException",
                "Request parameters have changed between pages. Start over without NextPageToken.",
            ));
        }
        self.continued += 1;
        Ok(Some(Continued { id, answer: entry.answer.clone(), cursor }))
    }
}

/// Returns the request without its token.
fn plain(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.remove("NextPageToken");
        fields.remove("NextToken");
    }
    body
}
