//! Owns what else changes when domain tags are put on: who sees resources in Studio, and by rule, whom policies give access.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::{DomainKey, Identity};
use crate::inventory::{Domain, Inventory};
use crate::key;
use crate::mark::Marks;
use crate::plan::Plan;
use crate::role::{Roles, role_name};
use crate::target::Domains;

/// How many names a sentence has before it only counts the rest.
const NAME_COUNT_MAX: usize = 10;

/// Tells what else changes when a plan is executed, domain by domain.
pub fn consequences(plan: &Plan<Marks>, inventory: &Inventory) -> Vec<String> {
    let domains = Domains::new(inventory);
    let mut gained: BTreeMap<DomainKey, usize> = BTreeMap::new();
    let mut lost: BTreeMap<DomainKey, usize> = BTreeMap::new();
    for item in plan.pending() {
        let (from, to) = (domain_of(item.change.from()), domain_of(item.change.to()));
        if from == to {
            continue;
        }
        if let Some(domain) = to {
            *gained.entry(domain).or_default() += 1;
        }
        if let Some(domain) = from {
            *lost.entry(domain).or_default() += 1;
        }
    }
    let mut texts = Vec::new();
    for (key, count) in &gained {
        let Some(domain) = domains.get(key) else { continue };
        texts.extend(of_domain(domain, *count, inventory));
    }
    for (key, count) in &lost {
        texts.push(format!(
            "{} is no longer the domain of {}.",
            title(&domains, key),
            things(*count)
        ));
    }
    if !gained.is_empty() || !lost.is_empty() {
        texts.push(
            "Nothing in the past changes: cost is attributed from now on, once billing has seen the tags, \
             which takes up to a day."
                .to_owned(),
        );
    }
    texts
}

fn domain_of(marks: Option<&Marks>) -> Option<DomainKey> {
    match Identity::parse(marks?.0.get(key::DOMAIN)?)? {
        Identity::Domain(domain) => Some(domain),
        _ => None,
    }
}

fn of_domain(domain: &Domain, count: usize, inventory: &Inventory) -> Vec<String> {
    let name = named(domain);
    let (account, region) = (&domain.key.account, &domain.key.region);
    let others: Vec<&Domain> = inventory
        .domains
        .iter()
        .filter(|it| it.key.account == *account && it.key.region == *region && it.key != domain.key)
        .collect();
    let seen = if others.is_empty() {
        format!("there is no other domain in {region} of {account}, so nobody stops seeing them")
    } else {
        let names: BTreeSet<String> = others.iter().map(|it| named(it)).collect();
        format!("people of {} stop seeing them", list(names.into_iter()))
    };
    vec![format!(
        "{name} gets {} of its own. Studio shows what has no domain tag in every domain of the account and \
         region, and what has one only there: {seen}.",
        things(count)
    )]
}

/// Tells by rule whom policies may give access, or take it from, for where what roles are granted could not be read.
pub fn by_rule(plan: &Plan<Marks>, inventory: &Inventory) -> Vec<String> {
    let domains = Domains::new(inventory);
    let roles = Roles::new(inventory, &domains);
    let tagged = plan.pending().filter_map(|item| domain_of(item.change.to()));
    let tagged: BTreeSet<DomainKey> = tagged.collect();
    let mut texts = Vec::new();
    for domain in tagged.iter().filter_map(|it| domains.get(it)) {
        let name = named(domain);
        let is_beside = |it: &&Domain| {
            it.key.account == domain.key.account
                && it.key.region == domain.key.region
                && it.key != domain.key
        };
        let own: BTreeSet<String> =
            roles.of(&domain.key).into_iter().map(|it| role_name(it).to_owned()).collect();
        let others = inventory.domains.iter().filter(is_beside);
        let foreign = others.flat_map(|it| roles.of(&it.key)).map(|it| role_name(it).to_owned());
        let foreign: BTreeSet<String> = foreign.filter(|role| !own.contains(role)).collect();
        texts.push(format!(
            "Where a policy grants by `aws:ResourceTag/sagemaker:domain-arn`, as AWS's own isolation policy does, \
             the roles of {name} may then update, delete and describe them: {}.",
            list(own.into_iter())
        ));
        if !foreign.is_empty() {
            texts.push(format!(
                "Where a policy denies what bears another domain's tag, these roles lose what {name} gets: {}.",
                list(foreign.into_iter())
            ));
        }
    }
    texts
}

fn title(domains: &Domains<'_>, key: &DomainKey) -> String {
    domains.get(key).map_or_else(|| format!("Domain {}", key.id), named)
}

fn named(domain: &Domain) -> String {
    if domain.name.is_empty() {
        format!("Domain {}", domain.key.id)
    } else {
        format!("Domain {} ({})", domain.key.id, domain.name)
    }
}

fn things(count: usize) -> String {
    if count == 1 { "1 resource".to_owned() } else { format!("{count} resources") }
}

fn list(names: impl Iterator<Item = String>) -> String {
    let names: Vec<String> = names.collect();
    if names.is_empty() {
        return "none that is known".to_owned();
    }
    let shown = names.iter().take(NAME_COUNT_MAX).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(NAME_COUNT_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
