//! Owns the imitation of AWS on loopback.
//!
//! **Invariant:** names only `money` and `period`, so it cannot agree with the program's mistakes.

pub mod organisation;
