//! Owns the imitation of AWS on loopback.
//!
//! **Invariant:** names only `money` and `period`, so it cannot agree with the program's mistakes.

// What is there, and what it costs.
pub mod tag_key;
pub mod budget;
pub mod topic;
pub mod policy;
pub mod organisation;
mod metric;
pub mod bill;
pub mod faults;
pub mod world;

// How it is made.
pub mod scenario;
pub mod generate;

// How it is asked.
pub mod wire;
pub mod http;
mod line;
mod route;
mod control;

pub use route::Reply;

// The services.
mod page;
mod xml;
mod index;
mod reach;
mod past;
pub mod ce;
pub mod sagemaker;
pub mod tagging;
pub mod efs;
pub mod budgets;
pub mod organizations;
pub mod sts;
pub mod sns;
pub mod iam;

#[cfg(test)]
mod sample;
