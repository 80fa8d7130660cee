//! Owns `tags`: the life of the cost allocation tag keys.

use crate::cli::args::change::TagsCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;

/// Does what was asked; returns the exit code.
pub async fn tags(_context: &Context, _command: &TagsCommand) -> Result<u8, Failure> {
    Err(Failure::usage("in the making", "wait"))
}
