//! Owns what is found about policies: flaws of a document, and what a role may do that defeats isolation or cannot be isolated.
//!
//! **Invariant:** what a role may do is decided, never read off the looks of a policy; a document alone is judged by its looks
//! only where its looks are the matter.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::access::{Decision, Rights};
use crate::act::Act;
use crate::authorization::{self, Action, PIPELINE_EXECUTION};
use crate::listing::listed;
use crate::matrix::{self, Cell, is_placing, is_tagging};
use crate::operator::{Comparison, Quantity};
use crate::parties::{Parties, Relation};
use crate::policy::{self, Choice, Effect, FlawKind, LENGTH_MAX, Policy, Statement};
use crate::weakness::{Kind, Weakness};
use crate::wildcard;

/// What is judged: a role or a policy, and between which domains.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// What people call it.
    pub name: &'a str,
    /// Its domain, another one, and what is known of both.
    pub parties: &'a Parties,
}

/// Finds what is wrong with one document as it stands.
///
/// A managed policy has a limit of its own; inline policies share one, which is not looked at.
pub fn document(
    name: &str,
    document: &Value,
    is_managed: bool,
    subject: &Subject<'_>,
) -> Vec<Weakness> {
    let (policy, flaws) = Policy::read(name, document);
    let mut found = Vec::new();
    let length = policy::length(document);
    if is_managed && length > LENGTH_MAX {
        let text =
            format!("`{name}` has {length} characters, and a managed policy at most {LENGTH_MAX}");
        found.push(weakness(Kind::Malformed, subject, Vec::new(), text));
    }
    for flaw in flaws {
        let kind = if flaw.kind == FlawKind::NoEffect { Kind::NoEffect } else { Kind::Malformed };
        let statements = statement_names(name, &flaw.statement);
        found.push(weakness(kind, subject, statements, format!("`{name}`: {}", flaw.text)));
    }
    let mut partitions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for statement in &policy.statements {
        for text in texts(statement) {
            let mut parts = text.split(':');
            let partition = parts.next().filter(|it| *it == "arn").and_then(|_| parts.next());
            let is_other =
                |it: &&str| !it.contains(['*', '?', '$']) && *it != subject.parties.partition;
            if let Some(other) = partition.filter(is_other) {
                partitions.entry(other.to_owned()).or_default().insert(statement.name.clone());
            }
        }
        let unknown: BTreeSet<&str> = unknown_actions(statement).collect();
        if !unknown.is_empty() {
            let text = format!("SageMaker has no such action: {}", listed(&unknown));
            let statements = statement_names(name, &statement.name);
            found.push(weakness(Kind::UnknownAction, subject, statements, text));
        }
        if let Some(key) = vacuous(statement) {
            let text = format!(
                "the condition on `{key}` holds as well where the request has no such key, so it limits nothing there"
            );
            found.push(weakness(
                Kind::VacuousCondition,
                subject,
                statement_names(name, &statement.name),
                text,
            ));
        }
    }
    for (other, statements) in partitions {
        let text = format!(
            "it names ARNs of partition `{other}`, and the domain is in `{}`",
            subject.parties.partition
        );
        let statements = statements.iter().flat_map(|it| statement_names(name, it)).collect();
        found.push(weakness(Kind::WrongPartition, subject, statements, text));
    }
    found
}

/// Returns the actions of SageMaker that a statement names and the reference does not.
fn unknown_actions(statement: &Statement) -> impl Iterator<Item = &str> {
    let (Choice::Of(list) | Choice::Not(list)) = &statement.actions;
    list.iter().map(String::as_str).filter(|it| {
        let pattern = it.to_lowercase();
        let is_known =
            |action: &Action| wildcard::like(&pattern, &action.full_name().to_lowercase());
        pattern.starts_with("sagemaker:") && !authorization::actions().iter().any(is_known)
    })
}

/// Returns the key on which an allowing statement has a condition that an absent key meets, where no other asks for the key.
fn vacuous(statement: &Statement) -> Option<&str> {
    let asks = |key: &str| {
        statement.conditions.iter().any(|it| {
            let is_null = it.operator.comparison == Comparison::Null
                && it.values.iter().all(|it| it == "false");
            it.key.eq_ignore_ascii_case(key) && (is_null || it.operator.quantity == Quantity::Any)
        })
    };
    let all = statement
        .conditions
        .iter()
        .find(|it| it.operator.quantity == Quantity::All && !asks(&it.key));
    all.filter(|_| statement.effect == Effect::Allow).map(|it| it.key.as_str())
}

fn texts(statement: &Statement) -> Vec<&String> {
    let (Choice::Of(list) | Choice::Not(list)) = &statement.resources;
    list.iter().chain(statement.conditions.iter().flat_map(|it| &it.values)).collect()
}

/// Finds what is wrong with what a role may do.
pub fn rights(rights: &Rights, subject: &Subject<'_>) -> Vec<Weakness> {
    let cells = matrix::matrix(rights, subject.parties);
    let mut found = Vec::new();
    let is_use = |it: &&Cell| {
        let is_foreign = is_placing(it) && it.relation == Relation::Other;
        !is_tagging(&it.action) && (!it.is_created || is_foreign)
    };
    let used: Vec<&Cell> = cells.iter().filter(is_use).collect();
    found.extend(leaks(&used, subject));
    found.extend(own(&used, subject));
    found.extend(creation(rights, &cells, subject));
    found.extend(tampered(&cells, subject));
    found.extend(passing(rights, subject));
    found.extend(classic(rights, subject));
    found.extend(untold(&used, subject));
    found
}

/// What is another domain's and may be used, by the statements that let it.
fn leaks(cells: &[&Cell], subject: &Subject<'_>) -> Vec<Weakness> {
    let of = |decision, kind, words: &str| {
        let mut by: BTreeMap<&[String], Vec<&Cell>> = BTreeMap::new();
        let is_leak =
            |it: &&&Cell| it.relation == Relation::Other && it.answer.decision == decision;
        for cell in cells.iter().filter(is_leak) {
            by.entry(&cell.answer.by).or_default().push(cell);
        }
        let told = by.into_iter().map(|(statements, cells)| {
            let text = format!("{words} what is another domain's: {}", named(&cells));
            weakness(kind, subject, statements.to_vec(), text)
        });
        told.collect::<Vec<Weakness>>()
    };
    let mut found = of(Decision::Allowed, Kind::DefeatsIsolation, "it may use");
    found.extend(of(
        Decision::Doubtful,
        Kind::MayDefeatIsolation,
        "depending on keys that are not known here, it may use",
    ));
    found
}

/// What is the domain's own and denied by a statement.
fn own(cells: &[&Cell], subject: &Subject<'_>) -> Option<Weakness> {
    let denied: Vec<&Cell> = cells
        .iter()
        .copied()
        .filter(|it| {
            it.relation == Relation::Own && it.answer.decision == Decision::ExplicitlyDenied
        })
        .collect();
    let statements: BTreeSet<String> = denied.iter().flat_map(|it| it.answer.by.clone()).collect();
    let text = format!("it is denied the domain's own: {}", named(&denied));
    (!denied.is_empty())
        .then(|| weakness(Kind::DeniesOwn, subject, statements.into_iter().collect(), text))
}

/// Whether things can be created as Studio does it: with its three tags.
fn creation(rights: &Rights, cells: &[Cell], subject: &Subject<'_>) -> Vec<Weakness> {
    let refused: Vec<&Cell> = cells
        .iter()
        .filter(|it| {
            it.is_created && it.relation == Relation::Own && it.answer.decision < Decision::Doubtful
        })
        .collect();
    let mut found = Vec::new();
    let mut of = |kind, cells: Vec<&Cell>, words: &str| {
        if !cells.is_empty() {
            let statements: BTreeSet<String> =
                cells.iter().flat_map(|it| it.answer.by.clone()).collect();
            let text = format!("{words}: {}", named(&cells));
            found.push(weakness(kind, subject, statements.into_iter().collect(), text));
        }
    };
    let creates = |cell: &Cell, studio| {
        matrix::creates(rights, subject.parties, cell, studio) == Decision::Allowed
    };
    let (untagging, tagging): (Vec<&Cell>, Vec<&Cell>) =
        refused.iter().copied().partition(|it| creates(it, matrix::Tags::Studio));
    let untagging: Vec<&Cell> = if untagging.is_empty() {
        // What is refused for its tags may lack `AddTags` as well.
        let lacks = |it: &&Cell| !matrix::may_tag(rights, subject.parties, it);
        let made = tagging.iter().copied().filter(|it| creates(it, matrix::Tags::DomainOnly));
        made.filter(lacks).collect()
    } else {
        untagging
    };
    of(Kind::MissingAddTags, untagging, "it may create, and not with the tags that Studio puts on");
    let denied = tagging
        .into_iter()
        .filter(|it| creates(it, matrix::Tags::DomainOnly) || creates(it, matrix::Tags::None));
    of(Kind::DeniesStudioTags, denied.collect(), "it may create without Studio's tags only");
    found
}

/// What is done to tags, in words, with the types to which it is done.
type Done<'a> = BTreeMap<&'a str, BTreeSet<&'a str>>;

/// Whether the tag can be changed, claimed, or given to another domain.
fn tampered(cells: &[Cell], subject: &Subject<'_>) -> Vec<Weakness> {
    let mut by: BTreeMap<(Kind, &[String]), Done<'_>> = BTreeMap::new();
    let is_open = |it: &&Cell| is_tagging(&it.action) && it.answer.decision >= Decision::Doubtful;
    for cell in cells.iter().filter(is_open) {
        let kind = match (cell.answer.decision, cell.relation) {
            (Decision::Doubtful, _) => Kind::MayTamper,
            (_, Relation::Untagged) => Kind::Claiming,
            _ => Kind::Tampering,
        };
        let words = match (cell.action.as_str(), cell.relation) {
            ("AddTags", Relation::Own) => "give what is its domain's to another domain",
            ("AddTags", Relation::Other) => "tag what is another domain's with what is its own",
            ("AddTags", _) => "make what bears no domain tag its own by tagging it",
            (_, Relation::Own) => "take the domain tag off what is its domain's",
            (_, _) => "take tags that cost is found by off what is another domain's",
        };
        by.entry((kind, &cell.answer.by)).or_default().entry(words).or_default().insert(&cell.kind);
    }
    let told = by.into_iter().map(|((kind, statements), words)| {
        let words = words.into_iter().map(|(words, kinds)| format!("{words} ({})", listed(&kinds)));
        let words: Vec<String> = words.collect();
        weakness(kind, subject, statements.to_vec(), format!("it may {}", words.join("; ")))
    });
    let mut found: Vec<Weakness> = told.collect();
    let foreign: Vec<&Cell> = cells
        .iter()
        .filter(|it| {
            it.is_created
                && !is_placing(it)
                && it.relation == Relation::Other
                && it.answer.decision == Decision::Allowed
        })
        .collect();
    if !foreign.is_empty() {
        let statements: BTreeSet<String> =
            foreign.iter().flat_map(|it| it.answer.by.clone()).collect();
        let text = format!("it may create with another domain's tag: {}", named(&foreign));
        found.push(weakness(Kind::Tampering, subject, statements.into_iter().collect(), text));
    }
    found
}

/// Whether a role that may be another domain's can be passed to what SageMaker runs, which then acts as that role.
fn passing(rights: &Rights, subject: &Subject<'_>) -> Option<Weakness> {
    let parties = subject.parties;
    let role =
        format!("arn:{}:iam::{}:role/another-domains-role", parties.partition, parties.own.account);
    let context = parties.context(None).with("iam:PassedToService", &["sagemaker.amazonaws.com"]);
    let answer = rights.decide(&Act { action: "iam:PassRole", resource: &role, context: &context });
    let text = "it may pass any role of the account to SageMaker, and act as another domain's through a job or a notebook";
    (answer.decision >= Decision::Doubtful)
        .then(|| weakness(Kind::PassRole, subject, answer.by, text.to_owned()))
}

/// Whether apps of Studio Classic can be deleted, and none of Studio's.
fn classic(rights: &Rights, subject: &Subject<'_>) -> Option<Weakness> {
    let deletes = |app: &str| matrix::deletes_app(rights, subject.parties, app);
    let (old, new) = (deletes("jupyterserver"), deletes("jupyterlab"));
    let text = "it deletes the default app of Studio Classic and no other, so Studio cannot work with it; AWS says so of its own policy";
    (old.decision == Decision::Allowed && new.decision < Decision::Doubtful)
        .then(|| weakness(Kind::StudioClassicOnly, subject, old.by, text.to_owned()))
}

/// What is allowed and cannot be isolated by a tag.
fn untold(cells: &[&Cell], subject: &Subject<'_>) -> Vec<Weakness> {
    let mut by: BTreeMap<Kind, Vec<&Cell>> = BTreeMap::new();
    let open = cells
        .iter()
        .filter(|it| it.relation == Relation::Untold && it.answer.decision >= Decision::Doubtful);
    for cell in open {
        let kind = match cell.kind.as_str() {
            _ if cell.verb == "List" => Kind::ListActions,
            "" => Kind::NoResource,
            PIPELINE_EXECUTION => Kind::PipelineExecutions,
            "mlflow-tracking-server" => Kind::MlflowServers,
            _ => Kind::UntoldTypes,
        };
        by.entry(kind).or_default().push(cell);
    }
    let told = by.into_iter().map(|(kind, cells)| {
        let text = format!("no policy can tell by a tag whose these are: {}", named(&cells));
        weakness(kind, subject, Vec::new(), text)
    });
    told.collect()
}

/// Names some actions and counts the rest.
fn named(cells: &[&Cell]) -> String {
    listed(&cells.iter().map(|it| it.action.as_str()).collect())
}

fn statement_names(policy: &str, statement: &str) -> Vec<String> {
    if statement.is_empty() { Vec::new() } else { vec![format!("{policy}/{statement}")] }
}

/// Makes a weakness with the remedy of its kind.
pub fn weakness(
    kind: Kind,
    subject: &Subject<'_>,
    statements: Vec<String>,
    text: String,
) -> Weakness {
    Weakness {
        kind,
        domain: subject.parties.own.id.to_string(),
        subject: subject.name.to_owned(),
        statements,
        text,
        fix: kind.fix().to_owned(),
    }
}
