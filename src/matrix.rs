//! Owns what a domain's role may do: to what is its domain's, another's, or nobody's, action by action.
//!
//! **Invariant:** every action of SageMaker is in it, and what cannot be told by a tag is not counted as isolated.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::{Answer, Decision, Rights};
use crate::act::{Act, Context};
use crate::authorization::{
    self, Action, IDENTITIES, PIPELINE_EXECUTION, is_ever_tagged, is_told_by_tag, type_of,
};
use crate::key;
use crate::parties::{Parties, Relation};

/// One action on one sort of thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The action, without `sagemaker:`.
    pub action: String,
    /// The action's verb.
    pub verb: String,
    /// The type of the thing; empty where there is none.
    pub kind: String,
    /// Whose it is.
    pub relation: Relation,
    /// Whether it is made by the action, with tags, and did not exist before.
    pub is_created: bool,
    /// Whether it is allowed, and what says so.
    pub answer: Answer,
}

/// How many cells came out how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Allowed.
    pub allowed: usize,
    /// Denied, by a statement or for want of one.
    pub denied: usize,
    /// Not to be told.
    pub doubtful: usize,
}

/// Decides every action for every relation.
pub fn matrix(rights: &Rights, parties: &Parties) -> Vec<Cell> {
    let actions = authorization::actions().iter().filter(|it| !is_tagging(&it.name));
    // Each action is asked about many times, and meets few statements.
    let tagging = rights.about("sagemaker:AddTags");
    let of =
        |action: &Action| of_action(action, &rights.about(&action.full_name()), &tagging, parties);
    let mut cells: Vec<Cell> = actions.flat_map(of).collect();
    cells.extend(tampering(rights, parties));
    cells
}

/// Counts cells by verb and relation.
pub fn tally(cells: &[Cell]) -> BTreeMap<String, BTreeMap<Relation, Tally>> {
    let mut verbs: BTreeMap<String, BTreeMap<Relation, Tally>> = BTreeMap::new();
    for cell in cells {
        // Putting tags on and taking them off is not use.
        let verb = if is_tagging(&cell.action) { "(the tag)" } else { &cell.verb };
        let tally = verbs.entry(verb.to_owned()).or_default().entry(cell.relation).or_default();
        tally.count(cell.answer.decision);
    }
    verbs
}

/// Tells whether a cell is about making something in a domain by its ARN, which says whose it is without any tag.
pub fn is_placing(cell: &Cell) -> bool {
    cell.is_created && IDENTITIES.contains(&cell.kind.as_str())
}

/// Tells whether an action puts tags on or takes them off.
pub fn is_tagging(action: &str) -> bool {
    ["AddTags", "DeleteTags"].contains(&action)
}

impl Tally {
    /// Counts a decision.
    pub fn count(&mut self, decision: Decision) {
        match decision {
            Decision::Allowed => self.allowed += 1,
            Decision::Doubtful => self.doubtful += 1,
            Decision::ExplicitlyDenied | Decision::ImplicitlyDenied => self.denied += 1,
        }
    }
}

fn of_action(action: &Action, rights: &Rights, tagging: &Rights, parties: &Parties) -> Vec<Cell> {
    if action.types.is_empty() {
        let context = parties.context(None);
        return vec![cell(action, "", Relation::Untold, rights, "*", &context)];
    }
    let created = action.creates();
    let of = |kind: &String| match kind.as_str() {
        kind if created == Some(kind) => creation(action, kind, (rights, tagging), parties),
        kind => use_of(action, kind, rights, parties),
    };
    action.types.iter().flat_map(of).collect()
}

/// Decides about what exists.
fn use_of(action: &Action, kind: &str, rights: &Rights, parties: &Parties) -> Vec<Cell> {
    let decide = |relation| {
        let arn = parties.arn(kind, relation);
        let mut context = parties.context(parties.tag(kind, relation).as_deref());
        if action.creates().is_some() {
            // The tags of a request are there for every resource that it is checked against.
            context = parties.with_tags(context, Relation::Own);
        }
        let context = parties.with_owner(kind, relation, context);
        cell(action, kind, relation, rights, &arn, &context)
    };
    let is_identity = IDENTITIES.contains(&kind);
    // What is done to identities and to all else, as `ListTags` is, can be denied for other domains only by naming each of them.
    if is_identity && action.types.iter().any(|it| !IDENTITIES.contains(&it.as_str())) {
        let others = Cell { relation: Relation::Untold, ..decide(Relation::Other) };
        return vec![decide(Relation::Own), others];
    }
    relations(kind, parties).into_iter().map(decide).collect()
}

/// Decides about what is created with the tags that Studio puts on, another domain's, or none.
///
/// Whoever creates with tags needs `AddTags` as well (Amazon SageMaker AI Developer Guide, "Provide permissions for tagging
/// SageMaker AI resources").
fn creation(
    action: &Action,
    kind: &str,
    (rights, tagging): (&Rights, &Rights),
    parties: &Parties,
) -> Vec<Cell> {
    let is_placed = IDENTITIES.contains(&kind);
    let decide = |relation| {
        let arn = parties.arn(kind, if is_placed { relation } else { Relation::Own });
        if is_placed && relation == Relation::Other {
            // Its ARN says whose it is, and whoever makes it in another domain need not put tags on.
            let context = parties.with_owner(kind, relation, parties.context(None));
            return cell(action, kind, relation, rights, &arn, &context);
        }
        let context = parties.with_owner(kind, relation, parties.creating(relation));
        let created = cell(action, kind, relation, rights, &arn, &context);
        if relation == Relation::Untagged || created.answer.decision < Decision::Doubtful {
            return created;
        }
        let context = context.with("sagemaker:TaggingAction", &[&action.name]);
        let act = Act { action: "sagemaker:AddTags", resource: &arn, context: &context };
        let tagged = tagging.decide(&act);
        if tagged.decision < created.answer.decision {
            Cell { answer: tagged, ..created }
        } else {
            created
        }
    };
    // A domain is made in no domain.
    let relations = [Relation::Own, Relation::Other, Relation::Untagged].into_iter();
    relations.filter(|it| kind != "domain" || *it != Relation::Other).map(decide).collect()
}

/// The tags that something is created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tags {
    /// Studio's three.
    Studio,
    /// The domain's alone.
    DomainOnly,
    /// None.
    None,
}

/// Decides whether what a cell creates could be created with these tags, as far as the action itself goes.
pub fn creates(rights: &Rights, parties: &Parties, cell: &Cell, tags: Tags) -> Decision {
    let context = match tags {
        Tags::Studio => parties.creating(Relation::Own),
        Tags::DomainOnly => domain_only(parties),
        Tags::None => parties.context(None),
    };
    let context = parties.with_owner(&cell.kind, Relation::Own, context);
    let resource = parties.arn(&cell.kind, Relation::Own);
    let action = format!("sagemaker:{}", cell.action);
    rights.decide(&Act { action: &action, resource: &resource, context: &context }).decision
}

/// Returns the context of creating something with the domain tag alone.
fn domain_only(parties: &Parties) -> Context {
    parties
        .context(None)
        .with(&format!("aws:RequestTag/{}", key::DOMAIN), &[&parties.domain(Relation::Own)])
        .with("aws:TagKeys", &[key::DOMAIN])
}

/// Decides whether what a cell creates could be tagged in creating, with the domain tag alone.
pub fn may_tag(rights: &Rights, parties: &Parties, cell: &Cell) -> bool {
    let context = domain_only(parties).with("sagemaker:TaggingAction", &[&cell.action]);
    let resource = parties.arn(&cell.kind, Relation::Own);
    let act = Act { action: "sagemaker:AddTags", resource: &resource, context: &context };
    rights.decide(&act).decision >= Decision::Doubtful
}

/// Decides whether a default app of a type can be deleted in the role's own domain.
pub fn deletes_app(rights: &Rights, parties: &Parties, app_type: &str) -> Answer {
    let resource = parties.arn("app", Relation::Own).replace("jupyterlab", app_type);
    let context = parties.with_owner("app", Relation::Own, parties.context(None));
    rights.decide(&Act { action: "sagemaker:DeleteApp", resource: &resource, context: &context })
}

/// Decides whether the tag itself can be taken off, put on what is another's, or put on what is nobody's, beside any creation.
fn tampering(rights: &Rights, parties: &Parties) -> Vec<Cell> {
    let of = |name: &str| authorization::actions().iter().find(|it| it.name == name);
    let [add, delete] =
        ["AddTags", "DeleteTags"].map(|it| of(it).expect("SageMaker has actions that tag"));
    let (adding, deleting) =
        (rights.about("sagemaker:AddTags"), rights.about("sagemaker:DeleteTags"));
    let (own, other) = (parties.domain(Relation::Own), parties.domain(Relation::Other));
    let context = |kind: &str, relation, key: &str, value: Option<&str>| {
        let context =
            parties.context(parties.tag(kind, relation).as_deref()).with("aws:TagKeys", &[key]);
        match value {
            Some(value) => context.with(&format!("aws:RequestTag/{key}"), &[value]),
            None => context,
        }
    };
    let adds = |kind: &str, relation, key: &str, value: &str, updating: Option<&str>| {
        let mut context = context(kind, relation, key, Some(value));
        if let Some(action) = updating {
            context = context.with("sagemaker:TaggingAction", &[action]);
        }
        cell(add, kind, relation, &adding, &parties.arn(kind, relation), &context)
    };
    let deletes = |kind: &str, relation, key: &str| {
        let context = context(kind, relation, key, None);
        cell(delete, kind, relation, &deleting, &parties.arn(kind, relation), &context)
    };
    let mut cells = Vec::new();
    for kind in authorization::types().iter().filter(|it| it.is_taggable).map(|it| it.name.as_str())
    {
        if IDENTITIES.contains(&kind) {
            // They are found by their ARNs; what they cost is found by their tags.
            cells.push(adds(
                kind,
                Relation::Other,
                key::USER_PROFILE,
                &parties.profile(Relation::Own),
                None,
            ));
            cells.push(deletes(kind, Relation::Other, key::USER_PROFILE));
        } else if is_told_by_tag(kind, parties.pipeline_executions) {
            cells.push(adds(kind, Relation::Own, key::DOMAIN, &other, None));
            cells.push(adds(kind, Relation::Other, key::DOMAIN, &own, None));
            cells.push(adds(kind, Relation::Untagged, key::DOMAIN, &own, None));
            cells.push(deletes(kind, Relation::Own, key::DOMAIN));
            cells.push(deletes(kind, Relation::Other, key::DOMAIN));
        }
    }
    // These take tags for what exists.
    for (kind, action) in
        [("project", "UpdateProject"), ("monitoring-schedule", "UpdateMonitoringSchedule")]
    {
        cells.push(adds(kind, Relation::Untagged, key::DOMAIN, &own, Some(action)));
    }
    cells
}

/// Returns the relations that a thing of a type can have.
fn relations(kind: &str, parties: &Parties) -> Vec<Relation> {
    if IDENTITIES.contains(&kind) {
        vec![Relation::Own, Relation::Other]
    } else if (is_ever_tagged(kind) || kind == PIPELINE_EXECUTION)
        && is_told_by_tag(kind, parties.pipeline_executions)
    {
        vec![Relation::Own, Relation::Other, Relation::Untagged]
    } else {
        vec![Relation::Untold]
    }
}

fn cell(
    action: &Action,
    kind: &str,
    relation: Relation,
    rights: &Rights,
    resource: &str,
    context: &Context,
) -> Cell {
    let full = action.full_name();
    let answer = rights.decide(&Act { action: &full, resource, context });
    let answer = by_name(answer, rights, kind, &full, resource, context);
    let is_created = action.creates() == Some(kind);
    Cell {
        action: action.name.clone(),
        verb: action.verb().to_owned(),
        kind: kind.to_owned(),
        relation,
        is_created,
        answer,
    }
}

/// Returns an answer, or a doubtful one where things of the type are told apart by their names.
fn by_name(
    answer: Answer,
    rights: &Rights,
    kind: &str,
    action: &str,
    resource: &str,
    context: &Context,
) -> Answer {
    if kind.is_empty() || IDENTITIES.contains(&kind) || rights.are_alike(&type_of(kind).arn) {
        return answer;
    }
    let start: Vec<&str> = resource.splitn(6, ':').take(5).collect();
    let others = rights.named(&type_of(kind).arn).into_iter().map(|name| {
        let resource = format!("{}:{name}", start.join(":"));
        rights.decide(&Act { action, resource: &resource, context })
    });
    let differing: Vec<Answer> = others.filter(|it| it.decision != answer.decision).collect();
    if differing.is_empty() {
        return answer;
    }
    let by: BTreeSet<String> = differing.into_iter().chain([answer]).flat_map(|it| it.by).collect();
    Answer { decision: Decision::Doubtful, by: by.into_iter().collect() }
}
