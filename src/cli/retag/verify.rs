//! Owns `retag verify`: whether each resource bears the tags that a plan wants, by its own service's word.
//!
//! **Invariant:** the tagging API is not asked: it may be behind.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{Session, sts};
use crate::cli;
use crate::cli::args::change::RetagVerifyArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::inventory::Whereabouts;
use crate::mark::{self, Marks};
use crate::plan::{Item, Plan, PlanKind};
use crate::render::text::{self, Heading, clean};

use super::ground::{self, Ground, whereabouts};
use super::survey;

/// What was found of a plan's resources.
#[derive(Debug, Default)]
struct Findings {
    /// How many are as the plan wants them.
    same: usize,
    /// The tags that are not: ARN, key, wanted, found.
    different: Vec<[String; 4]>,
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
    let plan: Plan<Marks> =
        plans::load(&args.plan, &[PlanKind::Retag, PlanKind::RetagUndo], &caller)?;
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
    for (why, arns) in by_reason(&findings.unread) {
        let more = arns.len() - 1;
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        ui.grave(&format!("  not read: {}{more}: {}", clean(arns[0]), clean(why)));
    }
    let different: BTreeSet<&String> = findings.different.iter().map(|row| &row[0]).collect();
    ui.line(&format!(
        "{} as planned, {} different, {} gone, {} not read.",
        findings.same,
        different.len(),
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
            let to = item.change.to();
            let value = |marks: Option<&Marks>, key: &str| {
                marks.and_then(|it| it.0.get(key)).map_or("(absent)", String::as_str).to_owned()
            };
            // Only the tags that differ: the others would hide them.
            for key in mark::KEYS {
                let (wanted, found) = (value(to, key), value(found, key));
                if wanted != found {
                    self.different.push([item.id.clone(), key.to_owned(), wanted, found]);
                }
            }
        }
    }
}

/// Puts together what could not be read for one reason.
fn by_reason(unread: &BTreeMap<String, String>) -> BTreeMap<&str, Vec<&str>> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (arn, why) in unread {
        reasons.entry(why).or_default().push(arn);
    }
    reasons
}

fn table(different: &[[String; 4]]) -> String {
    let headings = ["resource", "tag", "planned", "found"].map(Heading::left);
    let rows: Vec<Vec<String>> = different
        .iter()
        .map(|row| row.iter().map(|cell| clean(cell).into_owned()).collect())
        .collect();
    let mut bytes = Vec::new();
    text::table(&headings, &rows, None, &mut bytes).expect("writing to memory does not fail");
    String::from_utf8(bytes).expect("a table is made of text")
}
