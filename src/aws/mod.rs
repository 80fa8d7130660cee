//! Owns every call to AWS: one file a service, and the errors, sessions and the meter that they share.
//!
//! **Invariant:** nothing else names an `aws_*` crate, and what cannot be read is an error, never a zero.

pub mod error;
pub mod meter;
pub mod session;

pub mod cost_explorer;
pub mod sts;
pub mod organizations;

pub use error::{Error, Kind};
pub use meter::Meter;
pub use session::{Session, Settings, Static};
