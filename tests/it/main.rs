//! The one integration binary.

mod conservation;
mod faults;
mod member;
mod receipt;
mod reuse;
mod traps;
mod truth;
mod world;
