//! Owns every call to AWS: one file a service, and the errors, sessions and the meter that they share.
//!
//! **Invariant:** nothing else names an `aws_*` crate, and what cannot be read is an error, never a zero.

pub mod error;
pub mod meter;
pub mod session;
mod pages;
mod window;
#[cfg(test)]
mod testing;

pub mod cost_explorer;
pub mod sts;
pub mod organizations;
pub mod budgets;
pub mod sns;
pub mod iam;
mod tagging;
mod efs;
mod sagemaker;
pub mod inventory;
pub mod estate;
pub mod tag;

pub use error::{Error, Kind};
pub use meter::Meter;
pub use session::{Session, Settings, Static, is_region};
