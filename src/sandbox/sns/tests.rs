//! Owns the tests of SNS.
//!
//! **Invariant:** requests and answers only, as a client would see them.

use serde_json::{Value, json};

use super::super::sample::{MEMBER, PAYER, REGION, member, payer, world};
use super::super::wire::{Body, Caller, Refusal};
use super::super::world::{Message, World};

fn ask(
    world: &mut World,
    caller: &Caller,
    operation: &str,
    body: &Value,
) -> Result<String, Refusal> {
    let answer = super::answer(world, caller, operation, body)?;
    let Body::Xml(xml) = answer else { panic!("SNS speaks XML") };
    Ok(xml)
}

fn topic(name: &str) -> String {
    format!("arn:aws:sns:{REGION}:{MEMBER}:{name}")
}

#[test]
fn attributes_tell_owner_policy_and_encryption() {
    let mut world = world();
    let body = json!({ "TopicArn": topic("cost") });
    let xml = ask(&mut world, &member(), "GetTopicAttributes", &body).unwrap();
    let entry =
        |key: &str, value: &str| format!("<entry><key>{key}</key><value>{value}</value></entry>");
    assert!(xml.contains(&entry("TopicArn", &topic("cost"))), "{xml}");
    assert!(xml.contains(&entry("Owner", MEMBER)), "{xml}");
    assert!(xml.contains(&entry("Policy", &world.organisation.topics[0].policy)), "{xml}");
    assert!(!xml.contains("KmsMasterKeyId"), "{xml}");
    let sealed = json!({ "TopicArn": format!("arn:aws:sns:us-east-1:{PAYER}:sealed") });
    let xml = ask(&mut world, &payer(), "GetTopicAttributes", &sealed).unwrap();
    assert!(xml.contains(&entry("KmsMasterKeyId", "alias/sandbox")), "{xml}");
}

#[test]
fn what_is_published_is_kept() {
    let mut world = world();
    let body = json!({ "TopicArn": topic("cost"), "Message": "a & b\n" });
    let first = ask(&mut world, &member(), "Publish", &body).unwrap();
    let body = json!({ "TopicArn": topic("cost"), "Message": "c", "Subject": "x".repeat(100) });
    let second = ask(&mut world, &member(), "Publish", &body).unwrap();
    for (xml, id) in [(first, 1), (second, 2)] {
        let id = format!("<MessageId>00000000-0000-4000-9000-{id:012x}</MessageId>");
        assert!(xml.contains(&id), "{xml}");
    }
    let message =
        |body: &str, subject| Message { topic: topic("cost"), subject, body: body.to_owned() };
    assert_eq!(world.messages, [message("a & b\n", None), message("c", Some("x".repeat(100)))]);
}

#[test]
fn refusals_have_the_codes_of_sns() {
    let mut world = world();
    let arn = topic("cost");
    let long = "x".repeat((256 << 10) + 1);
    for (body, status, code, message) in [
        (
            json!({ "Message": "a" }),
            400,
            "InvalidParameter",
            "Invalid parameter: TopicArn".to_owned(),
        ),
        (
            json!({ "TopicArn": "cost", "Message": "a" }),
            400,
            "InvalidParameter",
            "Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1"
                .to_owned(),
        ),
        (
            json!({ "TopicArn": arn.replace(REGION, "us-east-1"), "Message": "a" }),
            400,
            "InvalidParameter",
            "Invalid parameter: TopicArn".to_owned(),
        ),
        (
            json!({ "TopicArn": arn.replace(MEMBER, PAYER), "Message": "a" }),
            403,
            "AuthorizationError",
            format!(
                "User: arn:aws:iam::{MEMBER}:user/sandbox is not authorized to perform: \
                 SNS:Publish on resource: {}",
                arn.replace(MEMBER, PAYER)
            ),
        ),
        (
            json!({ "TopicArn": topic("none"), "Message": "a" }),
            404,
            "NotFound",
            "Topic does not exist".to_owned(),
        ),
        (
            json!({ "TopicArn": arn, "Message": "" }),
            400,
            "InvalidParameter",
            "Invalid parameter: Message Reason: Empty message".to_owned(),
        ),
        (
            json!({ "TopicArn": arn, "Message": long }),
            400,
            "InvalidParameter",
            "Invalid parameter: Message too long".to_owned(),
        ),
        (
            json!({ "PhoneNumber": "+1", "Message": "a" }),
            400,
            "InvalidParameter",
            "Invalid parameter: PhoneNumber is not part of this imitation".to_owned(),
        ),
    ] {
        let refusal = ask(&mut world, &member(), "Publish", &body).unwrap_err();
        assert_eq!((refusal.status, refusal.code.as_str()), (status, code));
        assert_eq!(refusal.message, message);
    }
    for subject in ["", "a\nb", "a\u{7}", "ä", &"x".repeat(101)] {
        let body = json!({ "TopicArn": arn, "Message": "a", "Subject": subject });
        let refusal = ask(&mut world, &member(), "Publish", &body).unwrap_err();
        assert_eq!(refusal.message, "Invalid parameter: Subject", "{subject}");
    }
    let other = ask(&mut world, &member(), "CreateTopic", &json!({})).unwrap_err();
    assert_eq!(other.code, "InvalidAction");
    assert_eq!(world.messages, []);
}
