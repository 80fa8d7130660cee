//! Owns the user's mapping: a CSV of `resource,domain` for what nothing else tells.
//!
//! **Invariant:** a row that cannot be followed is a problem that is named, never passed over.

use std::collections::BTreeMap;

use crate::arn::{DomainId, DomainKey, Identity};
use crate::inventory::Inventory;
use crate::sheet::{self, Head, NotSheet, Remark, Sheet};
use crate::target::{self, Domains, Target};

const HEADS: [Head; 2] = [Head::required("resource"), Head::required("domain")];

/// What the user says of whose things are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    rows: Vec<Row>,
    remarks: Vec<Remark>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    line: u64,
    resource: String,
    domain: Domain,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Domain {
    Id(DomainId),
    Key(DomainKey),
}

/// A mapping applied to an inventory.
#[derive(Debug, Default)]
pub struct Applied {
    /// By ARN: the domains that rows name, each with its first line.
    pub by_arn: BTreeMap<String, BTreeMap<DomainKey, u64>>,
    /// What is wrong, in the order of the lines.
    pub problems: Vec<String>,
}

impl Mapping {
    /// Parses a CSV file, or tells the first line that is wrong; `file` is only for texts.
    pub fn parse(file: &str, bytes: &[u8]) -> Result<Mapping, NotSheet> {
        let sheet = Sheet::parse(file, bytes, &HEADS)?;
        let rows = sheet.rows().map(row).collect::<Result<Vec<Row>, NotSheet>>()?;
        Ok(Mapping { rows, remarks: sheet.remarks().to_vec() })
    }

    /// Returns what is odd about the file.
    pub fn remarks(&self) -> &[Remark] {
        &self.remarks
    }

    /// Returns what is wrong with the mapping, given what exists.
    pub fn check(&self, inventory: &Inventory) -> Vec<String> {
        let domains = Domains::new(inventory);
        self.apply(&target::all(inventory, &domains), &domains).problems
    }

    /// Finds what each row is about; what is wrong is left out of it and named.
    pub fn apply(&self, targets: &[Target<'_>], domains: &Domains<'_>) -> Applied {
        let mut applied = Applied::default();
        for row in &self.rows {
            let known = match &row.domain {
                Domain::Id(id) => domains.by_id(id).map(|domain| &domain.key),
                Domain::Key(key) => domains.get(key).map(|domain| &domain.key),
            };
            let Some(domain) = known else {
                let problem = format!("line {}: no domain `{}` was listed", row.line, row.domain);
                applied.problems.push(problem);
                continue;
            };
            let found = find(&row.resource, targets);
            let mut count = 0_usize;
            for target in found.filter(|target| target.is_beside(domain)) {
                count += 1;
                let named = applied.by_arn.entry(target.arn.clone()).or_default();
                named.entry(domain.clone()).or_insert(row.line);
            }
            if count == 0 {
                applied.problems.push(format!(
                    "line {}: nothing in {} of {} matches `{}`",
                    row.line, domain.region, domain.account, row.resource
                ));
            }
        }
        for (arn, named) in applied.by_arn.iter().filter(|(_, named)| named.len() > 1) {
            let rows: Vec<String> =
                named.iter().map(|(domain, line)| format!("{} (line {line})", domain.id)).collect();
            applied.problems.push(format!("several rows match {arn}: {}", rows.join(", ")));
        }
        applied
    }
}

impl std::fmt::Display for Domain {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Domain::Id(id) => write!(formatter, "{id}"),
            Domain::Key(DomainKey { account, region, id }) => {
                write!(formatter, "{id} of {account} in {region}")
            }
        }
    }
}

fn row(row: sheet::Row<'_>) -> Result<Row, NotSheet> {
    let (resource, domain) = (row.filled("resource")?, row.filled("domain")?);
    let domain = match Identity::parse(domain) {
        Some(Identity::Domain(key)) => Domain::Key(key),
        Some(_) => return Err(row.wrong(format!("`{domain}` is not a domain"))),
        None => Domain::Id(DomainId::parse(domain).map_err(|error| row.wrong(error.to_string()))?),
    };
    Ok(Row { line: row.line(), resource: resource.to_owned(), domain })
}

/// What a row's text names: one ARN, or everything whose ARN or name fits a pattern.
fn find<'t, 'a>(
    resource: &str,
    targets: &'t [Target<'a>],
) -> Box<dyn Iterator<Item = &'t Target<'a>> + 't> {
    let is_arn = resource.starts_with("arn:");
    if is_arn && !resource.contains('*') {
        let place = targets.binary_search_by(|target| target.arn.as_str().cmp(resource));
        return Box::new(place.ok().map(|index| &targets[index]).into_iter());
    }
    let resource = resource.to_owned();
    Box::new(targets.iter().filter(move |target| {
        target.resource_kind().is_some()
            && fits(&resource, if is_arn { &target.arn } else { &target.name })
    }))
}

/// Tells whether a text fits a pattern in which `*` stands for any text.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut text) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = rest.split('*').collect();
    let tail = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = text.find(part) else { return false };
        text = &text[at + part.len()..];
    }
    text.ends_with(tail)
}

/// Returns the domains that are named for an ARN.
pub fn named<'m>(applied: &'m Applied, arn: &str) -> impl Iterator<Item = (&'m DomainKey, u64)> {
    applied.by_arn.get(arn).into_iter().flatten().map(|(domain, line)| (domain, *line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_text() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*", "a", true),
            ("*c", "abc", true),
            ("a*c", "ac", true),
            ("a*a", "a", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("A*", "abc", false),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn what_is_no_mapping_names_its_line() {
        let head = "resource,domain\n";
        let columns = "its first line names the columns `resource`, `domain`";
        for (text, expected) in [
            (String::new(), format!("line 1: the file is empty; {columns}")),
            ("arn,domain\n".to_owned(), format!("line 1: `arn` is not a column; {columns}")),
            (format!("{head}a\n"), "line 2: it has 1 field, and should have 2".to_owned()),
            (format!("{head}a,d-a,x\n"), "line 2: it has 3 fields, and should have 2".to_owned()),
            (format!("{head}a,d-a\n,d-a\n"), "line 3: `resource` is blank".to_owned()),
            (
                format!("{head}a,arn:aws:sagemaker:eu-west-1:111122223333:space/d-a/lab\n"),
                "line 2: `arn:aws:sagemaker:eu-west-1:111122223333:space/d-a/lab` is not a domain"
                    .to_owned(),
            ),
            (
                format!("{head}a,analysts\n"),
                "line 2: not a domain id: `analysts`; a domain id is `d-` and up to 61 of `a-z`, `0-9` and `-`"
                    .to_owned(),
            ),
        ] {
            let error = Mapping::parse("of.csv", text.as_bytes()).unwrap_err().to_string();
            assert_eq!(error, format!("`of.csv`, {expected}"));
        }
        assert_eq!(Mapping::parse("of.csv", head.as_bytes()), Ok(Mapping::default()));
    }

    #[test]
    fn a_mapping_out_of_a_spreadsheet_is_read() {
        for text in ["\u{feff}resource, domain\na, d-a\n", "Domain;Resource\r\nd-a;a\r\n;\r\n"] {
            let mapping = Mapping::parse("of.csv", text.as_bytes()).unwrap();
            assert_eq!((mapping.rows.len(), mapping.remarks().len()), (1, 0), "{text:?}");
            assert_eq!((mapping.rows[0].resource.as_str(), mapping.rows[0].line), ("a", 2));
        }
        let mapping = Mapping::parse("of.csv", b"resource,domain\n\xfc,d-a\n\xfc,d-a\n").unwrap();
        assert_eq!((mapping.rows[0].resource.as_str(), mapping.rows.len()), ("ü", 1));
        assert_eq!(mapping.remarks().len(), 2);
    }
}
