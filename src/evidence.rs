//! Owns the weighing of evidence: for every resource that can bear a domain tag, whose it is, why, and how sure that is.
//!
//! `docs/retag.md` states the rules.
//! **Invariant:** the order of the inventory does not matter, and what could not be read proves nothing.

use std::collections::BTreeSet;

use crate::arn::{AccountId, DomainKey, Identity};
use crate::inventory::{Inventory, Tags};
use crate::key;
use crate::lineage::{self, Arns, Lineage};
use crate::mapping::{self, Applied};
use crate::role::Roles;
use crate::target::{self, Domains, Target};
use crate::verdict;

pub use crate::mapping::Mapping;
pub use crate::proof::{Confidence, Evidence, EvidenceKind};
pub use crate::verdict::Verdict;

/// What was found out about one resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Its ARN.
    pub arn: String,
    /// Its account.
    pub account: AccountId,
    /// Its region.
    pub region: String,
    /// The ARN's first segment.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its status, where it was told.
    pub status: Option<String>,
    /// Its tags.
    pub tags: Tags,
    /// Whether it still costs something by itself.
    pub costs: bool,
    /// The evidence, in the order of the rules.
    pub evidence: Vec<Evidence>,
    /// What it amounts to.
    pub verdict: Verdict,
}

/// What is known of a thing that others were made by or of.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The domains that a tag or certain evidence speaks for.
    firm: BTreeSet<DomainKey>,
    /// The same, or where there are none, those of what it uses.
    reach: BTreeSet<DomainKey>,
    /// Its role, and those of what it uses.
    roles: BTreeSet<String>,
}

struct Context<'c, 'a> {
    targets: &'c [Target<'a>],
    domains: &'c Domains<'a>,
    roles: &'c Roles<'a>,
    arns: &'c Arns<'c>,
    lineage: &'c Lineage,
    applied: &'c Applied,
    /// Where a role about a thing may be one that nobody could read.
    undescribed: BTreeSet<(&'c str, &'c str)>,
}

/// Calls that tell what is used, and as which role that runs.
const USES_TOLD_BY: [&str; 13] = [
    "*",
    "DescribeEndpoint",
    "DescribeEndpointConfig",
    "DescribeModel",
    "DescribeModelPackage",
    "DescribeModelPackageGroup",
    "DescribePipeline",
    "ListEndpointConfigs",
    "ListEndpoints",
    "ListModelPackageGroups",
    "ListModelPackages",
    "ListModels",
    "ListPipelines",
];

/// Weighs the evidence on every resource that can bear a domain tag, in the order of their ARNs.
pub fn weigh(inventory: &Inventory, mapping: &Mapping) -> Vec<Finding> {
    let domains = Domains::new(inventory);
    let targets = target::all(inventory, &domains);
    let arns = Arns::new(&targets);
    let lineage = lineage::trace(&targets, &arns);
    let context = Context {
        targets: &targets,
        domains: &domains,
        roles: &Roles::new(inventory, &domains),
        arns: &arns,
        lineage: &lineage,
        applied: &mapping.apply(&targets, &domains),
        undescribed: inventory
            .gaps
            .iter()
            .filter(|gap| USES_TOLD_BY.contains(&gap.operation.as_str()))
            .map(|gap| (gap.account.as_str(), gap.region.as_str()))
            .collect(),
    };
    let mut known: Vec<Known> = vec![Known::default(); targets.len()];
    let mut judged: Vec<(usize, Vec<Evidence>, Verdict)> = Vec::with_capacity(targets.len());
    for index in lineage.order.iter().copied() {
        let (target, roles) = (&targets[index], roles(&context, index, &known));
        let evidence = gather(&context, index, &known, &roles);
        let ruling = verdict::judge(target, &evidence, &domains);
        let reach = if ruling.firm.is_empty() {
            used(&context, index).flat_map(|it| known[it].reach.clone()).collect()
        } else {
            ruling.firm.clone()
        };
        known[index] = Known { firm: ruling.firm, reach, roles };
        if target.resource_kind().is_some() {
            judged.push((index, evidence, ruling.verdict));
        }
    }
    judged.sort_by_key(|it| it.0);
    judged
        .into_iter()
        .map(|(index, evidence, verdict)| finding(&targets[index], evidence, verdict))
        .collect()
}

fn finding(target: &Target<'_>, evidence: Vec<Evidence>, verdict: Verdict) -> Finding {
    Finding {
        arn: target.arn.clone(),
        account: target.place.account.clone(),
        region: target.place.region.clone(),
        kind: target.kind.clone(),
        name: target.name.clone(),
        status: target.status.clone(),
        tags: target.tags.clone(),
        costs: target.costs(),
        evidence,
        verdict,
    }
}

/// What a thing uses and may rely on: nothing that runs in the same circle.
fn used(context: &Context<'_, '_>, index: usize) -> impl Iterator<Item = usize> {
    let lineage = context.lineage;
    let is_circular = lineage.circular.contains(&index);
    lineage.uses[index]
        .iter()
        .copied()
        .filter(move |it| !is_circular || !lineage.circular.contains(it))
}

fn roles(context: &Context<'_, '_>, index: usize, known: &[Known]) -> BTreeSet<String> {
    let own = context.targets[index].origin.and_then(|origin| origin.role.clone());
    own.into_iter().chain(used(context, index).flat_map(|it| known[it].roles.clone())).collect()
}

fn gather(
    context: &Context<'_, '_>,
    index: usize,
    known: &[Known],
    roles: &BTreeSet<String>,
) -> Vec<Evidence> {
    let target = &context.targets[index];
    let mut evidence = Vec::new();
    if let Some(home) = target.home {
        let text = format!("its ARN lies in {}", home.key.id);
        let kind = EvidenceKind::OwnArn;
        evidence.push(Evidence::of(kind, home.key.clone(), Confidence::Certain, text));
    }
    for (domain, line) in mapping::named(context.applied, &target.arn) {
        let text = format!("line {line} of the mapping names {}", domain.id);
        let kind = EvidenceKind::Mapping;
        evidence.push(Evidence::of(kind, domain.clone(), Confidence::Certain, text));
    }
    evidence.extend(of_tags(target));
    evidence.extend(of_creator(context.domains, target));
    evidence.extend(of_parents(context, index, known));
    evidence.extend(of_file_system(context.domains, target));
    evidence.extend(of_uses(context, index, known, roles));
    evidence.extend(of_role(context.roles, target));
    if context.lineage.circular.contains(&index) {
        // Nothing but what is certain may be concluded from what runs in a circle.
        for it in evidence.iter_mut().filter(|it| !it.is_certain()) {
            it.confidence = Confidence::Review;
        }
    }
    evidence.sort();
    evidence.dedup();
    evidence
}

/// Rule R3: a tag that names a user profile or a space names its domain.
fn of_tags(target: &Target<'_>) -> Vec<Evidence> {
    let keys = [
        (key::USER_PROFILE, EvidenceKind::UserTag),
        (key::SPACE, EvidenceKind::SpaceTag),
        (key::SHARED_SPACE, EvidenceKind::SpaceTag),
    ];
    let tagged =
        keys.into_iter().filter_map(|(key, kind)| Some((key, kind, target.tags.get(key)?)));
    tagged
        .map(|(key, kind, value)| match (Identity::parse(value), kind) {
            (Some(Identity::UserProfile(domain, _)), EvidenceKind::UserTag)
            | (Some(Identity::Space(domain, _)), EvidenceKind::SpaceTag) => {
                let text = format!("its tag `{key}` is {value}");
                Evidence::of(kind, domain, Confidence::Certain, text)
            }
            _ => {
                let text = format!("its tag `{key}` is no ARN of its kind: `{value}`");
                Evidence::remark(kind, text)
            }
        })
        .collect()
}

/// Rule R4: the domain in which a person created it.
fn of_creator(domains: &Domains<'_>, target: &Target<'_>) -> Option<Evidence> {
    let id = target.origin?.created_by.as_ref()?;
    let here = DomainKey {
        account: target.place.account.clone(),
        region: target.place.region.clone(),
        id: id.clone(),
    };
    // A person may have worked in a domain of another region.
    let known = domains.get(&here).or_else(|| domains.by_id(id));
    let domain = known.map_or(here, |domain| domain.key.clone());
    let text = format!("it was created in {id}");
    Some(Evidence::of(EvidenceKind::CreatedBy, domain, Confidence::Certain, text))
}

/// Rule R5: what the service made for another thing is of that thing's domain.
fn of_parents(context: &Context<'_, '_>, index: usize, known: &[Known]) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    let kind = EvidenceKind::Parent;
    let parents = context.targets[index].origin.map(|origin| origin.parents.as_slice());
    for arn in parents.into_iter().flatten().collect::<BTreeSet<_>>() {
        let Some(parent) = context.arns.find(arn) else {
            evidence.push(Evidence::remark(
                kind,
                format!("it was made by {arn}, which was not listed"),
            ));
            continue;
        };
        let circular = &context.lineage.circular;
        if circular.contains(&index) && circular.contains(&parent) {
            evidence.push(Evidence::remark(kind, format!("it was made by {arn} in a circle")));
            continue;
        }
        for domain in &known[parent].firm {
            let text = format!("it was made by {arn}, which is of {}", domain.id);
            evidence.push(Evidence::of(kind, domain.clone(), Confidence::Certain, text));
        }
    }
    evidence
}

/// Rule R6: a domain's home file system.
fn of_file_system(domains: &Domains<'_>, target: &Target<'_>) -> Vec<Evidence> {
    if target.kind != "file-system" {
        return Vec::new();
    }
    let kind = EvidenceKind::HomeFileSystem;
    let mut evidence = Vec::new();
    if let Some(value) = target.managed_by {
        evidence.push(match Identity::parse(value) {
            Some(Identity::Domain(domain)) => {
                let text = format!("its tag `{}` is {value}", key::MANAGED_BY);
                Evidence::of(kind, domain, Confidence::Certain, text)
            }
            _ => Evidence::remark(
                kind,
                format!("its tag `{}` is no ARN of a domain: `{value}`", key::MANAGED_BY),
            ),
        });
    }
    let homes = domains.of(&target.place).filter(|it| it.home_efs.as_ref() == Some(&target.name));
    evidence.extend(homes.map(|domain| {
        let text = format!("{} names it as its home file system", domain.key.id);
        Evidence::of(kind, domain.key.clone(), Confidence::Certain, text)
    }));
    evidence
}

/// Rule R7: what it runs or serves; likely only where every role about it is that domain's alone.
fn of_uses(
    context: &Context<'_, '_>,
    index: usize,
    known: &[Known],
    roles: &BTreeSet<String>,
) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    let here = &context.targets[index].place;
    let is_whole = !context.undescribed.contains(&(here.account.as_str(), here.region.as_str()));
    for place in used(context, index) {
        for domain in &known[place].reach {
            let is_backed = is_whole
                && !roles.is_empty()
                && roles.iter().all(|role| context.roles.is_only_of(role, domain));
            let confidence = if is_backed { Confidence::Likely } else { Confidence::Review };
            let text = format!("it uses {}, which is of {}", context.targets[place].arn, domain.id);
            evidence.push(Evidence::of(EvidenceKind::Uses, domain.clone(), confidence, text));
        }
    }
    evidence
}

/// Rule R8: the role that it runs as.
fn of_role(roles: &Roles<'_>, target: &Target<'_>) -> Option<Evidence> {
    let role = target.origin?.role.as_ref()?;
    let domains = roles.users(role);
    let names: Vec<&str> = domains.iter().map(|domain| domain.id.as_str()).collect();
    let text = match names[..] {
        [] => return None,
        [only] => format!("it runs as {role}, a role of {only}"),
        _ => format!("it runs as {role}, a role of each of {}", names.join(", ")),
    };
    Some(Evidence { kind: EvidenceKind::Role, domains, confidence: Confidence::Review, text })
}
