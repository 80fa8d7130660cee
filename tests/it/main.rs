//! The one integration binary.

mod conservation;
mod determinism;
mod errors;
mod faults;
mod golden;
mod help;
mod input;
mod member;
mod receipt;
mod reuse;
mod run;
mod tidy;
mod traps;
mod truth;
mod world;
