//! Owns `budgets`: what they come to, and who is told.

mod alerts;
mod send;

use crate::cli::args::budgets::BudgetsCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;

/// Does what was asked; returns the exit code.
pub async fn budgets(context: &Context, command: &BudgetsCommand) -> Result<u8, Failure> {
    match command {
        BudgetsCommand::Alerts(args) => Box::pin(alerts::alerts(context, args)).await,
    }
}
