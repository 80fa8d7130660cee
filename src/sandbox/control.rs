//! Owns the paths under `/_sandbox/`, by which tests and scripts move the world.
//!
//! **Invariant:** nothing here costs or counts.

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::http::Request;
use super::route::Reply;
use super::world::{Variants, World};
use crate::money::Money;
use crate::period::Month;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clock {
    now: Timestamp,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LateCredit {
    month: Month,
    amount: Money,
    account: Option<String>,
    service: Option<String>,
}

/// Answers one control request.
pub(super) fn answer(world: &mut World, request: &Request) -> Reply {
    let answer = match (request.method.as_str(), request.path.as_str()) {
        ("GET", "/_sandbox/receipt") => Ok(receipt(world)),
        ("GET", "/_sandbox/changes") => Ok(json!({ "changes": world.changes })),
        ("GET", "/_sandbox/iam-changes") => Ok(json!({ "changes": world.iam_changes })),
        ("GET", "/_sandbox/messages") => Ok(json!({ "messages": world.messages })),
        ("POST", "/_sandbox/clock") => read(request).map(|Clock { now }| {
            world.now = now;
            json!({ "now": now.to_string() })
        }),
        ("POST", "/_sandbox/faults") => read(request).map(|faults| {
            world.faults = faults;
            json!({})
        }),
        ("POST", "/_sandbox/late-credit") => read(request).map(|credit: LateCredit| {
            let account = credit.account.unwrap_or_else(|| world.organisation.payer.clone());
            let service = credit.service.unwrap_or_else(|| "Amazon SageMaker".to_owned());
            world.bill.add_late_credit(&account, &service, credit.month, credit.amount);
            json!({})
        }),
        ("POST", "/_sandbox/variants") => {
            read(request).and_then(|changes| vary(&world.variants, changes)).map(|variants| {
                world.variants = variants;
                json!(world.variants)
            })
        }
        (method, path) => Err(format!("nothing at {method} {path}")),
    };
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err(error) => (400, json!({ "error": error })),
    };
    let headers = vec![("content-type", "application/json".to_owned())];
    Reply { status, headers, body: body.to_string().into_bytes() }
}

/// Returns the variants with some of them changed.
fn vary(variants: &Variants, changes: Map<String, Value>) -> Result<Variants, String> {
    let mut all = json!(variants);
    for (name, value) in changes {
        all[name] = value;
    }
    Variants::deserialize(all).map_err(|error| error.to_string())
}

fn receipt(world: &World) -> Value {
    let counts = &world.counts;
    json!({
        "paid": counts.paid,
        "usd": Money::from_cents(i128::from(counts.paid)),
        "attempts": counts.attempts,
        "lost": counts.lost,
        "by_operation": counts.by_operation,
        "now": world.now.to_string(),
    })
}

fn read<'a, T: Deserialize<'a>>(request: &'a Request) -> Result<T, String> {
    serde_json::from_slice(&request.body).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{route, sample};

    fn post(world: &mut World, path: &str, body: &str) -> (u16, Value) {
        let request = Request {
            method: "POST".to_owned(),
            path: format!("/_sandbox/{path}"),
            headers: axum::http::HeaderMap::new(),
            body: body.as_bytes().to_vec().into(),
        };
        let reply = answer(world, &request);
        (reply.status, serde_json::from_slice(&reply.body).unwrap())
    }

    #[test]
    fn variants_that_are_named_change_and_the_others_stay() {
        let mut world = sample::world();
        let (status, all) = post(&mut world, "variants", r#"{"backfill_fails": true}"#);
        assert_eq!((status, &all["backfill_fails"]), (200, &json!(true)));
        post(&mut world, "variants", r#"{"activation_hours": 0}"#);
        let expected =
            Variants { backfill_fails: true, activation_hours: 0, ..Variants::default() };
        assert_eq!(world.variants, expected);
        for bad in [r#"{"activation_days": 1}"#, r#"{"activation_hours": "soon"}"#, "[]", ""] {
            let (status, answer) = post(&mut world, "variants", bad);
            assert_eq!(status, 400, "{bad}: {answer}");
        }
        assert_eq!(world.variants, expected);
        assert_eq!(post(&mut world, "variants", "{}"), (200, json!(expected)));
    }

    /// Asks a service over the wire; `None` when the connection is cut.
    fn call(world: &mut World, service: &str, target: &str, body: &str) -> Option<(u16, String)> {
        let scope = format!("AKIASANDBOX111122223333/20261122/us-east-1/{service}/aws4_request");
        let signature = "0".repeat(64);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature={signature}"
        );
        let mut headers = axum::http::HeaderMap::new();
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert("x-amz-target", target.parse().unwrap());
        let (method, path) = ("POST".to_owned(), "/".to_owned());
        let request = Request { method, path, headers, body: body.as_bytes().to_vec().into() };
        let (reply, _) = route::answer(world, &request);
        reply.map(|reply| (reply.status, String::from_utf8(reply.body).unwrap()))
    }

    fn get(world: &mut World, path: &str) -> Value {
        let request = Request {
            method: "GET".to_owned(),
            path: format!("/_sandbox/{path}"),
            headers: axum::http::HeaderMap::new(),
            body: Vec::new().into(),
        };
        serde_json::from_slice(&answer(world, &request).body).unwrap()
    }

    #[test]
    fn changes_are_those_that_took_effect_even_when_nobody_heard() {
        let mut world = sample::world();
        let delete = json!({ "AccountId": sample::PAYER, "BudgetName": "one" });
        let budget = json!({ "BudgetName": "one", "BudgetType": "COST", "TimeUnit": "MONTHLY",
            "BudgetLimit": { "Amount": "1", "Unit": "USD" } });
        let create = json!({ "AccountId": sample::PAYER, "Budget": budget });
        let mut ask = |operation: &str, body: &Value, lost| {
            world.faults.lose_next = u64::from(lost);
            let target = format!("AWSBudgetServiceGateway.{operation}");
            call(&mut world, "budgets", &target, &body.to_string()).map(|(status, _)| status)
        };
        assert_eq!(ask("DeleteBudget", &delete, false), Some(400));
        assert_eq!(ask("CreateBudget", &create, true), None);
        assert_eq!(ask("CreateBudget", &create, false), Some(400));
        assert_eq!(ask("DescribeBudget", &delete, false), Some(200));
        assert_eq!(ask("DeleteBudget", &delete, false), Some(200));
        let expected = json!({ "changes": [
            { "operation": "CreateBudget", "budget": "one", "body": create },
            { "operation": "DeleteBudget", "budget": "one", "body": delete },
        ] });
        assert_eq!(get(&mut world, "changes"), expected);
    }

    #[test]
    fn changes_of_iam_are_shown_and_its_refusals_are_xml() {
        let mut world = sample::world();
        let form = "Action=AttachRolePolicy&Version=2010-05-08&RoleName=Plain&PolicyArn=\
                    arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
        world.organisation.roles.iter_mut().for_each(|role| role.attached.clear());
        world.faults.lose_next = 1;
        assert_eq!(call(&mut world, "iam", "", form), None);
        let (status, xml) = call(&mut world, "iam", "", form).unwrap();
        assert_eq!(status, 200, "{xml}");
        let arn = "arn:aws:iam::aws:policy/AmazonSageMakerFullAccess";
        let change = json!({ "operation": "AttachRolePolicy", "account": sample::PAYER,
            "policy": arn, "role": "Plain", "body": { "RoleName": "Plain", "PolicyArn": arn } });
        assert_eq!(get(&mut world, "iam-changes"), json!({ "changes": [change] }));
        let refusal = |world: &mut World, begin: &str| {
            let (status, xml) = call(world, "iam", "", form).unwrap();
            let whole = "<ErrorResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\">\
                         <Error><Type>Sender</Type>";
            assert!(xml.starts_with(&format!("{whole}{begin}")), "{xml}");
            status
        };
        world.faults.throttle_next = 1;
        assert_eq!(refusal(&mut world, "<Code>Throttling</Code>"), 400);
        let service = Some("iam".to_owned());
        let none = crate::sandbox::faults::Denied::default();
        world.faults.denied = vec![crate::sandbox::faults::Denied { service, ..none }];
        let begin = "<Code>AccessDenied</Code><Message>User: arn:aws:iam::111122223333:user/sandbox \
                     is not authorized to perform: iam:AttachRolePolicy on resource: role Plain<";
        assert_eq!(refusal(&mut world, begin), 403);
    }

    #[test]
    fn messages_are_shown_and_refusals_are_xml() {
        let mut world = sample::world();
        let arn = format!("arn:aws:sns:us-east-1:{}:sealed", sample::PAYER);
        let form = format!("Action=Publish&TopicArn={arn}&Message=a%26b+c&Subject=S");
        let (status, xml) = call(&mut world, "sns", "", &form).unwrap();
        assert_eq!(status, 200, "{xml}");
        let message = json!({ "topic": arn, "subject": "S", "body": "a&b c" });
        assert_eq!(get(&mut world, "messages"), json!({ "messages": [message] }));
        let denied = crate::sandbox::faults::Denied {
            service: Some("sns".to_owned()),
            ..crate::sandbox::faults::Denied::default()
        };
        world.faults.denied = vec![denied];
        let (status, xml) = call(&mut world, "sns", "", &form).unwrap();
        assert_eq!(status, 403);
        let begin = "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error>\
                     <Type>Sender</Type><Code>AuthorizationError</Code><Message>User: ";
        assert!(xml.starts_with(begin), "{xml}");
        world.faults.throttle_next = 1;
        let (_, xml) = call(&mut world, "sns", "", &form).unwrap();
        assert!(xml.contains("<Code>Throttling</Code>"), "{xml}");
    }
}
