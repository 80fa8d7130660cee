//! Owns Cost Explorer's filter expressions: what is refused, and which charges match.
//!
//! **Invariant:** a tag matches only where its key was active; an unknown value matches nothing and is no error.

use serde_json::Value;

use super::dimension::Dimension;
use crate::sandbox::bill::Charge;
use crate::sandbox::wire::Refusal;

const ROOTS: [&str; 7] =
    ["And", "CostCategories", "Dimensions", "Not", "Or", "ProductAttributes", "Tags"];
const VALUE_COUNT_MAX: usize = 100;

/// The tag keys that a query names; a bit of a mask each, set where the key was active.
#[derive(Debug, Default)]
pub(super) struct TagKeys(pub(super) Vec<String>);

/// A filter.
#[derive(Debug)]
pub(super) enum Expression {
    /// All of them.
    And(Vec<Expression>),
    /// Any of them.
    Or(Vec<Expression>),
    /// Not that one.
    Not(Box<Expression>),
    /// A dimension that has one of the values.
    Dimension { dimension: Dimension, values: Vec<String> },
    /// A tag that has one of the values; the empty value stands for its absence.
    Tag { slot: usize, key: String, values: Vec<String> },
    /// A cost category: nobody has defined one, so only absence matches.
    Category { absent: bool },
}

impl TagKeys {
    /// Returns the bit of a key, taking a new one where it has none.
    pub(super) fn slot(&mut self, key: &str) -> usize {
        self.0.iter().position(|it| it == key).unwrap_or_else(|| {
            self.0.push(key.to_owned());
            self.0.len() - 1
        })
    }
}

/// Returns the value of a tag of a charge where the mask says that its key is active; else nothing.
pub(super) fn tag_value<'a>(charge: &'a Charge, slot: usize, key: &str, mask: u64) -> &'a str {
    if mask & (1 << slot) == 0 {
        return "";
    }
    charge.meter.tags.get(key).map_or("", String::as_str)
}

impl Expression {
    /// Reads a filter and counts its values.
    pub(super) fn parse(value: &Value, keys: &mut TagKeys) -> Result<Expression, Refusal> {
        let mut count = 0;
        let expression = parse(value, keys, &mut count)?;
        if count > VALUE_COUNT_MAX {
            return Err(Refusal::invalid(format!(
                "Number of filter values {count} exceeds the limit of {VALUE_COUNT_MAX}"
            )));
        }
        if keys.0.len() > 60 {
            return Err(Refusal::invalid("Too many tag keys in one expression"));
        }
        Ok(expression)
    }

    /// Tells whether a charge matches on days with that mask.
    pub(super) fn matches(&self, charge: &Charge, mask: u64) -> bool {
        match self {
            Expression::And(parts) => parts.iter().all(|part| part.matches(charge, mask)),
            Expression::Or(parts) => parts.iter().any(|part| part.matches(charge, mask)),
            Expression::Not(part) => !part.matches(charge, mask),
            Expression::Dimension { dimension, values } => {
                let is = dimension.value(charge);
                values.iter().any(|value| value == is)
            }
            Expression::Tag { slot, key, values } => {
                let is = tag_value(charge, *slot, key, mask);
                values.iter().any(|value| value == is)
            }
            Expression::Category { absent } => *absent,
        }
    }

    /// Tells whether the filter names nothing but the linked account, so that tax stays in the answer.
    pub(super) fn is_by_account_only(&self) -> bool {
        match self {
            Expression::And(parts) | Expression::Or(parts) => {
                parts.iter().all(Expression::is_by_account_only)
            }
            Expression::Not(part) => part.is_by_account_only(),
            Expression::Dimension { dimension, .. } => *dimension == Dimension::LinkedAccount,
            Expression::Tag { .. } | Expression::Category { .. } => false,
        }
    }
}

fn parse(value: &Value, keys: &mut TagKeys, count: &mut usize) -> Result<Expression, Refusal> {
    let object = value.as_object().ok_or_else(|| Refusal::invalid("Expression is not a map"))?;
    let mut roots =
        object.iter().filter(|(key, value)| ROOTS.contains(&key.as_str()) && !value.is_null());
    let Some((root, inner)) = roots.next() else {
        return Err(Refusal::invalid("Expression is empty. One root operator is required"));
    };
    if roots.next().is_some() {
        return Err(Refusal::invalid(
            "Expression has more than one roots. Only one root operator is allowed for each \
             expression: And, Or, Not, Dimensions, Tags, CostCategories",
        ));
    }
    match root.as_str() {
        "And" => members(root, inner, keys, count).map(Expression::And),
        "Or" => members(root, inner, keys, count).map(Expression::Or),
        "Not" => Ok(Expression::Not(Box::new(parse(inner, keys, count)?))),
        "Dimensions" => {
            let leaf = Leaf::parse(inner, false)?;
            *count += leaf.values.len();
            let dimension =
                Dimension::parse(&leaf.key).ok_or_else(|| unsupported("Dimension", &leaf.key))?;
            if leaf.values.is_empty() {
                return Err(Refusal::invalid("Dimension values cannot be empty"));
            }
            Ok(Expression::Dimension { dimension, values: leaf.values })
        }
        "Tags" => {
            let leaf = Leaf::parse(inner, true)?;
            *count += leaf.values.len();
            let values = if leaf.absent { vec![String::new()] } else { leaf.values };
            Ok(Expression::Tag { slot: keys.slot(&leaf.key), key: leaf.key, values })
        }
        "CostCategories" => {
            let leaf = Leaf::parse(inner, true)?;
            *count += leaf.values.len();
            let absent = leaf.absent || leaf.values.iter().any(String::is_empty);
            Ok(Expression::Category { absent })
        }
        other => Err(unsupported("Expression", other)),
    }
}

fn members(
    root: &str,
    inner: &Value,
    keys: &mut TagKeys,
    count: &mut usize,
) -> Result<Vec<Expression>, Refusal> {
    let parts = inner.as_array().map_or(&[][..], Vec::as_slice);
    if parts.len() < 2 {
        return Err(Refusal::invalid(format!("Expression {root} must have at least two operands")));
    }
    parts.iter().map(|part| parse(part, keys, count)).collect()
}

/// The last level of an expression.
struct Leaf {
    key: String,
    values: Vec<String>,
    absent: bool,
}

impl Leaf {
    fn parse(value: &Value, may_be_absent: bool) -> Result<Leaf, Refusal> {
        let key = value.get("Key").and_then(Value::as_str).unwrap_or_default().to_owned();
        if key.is_empty() {
            return Err(Refusal::invalid("Expression key cannot be null"));
        }
        let values = texts(value, "Values");
        let options = texts(value, "MatchOptions");
        for option in &options {
            let known = matches!(option.as_str(), "EQUALS" | "CASE_SENSITIVE")
                || (may_be_absent && option == "ABSENT");
            if !known {
                return Err(unsupported("MatchOption", option));
            }
        }
        let absent = options.iter().any(|option| option == "ABSENT");
        if absent && !values.is_empty() {
            return Err(Refusal::invalid("MatchOption ABSENT does not go with values"));
        }
        // A tag key without values means its absence, as the API reference says of TagValues.
        Ok(Leaf { absent: may_be_absent && values.is_empty(), key, values })
    }
}

fn unsupported(what: &str, name: &str) -> Refusal {
    Refusal::invalid(format!("{what} {name} is not supported for this request"))
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    let list = value.get(field).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::bill::{Meter, Rates};
    use serde_json::json;
    use std::sync::Arc;

    fn charge(service: &str, tags: &[(&str, &str)]) -> Charge {
        let tags = tags.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let meter = Meter {
            account: "111122223333".into(),
            region: "us-east-1".into(),
            service: service.into(),
            usage_type: "USE1-Train:ml.m5.large".into(),
            operation: "RunInstance".into(),
            record_type: "Usage".into(),
            unit: "Hrs".into(),
            tags: Arc::new(tags),
            truth: "none/test".into(),
        };
        Charge::on(meter, Rates::flat(1), &[])
    }

    fn check(filter: &Value, expected: &str) {
        let mut keys = TagKeys::default();
        let charges = [
            charge("Amazon SageMaker", &[("d", "one"), ("u", "ann")]),
            charge("Amazon SageMaker", &[("d", "two")]),
            charge("AWS Glue", &[("s", "One")]),
            charge("Amazon S3", &[]),
        ];
        let actual = match Expression::parse(filter, &mut keys) {
            // The key `off` was never active.
            Ok(expression) => {
                let mask = (0..keys.0.len()).filter(|slot| keys.0[*slot] != "off");
                let mask = mask.fold(0, |mask, slot| mask | 1 << slot);
                charges
                    .iter()
                    .map(|charge| if expression.matches(charge, mask) { 'x' } else { '-' })
                    .collect()
            }
            Err(refusal) => refusal.message,
        };
        assert_eq!(actual, expected, "{filter}");
    }

    #[test]
    fn expressions_match_as_documented() {
        let tag = |key: &str, value: &str| json!({"Tags": {"Key": key, "Values": [value]}});
        let absent = |key: &str| json!({"Tags": {"Key": key, "MatchOptions": ["ABSENT"]}});
        let service = json!({"Dimensions": {"Key": "SERVICE", "Values": ["Amazon SageMaker"]}});
        check(&service, "xx--");
        check(&json!({ "Not": service }), "--xx");
        check(&tag("d", "one"), "x---");
        check(&tag("s", "one"), "----");
        check(&absent("d"), "--xx");
        check(&absent("off"), "xxxx");
        check(&tag("off", "one"), "----");
        check(&tag("d", ""), "--xx");
        check(&json!({"Tags": {"Key": "u"}}), "-xxx");
        check(&json!({"And": [{"Not": absent("d")}, absent("u")]}), "-x--");
        check(&json!({"Or": [tag("d", "two"), tag("s", "One")]}), "-xx-");
        check(&json!({"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Sagemaker"]}}), "----");
        check(&json!({"CostCategories": {"Key": "team", "Values": ["a"]}}), "----");
    }

    #[test]
    fn malformed_expressions_are_refused() {
        let region = json!({"Key": "REGION", "Values": ["us-east-1"]});
        check(
            &json!({"Dimensions": region, "Tags": {"Key": "d", "Values": ["one"]}}),
            "Expression has more than one roots. Only one root operator is allowed for each \
             expression: And, Or, Not, Dimensions, Tags, CostCategories",
        );
        check(
            &json!({"And": [{"Dimensions": region}]}),
            "Expression And must have at least two operands",
        );
        check(&json!({"Or": []}), "Expression Or must have at least two operands");
        check(&json!({}), "Expression is empty. One root operator is required");
        check(
            &json!({"Dimensions": {"Key": "SERVICE", "MatchOptions": ["ABSENT"]}}),
            "MatchOption ABSENT is not supported for this request",
        );
        check(
            &json!({"Dimensions": {"Key": "LINKED_ACCOUNT_NAME", "Values": ["a"]}}),
            "Dimension LINKED_ACCOUNT_NAME is not supported for this request",
        );
        let many: Vec<String> = (0..101).map(|number| number.to_string()).collect();
        check(
            &json!({"Tags": {"Key": "d", "Values": many}}),
            "Number of filter values 101 exceeds the limit of 100",
        );
    }
}
