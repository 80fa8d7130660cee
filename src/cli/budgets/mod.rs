//! Owns `budgets`: what is spent against limits, here and in AWS.

mod alerts;
mod apply;
mod carry;
mod export;
mod outside;
pub mod plan;
mod send;
mod suggest;
mod topics;
mod verify;

use crate::aws::Session;
use crate::cli::args::budgets::BudgetsCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;

/// Does what was asked; returns the exit code.
pub async fn budgets(context: &Context, command: &BudgetsCommand) -> Result<u8, Failure> {
    let aws = match command {
        BudgetsCommand::Plan(args) => &args.wish.aws,
        BudgetsCommand::Apply(args) => &args.wish.aws,
        BudgetsCommand::Verify(args) => &args.aws,
        BudgetsCommand::Suggest(args) => &args.aws,
        BudgetsCommand::Export(args) => return export::print(context, args),
        BudgetsCommand::Alerts(args) => return Box::pin(alerts::alerts(context, args)).await,
    };
    let session = Session::open(&context.aws_settings(aws)).await?;
    run(context, &session, command).await
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
        BudgetsCommand::Verify(args) => verify::print(context, session, args).await,
        BudgetsCommand::Suggest(args) => suggest::print(context, session, args).await,
        BudgetsCommand::Export(args) => export::print(context, args),
        BudgetsCommand::Alerts(args) => Box::pin(alerts::alerts(context, args)).await,
    }
}
