//! Owns where lines come from: the records behind each, the request that answered them, and the control beside a difference.
//!
//! **Invariant:** every record that was summed into a line is found again, whatever the spelling of its tag.

use std::collections::{BTreeMap, BTreeSet};

use crate::bearer::Register;
use crate::control::{self, Residual};
use crate::explanation::{Balance, Compared, Origin, Request, Share, Sum};
use crate::ledger::{Cause, Ledger, Line, Reason};
use crate::metric::{Amounts, Metric};
use crate::money::Money;
use crate::owner::Owner;
use crate::period::Month;
use crate::query::{Filter, Granularity, Group};
use crate::request::{Purpose, is_in_scope};
use crate::snapshot::{Asked, Snapshot};

/// Where some lines of one month come from.
pub struct Origins {
    records: BTreeMap<usize, Vec<Origin>>,
}

/// What tells a line's records from those of others, but for the slice.
type Key<'a> = (&'a Owner, Option<&'a str>, &'a str, &'a str, &'a str);

impl Origins {
    /// Finds the records behind lines of a month, which are named by their places in the ledger.
    pub fn find(
        snapshot: &Snapshot,
        ledger: &Ledger,
        month: Month,
        lines: &BTreeSet<usize>,
        metric: Metric,
    ) -> Origins {
        let manifest = &snapshot.manifest;
        let slices = slices(&manifest.asked);
        let mut wanted: BTreeMap<Key<'_>, Vec<(usize, Option<&str>)>> = BTreeMap::new();
        for index in lines {
            let line = &ledger.lines[*index];
            if let Cause::Billed { request, .. } = line.cause {
                let slice = slices.get(&request).copied();
                wanted.entry(key(ledger, line)).or_default().push((*index, slice));
            }
        }
        let register = Register::new(&snapshot.inventory, manifest.taken_at, &manifest.space_users);
        let mut owners: BTreeMap<(String, String), Owner> = BTreeMap::new();
        let mut records: BTreeMap<usize, Vec<Origin>> = BTreeMap::new();
        for record in snapshot.records.of_month(month).iter() {
            let owner = owners
                .entry((record.slice.clone(), record.value.clone()))
                .or_insert_with(|| register.resolve(&record.slice, &record.value).0.owner);
            let key = (
                &*owner,
                record.account.as_deref(),
                record.service.as_str(),
                record.record_type.as_str(),
                record.usage_type.as_str(),
            );
            let found = wanted.get(&key).into_iter().flatten();
            let mut found = found.filter(|(_, slice)| slice.is_none_or(|it| it == record.slice));
            if let Some((index, _)) = found.next() {
                records.entry(*index).or_default().push(Origin {
                    request: record.request,
                    page: record.page,
                    sum: Sum::new(record.amounts, metric),
                    usage: record.usage.map(Money::from_units),
                    slice: record.slice,
                    value: record.value,
                });
            }
        }
        Origins { records }
    }

    /// Returns the records behind a line, in the order of their slices and values.
    pub fn of(&self, line: usize) -> &[Origin] {
        self.records.get(&line).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The slice that each request for cells was about.
fn slices(asked: &[Asked]) -> BTreeMap<u32, &str> {
    let cells = asked.iter().filter_map(|asked| match &asked.purpose {
        Purpose::Cells { slice, .. } => Some((asked.number, slice.as_str())),
        _ => None,
    });
    cells.collect()
}

fn key<'a>(ledger: &'a Ledger, line: &'a Line) -> Key<'a> {
    let owner = match &ledger.bearer(line).owner {
        // What no key claims resolves to nobody, and only then is found to be a pool's.
        Owner::Pool(_) => &Owner::Unattributed,
        owner => owner,
    };
    let text = |number: u32| ledger.names.text(number);
    let account = line.billed_account.map(text);
    (owner, account, text(line.service), text(line.record_type), text(line.usage_type))
}

/// Returns the control and the sum that a line is the difference of; absent for a line that was billed.
pub fn compare(
    snapshot: &Snapshot,
    ledger: &Ledger,
    line: usize,
    metric: Metric,
) -> Option<Compared> {
    let residual = residual(ledger, line)?;
    let place = &residual.place;
    let manifest = &snapshot.manifest;
    let (controls, slice) = match place.slice.as_str() {
        control::WHOLE_SCOPE => (&manifest.bill, ""),
        slice => (&manifest.controls, slice),
    };
    let control = controls.iter().find(|control| {
        control.slice == slice
            && control.month == place.month
            && control.service == place.service
            && control.record_type == place.record_type
    });
    let whole = control.map_or(Amounts::ZERO, |control| control.amounts);
    let mut parts = whole;
    parts.subtract(&residual.amounts);
    Some(Compared {
        slice: place.slice.clone(),
        request: control.map(|control| control.request),
        control: Sum::new(whole, metric),
        parts: Sum::new(parts, metric),
    })
}

/// The residual that became a line: sorting lines keeps the order of residuals that are alike.
fn residual(ledger: &Ledger, line: usize) -> Option<&Residual> {
    let of = |line: &Line| {
        (line.cause == Cause::Residual).then(|| {
            (line.month, line.service, line.record_type, line.reason == Some(Reason::NotRead))
        })
    };
    let kind = of(&ledger.lines[line])?;
    let before = ledger.lines[..line].iter().filter(|line| of(line) == Some(kind)).count();
    let (month, service, record_type, is_missing) = kind;
    let text = |number: u32| ledger.names.text(number);
    let mut alike = ledger.findings.residuals.iter().filter(|residual| {
        let place = &residual.place;
        place.month == month
            && residual.is_missing == is_missing
            && place.service == text(service)
            && place.record_type == text(record_type)
    });
    alike.nth(before)
}

/// Returns the requests behind what a month's bill has outside the scope, and behind the weights of SageMaker's share.
pub fn of_outside(snapshot: &Snapshot, month: Month) -> Vec<u32> {
    let manifest = &snapshot.manifest;
    let claimed = manifest.controls.iter().filter(|control| !is_in_scope(&control.service));
    let of_month = manifest.bill.iter().chain(claimed).filter(|control| control.month == month);
    let numbers: BTreeSet<u32> = of_month.map(|control| control.request).collect();
    numbers.into_iter().collect()
}

/// Returns the requests that asked a month day by day.
pub fn of_days(snapshot: &Snapshot, month: Month) -> impl Iterator<Item = u32> + '_ {
    let asked = snapshot.manifest.asked.iter().filter(move |asked| {
        matches!(asked.purpose, Purpose::Days { .. }) && asked.query.period.contains(month.start())
    });
    asked.map(|asked| asked.number)
}

/// Returns the requests of the given numbers, in order.
pub fn requests(snapshot: &Snapshot, cited: &BTreeSet<u32>) -> Vec<Request> {
    let mut asked: Vec<&Asked> =
        snapshot.manifest.asked.iter().filter(|asked| cited.contains(&asked.number)).collect();
    asked.sort_by_key(|asked| asked.number);
    asked.into_iter().map(request).collect()
}

/// Returns the numbers of the requests that shares and balances name.
pub fn cited(shares: &[Share], balances: &[Balance]) -> BTreeSet<u32> {
    let billed = shares.iter().flat_map(|share| &share.billed);
    let billed = billed.chain(balances.iter().flat_map(|balance| &balance.billed));
    let requests = billed.flat_map(|billed| {
        let control = billed.control.as_ref().and_then(|control| control.request);
        let records = billed.records.iter().map(|origin| origin.request);
        records.chain(control).chain(billed.requests.iter().copied())
    });
    let weights = shares.iter().flat_map(|share| &share.weight_requests);
    requests.chain(weights.copied()).collect()
}

fn request(asked: &Asked) -> Request {
    let query = &asked.query;
    let filter = query.filter.as_ref();
    Request {
        number: asked.number,
        purpose: asked.purpose.to_string(),
        asked_at: asked.asked_at,
        pages: asked.pages,
        groups: asked.groups,
        period: query.period,
        granularity: match query.granularity {
            Granularity::Monthly => "monthly",
            Granularity::Daily => "daily",
        },
        group_by: query.group_by.iter().map(group).collect(),
        filter_words: filter.map(|filter| words(filter, false)),
        filter: filter.map(Filter::to_json).unwrap_or_default(),
    }
}

fn group(group: &Group) -> String {
    match group {
        Group::Dimension(key) => key.clone(),
        Group::Tag(key) => format!("tag `{key}`"),
    }
}

/// Says a filter in words; what is joined within something else stands in parentheses.
fn words(filter: &Filter, is_inner: bool) -> String {
    let list = |filters: &[Filter], joint: &str| {
        let text: Vec<String> = filters.iter().map(|filter| words(filter, true)).collect();
        let text = text.join(joint);
        if is_inner { format!("({text})") } else { text }
    };
    match filter {
        Filter::And(filters) => list(filters, " and "),
        Filter::Or(filters) => list(filters, " or "),
        Filter::Not(filter) => match filter.as_ref() {
            Filter::TagAbsent { key } => format!("tag `{key}` present"),
            other => format!("not {}", words(other, true)),
        },
        Filter::Dimension { key, values } => match values.as_slice() {
            [value] => format!("{key} is `{value}`"),
            values => format!("{key} is one of `{}`", values.join("`, `")),
        },
        Filter::Tag { key, values } => match values.as_slice() {
            [value] => format!("tag `{key}` is `{value}`"),
            values => format!("tag `{key}` is one of `{}`", values.join("`, `")),
        },
        Filter::TagAbsent { key } => format!("tag `{key}` absent"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key;

    #[test]
    fn a_filter_reads_as_a_sentence() {
        let values = ["Amazon SageMaker".to_owned(), "Amazon SageMaker AI".to_owned()];
        let filter = Filter::all(vec![
            Filter::tag_present(key::SPACE),
            Filter::tag_absent("team"),
            Filter::Or(vec![
                Filter::dimension("SERVICE", &values).unwrap(),
                Filter::dimension("RECORD_TYPE", &values[..1]).unwrap(),
            ]),
            Filter::Not(Box::new(Filter::dimension("REGION", &values[..1]).unwrap())),
        ]);
        let tag = |count| words(&Filter::tag("team", &values[..count]).unwrap(), false);
        assert_eq!(tag(1), "tag `team` is `Amazon SageMaker`");
        assert_eq!(tag(2), "tag `team` is one of `Amazon SageMaker`, `Amazon SageMaker AI`");
        assert_eq!(
            words(&filter.unwrap(), false),
            "tag `sagemaker:space-arn` present and tag `team` absent and (SERVICE is one of \
             `Amazon SageMaker`, `Amazon SageMaker AI` or RECORD_TYPE is `Amazon SageMaker`) and not \
             REGION is `Amazon SageMaker`"
        );
    }
}
