//! Owns verdicts: what the evidence on a thing amounts to, beside the tag that it bears.
//!
//! **Invariant:** evidence that disagrees proposes nothing, unless what is final says which is right.

use std::collections::BTreeSet;

use crate::arn::{DomainKey, Identity};
use crate::kind::TaggedBy;
use crate::proof::{Confidence, Evidence};
use crate::target::{Domains, Presence, Target, domain_tag};

/// The longest ARN that AWS takes tags for (SageMaker API reference, `AddTags`).
pub const ARN_LENGTH_MAX: usize = 256;
/// The most tags that a resource bears (SageMaker API reference, `AddTags`).
pub const TAG_COUNT_MAX: usize = 50;

/// What is to be said of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its tag names a domain that exists, and nothing certain contradicts.
    Tagged(DomainKey),
    /// It has no tag, costs something, and evidence says whose it is.
    Proposed {
        /// Whose.
        domain: DomainKey,
        /// How sure that is.
        confidence: Confidence,
    },
    /// It has no tag, evidence says whose it is, and it costs nothing any more.
    Idle {
        /// Whose.
        domain: DomainKey,
        /// How sure that is.
        confidence: Confidence,
    },
    /// Its tag names a domain that does not exist there, or certain evidence names another.
    Contradiction {
        /// What certain evidence says, where it can be put in the tag's place.
        to: Option<DomainKey>,
    },
    /// Evidence speaks for several domains.
    Tie(BTreeSet<DomainKey>),
    /// Evidence names a domain that does not exist.
    Stale,
    /// Evidence names a domain of another account or region.
    Elsewhere,
    /// Evidence or the tag names a domain where domains could not be listed.
    UnknownDomain,
    /// There is no evidence.
    Undetermined,
    /// Its tags could not be read.
    Unread,
    /// Nothing of its type can be tagged.
    Untaggable,
    /// Its ARN is longer than AWS takes tags for.
    LongArn,
    /// It bears as many tags as AWS allows.
    FullOfTags,
}

/// A verdict, and what other things may conclude from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// What is to be said of the thing.
    pub verdict: Verdict,
    /// The domains that a tag or certain evidence speaks for: one is proven, several are disputed.
    pub firm: BTreeSet<DomainKey>,
}

/// What evidence amounts to.
enum Settlement {
    Nothing,
    One(DomainKey, Confidence),
    Several(BTreeSet<DomainKey>),
}

/// Judges one thing.
pub fn judge(target: &Target<'_>, evidence: &[Evidence], domains: &Domains<'_>) -> Ruling {
    let settlement = settle(evidence);
    let mut firm = firm(&settlement, evidence);
    if let Some(value) = domain_tag(target) {
        let named = tagged_domain(value);
        let verdict = judge_tagged(target, value, named.as_ref(), evidence, domains);
        match (&verdict, named) {
            (Verdict::Tagged(domain), _) => firm = BTreeSet::from([domain.clone()]),
            (_, named) => firm.extend(named),
        }
        return Ruling { verdict, firm };
    }
    if target.is_unread {
        return Ruling { verdict: Verdict::Unread, firm: BTreeSet::new() };
    }
    let verdict = obstacle(target).unwrap_or_else(|| match absence(target, evidence, domains) {
        Some(verdict) => verdict,
        None => of_settlement(target, settlement),
    });
    Ruling { verdict, firm }
}

fn tagged_domain(value: &str) -> Option<DomainKey> {
    match Identity::parse(value)? {
        Identity::Domain(domain) => Some(domain),
        _ => None,
    }
}

fn judge_tagged(
    target: &Target<'_>,
    value: &str,
    named: Option<&DomainKey>,
    evidence: &[Evidence],
    domains: &Domains<'_>,
) -> Verdict {
    let is_against = |it: &&Evidence| {
        it.is_certain()
            && !it.domains.is_empty()
            && named.is_none_or(|tag| !it.domains.contains(tag))
    };
    let against = evidence.iter().find(is_against);
    let presence = named.map(|domain| domains.presence(target, domain));
    match (named, presence) {
        (Some(tag), Some(Presence::Here))
            if against.is_none() && domains.get(tag).is_some_and(|it| it.arn == value) =>
        {
            Verdict::Tagged(tag.clone())
        }
        (_, Some(Presence::Unknown)) if against.is_none() => Verdict::UnknownDomain,
        _ => {
            let to = match settle(evidence) {
                Settlement::One(to, Confidence::Certain)
                    if Some(&to) != named && is_puttable(target, &to, domains) =>
                {
                    Some(to)
                }
                _ => None,
            };
            Verdict::Contradiction { to }
        }
    }
}

/// Whether a domain's ARN can be put in the place of another value: the count of tags stays.
fn is_puttable(target: &Target<'_>, domain: &DomainKey, domains: &Domains<'_>) -> bool {
    let is_possible = matches!(obstacle(target), None | Some(Verdict::FullOfTags));
    is_possible && domains.presence(target, domain) == Presence::Here
}

/// What keeps AWS from taking one more tag.
fn obstacle(target: &Target<'_>) -> Option<Verdict> {
    let is_taggable = target.resource_kind().is_some_and(|it| it.tagged_by != TaggedBy::Nothing);
    if !is_taggable {
        Some(Verdict::Untaggable)
    } else if target.arn.chars().count() > ARN_LENGTH_MAX {
        Some(Verdict::LongArn)
    } else if target.tags.len() >= TAG_COUNT_MAX {
        Some(Verdict::FullOfTags)
    } else {
        None
    }
}

/// What is final where there is any, else all that names a domain with certainty, else all.
fn weighty(evidence: &[Evidence]) -> Vec<&Evidence> {
    let which = |holds: &dyn Fn(&Evidence) -> bool| {
        evidence.iter().filter(|it| !it.domains.is_empty() && holds(it)).collect::<Vec<_>>()
    };
    let finals = which(&|it| it.kind.is_final());
    if !finals.is_empty() {
        return finals;
    }
    let certain = which(&Evidence::is_certain);
    if certain.is_empty() { which(&|_| true) } else { certain }
}

/// The verdict where the evidence that counts most names a domain that is not there.
fn absence(target: &Target<'_>, evidence: &[Evidence], domains: &Domains<'_>) -> Option<Verdict> {
    let weighty = weighty(evidence);
    let named = weighty.iter().filter_map(|it| it.domain());
    let worst = named.map(|domain| domains.presence(target, domain)).max()?;
    match worst {
        Presence::Here => None,
        Presence::Unknown => Some(Verdict::UnknownDomain),
        Presence::Elsewhere => Some(Verdict::Elsewhere),
        Presence::Gone => Some(Verdict::Stale),
    }
}

fn of_settlement(target: &Target<'_>, settlement: Settlement) -> Verdict {
    match settlement {
        Settlement::Nothing => Verdict::Undetermined,
        Settlement::Several(candidates) => Verdict::Tie(candidates),
        Settlement::One(domain, confidence) => {
            if target.costs() {
                Verdict::Proposed { domain, confidence }
            } else {
                Verdict::Idle { domain, confidence }
            }
        }
    }
}

fn settle(evidence: &[Evidence]) -> Settlement {
    let is_final = evidence.iter().any(|it| it.kind.is_final() && !it.domains.is_empty());
    let speaking: Vec<&Evidence> = evidence
        .iter()
        .filter(|it| !it.domains.is_empty() && (!is_final || it.kind.is_final()))
        .collect();
    let named = speaking.iter().filter(|it| it.domain().is_some());
    let sure = named.clone().map(|it| it.confidence).max();
    let named: BTreeSet<&DomainKey> = named.filter_map(|it| it.domain()).collect();
    match (named.first(), sure) {
        (Some(domain), Some(sure))
            if named.len() == 1 && speaking.iter().all(|it| it.domains.contains(domain)) =>
        {
            Settlement::One((*domain).clone(), sure)
        }
        _ if speaking.is_empty() => Settlement::Nothing,
        _ => Settlement::Several(speaking.into_iter().flat_map(|it| it.domains.clone()).collect()),
    }
}

/// What a thing made by this one or made of it may rely on.
fn firm(settlement: &Settlement, evidence: &[Evidence]) -> BTreeSet<DomainKey> {
    match settlement {
        Settlement::One(domain, Confidence::Certain) => BTreeSet::from([domain.clone()]),
        Settlement::Several(candidates) if evidence.iter().any(Evidence::is_certain) => {
            candidates.clone()
        }
        _ => BTreeSet::new(),
    }
}

impl Verdict {
    /// Returns the word for files.
    pub fn name(&self) -> &'static str {
        match self {
            Verdict::Tagged(_) => "tagged",
            Verdict::Proposed { .. } => "proposed",
            Verdict::Idle { .. } => "idle",
            Verdict::Contradiction { .. } => "contradiction",
            Verdict::Tie(_) => "tie",
            Verdict::Stale => "stale",
            Verdict::Elsewhere => "elsewhere",
            Verdict::UnknownDomain => "unknown_domain",
            Verdict::Undetermined => "undetermined",
            Verdict::Unread => "unread",
            Verdict::Untaggable => "untaggable",
            Verdict::LongArn => "long_arn",
            Verdict::FullOfTags => "full_of_tags",
        }
    }
}
