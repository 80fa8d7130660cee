//! Owns the imitation of Cost Explorer.
//!
//! **Invariant:** every answer is computed from the bill; none is canned.

pub mod page;
