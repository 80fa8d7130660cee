//! Owns what an account that does not pay hands over to the one that does.
//!
//! **Invariant:** every command in it can be copied into a shell as it stands.

use std::fmt::Write as _;

use crate::arn::AccountId;
use crate::cli;
use crate::cli::commands::Context;
use crate::cli::error::{Failure, Kind};
use crate::period::Month;

use super::Wish;

/// One call of the AWS CLI takes at most this many keys.
const CALL_COUNT_MAX: usize = 20;

/// Prints the text for the payer, and returns why this account cannot go on.
pub(super) fn refuse(
    context: &Context,
    wish: &Wish,
    caller: &AccountId,
    payer: Option<&AccountId>,
) -> Failure {
    let config = &context.loaded.config;
    cli::print(&text(wish, &config.keys, &config.tags.activate, caller, payer));
    let who = payer.map_or_else(
        || "the management account of its organization pays".to_owned(),
        |payer| format!("{payer} pays"),
    );
    Failure {
        kind: Kind::Failed,
        message: format!(
            "account {caller} can neither see nor change cost allocation tag keys, since {who}"
        ),
        causes: vec![
            "AWS lets only the management account of an organization manage them, whatever the permissions of a \
             member account; what it activates counts for every account"
                .to_owned(),
        ],
        hints: vec![
            "send the text on stdout to whoever runs the payer, or use credentials of the payer"
                .to_owned(),
        ],
    }
}

/// Returns the text for the payer.
fn text(
    wish: &Wish,
    keys: &[String],
    activate: &[String],
    caller: &AccountId,
    payer: Option<&AccountId>,
) -> String {
    let payer = payer.map_or_else(
        || "the management account of the organization".to_owned(),
        |payer| format!("account {payer}, which pays"),
    );
    let mut text = format!(
        "For {payer}:\n\n\
         These cost allocation tag keys have to be active so that the cost of Amazon SageMaker has owners.\n\
         Account {caller} asked for it. Their state is not known to it: AWS tells it to the payer alone.\n\n"
    );
    for wanted in &wish.wanted {
        let need = if wanted.is_required { "needed" } else { "needed where billing lists it" };
        line(&mut text, &format!("  {}  ({need})", wanted.key));
    }
    line(
        &mut text,
        "\nWith this program, which looks first and asks before it changes anything:\n",
    );
    for (table, key, names) in [("", "keys", keys), ("[tags]", "activate", activate)] {
        if !names.is_empty() {
            let table = if table.is_empty() { String::new() } else { format!("{table} ") };
            let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            line(
                &mut text,
                &format!("  # in apportion.toml: {table}{key} = [{}]", names.join(", ")),
            );
        }
    }
    let from = wish.from.map(|from| format!(" --backfill-from {from}")).unwrap_or_default();
    line(&mut text, &format!("  apportion tags apply{from}"));
    line(
        &mut text,
        "\nOr with the AWS CLI, for the keys that `list-cost-allocation-tags` lists:\n",
    );
    line(&mut text, "  aws ce list-cost-allocation-tags");
    for command in commands(wish) {
        line(&mut text, &format!("  {command}"));
    }
    if wish.from.is_some() {
        line(
            &mut text,
            "\nA billing backfill applies the present status of every key of the organization: one that is inactive \
             now\nand was active once loses its history. `apportion tags plan` names them beforehand; the AWS CLI does \
             not.",
        );
    }
    text
}

fn commands(wish: &Wish) -> Vec<String> {
    let entries: Vec<String> = wish
        .wanted
        .iter()
        .map(|wanted| quoted(&format!("TagKey={},Status=Active", wanted.key)))
        .collect();
    let calls = entries.chunks(CALL_COUNT_MAX).map(|entries| {
        format!(
            "aws ce update-cost-allocation-tags-status --cost-allocation-tags-status {}",
            entries.join(" ")
        )
    });
    calls.chain(wish.from.map(backfill_command)).collect()
}

fn backfill_command(from: Month) -> String {
    format!("aws ce start-cost-allocation-tag-backfill --backfill-from {}T00:00:00Z", from.start())
}

/// Quotes a word for a shell where it needs that.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "-_.,:/=@+".contains(it);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::wanted;

    #[test]
    fn the_commands_can_be_copied() {
        let activate: Vec<String> =
            (0..18).map(|it| format!("k{it}")).chain(["cost center's".to_owned()]).collect();
        let from = Some(Month::parse("2026-01").unwrap());
        let wish = Wish { wanted: wanted(&[], &activate), from };
        let commands = commands(&wish);
        assert_eq!(commands.len(), 3);
        assert_eq!(commands[0].matches("TagKey=").count(), 20);
        assert!(
            commands[1].ends_with(
                r"TagKey=k15,Status=Active TagKey=k16,Status=Active TagKey=k17,Status=Active 'TagKey=cost center'\''s,Status=Active'"
            ),
            "{}", commands[1]
        );
        assert_eq!(
            commands[2],
            "aws ce start-cost-allocation-tag-backfill --backfill-from 2026-01-01T00:00:00Z"
        );
    }
}
