//! Owns what a report says about its own data: the notes of the snapshot and those that the ledger gives rise to.

use std::collections::{BTreeMap, BTreeSet};

use crate::arn::Identity;
use crate::bearer::{Doubt, Existence, Register};
use crate::key;
use crate::ledger::{Line, Reason};
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::note::{Note, NoteKind};
use crate::owner::Owner;
use crate::period::Month;
use crate::report::Report;
use crate::request::{REST, is_near_scope};
use crate::snapshot::Manifest;
use crate::team_notes;

/// Returns every note of a report, those of graver kinds first.
pub fn of(report: &Report<'_>) -> Vec<Note> {
    let mut notes = report.snapshot.manifest.notes.clone();
    notes.extend(mismatches(report));
    notes.extend(moving(report));
    notes.extend(missing(report));
    notes.extend(gaps(report));
    notes.extend(uninventoried(report));
    notes.extend(estimated(report));
    notes.extend(undelivered(report));
    notes.extend(keys(report));
    notes.extend(doubts(report));
    notes.extend(gone(report));
    notes.extend(contradictions(report));
    notes.extend(near_scope(report));
    notes.extend(evidence(report));
    notes.extend(unattributed(report));
    notes.extend(candidates(report));
    let allocation = &report.charges.allocation;
    notes.extend(allocation.month_notes.get(&report.month).into_iter().flatten().cloned());
    notes.extend(allocation.notes.iter().cloned());
    notes.extend(team_notes::of(report));
    let books = &report.charges.books;
    notes.extend(books.notes(report.month, report.metric, &report.snapshot.manifest.id));
    let month = report.month;
    if let Some(text) = coverage_changes(&report.snapshot.manifest).get(&month) {
        notes.push(Note::new(NoteKind::NotComparable, text.clone()));
    }
    notes
}

fn mismatches(report: &Report<'_>) -> Vec<Note> {
    let findings = &report.ledger.findings.mismatches;
    let moving = &report.snapshot.manifest.moving;
    findings
        .iter()
        .filter(|mismatch| !moving.contains(&mismatch.place.month))
        .map(|mismatch| {
            Note::new(NoteKind::DoesNotReconcile, format!("{mismatch}."))
                .with_amount(Some(mismatch.control - mismatch.sum))
        })
        .collect()
}

fn moving(report: &Report<'_>) -> Option<Note> {
    let months: Vec<String> =
        report.snapshot.manifest.moving.iter().map(ToString::to_string).collect();
    (!months.is_empty()).then(|| {
        let text = format!(
            "{} changed while it was read, twice; its figures are those of one moment each.",
            months.join(", ")
        );
        Note::new(NoteKind::Moving, text)
    })
}

fn missing(report: &Report<'_>) -> Vec<Note> {
    let mut texts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for missing in &report.snapshot.manifest.missing {
        let months = Month::of(missing.period.start)
            .through(Month::of(missing.period.end).plus(-1))
            .into_iter()
            .map(|month| month.to_string());
        let text = format!("{}: {}", missing.purpose, missing.error);
        texts.entry(text).or_default().extend(months);
    }
    texts
        .into_iter()
        .map(|(text, months)| {
            let (first, last) = (months.first(), months.last());
            let span = match (first, last) {
                (Some(first), Some(last)) if first != last => format!("{first} to {last}"),
                (Some(first), _) => first.clone(),
                _ => String::new(),
            };
            Note::new(NoteKind::NotRead, format!("Not answered for {span}: {text}"))
        })
        .collect()
}

fn gaps(report: &Report<'_>) -> Vec<Note> {
    let mut operations: BTreeMap<(String, String, String), Vec<String>> = BTreeMap::new();
    for gap in &report.snapshot.inventory.gaps {
        let place = if gap.region.is_empty() {
            gap.account.clone()
        } else {
            format!("{} in {}", gap.account, gap.region)
        };
        let key = (place, gap.code.clone(), gap.message.clone());
        operations.entry(key).or_default().push(gap.operation.clone());
    }
    operations
        .into_iter()
        .map(|((place, code, message), operations)| {
            let text = format!(
                "The inventory of {place} lacks {}: {code}: {message}",
                operations.join(", ")
            );
            // What the program leaves out by its own rule is no failure to read; no figure needs it.
            let is_left_out = code == "NotAsked" && operations == ["DescribeUserProfile"];
            let kind = if is_left_out { NoteKind::NotDelivered } else { NoteKind::NotRead };
            Note::new(kind, text)
        })
        .collect()
}

fn estimated(report: &Report<'_>) -> Option<Note> {
    let manifest = &report.snapshot.manifest;
    manifest.is_estimated(report.month).then(|| {
        let text =
            format!("AWS calls the figures of {} estimated; they may still change.", report.month);
        Note::new(NoteKind::Estimated, text).with_amount(report.total(report.month))
    })
}

fn undelivered(report: &Report<'_>) -> Vec<Note> {
    let total = report.ledger.total(report.month);
    let lacking = Metric::ALL.into_iter().filter(|metric| total.get(*metric).is_none());
    lacking
        .map(|metric| {
            let text = format!(
                "The {} was not delivered for every line, so it has no total.",
                metric.title()
            );
            Note::new(NoteKind::NotDelivered, text)
        })
        .collect()
}

fn keys(report: &Report<'_>) -> Vec<Note> {
    let manifest = &report.snapshot.manifest;
    let Some(statuses) = &manifest.key_statuses else { return Vec::new() };
    let mut notes = Vec::new();
    for key in
        key::PRECEDENCE.iter().copied().chain(manifest.configured_keys.iter().map(String::as_str))
    {
        let status = statuses.iter().find(|status| status.key == key);
        let text = match status {
            None => format!(
                "The tag key `{key}` is not known to billing: no resource with it has been billed."
            ),
            Some(status) if status.active == Some(false) => {
                format!("The tag key `{key}` is not active as a cost allocation tag.")
            }
            Some(status) => match status.updated_on() {
                Some(day) if Month::of(day) == report.month => {
                    format!("The status of the tag key `{key}` changed on {day}, within the month.")
                }
                _ => continue,
            },
        };
        notes.push(Note::new(NoteKind::Key, text));
    }
    notes
}

fn doubts(report: &Report<'_>) -> Vec<Note> {
    report
        .ledger
        .doubts
        .iter()
        .map(|doubt| match doubt {
            Doubt::NotAnArn { key, value } => {
                let text = format!(
                    "`{value}` under `{key}` is not an ARN of its kind; its cost has no owner."
                );
                Note::new(NoteKind::NotAnArn, text)
            }
            Doubt::CaseFolded { tag, inventory } => {
                let text =
                    format!("`{tag}` in a tag was taken for `{inventory}` of the inventory.");
                Note::new(NoteKind::CaseFolded, text)
            }
        })
        .collect()
}

fn gone(report: &Report<'_>) -> Option<Note> {
    let lines = || {
        report.ledger.of_month(report.month).iter().filter(|line| {
            let existence = report.ledger.bearer(line).existence;
            matches!(existence, Existence::Gone { .. } | Existence::NeverListed)
        })
    };
    let owners: BTreeSet<usize> = lines().map(|line| line.bearer).collect();
    (!owners.is_empty()).then(|| {
        let text = format!(
            "{} owners are not in the inventory, now or any more; they keep their cost. `status` in `owners.csv` names them.",
            owners.len()
        );
        Note::new(NoteKind::Gone, text).with_amount(report.sum(lines()))
    })
}

/// A space's line that carries a user other than the space's own: the space bears it, the tag is told.
fn contradictions(report: &Report<'_>) -> Option<Note> {
    let snapshot = report.snapshot;
    let manifest = &snapshot.manifest;
    let register = Register::new(&snapshot.inventory, manifest.taken_at, &[]);
    let mut amount = Some(Money::ZERO);
    let mut spaces = BTreeSet::new();
    for row in manifest.space_users.iter().filter(|row| row.month == report.month) {
        let Some(Identity::UserProfile(_, user)) = Identity::parse(&row.user_profile) else {
            continue;
        };
        let (bearer, _) = register.resolve(key::SPACE, &row.space);
        if bearer.shared == Some(false) && bearer.user_profile.is_some_and(|owner| owner != user) {
            let money = row.amounts.get(report.metric);
            amount = amount.zip(money).map(|(sum, money)| sum + money);
            spaces.insert(row.space.clone());
        }
    }
    (!spaces.is_empty()).then(|| {
        let text = format!(
            "Lines of {} private spaces carry a user profile that is not the space's owner; the space's owner bears them.",
            spaces.len()
        );
        Note::new(NoteKind::Contradiction, text).with_amount(amount)
    })
}

fn near_scope(report: &Report<'_>) -> Vec<Note> {
    let mut services: BTreeMap<&str, Amounts> = BTreeMap::new();
    let controls = report.snapshot.manifest.bill.iter();
    for control in controls.filter(|control| control.month == report.month) {
        if is_near_scope(&control.service) {
            services.entry(&control.service).or_insert(Amounts::ZERO).add(&control.amounts);
        }
    }
    services
        .into_iter()
        .map(|(service, amounts)| {
            let text = format!("`{service}` is billed and is not part of this report.");
            Note::new(NoteKind::NearScope, text).with_amount(amounts.get(report.metric))
        })
        .collect()
}

/// Evidence must sum to what it is about, or the reader is told.
fn evidence(report: &Report<'_>) -> Vec<Note> {
    let manifest = &report.snapshot.manifest;
    let of_month = |month: Month| month == report.month;
    let sum = |amounts: Amounts| amounts.get(report.metric);
    let spaces =
        manifest.controls.iter().filter(|row| of_month(row.month) && row.slice == key::SPACE);
    let users = manifest.space_users.iter().filter(|row| of_month(row.month));
    let accounts = manifest.billed_accounts.iter().filter(|row| of_month(row.month));
    let pairs = [
        (
            "who worked in which space",
            sum(spaces.map(|row| &row.amounts).sum()),
            sum(users.map(|row| &row.amounts).sum()),
            manifest.space_users.is_empty(),
        ),
        (
            "which accounts were billed",
            sum(crate::control::scope_total(manifest, report.month)),
            sum(accounts.map(|row| &row.amounts).sum()),
            manifest.billed_accounts.is_empty(),
        ),
    ];
    pairs
        .into_iter()
        .filter(|(_, _, _, is_empty)| !is_empty)
        .filter_map(|(what, whole, parts, _)| {
            let difference = whole? - parts?;
            // Evidence is rounded like everything else; a millionth is no finding.
            (difference.abs() > Money::from_units(1_000_000)).then(|| {
                let text =
                    format!("The evidence of {what} does not sum to the cost that it is about.");
                Note::new(NoteKind::Evidence, text).with_amount(Some(difference))
            })
        })
        .collect()
}

fn unattributed(report: &Report<'_>) -> Vec<Note> {
    let mut reasons: BTreeMap<Reason, Vec<&Line>> = BTreeMap::new();
    for line in report.ledger.of_month(report.month) {
        if report.ledger.bearer(line).owner == Owner::Unattributed {
            reasons.entry(line.reason.unwrap_or(Reason::NoTag)).or_default().push(line);
        }
    }
    reasons
        .into_iter()
        .map(|(reason, lines)| {
            let text = format!("Without an owner: {}.", reason.title());
            Note::new(NoteKind::Unattributed, text).with_amount(report.sum(lines.into_iter()))
        })
        .collect()
}

/// Owners in accounts and regions of which no inventory was read: their names, status and private spaces are unknown.
fn uninventoried(report: &Report<'_>) -> Vec<Note> {
    let mut places: BTreeMap<(&str, &str), Vec<&Line>> = BTreeMap::new();
    for line in report.ledger.of_month(report.month) {
        let bearer = report.ledger.bearer(line);
        if let (Existence::Unknown, Some(domain)) = (bearer.existence, bearer.owner.domain()) {
            places.entry((domain.account.as_str(), &domain.region)).or_default().push(line);
        }
    }
    places
        .into_iter()
        .map(|((account, region), lines)| {
            let text = format!(
                "No inventory of {account} in {region} was read, so its owners have no names, and the users of its \
                 private spaces are not known; name it in the configuration: `[[account]] id = \"{account}\"` with \
                 `role_arn` and `regions = [\"{region}\"]`."
            );
            Note::new(NoteKind::NotInventoried, text).with_amount(report.sum(lines.into_iter()))
        })
        .collect()
}

/// Resources of the inventory without a domain tag: a hint, without amounts.
fn candidates(report: &Report<'_>) -> Option<Note> {
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for resource in &report.snapshot.inventory.resources {
        let is_untagged = resource.tags.as_ref().is_none_or(|tags| !tags.contains_key(key::DOMAIN));
        if is_untagged {
            *kinds.entry(&resource.kind).or_default() += 1;
        }
    }
    let listed: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    (!kinds.is_empty()).then(|| {
        let text = format!(
            "Resources without a domain tag that may be behind cost without an owner: {}.",
            listed.join(", ")
        );
        Note::new(NoteKind::Candidates, text)
    })
}

/// The months in which a key shows that did not show the month before, or the other way round.
///
/// Such a month does not compare with the one before it: cost moved between owners without anybody spending.
pub fn coverage_changes(manifest: &Manifest) -> BTreeMap<Month, String> {
    let mut present: BTreeMap<&str, BTreeSet<Month>> = BTreeMap::new();
    let claimed = manifest.controls.iter().filter(|control| control.slice != REST);
    for control in claimed.filter(|control| !control.amounts.is_zero()) {
        present.entry(&control.slice).or_default().insert(control.month);
    }
    let mut changes: BTreeMap<Month, String> = BTreeMap::new();
    let mut put = |month: Month, text: String| {
        changes
            .entry(month)
            .and_modify(|before| {
                before.push(' ');
                before.push_str(&text);
            })
            .or_insert(text);
    };
    for month in manifest.months().into_iter().skip(1) {
        for (key, months) in &present {
            let (before, now) = (months.contains(&month.plus(-1)), months.contains(&month));
            if before != now {
                let verb = if now { "shows for the first time" } else { "no longer shows" };
                put(
                    month,
                    format!(
                        "The tag key `{key}` {verb} in {month}, so owners do not compare with the month before."
                    ),
                );
            }
        }
        let updated = manifest.key_statuses.iter().flatten().filter_map(|status| {
            let day = status
                .updated_on()
                .filter(|day| Month::of(*day).plus(1) == month && day.day() > 1)?;
            Some((status.key.as_str(), day))
        });
        for (key, day) in updated {
            put(
                month,
                format!(
                    "The status of the tag key `{key}` changed on {day}, so {month} does not compare with the month before."
                ),
            );
        }
    }
    changes
}
