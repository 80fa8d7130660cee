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
    use crate::sandbox::sample;

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
}
