//! The `apportion` command.

use std::process::ExitCode;

fn main() -> ExitCode {
    // A panic is a bug of ours, and has its own code.
    match std::panic::catch_unwind(|| apportion::cli::run(std::env::args_os())) {
        Ok(code) => ExitCode::from(code),
        Err(_) => ExitCode::from(apportion::cli::error::BUG),
    }
}
