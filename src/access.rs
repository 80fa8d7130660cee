//! Owns what policies say of one act: allowed, denied explicitly, denied for want of a grant, or not to be told.
//!
//! IAM User Guide, "Policy evaluation logic", for policies of identities and permissions boundaries: whoever is denied once is
//! denied, and what nobody allows is denied.
//! What resources, sessions and organizations say is not looked at.
//! **Invariant:** a key of the request that is not known decides nothing: where it matters, the answer is doubtful.

use std::collections::BTreeMap;
use std::fmt;

use crate::doubt::Truth;
use crate::grant::{Grants, Held};
use crate::operator::{Comparison, Operator, Quantity, fits_arn, truth};
use crate::policy::{Choice, Condition, Effect, Policy, Statement};
use crate::wildcard::{self, Token};

/// One thing that somebody does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act<'a> {
    /// The action: `sagemaker:DescribeModel`.
    pub action: &'a str,
    /// The resource's ARN, or `*` for an action that has none.
    pub resource: &'a str,
    /// What the request says beside that.
    pub context: &'a Context,
}

/// The keys of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Context {
    /// Values by key, in lower case.
    values: BTreeMap<String, Vec<String>>,
    /// Beginnings of keys that are absent where they have no value; all others are unknown then.
    settled: Option<Vec<String>>,
}

/// What the answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Decision {
    /// A statement denies it.
    ExplicitlyDenied,
    /// No statement allows it.
    ImplicitlyDenied,
    /// It hangs on keys that are not known.
    Doubtful,
    /// A statement allows it, and none denies it.
    Allowed,
}

/// An answer with the statements that gave it, as `policy/statement`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The answer.
    pub decision: Decision,
    /// What allows it, where it is allowed; what denies it, where it is denied; what may do either.
    pub by: Vec<String>,
}

/// The policies of one who acts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    /// What is granted and denied.
    pub policies: Vec<Policy>,
    /// What nothing beyond is granted; absent where there is no boundary.
    pub boundary: Option<Policy>,
}

impl Context {
    /// Makes a context of which everything is known: a key without a value is absent.
    pub fn whole() -> Context {
        Context::default()
    }

    /// Makes a context of which some keys are known: those that begin so are absent without a value, all others unknown.
    pub fn settled(beginnings: &[&str]) -> Context {
        let settled = beginnings.iter().map(|it| it.to_lowercase()).collect();
        Context { values: BTreeMap::new(), settled: Some(settled) }
    }

    /// Adds a key with its values.
    #[must_use]
    pub fn with(mut self, key: &str, values: &[&str]) -> Context {
        let values = values.iter().map(|it| (*it).to_owned()).collect();
        self.values.insert(key.to_lowercase(), values);
        self
    }

    fn get(&self, key: &str) -> Known<'_> {
        let key = key.to_lowercase();
        match (self.values.get(&key), &self.settled) {
            (Some(values), _) => Known::Values(values),
            (None, None) => Known::Absent,
            (None, Some(settled)) if settled.iter().any(|it| key.starts_with(it)) => Known::Absent,
            (None, Some(_)) => Known::Unknown,
        }
    }
}

/// What is known of a key.
enum Known<'a> {
    Values(&'a [String]),
    Absent,
    Unknown,
}

impl Rights {
    /// Reads what a role has; flaws are the concern of whoever looks for them.
    pub fn of(grants: &Grants) -> Rights {
        let read = |held: &Held| Policy::read(&held.name, &held.document).0;
        Rights {
            policies: grants.policies.iter().map(read).collect(),
            boundary: grants.boundary.as_ref().map(read),
        }
    }

    /// Returns the part of the rights that an action meets, for asking about it many times.
    #[must_use]
    pub fn about(&self, action: &str) -> Rights {
        let action = action.to_lowercase();
        let of = |policy: &Policy| {
            let statements = policy.statements.iter().filter(|it| is_about(it, &action));
            Policy {
                name: policy.name.clone(),
                has_variables: policy.has_variables,
                statements: statements.cloned().collect(),
            }
        };
        Rights {
            policies: self.policies.iter().map(of).filter(|it| !it.statements.is_empty()).collect(),
            boundary: self.boundary.as_ref().map(of),
        }
    }

    /// Tells whether things of a type, by the end of its ARNs, are all alike to these rights, whatever they are called.
    pub fn are_alike(&self, kind: &str) -> bool {
        let patterns = self.policies.iter().chain(&self.boundary).flat_map(|policy| {
            policy.statements.iter().flat_map(|it| {
                let (Choice::Of(list) | Choice::Not(list)) = &it.resources;
                list
            })
        });
        let head =
            |text: &str| text.split(['/', '*', '?', '$']).next().unwrap_or_default().to_owned();
        let is_whole = |pattern: &String| {
            let resource = pattern.splitn(6, ':').nth(5).unwrap_or("*");
            let is_other = !head(resource).is_empty()
                && resource.contains('/')
                && head(resource) != head(kind)
                && resource[head(resource).len()..].starts_with('/');
            resource == "*" || resource == kind || is_other
        };
        { patterns }.all(is_whole)
    }

    /// Answers whether an act is allowed.
    pub fn decide(&self, act: &Act<'_>) -> Answer {
        let answer = decide(&self.policies, act);
        let Some(boundary) = &self.boundary else { return answer };
        let bounded = decide(std::slice::from_ref(boundary), act);
        // Both must allow it, so the graver answer counts.
        if bounded.decision < answer.decision { bounded } else { answer }
    }
}

fn decide(policies: &[Policy], act: &Act<'_>) -> Answer {
    let (mut allowed, mut denied) = (Truth::No, Truth::No);
    let mut by: BTreeMap<(bool, Truth), Vec<String>> = BTreeMap::new();
    for policy in policies {
        for statement in &policy.statements {
            let applies = applies(statement, act, policy.has_variables);
            if applies == Truth::No {
                continue;
            }
            let side = if statement.effect == Effect::Deny { &mut denied } else { &mut allowed };
            *side = (*side).max(applies);
            let name = format!("{}/{}", policy.name, statement.name);
            by.entry((statement.effect == Effect::Deny, applies)).or_default().push(name);
        }
    }
    let mut named = |is_denial, truth| by.remove(&(is_denial, truth)).unwrap_or_default();
    match (allowed, denied) {
        (_, Truth::Yes) => {
            Answer { decision: Decision::ExplicitlyDenied, by: named(true, Truth::Yes) }
        }
        (Truth::No, _) => Answer { decision: Decision::ImplicitlyDenied, by: Vec::new() },
        (Truth::Yes, Truth::No) => {
            Answer { decision: Decision::Allowed, by: named(false, Truth::Yes) }
        }
        _ => {
            let mut by = named(true, Truth::Unknown);
            by.extend(named(false, Truth::Unknown));
            Answer { decision: Decision::Doubtful, by }
        }
    }
}

/// Tells whether a statement is about an act.
fn applies(statement: &Statement, act: &Act<'_>, has_variables: bool) -> Truth {
    if !is_about(statement, &act.action.to_lowercase()) {
        return Truth::No;
    }
    let of_resource = choose(&statement.resources, |pattern| {
        resource(pattern, act.resource, act.context, has_variables)
    });
    let conditions = statement.conditions.iter();
    let each = conditions.map(|it| holds(it, act.context, has_variables));
    each.fold(of_resource, Truth::min)
}

/// Tells whether a statement is about an action, in lower case.
fn is_about(statement: &Statement, action: &str) -> bool {
    let fits = |pattern: &String| yes(wildcard::like(&pattern.to_lowercase(), action));
    choose(&statement.actions, fits) == Truth::Yes
}

fn choose(choice: &Choice, fits: impl Fn(&String) -> Truth) -> Truth {
    match choice {
        Choice::Of(list) => list.iter().map(fits).max().unwrap_or(Truth::No),
        Choice::Not(list) => not(list.iter().map(fits).max().unwrap_or(Truth::No)),
    }
}

fn resource(pattern: &str, resource: &str, context: &Context, has_variables: bool) -> Truth {
    if pattern == "*" {
        return Truth::Yes;
    }
    match filled(pattern, context, has_variables, true) {
        Filled::Tokens(tokens) => yes(fits_arn(resource, &tokens)),
        Filled::Nothing => Truth::No,
        Filled::Unknown => Truth::Unknown,
    }
}

/// Tells whether one key of a condition holds.
fn holds(condition: &Condition, context: &Context, has_variables: bool) -> Truth {
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
enum Filled {
    Tokens(Vec<Token>),
    /// A variable has no value, so the text fits nothing (IAM User Guide, "Variables and tags": policy variables with no value).
    Nothing,
    Unknown,
}

/// Replaces the variables of a text; `${*}`, `${?}` and `${$}` stand for these signs.
fn filled(text: &str, context: &Context, has_variables: bool, has_wildcards: bool) -> Filled {
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

fn yes(is: bool) -> Truth {
    if is { Truth::Yes } else { Truth::No }
}

fn not(truth: Truth) -> Truth {
    match truth {
        Truth::No => Truth::Yes,
        Truth::Unknown => Truth::Unknown,
        Truth::Yes => Truth::No,
    }
}

impl Decision {
    /// Returns the decision's name, as files have it.
    pub fn name(self) -> &'static str {
        match self {
            Decision::ExplicitlyDenied => "explicitly_denied",
            Decision::ImplicitlyDenied => "implicitly_denied",
            Decision::Doubtful => "doubtful",
            Decision::Allowed => "allowed",
        }
    }
}

impl fmt::Display for Decision {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.name().replace('_', " "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MODEL: &str = "arn:aws:sagemaker:eu-west-1:111122223333:model/m";
    const TAG: &str = "aws:ResourceTag/sagemaker:domain-arn";

    fn rights(statements: &str) -> Rights {
        let text =
            format!("{{'Version': '2012-10-17', 'Statement': [{statements}]}}").replace('\'', "\"");
        let (policy, flaws) = Policy::read("p", &serde_json::from_str(&text).unwrap());
        assert_eq!(flaws, [], "{text}");
        Rights { policies: vec![policy], boundary: None }
    }

    fn decided(statements: &str, context: &Context) -> Decision {
        let act = Act { action: "sagemaker:DescribeModel", resource: MODEL, context };
        rights(statements).decide(&act).decision
    }

    fn statement(effect: &str, rest: &str) -> String {
        format!("{{'Effect': '{effect}', {rest}}}")
    }

    fn condition(effect: &str, condition: &str) -> String {
        statement(effect, &format!("'Action': '*', 'Resource': '*', 'Condition': {{{condition}}}"))
    }

    #[test]
    fn actions_and_resources_are_chosen() {
        use Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
        let all = statement("Allow", "'Action': '*', 'Resource': '*'");
        for (statements, expected) in [
            (String::new(), ImplicitlyDenied),
            (all.clone(), Allowed),
            (statement("Allow", "'Action': 'SageMaker:describe*', 'Resource': '*'"), Allowed),
            (
                statement("Allow", "'Action': 'sagemaker:Delete*', 'Resource': '*'"),
                ImplicitlyDenied,
            ),
            (statement("Allow", "'NotAction': 'iam:*', 'Resource': '*'"), Allowed),
            (
                statement("Allow", "'Action': '*', 'Resource': 'arn:aws:sagemaker:*:*:model/*'"),
                Allowed,
            ),
            (
                statement("Allow", "'Action': '*', 'Resource': 'arn:aws:sagemaker:*:*:Model/*'"),
                ImplicitlyDenied,
            ),
            (
                statement("Allow", "'Action': '*', 'Resource': 'arn:aws-cn:sagemaker:*:*:model/*'"),
                ImplicitlyDenied,
            ),
            (
                statement("Allow", "'Action': '*', 'NotResource': 'arn:aws:sagemaker:*:*:space/*'"),
                Allowed,
            ),
            (
                format!("{all}, {}", statement("Deny", "'Action': 'sagemaker:*', 'Resource': '*'")),
                ExplicitlyDenied,
            ),
            (statement("Deny", "'Action': 'sagemaker:*', 'Resource': '*'"), ExplicitlyDenied),
            (format!("{all}, {}", statement("Deny", "'Action': 's3:*', 'Resource': '*'")), Allowed),
        ] {
            assert_eq!(decided(&statements, &Context::whole()), expected, "{statements}");
        }
    }

    #[test]
    fn a_condition_holds_by_what_is_there_and_what_is_absent() {
        use Decision::{Allowed, ImplicitlyDenied};
        let own = Context::whole().with(TAG, &["d"]);
        let many = Context::whole().with("aws:TagKeys", &["a", "b"]);
        let none = Context::whole();
        for (text, context, expected) in [
            (format!("'StringEquals': {{'{TAG}': 'd'}}"), &own, Allowed),
            (format!("'StringEquals': {{'{TAG}': ['c', 'd']}}"), &own, Allowed),
            (format!("'StringEquals': {{'{TAG}': 'd'}}"), &none, ImplicitlyDenied),
            (format!("'StringEqualsIfExists': {{'{TAG}': 'd'}}"), &none, Allowed),
            (format!("'StringNotEquals': {{'{TAG}': 'd'}}"), &none, Allowed),
            (format!("'StringNotEquals': {{'{TAG}': ['c', 'd']}}"), &own, ImplicitlyDenied),
            (format!("'Null': {{'{TAG}': 'true'}}"), &none, Allowed),
            (format!("'Null': {{'{TAG}': 'true'}}"), &own, ImplicitlyDenied),
            (format!("'Null': {{'{TAG}': 'false'}}"), &own, Allowed),
            ("'ForAllValues:StringEquals': {'aws:TagKeys': 'a'}".to_owned(), &none, Allowed),
            (
                "'ForAllValues:StringEquals': {'aws:TagKeys': 'a'}".to_owned(),
                &many,
                ImplicitlyDenied,
            ),
            ("'ForAllValues:StringEquals': {'aws:TagKeys': ['b', 'a']}".to_owned(), &many, Allowed),
            ("'ForAnyValue:StringEquals': {'aws:tagkeys': 'a'}".to_owned(), &many, Allowed),
            (
                "'ForAnyValue:StringEquals': {'aws:TagKeys': 'a'}".to_owned(),
                &none,
                ImplicitlyDenied,
            ),
            ("'ForAnyValue:StringNotEquals': {'aws:TagKeys': 'a'}".to_owned(), &many, Allowed),
            (format!("'StringEquals': {{'{TAG}': 'd', 'other': 'x'}}"), &own, ImplicitlyDenied),
        ] {
            assert_eq!(decided(&condition("Allow", &text), context), expected, "{text}");
        }
    }

    #[test]
    fn variables_are_taken_literally() {
        use Decision::{Allowed, ImplicitlyDenied};
        let context = Context::whole().with("sagemaker:DomainId", &["*"]).with("k", &["*/x"]);
        let context = context.with("n", &["7"]);
        for (text, expected) in [
            ("'StringLike': {'k': '${sagemaker:DomainId}/x'}", Allowed),
            ("'StringLike': {'k': '${*}/x'}", Allowed),
            ("'StringEquals': {'k': '*/x'}", Allowed),
            ("'StringLike': {'k': '${absent}/x'}", ImplicitlyDenied),
            ("'StringNotLike': {'k': '${absent}/x'}", Allowed),
            ("'StringEquals': {'n': '${n}'}", Allowed),
            ("'NumericEquals': {'n': '${n}'}", ImplicitlyDenied),
        ] {
            assert_eq!(decided(&condition("Allow", text), &context), expected, "{text}");
        }
        let default = Policy::read(
            "p",
            &serde_json::json!({
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow", "Action": "*", "Resource": "*",
                    "Condition": { "StringEquals": { "k": "${absent, '*'}/x" } }
                }
            }),
        );
        let act = Act { action: "a:B", resource: "*", context: &context };
        let rights = Rights { policies: vec![default.0], boundary: None };
        assert_eq!(rights.decide(&act).decision, Allowed);
        let old = "{'Version': '2008-10-17', 'Statement': {'Effect': 'Allow', 'Action': '*', 'Resource': '*',
            'Condition': {'StringEquals': {'k': '${k}'}}}}";
        let (policy, _) =
            Policy::read("p", &serde_json::from_str(&old.replace('\'', "\"")).unwrap());
        let rights = Rights { policies: vec![policy], boundary: None };
        assert_eq!(rights.decide(&act).decision, ImplicitlyDenied);
    }

    #[test]
    fn what_is_not_known_decides_nothing() {
        use Decision::{Allowed, Doubtful, ExplicitlyDenied, ImplicitlyDenied};
        let all = statement("Allow", "'Action': '*', 'Resource': '*'");
        let vpc = |effect| condition(effect, "'StringEquals': {'aws:SourceVpc': 'v'}");
        let tag = |effect| condition(effect, &format!("'StringEquals': {{'{TAG}': 'd'}}"));
        for (statements, expected) in [
            (vpc("Allow"), Doubtful),
            (format!("{all}, {}", vpc("Deny")), Doubtful),
            (vpc("Deny"), ImplicitlyDenied),
            (format!("{all}, {}", tag("Deny")), Allowed),
            (
                format!(
                    "{all}, {}, {}",
                    vpc("Deny"),
                    statement("Deny", "'Action': '*', 'Resource': '*'")
                ),
                ExplicitlyDenied,
            ),
            (
                condition(
                    "Allow",
                    "'StringEquals': {'aws:SourceVpc': 'v'}, 'Null': {'aws:TagKeys': 'false'}",
                ),
                ImplicitlyDenied,
            ),
        ] {
            let context = Context::settled(&["aws:ResourceTag/", "aws:TagKeys"]);
            assert_eq!(decided(&statements, &context), expected, "{statements}");
        }
    }

    #[test]
    fn a_boundary_grants_nothing_and_takes_away() {
        use Decision::{Allowed, ExplicitlyDenied, ImplicitlyDenied};
        let all = statement("Allow", "'Action': '*', 'Resource': '*'");
        let models = statement("Allow", "'Action': 'sagemaker:*', 'Resource': '*'");
        let denial =
            format!("{all}, {}", statement("Deny", "'Action': 'sagemaker:*', 'Resource': '*'"));
        for (granted, boundary, expected) in [
            (all.as_str(), models.as_str(), Allowed),
            (&all, "", ImplicitlyDenied),
            ("", &all, ImplicitlyDenied),
            (&all, &denial, ExplicitlyDenied),
            (&denial, &all, ExplicitlyDenied),
        ] {
            let bounded = Rights {
                boundary: rights(boundary).policies.pop(),
                policies: rights(granted).policies,
            };
            let act = Act {
                action: "sagemaker:DescribeModel",
                resource: MODEL,
                context: &Context::whole(),
            };
            assert_eq!(bounded.decide(&act).decision, expected, "{granted} within {boundary}");
        }
    }

    #[test]
    fn a_part_of_the_rights_decides_as_the_whole() {
        let text = "{'Effect': 'Allow', 'Action': 'sagemaker:*', 'Resource': 'arn:aws:sagemaker:*:*:model/*'}, \
            {'Effect': 'Deny', 'NotAction': 'sagemaker:Describe*', 'Resource': '*'}";
        let whole = rights(text);
        let context = Context::whole();
        for (name, count) in
            [("sagemaker:DescribeModel", 1), ("sagemaker:DeleteModel", 2), ("s3:GetObject", 1)]
        {
            let act = Act { action: name, resource: MODEL, context: &context };
            let part = whole.about(name);
            assert_eq!(part.decide(&act), whole.decide(&act), "{name}");
            assert_eq!(part.policies[0].statements.len(), count, "{name}");
        }
    }

    #[test]
    fn things_of_a_type_are_alike_unless_a_pattern_tells_them_apart() {
        for (pattern, expected) in [
            ("*", true),
            ("arn:aws:sagemaker:*:*:*", true),
            ("arn:aws:sagemaker:*:*:model/*", true),
            ("arn:aws:sagemaker:*:*:space/x", true),
            ("arn:aws:sagemaker:*:*:model-package/x", true),
            ("arn:aws:sagemaker:*:*:model/x*", false),
            ("arn:aws:sagemaker:*:*:m*/x", false),
            ("arn:aws:sagemaker:*:*:*/x", false),
            ("arn:aws:sagemaker:*:*:${k}/x", false),
        ] {
            let rights =
                rights(&format!("{{'Effect': 'Allow', 'Action': '*', 'Resource': '{pattern}'}}"));
            assert_eq!(rights.are_alike("model/*"), expected, "{pattern}");
        }
    }

    #[test]
    fn the_statements_that_decide_are_named() {
        let named = "{'Sid': 'All', 'Effect': 'Allow', 'Action': '*', 'Resource': '*'}, {'Effect': 'Deny', 'Action': 's3:*', 'Resource': '*'}";
        let act = Act { action: "s3:GetObject", resource: "*", context: &Context::whole() };
        assert_eq!(rights(named).decide(&act).by, ["p/#2"]);
        assert_eq!(rights(named).decide(&Act { action: "a:B", ..act }).by, ["p/All"]);
    }
}
