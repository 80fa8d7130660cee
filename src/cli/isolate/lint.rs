//! Owns `isolate lint`: what is wrong with the policies that domains' roles have, or with policies in files.

use std::collections::{BTreeMap, BTreeSet};

use crate::access::Rights;
use crate::arn::{Arn, Identity};
use crate::authorization::{is_ever_tagged, is_told_by_tag, types};
use crate::aws::{Session, sts};
use crate::cli;
use crate::cli::args::isolate::IsolateLintArgs;
use crate::cli::commands::Context;
use crate::cli::error::{self, Failure};
use crate::cli::granted::Granted;
use crate::cli::plans;
use crate::finding::Severity;
use crate::grant::Held;
use crate::inventory::{Domain, Inventory};
use crate::isolation::PREFIX;
use crate::isolation_plan::role_name;
use crate::lint::{self, Subject, weakness};
use crate::matrix::Parties;
use crate::policy::Policy;
use crate::render;
use crate::role::Roles;
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
    let ground = ground::read(context, session, &caller, &args.looking, extent).await?;
    let inventory = &ground.inventory;
    let domains = Domains::new(inventory);
    let roles = Roles::new(inventory, &domains);
    let chosen: Vec<&Domain> = ground::chosen(inventory, &args.looking).collect();
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
    let gaps: Vec<String> =
        inventory.gaps.iter().map(plans::gap_text).chain(granted.gaps()).collect();
    for gap in &gaps {
        context.ui.grave(&format!("Could not be read: {gap}"));
    }
    let code = shown(found, args);
    Ok(if gaps.is_empty() { code } else { error::PARTIAL })
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
        // A role that several domains use is given none.
        let is_lacking = !grants.policies.iter().any(|it| it.arn.is_some() && it.name == own);
        if is_lacking && others.is_empty() {
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
            found.extend(lint::document(&held.name, &held.document, &subject));
        }
        found.extend(lint::rights(&Rights::of(grants), &subject));
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
        match simulate::value(path) {
            Ok(value) => documents.push((simulate::name(path), value)),
            Err(failure) if crate::store::disk::exists(path) => {
                found.push((simulate::name(path), failure.message));
            }
            Err(failure) => return Err(failure),
        }
    }
    let texts: Vec<String> = documents.iter().map(|(_, value)| value.to_string()).collect();
    let parties = parties(args, &texts)?;
    let mut weaknesses: Vec<Weakness> = found
        .into_iter()
        .map(|(name, why)| {
            weakness(Kind::Malformed, &Subject { name: &name, parties: &parties }, Vec::new(), why)
        })
        .collect();
    let name = args.policy.iter().map(|it| simulate::name(it)).collect::<Vec<String>>().join(" + ");
    let subject = Subject { name: &name, parties: &parties };
    for (name, value) in &documents {
        weaknesses.extend(lint::document(name, value, &Subject { name, ..subject }));
    }
    let policies = documents.iter().map(|(name, value)| Policy::read(name, value).0).collect();
    weaknesses.extend(lint::rights(&Rights { policies, boundary: None }, &subject));
    Ok(shown(weaknesses, args))
}

/// Returns the domain that files are about: the one that was typed, else the one that they name, else one that is made up.
fn parties(args: &IsolateLintArgs, texts: &[String]) -> Result<Parties, Failure> {
    let parse = |text: &str| match (Identity::parse(text), Arn::parse(text)) {
        (Some(Identity::Domain(key)), Some(arn)) => Some((key, arn.partition)),
        _ => None,
    };
    let typed = match &args.domain_arn {
        None => None,
        Some(text) => Some(parse(text).ok_or_else(|| {
            let hint = "write it as `arn:aws:sagemaker:eu-west-1:111122223333:domain/d-…`";
            Failure::usage(format!("not the ARN of a domain: `{text}`"), hint)
        })?),
    };
    let named: BTreeSet<_> = texts.iter().flat_map(|it| it.split('"')).filter_map(parse).collect();
    let (own, partition) = typed
        .or_else(|| named.first().cloned().filter(|_| named.len() == 1))
        .or_else(|| parse("arn:aws:sagemaker:us-east-1:111122223333:domain/d-domain000000"))
        .expect("a domain that is made up has an ARN");
    Ok(Parties { other: Parties::made_up(&own), own, partition, pipeline_executions: false })
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
