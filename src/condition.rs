//! Owns whether a condition of a policy holds for a request.
//!
//! IAM User Guide, "IAM JSON policy elements: Condition" and "Variables and tags".
//! **Invariant:** a key that is not known makes a condition unknown, and what a variable stands for is taken literally.

use crate::act::{Context, Known};
use crate::doubt::Truth;
use crate::operator::{Comparison, Operator, Quantity, truth};
use crate::policy::Condition;
use crate::wildcard::{self, Token};

/// Tells whether one key of a condition holds.
pub(crate) fn holds(condition: &Condition, context: &Context, has_variables: bool) -> Truth {
    let Condition { operator, key, values: wanted } = condition;
    let found = match context.get(key) {
        Known::Unknown => return Truth::Unknown,
        Known::Absent => None,
        Known::Values(values) => Some(values),
    };
    if operator.comparison == Comparison::Null {
        let is_absent = found.is_none();
        return yes(wanted.iter().any(|it| truth(it) == Some(is_absent)));
    }
    match (found, operator.quantity) {
        // What is denied to a value is not denied to none, so an absent key passes a negated operator.
        (None, Quantity::Single) => yes(operator.if_exists || operator.is_negated),
        (None, Quantity::All) => Truth::Yes,
        (None, Quantity::Any) => yes(operator.if_exists),
        (Some(values), Quantity::Any) => {
            let each = values.iter().map(|it| one(*operator, it, wanted, context, has_variables));
            each.max().unwrap_or(Truth::No)
        }
        (Some(values), _) => {
            let each = values.iter().map(|it| one(*operator, it, wanted, context, has_variables));
            each.min().unwrap_or(Truth::Yes)
        }
    }
}

/// Tells whether one value of the request does, among all those of the policy.
fn one(
    operator: Operator,
    value: &str,
    wanted: &[String],
    context: &Context,
    has_variables: bool,
) -> Truth {
    let comparison = operator.comparison;
    let has_variables = has_variables && comparison.has_variables();
    let each = wanted.iter().map(|it| {
        match filled(it, context, has_variables, comparison.has_wildcards()) {
            Filled::Tokens(tokens) => yes(comparison.holds(value, &tokens)),
            Filled::Nothing => Truth::No,
            Filled::Unknown => Truth::Unknown,
        }
    });
    let equal = each.max().unwrap_or(Truth::No);
    if operator.is_negated { not(equal) } else { equal }
}

/// A text of a policy with its variables replaced.
pub(crate) enum Filled {
    /// What it says.
    Tokens(Vec<Token>),
    /// A variable has no value, so the text fits nothing (IAM User Guide, "Variables and tags": policy variables with no value).
    Nothing,
    /// It hangs on a key that is not known.
    Unknown,
}

/// Replaces the variables of a text; `${*}`, `${?}` and `${$}` stand for these signs.
pub(crate) fn filled(
    text: &str,
    context: &Context,
    has_variables: bool,
    has_wildcards: bool,
) -> Filled {
    let plain =
        |text: &str| if has_wildcards { wildcard::tokens(text) } else { wildcard::literal(text) };
    if !has_variables {
        return Filled::Tokens(plain(text));
    }
    let (mut tokens, mut rest) = (Vec::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        let Some((inside, end)) = after.split_once('}') else { break };
        tokens.extend(plain(before));
        rest = end;
        if ["*", "?", "$"].contains(&inside) {
            tokens.extend(wildcard::literal(inside));
            continue;
        }
        let (key, default) = match inside.split_once(',') {
            Some((key, default)) => {
                let default =
                    default.trim().strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
                (key.trim(), default)
            }
            None => (inside.trim(), None),
        };
        match (context.get(key), default) {
            (Known::Unknown, _) => return Filled::Unknown,
            (Known::Values([value]), _) => tokens.extend(wildcard::literal(value)),
            (_, Some(default)) => tokens.extend(wildcard::literal(default)),
            (_, None) => return Filled::Nothing,
        }
    }
    tokens.extend(plain(rest));
    Filled::Tokens(tokens)
}

/// Turns a plain answer into one of three.
pub(crate) fn yes(is: bool) -> Truth {
    if is { Truth::Yes } else { Truth::No }
}

/// Turns an answer round; what is unknown stays so.
pub(crate) fn not(truth: Truth) -> Truth {
    match truth {
        Truth::No => Truth::Yes,
        Truth::Unknown => Truth::Unknown,
        Truth::Yes => Truth::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Policy;
    use serde_json::json;

    const TAG: &str = "aws:ResourceTag/sagemaker:domain-arn";

    /// Tells whether all conditions of one statement hold.
    fn met(version: &str, conditions: &str, context: &Context) -> Truth {
        let conditions: serde_json::Value =
            serde_json::from_str(&format!("{{{conditions}}}").replace('\'', "\"")).unwrap();
        let (policy, flaws) = Policy::read(
            "p",
            &json!({
                "Version": version,
                "Statement": { "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": conditions }
            }),
        );
        assert_eq!(flaws, [], "{conditions}");
        let each = policy.statements[0].conditions.iter();
        each.map(|it| holds(it, context, policy.has_variables)).fold(Truth::Yes, Truth::min)
    }

    #[test]
    fn a_condition_holds_by_what_is_there_and_what_is_absent() {
        use Truth::{No, Yes};
        let own = Context::whole().with(TAG, &["d"]);
        let many = Context::whole().with("aws:TagKeys", &["a", "b"]);
        let none = Context::whole();
        for (text, context, expected) in [
            (format!("'StringEquals': {{'{TAG}': 'd'}}"), &own, Yes),
            (format!("'StringEquals': {{'{TAG}': ['c', 'd']}}"), &own, Yes),
            (format!("'StringEquals': {{'{TAG}': 'd'}}"), &none, No),
            (format!("'StringEqualsIfExists': {{'{TAG}': 'd'}}"), &none, Yes),
            (format!("'StringNotEquals': {{'{TAG}': 'd'}}"), &none, Yes),
            (format!("'StringNotEquals': {{'{TAG}': ['c', 'd']}}"), &own, No),
            (format!("'Null': {{'{TAG}': 'true'}}"), &none, Yes),
            (format!("'Null': {{'{TAG}': 'true'}}"), &own, No),
            (format!("'Null': {{'{TAG}': 'false'}}"), &own, Yes),
            ("'ForAllValues:StringEquals': {'aws:TagKeys': 'a'}".to_owned(), &none, Yes),
            ("'ForAllValues:StringEquals': {'aws:TagKeys': 'a'}".to_owned(), &many, No),
            ("'ForAllValues:StringEquals': {'aws:TagKeys': ['b', 'a']}".to_owned(), &many, Yes),
            ("'ForAnyValue:StringEquals': {'aws:tagkeys': 'a'}".to_owned(), &many, Yes),
            ("'ForAnyValue:StringEquals': {'aws:TagKeys': 'a'}".to_owned(), &none, No),
            ("'ForAnyValue:StringNotEquals': {'aws:TagKeys': 'a'}".to_owned(), &many, Yes),
            (format!("'StringEquals': {{'{TAG}': 'd', 'other': 'x'}}"), &own, No),
        ] {
            assert_eq!(met("2012-10-17", &text, context), expected, "{text}");
        }
    }

    #[test]
    fn variables_are_taken_literally() {
        use Truth::{No, Yes};
        let context = Context::whole().with("sagemaker:DomainId", &["*"]).with("k", &["*/x"]);
        let context = context.with("n", &["7"]);
        for (text, expected) in [
            ("'StringLike': {'k': '${sagemaker:DomainId}/x'}", Yes),
            ("'StringLike': {'k': '${*}/x'}", Yes),
            ("'StringEquals': {'k': '*/x'}", Yes),
            ("'StringLike': {'k': '${absent}/x'}", No),
            ("'StringNotLike': {'k': '${absent}/x'}", Yes),
            ("'StringEquals': {'n': '${n}'}", Yes),
            ("'NumericEquals': {'n': '${n}'}", No),
        ] {
            assert_eq!(met("2012-10-17", text, &context), expected, "{text}");
        }
        assert_eq!(met("2008-10-17", "'StringEquals': {'k': '${k}'}", &context), No);
    }

    #[test]
    fn a_default_stands_for_what_is_absent() {
        let context = Context::whole().with("k", &["*/x"]);
        let condition = Condition {
            operator: Operator::parse("StringEquals").unwrap(),
            key: "k".to_owned(),
            values: vec!["${absent, '*'}/x".to_owned()],
        };
        assert_eq!(holds(&condition, &context, true), Truth::Yes);
        assert_eq!(holds(&condition, &context, false), Truth::No);
    }
}
