//! Owns how a failure is told: what was being done, why it failed, what to do next, and the exit code.

use std::error::Error as StdError;
use std::fmt::Write as _;

use crate::aws;
use crate::cli::collect::ask;
use crate::cli::config;
use crate::deliver::{mail, webhook};
use crate::store::{closed, disk, plans, sent, snapshots};

/// A failure as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Who must act.
    pub kind: Kind,
    /// What was being done, to what.
    pub message: String,
    /// Why it failed, one link each.
    pub causes: Vec<String>,
    /// What to do next.
    pub hints: Vec<String>,
}

/// Who must act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The user, on the command line.
    Usage,
    /// The user or AWS, or the disk.
    Failed,
}

/// The program did what it was asked.
pub const DONE: u8 = 0;
/// It failed.
pub const FAILED: u8 = 1;
/// What was typed cannot be.
pub const USAGE: u8 = 2;
/// Changes are pending, or a threshold is crossed.
pub const PENDING: u8 = 3;
/// A sum is not its control.
pub const DOES_NOT_RECONCILE: u8 = 4;
/// Something could not be read, or changed while it was read.
pub const PARTIAL: u8 = 5;
/// A bug.
pub const BUG: u8 = 70;

impl Failure {
    /// Makes a failure that the user can mend on the command line.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        let (message, hints) = (message.into(), vec![hint.into()]);
        Failure { kind: Kind::Usage, message, causes: Vec::new(), hints }
    }

    /// Makes a failure that has to do with how things stand, and not with what was typed.
    pub fn refused(message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure { kind: Kind::Failed, ..Failure::usage(message, hint) }
    }

    /// Returns the exit code.
    pub fn code(&self) -> u8 {
        match self.kind {
            Kind::Usage => USAGE,
            Kind::Failed => FAILED,
        }
    }

    /// Returns the lines that are shown.
    pub fn text(&self) -> String {
        let mut text = format!("error: {}\n", self.message);
        for (what, lines) in [("cause", &self.causes), ("hint", &self.hints)] {
            for line in lines {
                writeln!(text, "  {what}: {}", line.replace('\n', "\n    "))
                    .expect("writing to a string does not fail");
            }
        }
        text
    }

    fn of(error: &dyn StdError, hints: Vec<String>) -> Failure {
        let mut causes = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        Failure { kind: Kind::Failed, message: error.to_string(), causes, hints }
    }
}

impl From<disk::Error> for Failure {
    fn from(error: disk::Error) -> Failure {
        use std::io::ErrorKind;
        let hint = match error.source.kind() {
            ErrorKind::PermissionDenied => {
                Some("give the folder write permission, or name another one")
            }
            ErrorKind::StorageFull => Some("free some space; the earlier files are as they were"),
            ErrorKind::NotFound => Some("check the path"),
            ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                Some("name a folder; there is a file of that name")
            }
            ErrorKind::IsADirectory => Some("name a file; there is a folder of that name"),
            ErrorKind::ReadOnlyFilesystem => Some("name a folder that can be written to"),
            _ => Some("check the path and its disk"),
        };
        Failure::of(&error, hint.map(str::to_owned).into_iter().collect())
    }
}

impl From<config::Error> for Failure {
    fn from(error: config::Error) -> Failure {
        match error {
            config::Error::Disk(error) => error.into(),
            config::Error::Invalid { .. } => {
                let hint = "`docs/monthly-run.md` lists the keys of the configuration, `docs/budgets.md` those of budgets, `docs/alerts.md` those of alerts, `docs/isolation.md` those of isolation, and `docs/chargeback.md` those of teams and pools with their files";
                Failure::of(&error, vec![hint.to_owned()])
            }
        }
    }
}

impl From<snapshots::Error> for Failure {
    fn from(error: snapshots::Error) -> Failure {
        let hint = match &error {
            snapshots::Error::Disk(_) => None,
            snapshots::Error::None { .. } => {
                Some("run `apportion collect` first, or name the folder with `--snapshots DIR`")
            }
            snapshots::Error::NotSnapshot { .. } => {
                Some("name a folder that `apportion collect` of this version has made")
            }
            snapshots::Error::Damaged { .. } | snapshots::Error::NotRecords { .. } => {
                Some("collect again; what is damaged is then fetched anew")
            }
        };
        let hints = hint.map(str::to_owned).into_iter().collect();
        match error {
            snapshots::Error::Disk(error) => error.into(),
            other => Failure::of(&other, hints),
        }
    }
}

impl From<closed::Error> for Failure {
    fn from(error: closed::Error) -> Failure {
        let hint = match error {
            closed::Error::Disk(error) => return error.into(),
            closed::Error::NotClosed { .. } => {
                "read it with the version of the program that closed the month"
            }
            closed::Error::Missing { .. } | closed::Error::Damaged { .. } => {
                "put the file back from a backup; what was charged is never calculated anew"
            }
        };
        Failure::of(&error, vec![hint.to_owned()])
    }
}

impl From<plans::Error> for Failure {
    fn from(error: plans::Error) -> Failure {
        match error {
            plans::Error::Disk(error) => error.into(),
            other => {
                let hint = "name a file that a `plan` of this version has written with `--save`";
                Failure::of(&other, vec![hint.to_owned()])
            }
        }
    }
}

impl From<sent::Error> for Failure {
    fn from(error: sent::Error) -> Failure {
        match error {
            sent::Error::Disk(error) => error.into(),
            other @ sent::Error::NotSent { .. } => {
                let hint =
                    "put the file back from a backup, or remove it; then all is told once more";
                Failure::of(&other, vec![hint.to_owned()])
            }
        }
    }
}

impl From<webhook::Error> for Failure {
    fn from(error: webhook::Error) -> Failure {
        let hint = match error {
            webhook::Error::NotAddress { .. } => {
                "set the variable of `alerts.slack_webhook_env` to the address that Slack shows for the incoming webhook"
            }
            webhook::Error::NoAnswer { .. } => "check the network and the proxy, and run it again",
            webhook::Error::Refused { .. } => {
                "look in Slack whether the app, its webhook and the channel are still there, and run it again"
            }
        };
        Failure::of(&error, vec![hint.to_owned()])
    }
}

impl From<mail::Error> for Failure {
    fn from(error: mail::Error) -> Failure {
        let hint = match error {
            mail::Error::NotServer => {
                "set the variable of `alerts.mail.smtp_url_env` to `smtps://user:password@host:465` or `smtp://host:587?tls=required`"
            }
            mail::Error::PlainText => {
                "write `smtps://` or add `?tls=required` to the SMTP server's URL; only a server on this machine may do without"
            }
            mail::Error::NotAddress { .. } => "write plain addresses in `[alerts.mail]`",
            mail::Error::NoAnswer { .. } => {
                "check host, port and `tls` of the SMTP server's URL, and run it again"
            }
            mail::Error::Refused { .. } => {
                "check user, password and sender with whoever runs the SMTP server"
            }
        };
        Failure::of(&error, vec![hint.to_owned()])
    }
}

impl From<aws::Error> for Failure {
    fn from(error: aws::Error) -> Failure {
        let operation = error.operation;
        let hint = match error.kind {
            aws::Kind::AccessDenied => Some(format!(
                "grant the permission for `{operation}`; `docs/permissions.md` has the whole policy"
            )),
            aws::Kind::Throttled => Some("try again later, or with `--concurrency 1`".to_owned()),
            aws::Kind::NotEnabled => Some(
                "enable Cost Explorer in the Billing console of the payer, allow linked accounts, and wait 24 hours"
                    .to_owned(),
            ),
            aws::Kind::Credentials => Some(
                "give credentials as for any AWS tool: `AWS_PROFILE`, `aws sso login`, or `--profile NAME`"
                    .to_owned(),
            ),
            aws::Kind::Network => Some("check the network, the region and `AWS_ENDPOINT_URL`".to_owned()),
            aws::Kind::BadToken => Some("run again; the bill changed between two pages".to_owned()),
            aws::Kind::Unparsable => Some(
                "run again; if it stays, something on the way answers in the place of AWS".to_owned(),
            ),
            aws::Kind::Other => Some(
                "`apportion check` looks at credentials, payer and tag keys, free of charge".to_owned(),
            ),
        };
        Failure::of(&error, hint.into_iter().collect())
    }
}

impl From<ask::Error> for Failure {
    fn from(error: ask::Error) -> Failure {
        let hint = match error {
            ask::Error::Aws(error) => return error.into(),
            ask::Error::Quote { .. } => "raise `--max-spend`",
            ask::Error::Spend { .. } => {
                "raise `--max-spend`, or ask for fewer months with `--months`"
            }
            ask::Error::Currency { .. } => {
                "ask each payer on its own, or a billing view with one currency"
            }
            ask::Error::Period { .. } | ask::Error::Unanswered { .. } => {
                "run again; if it stays, something on the way answers in the place of AWS"
            }
        };
        Failure::of(&error, vec![hint.to_owned()])
    }
}
