//! Who spent what in Amazon SageMaker, to the cent, with proof that it adds up.
//!
//! The modules stand in reading order; each names only what stands above it.

// Words.
pub mod money;
pub mod period;
pub mod metric;
pub mod arn;
pub mod usage;
pub mod key;
pub mod query;

// Facts.
pub mod inventory;
pub mod budget;

// Rules.
pub mod table;

// Edges.
pub mod aws;
pub mod sandbox;
