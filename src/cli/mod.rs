//! Owns the command line: arguments, configuration, messages, and one file a command.

pub mod collect;
