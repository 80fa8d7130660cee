//! Owns the plan of domain tags: which resources get which, which keep theirs, and which are left to a person.
//!
//! **Invariant:** one key is put on, the domain's; no other tag of a resource is touched.

use jiff::Timestamp;

use crate::arn::{AccountId, DomainKey};
use crate::effect;
use crate::evidence::{Confidence, Finding, Verdict};
use crate::inventory::Inventory;
use crate::key;
use crate::plan::{Because, Change, Item, Left, Plan, PlanKind};
use crate::target::Domains;
use crate::verdict::{ARN_LENGTH_MAX, TAG_COUNT_MAX};

pub use crate::batch::{Batch, Step, address, batches, strays};
pub use crate::mark::{KEYS, Marks};
pub use crate::stake::{Billed, stakes};

/// What the user wants proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// Also for resources that cost nothing any more.
    pub all: bool,
    /// The least confidence.
    pub floor: Confidence,
    /// Also where a tag is there that certain evidence contradicts.
    pub overwrite: bool,
}

/// Makes the plan; what could not be read is put in by whoever read it.
pub fn plan(
    findings: &[Finding],
    inventory: &Inventory,
    wish: &Wish,
    caller: &AccountId,
    made_at: Timestamp,
) -> Plan<Marks> {
    let domains = Domains::new(inventory);
    let mut items = Vec::new();
    let mut left = Vec::new();
    for finding in findings {
        let from = Marks::of(&finding.tags);
        if let (Verdict::Tagged(_), Some(from)) = (&finding.verdict, &from) {
            items.push(Item::of(&finding.arn, Change::Keep { from: from.clone() }));
            continue;
        }
        let proposed = proposal(finding, wish).and_then(|(domain, confidence)| {
            let to = Marks::with_domain(from.as_ref(), &domains.get(domain)?.arn);
            Some((Change::between(from, Some(to))?, confidence))
        });
        match proposed {
            Some((change, confidence)) => items.push(Item {
                id: finding.arn.clone(),
                change,
                confidence: Some(confidence.name().to_owned()),
                because: because(finding),
            }),
            None => left.push(leave(finding, wish)),
        }
    }
    let mut plan = Plan::new(PlanKind::Retag, caller.clone(), made_at, items);
    left.sort_by(|left, right| left.id.cmp(&right.id));
    plan.left = left;
    plan.consequences = effect::consequences(&plan, inventory);
    plan
}

/// Returns the marks of every resource that has any: what a plan is compared with.
pub fn current(findings: &[Finding]) -> std::collections::BTreeMap<String, Marks> {
    let marked = findings.iter().filter_map(|it| Some((it.arn.clone(), Marks::of(&it.tags)?)));
    marked.collect()
}

/// The domain that is to be put on, and how sure that is.
fn proposal<'f>(finding: &'f Finding, wish: &Wish) -> Option<(&'f DomainKey, Confidence)> {
    let (domain, confidence, is_wanted) = match &finding.verdict {
        Verdict::Proposed { domain, confidence } => (domain, *confidence, true),
        Verdict::Idle { domain, confidence } => (domain, *confidence, wish.all),
        Verdict::Contradiction { to: Some(domain) } => {
            (domain, Confidence::Certain, wish.overwrite)
        }
        _ => return None,
    };
    (is_wanted && confidence >= wish.floor).then_some((domain, confidence))
}

fn because(finding: &Finding) -> Vec<Because> {
    let because = finding.evidence.iter().map(|evidence| Because {
        kind: evidence.kind.name().to_owned(),
        text: evidence.text.clone(),
    });
    because.collect()
}

fn leave(finding: &Finding, wish: &Wish) -> Left {
    let verdict = match &finding.verdict {
        // What costs nothing is left for that, what is too unsure for that.
        Verdict::Proposed { confidence, .. } => confidence.name(),
        Verdict::Idle { confidence, .. } if wish.all => confidence.name(),
        verdict => verdict.name(),
    };
    let mut reasons: Vec<Because> = remark(finding)
        .into_iter()
        .map(|text| Because { kind: verdict.to_owned(), text })
        .collect();
    reasons.extend(because(finding));
    // What costs nothing and what nothing is known of would drown what a person can settle.
    let is_quiet = match &finding.verdict {
        Verdict::Idle { .. } => !wish.all,
        Verdict::Undetermined => !finding.costs,
        _ => false,
    };
    Left { id: finding.arn.clone(), verdict: verdict.to_owned(), is_quiet, because: reasons }
}

/// What a verdict says that the evidence does not.
fn remark(finding: &Finding) -> Option<String> {
    let text = match &finding.verdict {
        Verdict::Tagged(_) | Verdict::Proposed { .. } | Verdict::Undetermined => return None,
        Verdict::Idle { domain, .. } => {
            format!("it is of {} and costs nothing any more", domain.id)
        }
        Verdict::Contradiction { to } => {
            let value = finding.tags.get(key::DOMAIN).map_or("", String::as_str);
            match to {
                Some(to) => format!("its tag is `{value}`, and evidence names {}", to.id),
                None => format!("its tag is `{value}`, which does not hold"),
            }
        }
        Verdict::Tie(candidates) => {
            let names: Vec<&str> = candidates.iter().map(|domain| domain.id.as_str()).collect();
            format!("it may be of each of {}", names.join(", "))
        }
        Verdict::Stale => "the evidence names a domain that does not exist".to_owned(),
        Verdict::Elsewhere => "the evidence names a domain of another account or region".to_owned(),
        Verdict::UnknownDomain => "domains could not be listed there".to_owned(),
        Verdict::Unread => "its tags could not be read".to_owned(),
        Verdict::Untaggable => format!("nothing tags a {}", finding.kind),
        Verdict::LongArn => {
            let length = finding.arn.chars().count();
            format!("its ARN has {length} characters, and AWS tags up to {ARN_LENGTH_MAX}")
        }
        Verdict::FullOfTags => {
            format!("it has {} tags, and AWS allows {TAG_COUNT_MAX}", finding.tags.len())
        }
    };
    Some(text)
}
