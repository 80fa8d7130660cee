//! Owns what policies say of one act: allowed, denied explicitly, denied for want of a grant, or not to be told.
//!
//! IAM User Guide, "Policy evaluation logic", for policies of identities and permissions boundaries: whoever is denied once is
//! denied, and what nobody allows is denied.
//! What resources, sessions and organizations say is not looked at.
//! **Invariant:** a key of the request that is not known decides nothing: where it matters, the answer is doubtful.

use std::collections::BTreeMap;
use std::fmt;

use crate::act::{Act, Context};
use crate::condition::{Filled, filled, holds, not, yes};
use crate::doubt::Truth;
use crate::grant::{Grants, Held};
use crate::operator::fits_arn;
use crate::policy::{Choice, Effect, Policy, Statement};
use crate::wildcard::{self, Token};

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

impl Rights {
    /// Reads what a role has; flaws are the concern of whoever looks for them.
    pub fn of(grants: &Grants) -> Rights {
        // What cannot be read may say anything, so it is not left out in silence.
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
                is_whole: policy.is_whole,
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

    /// Returns resources of a type that patterns name, by the end of its ARNs; what stands for other texts is filled in.
    pub fn named(&self, kind: &str) -> Vec<String> {
        let patterns = self.policies.iter().chain(&self.boundary).flat_map(|policy| {
            policy.statements.iter().flat_map(|it| {
                let (Choice::Of(list) | Choice::Not(list)) = &it.resources;
                list
            })
        });
        let resources = patterns.filter_map(|it| it.splitn(6, ':').nth(5));
        let filled = resources.map(|it| it.replace('*', "named").replace('?', "n"));
        filled.filter(|it| !it.contains("${") && wildcard::like(kind, it)).collect()
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
    let unread: Vec<String> =
        policies.iter().filter(|it| !it.is_whole).map(|it| it.name.clone()).collect();
    if !unread.is_empty() && denied != Truth::Yes {
        return Answer { decision: Decision::Doubtful, by: unread };
    }
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
        Filled::Tokens(mut tokens) => {
            // Missing parts are taken for `*` (IAM User Guide, "IAM JSON policy elements: Resource").
            while tokens.iter().filter(|it| **it == Token::Is(':')).count() < 5 {
                tokens.extend([Token::Is(':'), Token::Any]);
            }
            yes(fits_arn(resource, &tokens))
        }
        Filled::Nothing => Truth::No,
        Filled::Unknown => Truth::Unknown,
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
            ("arn:aws:sagemaker:*", true),
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
