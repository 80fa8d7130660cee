//! Owns `retag`: the domain tag on older resources.

use crate::cli::args::change::RetagCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;

/// Does what was asked; returns the exit code.
pub async fn retag(_context: &Context, _command: &RetagCommand) -> Result<u8, Failure> {
    Err(Failure::usage("in the making", "wait"))
}
