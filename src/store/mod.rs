//! Owns what is on disk: whole files or none.

pub mod closed;
pub mod disk;
pub mod freezer;
pub mod plans;
pub mod sent;
pub mod snapshots;
