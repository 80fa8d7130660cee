//! Owns `isolate`: one policy a domain that keeps the resources of others apart.

mod apply;
mod carry;
mod export;
mod ground;
mod lint;
mod matrix;
mod plan;
mod simulate;

use crate::aws::Session;
use crate::cli::args::isolate::IsolateCommand;
use crate::cli::commands::Context;
use crate::cli::error::Failure;

/// Does what was asked; returns the exit code.
pub async fn isolate(context: &Context, command: &IsolateCommand) -> Result<u8, Failure> {
    let aws = match command {
        IsolateCommand::Plan(args) => &args.wish.looking.aws,
        IsolateCommand::Apply(args) => &args.wish.looking.aws,
        IsolateCommand::Matrix(args) => &args.looking.aws,
        IsolateCommand::Export(args) => &args.looking.aws,
        IsolateCommand::Lint(args) if !args.policy.is_empty() => return lint::files(args),
        IsolateCommand::Lint(args) => &args.looking.aws,
        IsolateCommand::Simulate(args) => return simulate::print(args),
    };
    let session = Session::open(&context.aws_settings(aws)).await?;
    run(context, &session, command).await
}

/// Does what was asked with a session that is open already; returns the exit code.
pub async fn run(
    context: &Context,
    session: &Session,
    command: &IsolateCommand,
) -> Result<u8, Failure> {
    match command {
        IsolateCommand::Plan(args) => Box::pin(plan::print(context, session, args)).await,
        IsolateCommand::Apply(args) => Box::pin(apply::apply(context, session, args)).await,
        IsolateCommand::Lint(args) => Box::pin(lint::print(context, session, args)).await,
        IsolateCommand::Matrix(args) => Box::pin(matrix::print(context, session, args)).await,
        IsolateCommand::Export(args) => Box::pin(export::print(context, session, args)).await,
        IsolateCommand::Simulate(args) => simulate::print(args),
    }
}
