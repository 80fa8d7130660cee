//! Every help text, as people see it on a terminal of 100 columns.

use std::fmt::Write as _;

use apportion::cli::args::Arguments;
use clap::CommandFactory;

use crate::run::apportion;

#[test]
fn every_help_text() {
    let folder = tempfile::tempdir().unwrap();
    let commands: Vec<String> =
        Arguments::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
    let mut all = String::new();
    for command in std::iter::once("").chain(commands.iter().map(String::as_str)) {
        let arguments: Vec<&str> =
            [command, "--help"].into_iter().filter(|it| !it.is_empty()).collect();
        let output = apportion(folder.path(), &arguments).run();
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{command}");
        let too_wide = output.stdout.lines().find(|line| line.chars().count() > 100);
        assert_eq!(too_wide, None, "{command}");
        writeln!(all, "$ apportion {}\n{}", arguments.join(" "), output.stdout).unwrap();
    }
    insta::assert_snapshot!(all);
}

#[test]
fn no_command_is_a_usage_error_that_shows_the_commands() {
    let folder = tempfile::tempdir().unwrap();
    let output = apportion(folder.path(), &[]).run();
    assert_eq!((output.code, output.stdout.as_str()), (2, ""));
    assert!(output.stderr.contains("Usage: apportion [OPTIONS] <COMMAND>"), "{}", output.stderr);
    let version = apportion(folder.path(), &["--version"]).run();
    assert_eq!(version.stdout, concat!("apportion ", env!("CARGO_PKG_VERSION"), "\n"));
}
