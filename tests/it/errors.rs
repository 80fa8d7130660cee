//! Every error that the program can tell, on one page, so that they read as if one person had written them.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail their test")]

use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use apportion::aws;
use apportion::cli::args::Arguments;
use apportion::cli::collect::ask;
use apportion::cli::config;
use apportion::cli::error::Failure;
use apportion::money::Money;
use apportion::records::NotRecords;
use apportion::store::{closed, disk, snapshots};
use clap::Parser;

use crate::run::write;

/// A page of failures, a title each.
#[derive(Default)]
struct Page(String);

impl Page {
    fn tell(&mut self, title: &str, failure: impl Into<Failure>) {
        let failure: Failure = failure.into();
        let code = failure.code();
        writeln!(self.0, "# {title} (exit code {code})\n{}", failure.text()).unwrap();
    }
}

fn aws_error(kind: aws::Kind, code: &str, message: &str) -> aws::Error {
    aws::Error::new("Cost Explorer", "GetCostAndUsage", kind, code, message)
}

fn of_disk(number: i32, doing: &'static str) -> disk::Error {
    let source = io::Error::from_raw_os_error(number);
    disk::Error { path: PathBuf::from("apportion-out/2026-10"), doing, source }
}

#[test]
fn errors_of_aws() {
    let mut page = Page::default();
    for (kind, code, message) in [
        (
            aws::Kind::AccessDenied,
            "AccessDeniedException",
            "User: arn:aws:iam::1:user/x is not authorized to perform: ce:GetCostAndUsage",
        ),
        (aws::Kind::Throttled, "LimitExceededException", "Rate exceeded"),
        (aws::Kind::NotEnabled, "DataUnavailableException", "Data is not available."),
        (aws::Kind::BadToken, "InvalidNextTokenException", ""),
        (aws::Kind::Credentials, "ExpiredTokenException", "The security token has expired"),
        (aws::Kind::Network, "NoAnswer", "connection refused"),
        (aws::Kind::Unparsable, "HTTP 502", "expected value at line 1 column 1"),
        (aws::Kind::Other, "ValidationException", "Start date is after the end date"),
    ] {
        page.tell(&format!("{kind:?}"), aws_error(kind, code, message));
    }
    insta::assert_snapshot!(page.0);
}

#[test]
fn errors_of_asking() {
    let mut page = Page::default();
    let money = |text| Money::parse(text).unwrap();
    page.tell("Quote", ask::Error::Quote { least: money("0.07"), limit: money("0.05") });
    let purpose = || "slice `sagemaker:space-arn`, Amazon SageMaker, Usage".to_owned();
    page.tell("Spend", ask::Error::Spend { purpose: purpose(), limit: money("0.1") });
    let (first, second) = ("USD".to_owned(), "CNY".to_owned());
    page.tell("Currency", ask::Error::Currency { purpose: purpose(), first, second });
    let start = "2024-01-01".parse().unwrap();
    page.tell("Period", ask::Error::Period { purpose: purpose(), start });
    let error = aws_error(aws::Kind::Throttled, "ThrottlingException", "Rate exceeded");
    page.tell("Aws", ask::Error::Aws(error));
    insta::assert_snapshot!(page.0);
}

#[test]
fn errors_of_files() {
    let mut page = Page::default();
    for (number, doing) in [
        (2, "read"),
        (5, "read"),
        (13, "write into"),
        (17, "create the folder"),
        (20, "create the folder"),
        (21, "read"),
        (28, "write"),
        (30, "write into"),
    ] {
        page.tell(&format!("{doing}, {number}"), of_disk(number, doing));
    }
    let path = || PathBuf::from(".apportion/snapshots/2026-11-20T080000Z.json");
    let folder = PathBuf::from(".apportion");
    page.tell("None", snapshots::Error::None { folder });
    let why = "its version is 9, this program reads version 1".to_owned();
    page.tell("NotSnapshot", snapshots::Error::NotSnapshot { path: path(), why });
    page.tell("Damaged", snapshots::Error::Damaged { path: path() });
    let source = NotRecords { why: "it has no column `slice`".to_owned() };
    page.tell("NotRecords", snapshots::Error::NotRecords { path: path(), source });
    let frozen = |name: &str| PathBuf::from(".apportion/closed/2026-10").join(name);
    let why = "it has no `version`".to_owned();
    page.tell("NotClosed", closed::Error::NotClosed { path: frozen("closed.json"), why });
    let path = frozen("report/owners.csv");
    page.tell("Missing, closed", closed::Error::Missing { path: path.clone() });
    page.tell("Damaged, closed", closed::Error::Damaged { path });
    page.tell("Disk", snapshots::Error::Disk(of_disk(28, "write")));
    insta::assert_snapshot!(page.0);
}

#[test]
fn errors_of_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("apportion.toml");
    let mut page = Page::default();
    let budget = "[[budget]]\nname = \"a\"\n";
    for (title, text) in [
        ("an unknown key", "metrics = \"net_amortized_cost\"".to_owned()),
        ("an unknown key of a table", "[aws]\nregoin = \"us-east-1\"".to_owned()),
        ("an unknown metric", "metric = \"blended_cost\"".to_owned()),
        ("no TOML", "metric = ".to_owned()),
        ("a short account", "[[account]]\nid = \"1234\"".to_owned()),
        ("an account without id", "[[account]]\nregions = []".to_owned()),
        ("an account twice", "[[account]]\nid = \"111122223333\"\n".repeat(2)),
        ("a key that is none", "keys = [\"a$b\"]".to_owned()),
        ("a region that is none", "[aws]\nregion = \"us east\"".to_owned()),
        ("a limit as a float", format!("{budget}all = true\nlimit = 5.0")),
        ("a limit of zero", format!("{budget}all = true\nlimit = \"0\"")),
        ("a budget of nobody", format!("{budget}limit = \"5\"")),
        ("a budget twice", format!("{budget}all = true\nlimit = \"5\"\n").repeat(2)),
        ("a negative threshold", format!("{budget}all = true\nlimit = \"5\"\nthresholds = [-1]")),
        (
            "a space that is none",
            format!("{budget}domain = \"d-1\"\nspace = \"a b\"\nlimit = \"5\""),
        ),
    ] {
        write(&path, text.as_bytes());
        page.tell(title, config::load(Some(&path)).unwrap_err());
    }
    page.tell("no such file", config::load(Some(Path::new("nowhere.toml"))).unwrap_err());
    insta::assert_snapshot!(page.0.replace(&*path.to_string_lossy(), "apportion.toml"));
}

#[test]
fn errors_of_the_command_line() {
    let mut page = String::new();
    for typed in [
        "frobnicate",
        "report --frobnicate",
        "report --month 2026-13",
        "report --month october",
        "report --metric blended_cost",
        "report --snapshot",
        "run --months 0",
        "run --months 39",
        "run --daily-months 14",
        "run --max-spend=-1",
        "run --max-spend cheap",
        "run --concurrency 9",
        "run --region us_east_1",
        "budgets alerts --format yaml",
        "budgets alerts --resend",
        "demo --scale 0",
        "demo --seed x",
        "sandbox --port 70000",
        "report --now yesterday",
    ] {
        let arguments = std::iter::once("apportion").chain(typed.split(' '));
        let error = Arguments::try_parse_from(arguments).unwrap_err();
        assert_eq!(error.exit_code(), 2, "{typed}");
        writeln!(page, "$ apportion {typed}\n{error}").unwrap();
    }
    insta::assert_snapshot!(page);
}
