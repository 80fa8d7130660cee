//! Owns SNS: one message to one topic.

use crate::arn::Arn;

use super::error::Error;
use super::session::Session;

const SERVICE: &str = "SNS";

/// Publishes a message to a topic, in the topic's region; returns the message's id.
pub async fn publish(
    session: &Session,
    arn: &str,
    subject: &str,
    message: &str,
) -> Result<String, Error> {
    let operation = "Publish";
    let region = Arn::parse(arn).map(|arn| arn.region).unwrap_or_default();
    let client = session.in_region(&region)?.sns();
    let request = client.publish().topic_arn(arn).subject(subject).message(message);
    let answer = request.send().await.map_err(|error| Error::of(SERVICE, operation, &error))?;
    answer.message_id.ok_or_else(|| Error::unreadable(SERVICE, operation, "no id of the message"))
}
