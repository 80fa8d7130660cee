//! The one integration binary.

mod truth;
mod world;
