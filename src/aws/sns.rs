//! Owns the calls to Simple Notification Service: what a topic lets in, and publishing to it.
//!
//! **Invariant:** a topic is asked in its own region, whatever the session's is.

use crate::arn::Arn;

use super::error::{Error, Kind};
use super::session::Session;

const SERVICE: &str = "SNS";
const ATTRIBUTES: &str = "GetTopicAttributes";
const PUBLISH: &str = "Publish";

/// A topic, so far as it decides whether others can publish to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its access policy, as AWS's JSON.
    pub policy: String,
    /// Whether it is encrypted by a key of KMS, whose policy then has a word in it.
    pub is_encrypted: bool,
}

/// Reads a topic's policy and whether it is encrypted.
pub async fn topic(session: &Session, arn: &str) -> Result<Topic, Error> {
    let client = at_home(session, arn, ATTRIBUTES)?.sns();
    let answer = client.get_topic_attributes().topic_arn(arn).send().await;
    let answer = answer.map_err(|error| Error::of(SERVICE, ATTRIBUTES, &error))?;
    let mut attributes = answer.attributes.unwrap_or_default();
    let absent = || Error::unreadable(SERVICE, ATTRIBUTES, "no policy in it");
    let is_encrypted = attributes.get("KmsMasterKeyId").is_some_and(|key| !key.is_empty());
    Ok(Topic { policy: attributes.remove("Policy").ok_or_else(absent)?, is_encrypted })
}

/// Publishes a message, and returns its id.
///
/// A subject is up to 100 printable ASCII characters in one line (Amazon SNS API Reference, `Publish`).
pub async fn publish(
    session: &Session,
    arn: &str,
    subject: &str,
    message: &str,
) -> Result<String, Error> {
    let client = at_home(session, arn, PUBLISH)?.sns();
    let request = client.publish().topic_arn(arn).subject(subject).message(message);
    let answer = request.send().await.map_err(|error| Error::of(SERVICE, PUBLISH, &error))?;
    answer.message_id.ok_or_else(|| Error::unreadable(SERVICE, PUBLISH, "no message id in it"))
}

/// Returns the session in the region of a topic.
fn at_home(session: &Session, arn: &str, operation: &'static str) -> Result<Session, Error> {
    match Arn::parse(arn) {
        Some(parsed) if parsed.service == "sns" => session.in_region(&parsed.region),
        _ => {
            let text = format!("not the ARN of a topic: `{arn}`");
            Err(Error::new(SERVICE, operation, Kind::Other, "NotTopic", text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::testing::{Answer, sequence};

    const TOPIC: &str = "arn:aws:sns:eu-west-1:111122223333:budgets";

    fn attributes(entries: &[(&str, &str)]) -> Answer {
        let entries = entries
            .iter()
            .map(|(key, value)| format!("<entry><key>{key}</key><value>{value}</value></entry>"));
        let entries = entries.collect::<String>();
        Answer::Body(
            200,
            format!(
                "<GetTopicAttributesResponse><GetTopicAttributesResult><Attributes>{entries}\
                 </Attributes></GetTopicAttributesResult></GetTopicAttributesResponse>"
            ),
        )
    }

    fn refusal(status: u16, code: &str) -> Answer {
        let error = format!("<Error><Type>Sender</Type><Code>{code}</Code></Error>");
        Answer::Body(status, format!("<ErrorResponse>{error}</ErrorResponse>"))
    }

    #[tokio::test]
    async fn a_topic_tells_its_policy_and_its_key() {
        let policy = "{&quot;Statement&quot;:[]}";
        let answers = vec![
            attributes(&[("Policy", policy), ("TopicArn", TOPIC)]),
            attributes(&[("Policy", policy), ("KmsMasterKeyId", "alias/aws/sns")]),
            attributes(&[("TopicArn", TOPIC)]),
            refusal(404, "NotFound"),
            refusal(403, "AuthorizationError"),
        ];
        let (session, bodies) = sequence(answers).await;
        let plain = topic(&session, TOPIC).await.unwrap();
        assert_eq!((plain.policy.as_str(), plain.is_encrypted), (r#"{"Statement":[]}"#, false));
        assert!(topic(&session, TOPIC).await.unwrap().is_encrypted);
        assert_eq!(topic(&session, TOPIC).await.unwrap_err().code, "UnreadableAnswer");
        assert_eq!(topic(&session, TOPIC).await.unwrap_err().code, "NotFound");
        assert_eq!(topic(&session, TOPIC).await.unwrap_err().kind, Kind::AccessDenied);
        let body = &bodies.lock().unwrap()[0];
        assert!(body.contains("Action=GetTopicAttributes&"), "{body}");
        assert!(body.ends_with("TopicArn=arn%3Aaws%3Asns%3Aeu-west-1%3A111122223333%3Abudgets"));
    }

    #[tokio::test]
    async fn a_message_is_published_in_the_topics_region() {
        let answer = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult>\
            </PublishResponse>";
        let (session, bodies) = sequence(vec![Answer::Body(200, answer.to_owned())]).await;
        let id = publish(&session, TOPIC, "a subject", "a message").await.unwrap();
        assert_eq!(id, "m-1");
        let body = bodies.lock().unwrap()[0].clone();
        for part in ["Action=Publish&", "Subject=a%20subject", "Message=a%20message"] {
            assert!(body.contains(part), "{body}");
        }
        let home = at_home(&session, TOPIC, PUBLISH).unwrap();
        assert_eq!((home.region(), session.region()), (Some("eu-west-1"), Some("us-east-1")));
        let queue = "arn:aws:sqs:eu-west-1:111122223333:queue";
        assert_eq!(publish(&session, queue, "s", "m").await.unwrap_err().code, "NotTopic");
    }
}
