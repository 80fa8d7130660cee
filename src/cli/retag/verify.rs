//! Owns `retag verify`: whether each resource bears the tags that a plan wants, by its own service's word.
//!
//! **Invariant:** the tagging API is not asked: it may be behind.

use std::collections::BTreeMap;

use crate::aws::{Session, sts};
use crate::cli;
use crate::cli::args::change::RetagVerifyArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::inventory::Whereabouts;
use crate::mark::Marks;
use crate::plan::{self, Item, Plan, PlanKind};
use crate::render::text::{self, Heading, clean};

use super::ground::{self, Ground, whereabouts};
use super::survey;

/// What was found of a plan's resources.
#[derive(Debug, Default)]
struct Findings {
    /// How many are as the plan wants them.
    same: usize,
    /// Those that are not: ARN, wanted, found.
    different: Vec<[String; 3]>,
    /// Those that are no longer there.
    gone: Vec<String>,
    /// Those that could not be read, and why.
    unread: BTreeMap<String, String>,
}

/// Compares the world with what a plan wants; returns the exit code.
pub(super) async fn verify(
    context: &Context,
    session: &Session,
    args: &RetagVerifyArgs,
) -> Result<u8, Failure> {
    let ui = &context.ui;
    let caller = sts::caller(session).await?.account;
    let plan: Plan<Marks> = plans::load(&args.plan, PlanKind::Retag, &caller)?;
    let ground = ground::enter_all(context, session, &caller, &plan).await?;
    ui.begin("Reading tags", plan.items.len());
    let findings = read(&ground, &plan, usize::from(args.concurrency), &|it| ui.advance(it)).await;
    ui.finish();
    if !findings.different.is_empty() {
        cli::print(&table(&findings.different));
    }
    for arn in &findings.gone {
        ui.line(&format!("  gone: {}", clean(arn)));
    }
    for (arn, why) in &findings.unread {
        ui.grave(&format!("  not read: {}: {}", clean(arn), clean(why)));
    }
    ui.line(&format!(
        "{} as planned, {} different, {} gone, {} not read.",
        findings.same,
        findings.different.len(),
        findings.gone.len(),
        findings.unread.len()
    ));
    let is_good = findings.different.is_empty() && findings.unread.is_empty();
    Ok(if is_good { error::DONE } else { error::PARTIAL })
}

async fn read(
    ground: &Ground,
    plan: &Plan<Marks>,
    concurrency: usize,
    tell: &dyn Fn(usize),
) -> Findings {
    let mut findings = Findings::default();
    let mut places: BTreeMap<Whereabouts, Vec<&Item<Marks>>> = BTreeMap::new();
    for item in &plan.items {
        let place = whereabouts(&item.id).expect("the ground was made of the plan's resources");
        places.entry(place).or_default().push(item);
    }
    for (place, items) in places {
        let Some(session) = ground.open.get(&place) else {
            let why = ground.closed.get(&place).cloned().unwrap_or_default();
            findings.unread.extend(items.iter().map(|item| (item.id.clone(), why.clone())));
            continue;
        };
        let ids = items.iter().map(|item| item.id.clone()).collect();
        let found = survey::read_back(session, ids, concurrency, tell).await;
        for item in items {
            match &found[&item.id] {
                Ok(Some(tags)) => findings.compare(item, Marks::of(tags).as_ref()),
                Ok(None) => findings.gone.push(item.id.clone()),
                Err(error) => {
                    let why = format!("{}: {}", error.code, error.message);
                    findings.unread.insert(item.id.clone(), why);
                }
            }
        }
    }
    findings
}

impl Findings {
    fn compare(&mut self, item: &Item<Marks>, found: Option<&Marks>) {
        if found == item.change.to() {
            self.same += 1;
        } else {
            let wanted = plan::told(item.change.to());
            self.different.push([item.id.clone(), wanted, plan::told(found)]);
        }
    }
}

fn table(different: &[[String; 3]]) -> String {
    let headings = ["resource", "planned", "found"].map(Heading::left);
    let rows: Vec<Vec<String>> = different
        .iter()
        .map(|row| row.iter().map(|cell| clean(cell).into_owned()).collect())
        .collect();
    let mut bytes = Vec::new();
    text::table(&headings, &rows, None, &mut bytes).expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("a table is made of text")
}
