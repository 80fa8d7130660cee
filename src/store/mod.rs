//! Owns what is on disk: whole files or none.

pub mod disk;
pub mod plans;
pub mod snapshots;
