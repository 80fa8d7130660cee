//! Owns the tables of a statement that have no amounts: what was billed and still exists, what runs, and who worked where.

use std::collections::BTreeMap;

use crate::bearer::Existence;
use crate::cli::statement_tables::{owner, table};
use crate::presence;
use crate::render::html;
use crate::render::text::Heading;
use crate::report::{self, Report};
use crate::statement::Statement;
use crate::terms::People;

/// Builds those tables that have any row.
pub(super) fn sections(report: &Report<'_>, statement: &Statement) -> Vec<html::Section> {
    let tables =
        [owners(report, statement), running(report, statement), workers(report, statement)];
    tables.into_iter().flatten().collect()
}

/// Owners that were billed, and whether they still exist.
fn owners(report: &Report<'_>, statement: &Statement) -> Option<html::Section> {
    let columns = vec![
        Heading::left("Owner"),
        Heading::left("Kind"),
        Heading::left("Status"),
        Heading::left("Last seen"),
    ];
    let caption = "Owners billed in the month, and whether the inventory still has them.";
    let mut table = table("What was billed, and what still exists", caption.to_owned(), columns);
    let taken = report.snapshot.manifest.taken_at;
    let day = |at: jiff::Timestamp| jiff::tz::TimeZone::UTC.to_datetime(at).date().to_string();
    let owners = statement.presence.billed.iter();
    let owners = owners.map(|place| (*place, &report.charges.bearers[*place]));
    for (place, bearer) in owners.filter(|(_, bearer)| bearer.owner.domain().is_some()) {
        let (status, seen) = match bearer.existence {
            Existence::Listed => ("exists", day(taken)),
            Existence::Gone { last_seen_at, .. } => ("gone", day(last_seen_at)),
            Existence::LastSeen(at) => ("inventory not read", day(at)),
            Existence::NeverListed => ("not in inventory", "never".to_owned()),
            Existence::Unknown => ("inventory not read", String::new()),
        };
        let kind = bearer.owner.kind().replace('_', " ");
        table.rows.push(vec![owner(report, statement, place), kind, status.to_owned(), seen]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// What runs, as of the snapshot.
fn running(report: &Report<'_>, statement: &Statement) -> Option<html::Section> {
    let columns = vec![
        Heading::left("What"),
        Heading::left("Name"),
        Heading::left("Owner"),
        Heading::left("Instance type"),
    ];
    let taken = jiff::tz::TimeZone::UTC.to_datetime(report.snapshot.manifest.taken_at).date();
    let caption = format!("Apps, endpoints and notebook instances in service on {taken}.");
    let mut table = table("What runs now", caption, columns);
    for running in &statement.presence.running {
        table.rows.push(vec![
            running.kind.replace('-', " "),
            running.name.clone(),
            owner(report, statement, running.bearer),
            running.instance_type.clone().unwrap_or_default(),
        ]);
    }
    (!table.rows.is_empty()).then_some(table)
}

/// Who worked in the team's shared spaces; people of other teams as the configuration says.
fn workers(report: &Report<'_>, statement: &Statement) -> Option<html::Section> {
    let columns = vec![Heading::left("Space"), Heading::left("Who"), Heading::left("Team")];
    let mut caption = "A shared space is charged to its own team, whoever works in it.".to_owned();
    let people = report.terms.style.people;
    caption.push_str(match people {
        People::Names => "",
        People::Ids => " People of other teams go by an id.",
        People::Hidden => " People of other teams are not named.",
    });
    let mut table = table("Who worked in shared spaces", caption, columns);
    let mut hidden: BTreeMap<usize, usize> = BTreeMap::new();
    for worker in &statement.presence.workers {
        let is_own = worker.team == statement.team;
        let name = || match worker.bearer.and_then(|place| report.person(place)) {
            Some(person) => format!("{person}: {}", worker.name),
            None => worker.name.to_string(),
        };
        let who = match people {
            _ if is_own => name(),
            People::Names => name(),
            People::Ids => presence::pseudonym(&worker.domain, &worker.name),
            People::Hidden => {
                *hidden.entry(worker.space).or_default() += 1;
                continue;
            }
        };
        let teams = &report.charges.membership.teams;
        let team = worker.team.map_or(report::NO_TEAM, |place| teams[place].as_str());
        table.rows.push(vec![owner(report, statement, worker.space), who, team.to_owned()]);
    }
    for (space, count) in hidden {
        let who = if count == 1 { "1 person".to_owned() } else { format!("{count} people") };
        table.rows.push(vec![owner(report, statement, space), who, "other teams".to_owned()]);
    }
    table.rows.sort();
    (!table.rows.is_empty()).then_some(table)
}
