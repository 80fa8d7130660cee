//! Owns the pages of long answers, kept between requests by their tokens.
//!
//! **Invariant:** a token is bound to the request that it continues.

/// Answers that still have pages to fetch.
#[derive(Debug, Default)]
pub struct Pages {}
