//! Who spent what in Amazon SageMaker, to the cent, with proof that it adds up.

pub mod money;
pub mod period;

pub mod table;

pub mod render;

pub mod sandbox;
