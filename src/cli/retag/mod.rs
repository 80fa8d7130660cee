//! Owns `retag`: the domain tag on older resources.

mod carry;
mod engine;
mod ground;
pub mod plan;
mod survey;
mod apply;
mod undo;
mod verify;

use crate::aws::Session;
use crate::cli::args::AwsArgs;
use crate::cli::args::change::RetagCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;

/// Does what was asked; returns the exit code.
pub async fn retag(context: &Context, command: &RetagCommand) -> Result<u8, Failure> {
    let session = Session::open(&context.aws_settings(aws(command))).await?;
    run(context, &session, command).await
}

/// Does what was asked with a session that is open already; returns the exit code.
pub async fn run(
    context: &Context,
    session: &Session,
    command: &RetagCommand,
) -> Result<u8, Failure> {
    match command {
        RetagCommand::Plan(args) => Box::pin(plan::plan(context, session, args)).await,
        RetagCommand::Apply(args) => Box::pin(apply::apply(context, session, args)).await,
        RetagCommand::Verify(args) => Box::pin(verify::verify(context, session, args)).await,
        RetagCommand::Undo(args) => Box::pin(undo::undo(context, session, args)).await,
    }
}

fn aws(command: &RetagCommand) -> &AwsArgs {
    match command {
        RetagCommand::Plan(args) => &args.wish.aws,
        RetagCommand::Apply(args) => &args.wish.aws,
        RetagCommand::Verify(args) => &args.aws,
        RetagCommand::Undo(args) => &args.aws,
    }
}
