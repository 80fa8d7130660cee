//! Owns the way from an HTTP request to a service and back: signature, fate, counting, error form.
//!
//! **Invariant:** every attempt is counted before its fate is decided.

use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use super::control;
use super::faults::{Fate, mix};
use super::http::Request;
use super::wire::{Body, Caller, Refusal};
use super::world::World;
use super::{budgets, ce, efs, iam, organizations, sagemaker, sns, sts, tagging, xml};

/// A service: world, caller, operation, request.
type Service = fn(&mut World, &Caller, &str, &Value) -> Result<Body, Refusal>;

/// An HTTP answer.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status.
    pub status: u16,
    /// The headers, `content-type` among them.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What a request asks for.
struct Call {
    caller: Caller,
    service: String,
    operation: String,
    body: Value,
}

/// Returns the function of a service by its signing name.
fn service(name: &str) -> Option<Service> {
    Some(match name {
        "ce" => ce::answer,
        "sagemaker" => sagemaker::answer,
        "tagging" => tagging::answer,
        "elasticfilesystem" => efs::answer,
        "budgets" => budgets::answer,
        "organizations" => organizations::answer,
        "sts" => sts::answer,
        "sns" => sns::answer,
        "iam" => iam::answer,
        _ => return None,
    })
}

/// Answers a request (`None`: the connection is cut) and tells by how many milliseconds it is late.
pub(super) fn answer(world: &mut World, request: &Request) -> (Option<Reply>, u64) {
    if request.path.starts_with("/_sandbox/") {
        return (Some(control::answer(world, request)), 0);
    }
    let target = scope(&request.headers).map(|scope| scope.service).unwrap_or_default();
    let call = match Call::read(world, request) {
        Ok(call) => call,
        Err(refusal) => return (Some(refused(world, &target, &refusal)), 0),
    };
    world.counts.attempts += 1;
    let name = format!("{}:{}", call.service, call.operation);
    *world.counts.by_operation.entry(name).or_default() += 1;
    let (fate, late_ms) = world.faults.next_fate(&call.service);
    let reply = match fate {
        Fate::Cut => None,
        Fate::Throttled => Some(refused(world, &call.service, &throttle(&call.service))),
        Fate::Failed => {
            let code = "InternalFailure";
            let refusal =
                Refusal { status: 500, ..Refusal::new(code, "An internal error occurred.") };
            Some(refused(world, &call.service, &refusal))
        }
        Fate::Normal => Some(perform(world, &call)),
        Fate::Lost => {
            world.counts.lost += 1;
            drop(perform(world, &call));
            None
        }
    };
    (reply, late_ms)
}

fn perform(world: &mut World, call: &Call) -> Reply {
    let Call { caller, service: name, operation, body } = call;
    if world.faults.denies(name, operation, &caller.region, &caller.account) {
        let prefix = if name == "tagging" { "tag" } else { name };
        let user = format!("arn:aws:iam::{}:user/sandbox", caller.account);
        let refusal = match name.as_str() {
            "sns" => sns::denied(caller, operation, "*"),
            "iam" => iam::denied(caller, operation, body),
            _ => Refusal::denied(format!(
                "User: {user} is not authorized to perform: {prefix}:{operation} on resource: *"
            )),
        };
        return refused(world, name, &refusal);
    }
    let answer = match service(name) {
        Some(service) => service(world, caller, operation, body),
        None => Err(Refusal::new("UnknownOperationException", format!("No service {name}"))),
    };
    match answer {
        Ok(Body::Json(value)) => reply(world, 200, json_type(name), value.to_string()),
        Ok(Body::Written(text)) => reply(world, 200, json_type(name), text),
        Ok(Body::Xml(text)) => reply(world, 200, "text/xml", text),
        Err(refusal) => refused(world, name, &refusal),
    }
}

fn json_type(service: &str) -> &'static str {
    if service == "elasticfilesystem" { "application/json" } else { "application/x-amz-json-1.1" }
}

fn reply(world: &World, status: u16, content_type: &str, body: String) -> Reply {
    let (left, right) = (mix(world.counts.attempts), mix(world.counts.attempts ^ 0xabcd));
    let id = format!(
        "{:08x}-{:04x}-4{:03x}-8{:03x}-{:012x}",
        left >> 32,
        left & 0xffff,
        (left >> 16) & 0xfff,
        right >> 52,
        right & 0xffff_ffff_ffff
    );
    let headers = vec![("content-type", content_type.to_owned()), ("x-amzn-requestid", id)];
    Reply { status, headers, body: body.into_bytes() }
}

fn throttle(service: &str) -> Refusal {
    let code = match service {
        "ce" => "LimitExceededException",
        "organizations" => "TooManyRequestsException",
        "tagging" => "ThrottledException",
        "sts" | "sns" | "iam" => "Throttling",
        _ => "ThrottlingException",
    };
    Refusal::new(code, "Rate exceeded")
}

/// Writes an error in the form of the service's protocol.
fn refused(world: &World, service: &str, refusal: &Refusal) -> Reply {
    let Refusal { status, code, message } = refusal;
    match service {
        "sts" => reply(world, *status, "text/xml", xml::error(sts::NAMESPACE, refusal)),
        "sns" => reply(world, *status, "text/xml", xml::error(sns::NAMESPACE, refusal)),
        "iam" => reply(world, *status, "text/xml", xml::error(iam::NAMESPACE, refusal)),
        "elasticfilesystem" => {
            let body = json!({"ErrorCode": code, "Message": message}).to_string();
            let mut reply = reply(world, *status, json_type(service), body);
            reply.headers.push(("x-amzn-errortype", code.clone()));
            reply
        }
        _ => {
            let field = if is_modeled(service, code) { "Message" } else { "message" };
            let mut body = Map::new();
            body.insert("__type".to_owned(), code.as_str().into());
            body.insert(field.to_owned(), message.as_str().into());
            reply(world, *status, json_type(service), Value::Object(body).to_string())
        }
    }
}

/// Tells whether the service's model knows the exception; then its text is in `Message`.
fn is_modeled(service: &str, code: &str) -> bool {
    let common = ["ValidationException", "UnrecognizedClientException", "ExpiredTokenException"];
    let unmodeled = common.contains(&code)
        || code == "UnknownOperationException"
        || (matches!(service, "ce" | "sagemaker")
            && matches!(code, "AccessDeniedException" | "ThrottlingException"));
    !unmodeled
}

/// The credential scope of a signature.
struct Scope {
    key: String,
    region: String,
    service: String,
    signed: bool,
}

fn scope(headers: &HeaderMap) -> Option<Scope> {
    let text = headers.get("authorization")?.to_str().ok()?;
    let credential = text.split("Credential=").nth(1)?.split([',', ' ']).next()?;
    let mut parts = credential.split('/');
    let key = parts.next()?.to_owned();
    let (_, region, service) = (parts.next()?, parts.next()?.to_owned(), parts.next()?.to_owned());
    let signature = text.split("Signature=").nth(1).unwrap_or_default();
    let signed = text.starts_with("AWS4-HMAC-SHA256") && signature.len() >= 64;
    Some(Scope { key, region, service, signed })
}

impl Call {
    fn read(world: &World, request: &Request) -> Result<Call, Refusal> {
        let forbidden =
            |code: &str, message: &str| Refusal { status: 403, ..Refusal::new(code, message) };
        let missing =
            || forbidden("MissingAuthenticationTokenException", "Missing Authentication Token");
        let scope = scope(&request.headers).ok_or_else(missing)?;
        if !scope.signed {
            return Err(forbidden("IncompleteSignatureException", "The signature is incomplete."));
        }
        let account = ["AKIASANDBOX", "ASIASANDBOX"]
            .iter()
            .find_map(|prefix| scope.key.strip_prefix(prefix))
            .filter(|id| world.organisation.accounts.iter().any(|account| account.id == **id));
        let text = "The security token included in the request is invalid.";
        let Some(account) = account else {
            return Err(if ["sts", "sns", "iam"].contains(&scope.service.as_str()) {
                forbidden("InvalidClientTokenId", text)
            } else {
                Refusal::new("UnrecognizedClientException", text)
            });
        };
        let caller = Caller { account: account.to_owned(), region: scope.region };
        let (operation, body) = read_operation(&scope.service, request)?;
        Ok(Call { caller, service: scope.service, operation, body })
    }
}

fn read_operation(service: &str, request: &Request) -> Result<(String, Value), Refusal> {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    match service {
        "sts" | "sns" | "iam" => {
            let form = String::from_utf8_lossy(&request.body);
            let fields = fields(&form);
            let action = fields.get("Action").and_then(Value::as_str).unwrap_or_default();
            Ok((action.to_owned(), Value::Object(fields)))
        }
        "elasticfilesystem" => match (request.method.as_str(), path.trim_end_matches('/')) {
            ("GET", "/2015-02-01/file-systems") => {
                Ok(("DescribeFileSystems".to_owned(), Value::Object(fields(query))))
            }
            _ => Err(Refusal { status: 404, ..Refusal::new("UnknownOperationException", path) }),
        },
        _ => {
            let target = request.headers.get("x-amz-target").and_then(|it| it.to_str().ok());
            let operation = target.and_then(|target| target.rsplit_once('.')).map(|(_, name)| name);
            let Some(operation) = operation else {
                return Err(Refusal::new("UnknownOperationException", "No X-Amz-Target"));
            };
            let body = serde_json::from_slice(&request.body)
                .map_err(|error| Refusal::new("SerializationException", error.to_string()))?;
            Ok((operation.to_owned(), body))
        }
    }
}

/// Reads the fields of a form or a query, percent-decoded.
fn fields(text: &str) -> Map<String, Value> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decode(name), Value::from(decode(value)))
        })
        .collect()
}

fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        let hex = |at: usize| tail.get(at).and_then(|byte| char::from(*byte).to_digit(16));
        match (first, hex(0), hex(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push(u8::try_from(high * 16 + low).expect("two hex digits make a byte"));
                rest = &tail[2..];
            }
            (b'+', ..) => bytes.push(b' '),
            (byte, ..) => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::generate::grouped;
    use crate::sandbox::http::respond;
    use crate::sandbox::world::Shared;

    fn request(key: &str, operation: &str, body: &Value) -> Request {
        let mut headers = HeaderMap::new();
        let signature = "0".repeat(64);
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={key}/20261122/us-east-1/ce/aws4_request, \
             SignedHeaders=host, Signature={signature}"
        );
        headers.insert("authorization", authorization.parse().unwrap());
        headers.insert(
            "x-amz-target",
            format!("AWSInsightsIndexService.{operation}").parse().unwrap(),
        );
        let body = body.to_string().into();
        Request { method: "POST".to_owned(), path: "/".to_owned(), headers, body }
    }

    async fn ask(world: &Shared, request: &Request) -> String {
        match respond(world, request).await {
            None => "cut".to_owned(),
            Some(reply) => format!("{} {}", reply.status, String::from_utf8_lossy(&reply.body)),
        }
    }

    fn shared() -> Shared {
        grouped(2, 6, "2026-11-22T16:00:00Z".parse().unwrap()).share()
    }

    const KEY: &str = "AKIASANDBOX111122223333";

    #[tokio::test]
    async fn callers_are_told_by_their_keys() {
        let world = shared();
        let list = |key| request(key, "ListCostAllocationTagBackfillHistory", &json!({}));
        assert_eq!(ask(&world, &list(KEY)).await, "200 {\"BackfillRequests\":[]}");
        assert_eq!(
            ask(&world, &list("AKIASANDBOX999999999999")).await,
            "400 {\"__type\":\"UnrecognizedClientException\",\
             \"message\":\"The security token included in the request is invalid.\"}"
        );
        let mut unsigned = list(KEY);
        unsigned.headers.remove("authorization");
        assert!(ask(&world, &unsigned).await.starts_with("403 {\"Message\":\"Missing Auth"));
    }

    #[tokio::test]
    async fn lost_answers_are_paid_and_refused_ones_are_not() {
        let world = shared();
        let body = json!({
            "TimePeriod": {"Start": "2026-10-01", "End": "2026-11-01"},
            "Granularity": "MONTHLY", "Metrics": ["UnblendedCost"],
        });
        let usage = request(KEY, "GetCostAndUsage", &body);
        world.lock().unwrap().faults.lose_next = 1;
        assert_eq!(ask(&world, &usage).await, "cut");
        world.lock().unwrap().faults.throttle_next = 1;
        assert_eq!(
            ask(&world, &usage).await,
            "400 {\"Message\":\"Rate exceeded\",\"__type\":\"LimitExceededException\"}"
        );
        assert!(ask(&world, &usage).await.starts_with("200 {\"GroupDefinitions\":[]"));
        let receipt = Request {
            method: "GET".to_owned(),
            path: "/_sandbox/receipt".to_owned(),
            headers: HeaderMap::new(),
            body: Vec::new().into(),
        };
        let text = ask(&world, &receipt).await;
        let receipt: Value = serde_json::from_str(text.trim_start_matches("200 ")).unwrap();
        assert_eq!(receipt["paid"], 2);
        assert_eq!(receipt["usd"], "0.02");
        assert_eq!(receipt["by_operation"], json!({"ce:GetCostAndUsage": 3}));
    }

    #[test]
    fn forms_are_decoded() {
        let fields = fields("Action=GetCallerIdentity&Name=a%2Fb+c%zz&Empty");
        let text = Value::Object(fields).to_string();
        assert_eq!(text, r#"{"Action":"GetCallerIdentity","Empty":"","Name":"a/b c%zz"}"#);
    }
}
