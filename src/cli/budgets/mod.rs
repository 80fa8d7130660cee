//! Owns `budgets`: what is spent against limits, here and in AWS.

mod apply;
mod carry;
mod export;
mod outside;
pub mod plan;
mod suggest;
mod topics;

use crate::aws::Session;
use crate::cli::args::budgets::BudgetsCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;

/// Does what was asked; returns the exit code.
pub async fn budgets(context: &Context, command: &BudgetsCommand) -> Result<u8, Failure> {
    match command {
        BudgetsCommand::Plan(args) => {
            let session = Session::open(&context.aws_settings(&args.wish.aws)).await?;
            plan::print(context, &session, args).await
        }
        BudgetsCommand::Apply(args) => {
            let session = Session::open(&context.aws_settings(&args.wish.aws)).await?;
            apply::apply(context, &session, args).await
        }
        BudgetsCommand::Export(args) => export::print(context, args),
        BudgetsCommand::Suggest(args) => suggest::print(context, args).await,
    }
}

/// Does what was asked with a session that is open already; returns the exit code.
pub async fn run(
    context: &Context,
    session: &Session,
    command: &BudgetsCommand,
) -> Result<u8, Failure> {
    match command {
        BudgetsCommand::Plan(args) => plan::print(context, session, args).await,
        BudgetsCommand::Apply(args) => apply::apply(context, session, args).await,
        BudgetsCommand::Export(args) => export::print(context, args),
        BudgetsCommand::Suggest(args) => suggest::print(context, args).await,
    }
}
