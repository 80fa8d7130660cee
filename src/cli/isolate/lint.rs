//! Owns `isolate lint`: what is wrong with the policies that domains' roles have, or with policies in files.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Rights;
use serde_json::Value;

use crate::arn::{Arn, DomainKey, Identity};
use crate::authorization::{is_ever_tagged, is_told_by_tag, types};
use crate::aws::{Session, sts};
use crate::cli;
use crate::cli::args::isolate::IsolateLintArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::granted::Granted;
use crate::finding::Severity;
use crate::grant::Held;
use crate::inventory::{Domain, Inventory};
use crate::isolation::PREFIX;
use crate::isolation_plan;
use crate::json;
use crate::lint::{self, Subject, weakness};
use crate::parties::Parties;
use crate::policy::Policy;
use crate::render;
use crate::role::{Holding, Roles, role_name};
use crate::store::disk;
use crate::target::{self, Domains};
use crate::weakness::{self, Kind, Weakness};

use super::ground::{self, Extent};
use super::simulate;

/// Prints what is found about the roles of domains; returns the exit code.
pub(super) async fn print(
    context: &Context,
    session: &Session,
    args: &IsolateLintArgs,
) -> Result<u8, Failure> {
    let caller = sts::caller(session).await?.account;
    let extent = if args.no_resources { Extent::Identities } else { Extent::Resources };
    let ground = ground::read(context, session, &caller, &args.looking, extent, false).await?;
    let inventory = &ground.inventory;
    let domains = Domains::new(inventory);
    let roles = Roles::new(inventory, &domains);
    let chosen: Vec<&Domain> = ground::chosen(&ground, &args.looking).collect();
    let names: BTreeSet<String> =
        chosen.iter().flat_map(|it| roles.of(&it.key)).map(str::to_owned).collect();
    let granted = Granted::read(&names, &ground.sessions).await;
    let mut found = Vec::new();
    for domain in chosen {
        let parties = ground::parties(domain, inventory, &context.loaded.config.isolation);
        let whole = Subject { name: domain.name.as_str(), parties: &parties };
        found.extend(of_roles(domain, &roles, &granted, &parties));
        if roles.of(&domain.key).is_empty() {
            found.push(weakness(
                Kind::NoRole,
                &whole,
                Vec::new(),
                "no execution role of it is known".to_owned(),
            ));
        }
        if extent == Extent::Resources {
            found.extend(untagged(domain, inventory, &domains, &whole));
        }
    }
    let gaps: Vec<String> = ground.gaps.iter().cloned().chain(granted.gaps()).collect();
    for gap in &gaps {
        context.ui.grave(&format!("Could not be read: {gap}"));
    }
    let code = shown(found, args);
    let is_whole = gaps.is_empty() && !names.is_empty();
    Ok(if is_whole { code } else { error::PARTIAL })
}

/// Judges each role of a domain: its documents as they stand, and what it may do.
fn of_roles(
    domain: &Domain,
    roles: &Roles<'_>,
    granted: &Granted,
    parties: &Parties,
) -> Vec<Weakness> {
    let mut found = Vec::new();
    for role in roles.of(&domain.key) {
        let subject = Subject { name: role_name(role), parties };
        let others: Vec<String> = roles
            .users(role)
            .iter()
            .filter(|it| **it != domain.key)
            .map(|it| it.id.to_string())
            .collect();
        if !others.is_empty() {
            let text = format!(
                "domains {} use this role as well, so nothing keeps them apart",
                others.join(", ")
            );
            found.push(weakness(Kind::SharedRole, &subject, Vec::new(), text));
        }
        let Some(grants) = granted.roles.get(role) else { continue };
        let own = format!("{PREFIX}{}", domain.key.id);
        // A role that is not the domain's alone is given none.
        let is_lacking = !grants.policies.iter().any(|it| it.arn.is_some() && it.name == own);
        if is_lacking && roles.holding(role, &domain.key) == Holding::Own {
            let text = format!("it does not have `{own}`");
            found.push(weakness(Kind::NoPolicy, &subject, Vec::new(), text));
        }
        // AWS's own policies are AWS's to mend, and name one partition where that is the account's.
        let is_ours = |it: &&Held| {
            it.arn
                .as_deref()
                .is_none_or(|arn| Arn::parse(arn).is_some_and(|it| it.account != "aws"))
        };
        for held in grants.policies.iter().chain(&grants.boundary).filter(is_ours) {
            found.extend(lint::document(&held.name, &held.document, held.arn.is_some(), &subject));
        }
        // Domains that policies name are judged beside one of which they say nothing.
        let mut named = BTreeSet::new();
        for held in &grants.policies {
            isolation_plan::collect(&held.document, &mut named);
        }
        named.insert(parties.other.clone());
        let rights = Rights::of(grants);
        let executions = parties.pipeline_executions;
        for parties in &beside(&parties.own, &parties.partition, named, executions) {
            found.extend(lint::rights(&rights, &Subject { parties, ..subject }));
        }
    }
    found
}

/// Counts what could bear a domain tag in a domain's account and region, and bears none.
fn untagged(
    domain: &Domain,
    inventory: &Inventory,
    domains: &Domains<'_>,
    subject: &Subject<'_>,
) -> Option<Weakness> {
    let is_told = |kind: &str| {
        types()
            .iter()
            .any(|it| it.name == kind && is_told_by_tag(kind, false) && is_ever_tagged(kind))
    };
    let targets = target::all(inventory, domains);
    let mut by: BTreeMap<&str, usize> = BTreeMap::new();
    let untagged = targets.iter().filter(|it| {
        it.is_beside(&domain.key)
            && !it.is_unread
            && it.home.is_none()
            && is_told(&it.kind)
            && target::domain_tag(it).is_none()
    });
    for target in untagged {
        *by.entry(&target.kind).or_default() += 1;
    }
    let count: usize = by.values().sum();
    let told: Vec<String> = by.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    let region = &domain.key.region;
    let text = format!(
        "{count} resources in {region} bear no domain tag, so they are everybody's or nobody's: {}",
        told.join(", ")
    );
    let found = Weakness {
        fix: format!(
            "`apportion retag plan --all --region {region}` tells whose they are, and `retag apply` tags them"
        ),
        ..weakness(Kind::UntaggedResources, subject, Vec::new(), text)
    };
    (count > 0).then_some(found)
}

/// Prints what is found about policies in files; returns the exit code.
pub(super) fn files(args: &IsolateLintArgs) -> Result<u8, Failure> {
    let mut documents = Vec::new();
    let mut found = Vec::new();
    for path in &args.policy {
        let name = simulate::name(path);
        match json::parse(&disk::read(path)?) {
            Ok(value) => documents.push((name, value)),
            Err(error) => found.push((name, format!("it is no JSON that IAM takes: {error}"))),
        }
    }
    let all = parties(args, &documents)?;
    let (first, is_made_up) = (&all.0[0], all.1);
    let mut weaknesses: Vec<Weakness> = found
        .into_iter()
        .map(|(name, why)| {
            weakness(Kind::Malformed, &Subject { name: &name, parties: first }, Vec::new(), why)
        })
        .collect();
    for (name, value) in &documents {
        weaknesses.extend(lint::document(name, value, true, &Subject { name, parties: first }));
    }
    // What could not be read has been said.
    let read =
        |(name, value): &(String, Value)| Policy { is_whole: true, ..Policy::read(name, value).0 };
    let rights = Rights { policies: documents.iter().map(read).collect(), boundary: None };
    let name = args.policy.iter().map(|it| simulate::name(it)).collect::<Vec<String>>().join(" + ");
    for parties in &all.0 {
        weaknesses.extend(lint::rights(&rights, &Subject { name: &name, parties }));
    }
    if is_made_up {
        for it in &mut weaknesses {
            it.domain.clear();
        }
    }
    Ok(shown(weaknesses, args))
}

/// Returns the domain that files are about beside each other one: the domain that was typed, else the one that they name, else one
/// that is made up, which is told.
fn parties(
    args: &IsolateLintArgs,
    documents: &[(String, Value)],
) -> Result<(Vec<Parties>, bool), Failure> {
    let parse = |text: &str| match (Identity::parse(text), Arn::parse(text)) {
        (Some(Identity::Domain(key)), Some(arn)) => Some((key, arn.partition)),
        _ => None,
    };
    let hint = "write it as `--domain-arn arn:aws:sagemaker:eu-west-1:111122223333:domain/d-…`";
    let mut named = BTreeSet::new();
    for (_, document) in documents {
        isolation_plan::collect(document, &mut named);
    }
    let partition = documents.iter().find_map(|(_, it)| {
        let text = it.to_string();
        text.split('"').filter_map(parse).map(|it| it.1).next()
    });
    let (own, partition, is_made_up) = match (&args.domain_arn, named.len()) {
        (Some(text), _) => {
            let parsed = parse(text);
            let (key, partition) = parsed.ok_or_else(|| {
                Failure::usage(format!("not the ARN of a domain: `{text}`"), hint)
            })?;
            (key, partition, false)
        }
        (None, 0) => {
            let made_up = "arn:aws:sagemaker:us-east-1:111122223333:domain/d-domain000000";
            let (key, partition) = parse(made_up).expect("it is the ARN of a domain");
            (key, partition, true)
        }
        (None, 1) => {
            let key = named.first().cloned().expect("there is one");
            (key, partition.unwrap_or_else(|| "aws".to_owned()), false)
        }
        (None, count) => {
            let message =
                format!("the policies name {count} domains, and one of them is their own");
            return Err(Failure::usage(message, hint));
        }
    };
    Ok((beside(&own, &partition, named, false), is_made_up))
}

/// Returns a domain beside each of some others and one that is made up.
fn beside(
    own: &DomainKey,
    partition: &str,
    mut others: BTreeSet<DomainKey>,
    pipeline_executions: bool,
) -> Vec<Parties> {
    others.insert(Parties::made_up(own));
    others.remove(own);
    let of = |other| Parties {
        own: own.clone(),
        other,
        partition: partition.to_owned(),
        pipeline_executions,
    };
    others.into_iter().map(of).collect()
}

fn shown(mut found: Vec<Weakness>, args: &IsolateLintArgs) -> u8 {
    found.sort_by(|one, other| (one.kind.severity(), one).cmp(&(other.kind.severity(), other)));
    found.dedup();
    cli::print(&written(&found, &args.format));
    let is_wrong = found.iter().any(|it| it.kind.severity() == Severity::Error);
    if args.check && is_wrong { error::PENDING } else { error::DONE }
}

fn written(found: &[Weakness], format: &str) -> String {
    let mut bytes = Vec::new();
    let table = weakness::table(found);
    let written = match format {
        "csv" => render::csv::write(table, &mut bytes).map(drop),
        "json" => render::json::write(table, &mut bytes).map(drop),
        _ => return render::weakness::text(found),
    };
    written.expect("writing to memory does not fail");
    String::from_utf8_lossy(&bytes).into_owned()
}
