//! Owns the command line: arguments, configuration, messages, and one file a command.

pub mod args;
pub mod clock;
pub mod collect;
pub mod config;
pub mod error;
