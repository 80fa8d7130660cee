//! Owns the command line: arguments, configuration, messages, and one file a command.

pub mod args;
pub mod clock;
pub mod channels;
pub mod config;
pub mod collect;
pub mod error;
pub mod ui;
pub mod condition;
mod section;
pub mod statement;
mod statement_tables;
mod statement_people;
mod restated;
mod settlement;
pub mod page;
pub mod drawing;
pub mod definitions;
pub mod publish;
mod edition;
pub mod commands;
pub mod close;
pub mod budgets;
pub mod explain;
pub mod check;
pub mod demo;
pub mod plans;
pub mod granted;
pub mod walk;
pub mod tags;
pub mod retag;
pub mod isolate;

use std::ffi::OsString;
use std::io::Write;

use clap::Parser;

use crate::store;
use args::change::TagsCommand;
use args::{Arguments, Command};
use clock::Clock;
use commands::{Context, Memory};
use error::{Failure, USAGE};
use ui::Ui;

/// Prints data on stdout; a reader that has gone away is no failure.
pub fn print(text: &str) {
    drop(std::io::stdout().write_all(text.as_bytes()));
    drop(std::io::stdout().flush());
}

/// Runs the program with what was typed and returns the exit code.
pub fn run(typed: impl Iterator<Item = OsString>) -> u8 {
    let arguments = match Arguments::try_parse_from(typed) {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version go to stdout with code 0, as clap has it.
            drop(error.print());
            return u8::try_from(error.exit_code()).unwrap_or(USAGE);
        }
    };
    let is_yes = match &arguments.command {
        Command::Run(args) => args.asking.yes || args.asking.max_spend.is_some(),
        Command::Collect(args) => args.asking.yes || args.asking.max_spend.is_some(),
        Command::Tags(TagsCommand::Plan(args)) => args.wish.max_spend.is_some(),
        Command::Tags(TagsCommand::Apply(args)) => args.yes || args.wish.max_spend.is_some(),
        Command::Demo(_) => true,
        _ => false,
    };
    let ui = Ui::new(arguments.quiet, is_yes);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("an asynchronous runtime can be started");
    let quiet = arguments.quiet;
    match runtime.block_on(execute(arguments, ui)) {
        Ok(code) => code,
        Err(failure) => {
            Ui::new(quiet, false).failure(&failure);
            failure.code()
        }
    }
}

async fn execute(arguments: Arguments, ui: Ui) -> Result<u8, Failure> {
    if let Command::Demo(args) = &arguments.command {
        return Box::pin(demo::demo(ui, args)).await;
    }
    let loaded = config::load(arguments.config.as_deref())?;
    let clock = arguments.now.map_or(Clock::System, Clock::Fixed);
    let context = Context { loaded, clock, ui };
    let context = &context;
    match arguments.command {
        Command::Demo(_) => unreachable!("handled above"),
        Command::Run(args) => {
            // All that can be known to be wrong is found before the first paid request.
            let month = context.month(args.place.month)?;
            definitions::load(&args.writing.definition, context.loaded.terms.is_charging())?;
            store::disk::prove_writable(&args.writing.out)?;
            let settings = context.aws_settings(&args.asking.aws);
            check::check(context, &settings, &args.asking.aws).await?;
            match commands::collect(context, &settings, &args.asking, &args.place, Memory::Earlier)
                .await?
            {
                Some(snapshot) => {
                    let folder = &args.place.snapshots;
                    commands::report(context, folder, &snapshot, month, &args.writing)
                }
                None => Ok(error::DONE),
            }
        }
        Command::Check(args) => {
            let settings = context.aws_settings(&args.aws);
            check::check(context, &settings, &args.aws).await
        }
        Command::Collect(args) => {
            let settings = context.aws_settings(&args.asking.aws);
            let collected =
                commands::collect(context, &settings, &args.asking, &args.place, Memory::Earlier)
                    .await?;
            Ok(collected
                .map_or(error::DONE, |snapshot| commands::collected_code(context, &snapshot)))
        }
        Command::Report(args) => {
            let snapshot = commands::load(&args.place.snapshots, args.snapshot.as_deref())?;
            let month = commands::reported_month(&snapshot, args.place.month);
            commands::report(context, &args.place.snapshots, &snapshot, month, &args.writing)
        }
        Command::Close(args) => close::close(context, &args),
        Command::Tags(command) => Box::pin(tags::tags(context, &command)).await,
        Command::Retag(command) => Box::pin(retag::retag(context, &command)).await,
        Command::Isolate(command) => Box::pin(isolate::isolate(context, &command)).await,
        Command::Explain(args) => explain::explain(context, &args),
        Command::Budgets(command) => Box::pin(budgets::budgets(context, &command)).await,
        Command::Sandbox(args) => demo::sandbox(context, &args).await,
    }
}
