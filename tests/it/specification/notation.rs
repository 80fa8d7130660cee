//! Owns the short forms of tags: the table of the document itself tells what each stands for.

use std::collections::BTreeMap;

use apportion::key;
use apportion::money::Money;

use super::Comparison;
use super::document::{Block, blocks, halves, stated};

/// The account that owns and pays, where an example names none.
pub(crate) const ACCOUNT: &str = "111122223333";
/// The region, where an example names none.
pub(crate) const REGION: &str = "eu-west-1";
/// The configured key of the examples.
pub(crate) const TEAM: &str = "team";

const ARN: &str = "arn:{partition}:sagemaker:{region}:{account}:";
const SHORT_FORMS: [(&str, &str, &str); 6] = [
    ("space=", key::SPACE, "space/{domain}/{space}"),
    ("shared-space=", key::SHARED_SPACE, "space/{domain}/{space}"),
    ("user-profile=", key::USER_PROFILE, "user-profile/{domain}/{name}"),
    ("domain=", key::DOMAIN, "domain/{domain}"),
    ("managed-by=", key::MANAGED_BY, "domain/{domain}"),
    ("team=", TEAM, "any text"),
];

/// The table of short forms names the keys that the program claims by, in its order.
pub(crate) fn run(block: &Block) -> Comparison {
    let rows = block.sections[0].iter().filter_map(|row| halves(row));
    let stated = rows.map(|(short, right)| format!("{} {}", short.trim(), stated(right).join(" ")));
    let configured = [TEAM.to_owned()];
    let keys = apportion::request::claiming_keys(&configured, None);
    let done = keys.iter().map(|key| {
        let (short, _, shape) = SHORT_FORMS.iter().find(|form| form.1 == key).unwrap();
        let arn = if key == TEAM { "" } else { ARN };
        format!("{short} {key} {arn}{shape}")
    });
    Comparison { stated: stated.collect(), done: done.collect() }
}

/// The short forms as the document has them: tag key and shape of the value.
fn short_forms() -> BTreeMap<String, (String, String)> {
    let block = blocks().into_iter().find(|block| block.kind == "notation").unwrap();
    let rows = block.sections[0].iter().filter_map(|row| halves(row));
    rows.map(|(short, right)| {
        let words = stated(right);
        (short.trim().to_owned(), (words[0].to_owned(), words[1].to_owned()))
    })
    .collect()
}

/// Reads tags as the examples write them.
pub(crate) struct Notation {
    forms: BTreeMap<String, (String, String)>,
}

impl Notation {
    pub(crate) fn new() -> Notation {
        Notation { forms: short_forms() }
    }

    /// Reads `space=d-a/lab` as a tag key and value; absent for what is no tag.
    pub(crate) fn tag(&self, cell: &str) -> Option<(String, String)> {
        let (name, value) = cell.split_once('=')?;
        let (key, shape) = self.forms.get(&format!("{name}="))?;
        let (prefix, _) = shape.split_once("{domain}").unwrap_or(("", ""));
        Some((key.clone(), value_of(prefix, value)))
    }
}

/// A value: an ARN of the key's shape where it begins with `d-`, else what stands there.
fn value_of(prefix: &str, value: &str) -> String {
    if value == "(empty)" {
        return String::new();
    }
    if let Some(path) = value.strip_prefix("(ARN of ").and_then(|rest| rest.strip_suffix(')')) {
        return filled(ARN, REGION, ACCOUNT) + path;
    }
    if prefix.is_empty() || !value.starts_with("d-") {
        return value.to_owned();
    }
    let mut words = value.split('@');
    let path = words.next().unwrap();
    let (mut region, mut account) = (REGION, ACCOUNT);
    for word in words {
        if word.bytes().all(|byte| byte.is_ascii_digit()) {
            account = word;
        } else {
            region = word;
        }
    }
    filled(prefix, region, account) + path
}

fn filled(shape: &str, region: &str, account: &str) -> String {
    let shape = shape.replace("{partition}", "aws").replace("{region}", region);
    shape.replace("{account}", account)
}

/// Reads an amount as the document prints it: signs of both kinds, thousands apart.
pub(crate) fn money(text: &str) -> Option<Money> {
    Money::parse(&text.replace('−', "-").replace(',', "")).ok()
}

/// A cell in its one form: amounts as exact decimals, words as they stand.
pub(crate) fn plain(cell: &str) -> String {
    money(cell).map_or_else(|| cell.to_owned(), |money| money.to_string())
}

/// Prints an amount, or that there is none.
pub(crate) fn printed(money: Option<Money>) -> String {
    money.map_or_else(|| "blank".to_owned(), |money| money.to_string())
}
