//! Owns `isolate simulate`: acts decided under policies in files.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::access::Rights;
use crate::act::{Act, Context};
use crate::cli;
use crate::cli::args::isolate::IsolateSimulateArgs;
use crate::cli::error::{self, Failure};
use crate::json;
use crate::policy::Policy;
use crate::store::disk;

/// An act as a file has it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    action: String,
    resource: String,
    #[serde(default)]
    context: BTreeMap<String, Vec<String>>,
}

/// Prints a decision a line, as JSON; returns the exit code.
pub(super) fn print(args: &IsolateSimulateArgs) -> Result<u8, Failure> {
    let read = |path: &std::path::PathBuf| policy(path);
    let rights = Rights {
        policies: args.policy.iter().map(read).collect::<Result<_, _>>()?,
        boundary: args.boundary.as_ref().map(read).transpose()?,
    };
    let asked: Vec<Asked> = serde_json::from_slice(&disk::read(&args.acts)?).map_err(|error| {
        let hint =
            "write a JSON list of `{\"action\": …, \"resource\": …, \"context\": {key: [values]}}`";
        Failure::usage(format!("`{}` holds no acts: {error}", args.acts.display()), hint)
    })?;
    let mut text = String::new();
    for Asked { action, resource, context: keys } in &asked {
        let mut context = Context::whole();
        for (key, values) in keys {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            context = context.with(key, &values);
        }
        let answer = rights.decide(&Act { action, resource, context: &context });
        let line = json!({
            "action": action,
            "resource": resource,
            "decision": answer.decision.name(),
            "by": answer.by,
        });
        writeln!(text, "{line}").expect("writing to a string does not fail");
    }
    cli::print(&text);
    Ok(error::DONE)
}

/// Reads a policy that IAM would take, from a customer or as one of AWS's own, which may be longer.
fn policy(path: &Path) -> Result<Policy, Failure> {
    let (policy, flaws) = Policy::read(&name(path), &value(path)?);
    match flaws.first() {
        None => Ok(policy),
        Some(flaw) => {
            let at = if flaw.statement.is_empty() {
                String::new()
            } else {
                format!(" statement {}:", flaw.statement)
            };
            let message =
                format!("`{}` is no policy that IAM takes:{at} {}", path.display(), flaw.text);
            let hint = "`apportion isolate lint --policy FILE` lists all that is wrong with it";
            Err(Failure::usage(message, hint))
        }
    }
}

/// Reads the JSON of a file, in which no member may stand twice.
pub(super) fn value(path: &Path) -> Result<Value, Failure> {
    json::parse(&disk::read(path)?).map_err(|error| {
        Failure::usage(format!("`{}` is no JSON: {error}", path.display()), "correct the file")
    })
}

/// Returns what a policy in a file is called: the file's name.
pub(super) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
