//! Owns `tags status`: what billing says of the keys, and of the backfills there were.

use crate::activation::Wanted;
use crate::backfill::{Known, effective_at};
use crate::cli;
use crate::cli::args::change::TagsStatusArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::render;
use crate::table::{Cell, Column, Kind, Table};
use jiff::Timestamp;

use super::{Site, Wish, enter};

/// How many other keys are named.
const NAMED_COUNT_MAX: usize = 10;

/// Prints the state of every wanted key; returns the exit code.
pub(super) async fn print(context: &Context, args: &TagsStatusArgs) -> Result<u8, Failure> {
    let wish = Wish::of(context, None);
    let site = enter(context, &args.aws, &wish).await?;
    let now = context.clock.now();
    let (wanted, known) = (&wish.wanted, &site.known);
    let text = match args.format.as_str() {
        "csv" => written(|bytes| render::csv::write(keys(wanted, known, now), bytes).map(drop)),
        "json" => written(|bytes| {
            bytes.extend(b"{\"keys\":");
            render::json::write(keys(wanted, known, now), bytes)?;
            bytes.extend(b",\"backfills\":");
            render::json::write(backfills(known), bytes)?;
            bytes.extend(b"}\n");
            Ok(())
        }),
        _ => text(wanted, known, now),
    };
    cli::print(&text);
    say(context, &site, &wish);
    Ok(error::DONE)
}

fn say(context: &Context, site: &Site, wish: &Wish) {
    let ui = &context.ui;
    let others: Vec<_> = site
        .known
        .statuses
        .iter()
        .filter(|status| !wish.wanted.iter().any(|wanted| wanted.key == status.key))
        .collect();
    let stripped: Vec<String> = others
        .iter()
        .filter(|status| status.active != Some(true) && status.updated_at.is_some())
        .map(|status| format!("`{}`", status.key))
        .collect();
    let active = others.iter().filter(|status| status.active == Some(true)).count();
    ui.line(&format!(
        "Other keys of the organization: {} listed, {active} active, {} active once and inactive now{}.",
        others.len(),
        stripped.len(),
        named(&stripped)
    ));
    ui.line(&match &site.payer {
        Some(payer) => format!("Who may change them: account {payer}, which pays and is asking."),
        None => "Who may change them: this account, since billing answered it.".to_owned(),
    });
}

fn named(keys: &[String]) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let more = keys.len().saturating_sub(NAMED_COUNT_MAX);
    let shown = keys.iter().take(NAMED_COUNT_MAX).cloned().collect::<Vec<_>>().join(", ");
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(" ({shown}{more}); a billing backfill would take their history away")
}

fn text(wanted: &[Wanted], known: &Known, now: Timestamp) -> String {
    written(|bytes| {
        lay_out(keys(wanted, known, now), bytes)?;
        if known.history.is_empty() {
            bytes.extend(b"\nNo billing backfill was ever asked for.\n");
            return Ok(());
        }
        bytes.extend(b"\nBilling backfills:\n");
        lay_out(backfills(known), bytes)
    })
}

fn lay_out(table: Table<'_>, bytes: &mut Vec<u8>) -> std::io::Result<()> {
    let excerpt = render::text::excerpt(table, usize::MAX);
    render::text::table(&excerpt.headings, &excerpt.rows, None, bytes)
}

fn written(write: impl Fn(&mut Vec<u8>) -> std::io::Result<()>) -> String {
    let mut bytes = Vec::new();
    write(&mut bytes).expect("writing to memory does not fail");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the table of wanted keys: its columns are an interface.
fn keys<'a>(wanted: &'a [Wanted], known: &'a Known, now: Timestamp) -> Table<'a> {
    let column = |name, heading, kind| Column { name, heading, kind };
    let columns = vec![
        column("key", "key", Kind::Text),
        column("seen", "seen", Kind::Flag),
        column("active", "active", Kind::Flag),
        column("since", "status since", Kind::Text),
        column("last_used", "last used", Kind::Month),
        column("effective", "effective", Kind::Flag),
        column("effective_at", "effective at", Kind::Text),
        column("wanted_by", "wanted by", Kind::Text),
    ];
    let rows = wanted.iter().map(move |wanted| {
        let status = known.status(&wanted.key);
        let effective_at = status.and_then(effective_at);
        let time = |at: Option<Timestamp>| {
            Cell::text(
                at.filter(|at| *at > Timestamp::MIN).map_or(String::new(), |at| at.to_string()),
            )
        };
        vec![
            Cell::text(wanted.key.as_str()),
            Cell::Flag(status.is_some()),
            status.map_or(Cell::Blank, |status| Cell::Flag(status.active == Some(true))),
            time(status.and_then(|status| status.updated_at)),
            status
                .and_then(|status| status.last_used)
                .map_or(Cell::Blank, |day| Cell::Month(crate::period::Month::of(day))),
            status.map_or(Cell::Blank, |_| Cell::Flag(effective_at.is_some_and(|at| at <= now))),
            time(effective_at),
            Cell::text(if wanted.is_sagemakers { "sagemaker" } else { "configured" }),
        ]
    });
    Table { columns, rows: Box::new(rows) }
}

fn backfills(known: &Known) -> Table<'_> {
    let column = |name, heading, kind| Column { name, heading, kind };
    let columns = vec![
        column("from", "from", Kind::Month),
        column("requested_at", "asked for at", Kind::Text),
        column("status", "status", Kind::Text),
    ];
    let rows = known.history.iter().map(|past| {
        vec![
            Cell::Month(past.from),
            Cell::text(past.requested_at.to_string()),
            Cell::text(past.status.as_str()),
        ]
    });
    Table { columns, rows: Box::new(rows) }
}
