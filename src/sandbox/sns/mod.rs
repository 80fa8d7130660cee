//! Owns the imitation of SNS: what is told of a topic, and what is published to it.
//!
//! **Invariant:** a message is kept and sent to nobody.

use serde_json::Value;

use super::organisation::Topic;
use super::page::{text, unknown};
use super::wire::{Body, Caller, Refusal};
use super::world::{Message, World};
use super::xml::{self, element};

/// The namespace of answers and errors.
pub const NAMESPACE: &str = "http://sns.amazonaws.com/doc/2010-03-31/";

const INVALID: &str = "InvalidParameter";
const MESSAGE_BYTES_MAX: usize = 256 << 10;
const SUBJECT_LENGTH_MAX: usize = 100;

/// Answers one operation of SNS; `body` holds the members of the form.
pub fn answer(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<Body, Refusal> {
    let result = match operation {
        "GetTopicAttributes" => attributes(find(world, caller, operation, body)?),
        "Publish" => publish(world, caller, body)?,
        other => return Err(Refusal::new("InvalidAction", unknown(other).message)),
    };
    Ok(xml::answer(world, NAMESPACE, operation, &result))
}

/// Makes the refusal of whoever may not do something, which is none of JSON services.
pub(super) fn denied(caller: &Caller, operation: &str, resource: &str) -> Refusal {
    let message = format!(
        "User: arn:aws:iam::{}:user/sandbox is not authorized to perform: SNS:{operation} on \
         resource: {resource}",
        caller.account
    );
    Refusal { status: 403, ..Refusal::new("AuthorizationError", message) }
}

fn attributes(topic: &Topic) -> String {
    let entry = |(key, value): (&str, &str)| {
        format!("<entry>{}{}</entry>", element("key", key), element("value", value))
    };
    let mut attributes =
        vec![("TopicArn", &*topic.arn), ("Owner", topic.owner()), ("Policy", &topic.policy)];
    if topic.encrypted {
        attributes.push(("KmsMasterKeyId", "alias/sandbox"));
    }
    format!("<Attributes>{}</Attributes>", attributes.into_iter().map(entry).collect::<String>())
}

fn publish(world: &mut World, caller: &Caller, body: &Value) -> Result<String, Refusal> {
    // Neither empty text counts as absent: SNS refuses both.
    let given = |key: &str| body.get(key).and_then(Value::as_str);
    for other in ["TargetArn", "PhoneNumber", "MessageStructure"] {
        if given(other).is_some() {
            return Err(invalid(other, "is not part of this imitation"));
        }
    }
    let topic = find(world, caller, "Publish", body)?.arn.clone();
    let message = given("Message").unwrap_or_default();
    if message.is_empty() {
        return Err(invalid("Message", "Reason: Empty message"));
    }
    if message.len() > MESSAGE_BYTES_MAX {
        return Err(invalid("Message", "too long"));
    }
    let subject = given("Subject");
    let fits = |subject: &str| {
        let plain = subject.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        plain && (1..=SUBJECT_LENGTH_MAX).contains(&subject.len())
    };
    if subject.is_some_and(|subject| !fits(subject)) {
        return Err(invalid("Subject", ""));
    }
    let (subject, body) = (subject.map(str::to_owned), message.to_owned());
    world.messages.push(Message { topic, subject, body });
    // The id counts the messages, so that it is the same in every run.
    let id = format!("00000000-0000-4000-9000-{:012x}", world.messages.len());
    Ok(element("MessageId", &id))
}

/// Finds the topic that a request names; one of another region or form is no valid parameter.
fn find<'a>(
    world: &'a World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<&'a Topic, Refusal> {
    let arn = text(body, "TopicArn").ok_or_else(|| invalid("TopicArn", ""))?;
    let parts: Vec<&str> = arn.split(':').collect();
    let &[_, _, service, region, account, _] = &parts[..] else {
        let count = parts.len();
        let reason = format!("Reason: An ARN must have at least 6 elements, not {count}");
        return Err(invalid("TopicArn", &reason));
    };
    if service != "sns" || region != caller.region {
        return Err(invalid("TopicArn", ""));
    }
    if account != caller.account {
        return Err(denied(caller, operation, arn));
    }
    world
        .organisation
        .topics
        .iter()
        .find(|topic| topic.arn == arn)
        .ok_or_else(|| Refusal { status: 404, ..Refusal::new("NotFound", "Topic does not exist") })
}

fn invalid(parameter: &str, reason: &str) -> Refusal {
    Refusal::new(INVALID, format!("Invalid parameter: {parameter} {reason}").trim_end())
}

#[cfg(test)]
mod tests;
