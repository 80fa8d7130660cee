//! Owns `retag verify`: whether SageMaker's own answer for each resource is what a plan wants.
//!
//! **Invariant:** the tagging API is asked only for what SageMaker has no tags of; it may be behind.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{self, Session, sts, tag};
use crate::cli;
use crate::cli::args::change::RetagVerifyArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::plans;
use crate::inventory::{Tags, Whereabouts};
use crate::kind::TaggedBy;
use crate::mark::{self, Marks};
use crate::plan::{self, Item, Plan, PlanKind};
use crate::render::text::{self, Heading, clean};

use super::ground::{self, Ground, whereabouts};
use super::survey::{self, Known};

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
        let mut found = read_place(session, &items, concurrency, tell).await;
        for item in items {
            match found.remove(&item.id) {
                Some(Ok(Some(tags))) => findings.compare(item, Marks::of(&tags).as_ref()),
                Some(Err(why)) => drop(findings.unread.insert(item.id.clone(), why)),
                Some(Ok(None)) | None => findings.gone.push(item.id.clone()),
            }
        }
    }
    findings
}

/// Reads the tags of some resources of one place; absent inside for what does not exist.
async fn read_place(
    session: &Session,
    items: &[&Item<Marks>],
    concurrency: usize,
    tell: &dyn Fn(usize),
) -> BTreeMap<String, Result<Option<Tags>, String>> {
    let ids: Vec<String> = items.iter().map(|item| item.id.clone()).collect();
    let others: BTreeSet<String> =
        ids.iter().filter(|id| survey::by(id) == TaggedBy::TaggingApi).cloned().collect();
    let words = |error: aws::Error| format!("{}: {}", error.code, error.message);
    let read = survey::read_back(session, ids, concurrency, tell).await;
    let mut found: BTreeMap<String, Result<Option<Tags>, String>> =
        read.into_iter().map(|(id, tags)| (id, tags.map_err(words))).collect();
    if others.is_empty() {
        return found;
    }
    match tag::read_marks(session, &mark::KEYS).await {
        Ok(marks) => {
            let known = Known::new(marks);
            // What was never tagged is unknown there, so that it is gone cannot be told.
            let tags = |id: &String| known.get(id).map(|marks| marks.0).unwrap_or_default();
            found.extend(others.iter().map(|id| (id.clone(), Ok(Some(tags(id))))));
        }
        Err(error) => {
            let why = words(error);
            found.extend(others.into_iter().map(|id| (id, Err(why.clone()))));
        }
    }
    found
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
