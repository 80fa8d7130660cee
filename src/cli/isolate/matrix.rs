//! Owns `isolate matrix`: what each domain's roles may do, now and with the policy that is planned.

use std::borrow::Cow;

use crate::access::Rights;
use crate::aws::{Session, sts};
use crate::cli;
use crate::cli::args::isolate::IsolateMatrixArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::granted::Granted;
use crate::isolation_plan;
use crate::matrix::{self, Cell};
use crate::render;
use crate::role::{Holding, Roles, role_name};
use crate::table::{self, Column, Table};
use crate::target::Domains;

use super::ground::{self, Extent};

/// What one role may do.
struct Part {
    domain: String,
    title: String,
    role: String,
    now: Vec<Cell>,
    planned: Vec<Cell>,
}

/// Prints the matrix of each role; returns the exit code.
pub(super) async fn print(
    context: &Context,
    session: &Session,
    args: &IsolateMatrixArgs,
) -> Result<u8, Failure> {
    let caller = sts::caller(session).await?.account;
    let wish = ground::wish(context, &args.forming)?;
    let ground =
        ground::read(context, session, &caller, &args.looking, Extent::Identities, true).await?;
    let documents = ground::documents(&ground.inventory, &wish)?;
    let domains = Domains::new(&ground.inventory);
    let roles = Roles::new(&ground.inventory, &domains);
    let chosen = ground::chosen(&ground, &args.looking);
    let names = chosen.flat_map(|it| roles.of(&it.key)).map(str::to_owned).collect();
    let granted = Granted::read(&names, &ground.sessions).await;
    let mut parts = Vec::new();
    for domain in ground::chosen(&ground, &args.looking) {
        let parties = ground::parties(domain, &ground.inventory, &wish);
        let arn = isolation_plan::arn(domain, &ground.present);
        for role in roles.of(&domain.key) {
            let Some(grants) = granted.roles.get(role) else { continue };
            let is_own = roles.holding(role, &domain.key) == Holding::Own;
            let rights = Rights::of(grants);
            // A role that is not the domain's alone gets no policy.
            let planned = if is_own {
                ground::with_policy(grants, &arn, &documents[&domain.key])
            } else {
                rights.clone()
            };
            let shared = if is_own { "" } else { ", which is not this domain's alone" };
            parts.push(Part {
                domain: domain.key.id.to_string(),
                title: format!(
                    "Domain {} ({}), role {}{shared}",
                    domain.key.id,
                    domain.name,
                    role_name(role)
                ),
                role: role.to_owned(),
                now: matrix::matrix(&rights, &parties),
                planned: matrix::matrix(&planned, &parties),
            });
        }
    }
    cli::print(&written(&parts, &args.format));
    let gaps = ground.gaps.iter().cloned().chain(granted.gaps());
    let gaps: Vec<String> = gaps.collect();
    for gap in &gaps {
        context.ui.grave(&format!("Could not be read: {gap}"));
    }
    Ok(if gaps.is_empty() && !parts.is_empty() { error::DONE } else { error::PARTIAL })
}

fn written(parts: &[Part], format: &str) -> String {
    let mut bytes = Vec::new();
    let written = match format {
        "csv" => render::csv::write(table(parts), &mut bytes).map(drop),
        "json" => render::json::write(table(parts), &mut bytes).map(drop),
        _ => {
            let text = parts.iter().map(|it| render::matrix::text(&it.title, &it.now, &it.planned));
            return text.collect::<Vec<String>>().join("\n");
        }
    };
    written.expect("writing to memory does not fail");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Returns the table of every cell: its columns are an interface.
fn table(parts: &[Part]) -> Table<'_> {
    let names =
        ["domain", "role", "action", "type", "relation", "now", "now_by", "planned", "planned_by"];
    let column = |name| Column { name, heading: name, kind: table::Kind::Text };
    let rows = parts.iter().flat_map(move |part| {
        part.now.iter().zip(&part.planned).map(move |(now, planned)| {
            let texts: [Cow<'_, str>; 9] = [
                part.domain.as_str().into(),
                part.role.as_str().into(),
                now.action.as_str().into(),
                now.kind.as_str().into(),
                now.relation.name().into(),
                now.answer.decision.name().into(),
                now.answer.by.join(" ").into(),
                planned.answer.decision.name().into(),
                planned.answer.by.join(" ").into(),
            ];
            texts.map(table::Cell::text).to_vec()
        })
    });
    Table { columns: names.map(column).to_vec(), rows: Box::new(rows) }
}
