//! The one integration binary.

mod run;

mod determinism;
mod errors;
mod golden;
mod help;
mod input;
mod tidy;
