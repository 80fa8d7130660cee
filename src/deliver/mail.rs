//! Owns e-mail: one plain text to several people, by the SMTP server of a URL.
//!
//! **Invariant:** the URL holds a password, so no error has any of it.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};

use super::{Cause, chain, without};

/// The longest wait for one answer of the server, in seconds.
const TIMEOUT_S: u64 = 30;

/// From whom to whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter<'a> {
    /// The sender's address.
    pub from: &'a str,
    /// The addresses of those who get it.
    pub to: &'a [String],
    /// The subject.
    pub subject: &'a str,
    /// The text.
    pub text: &'a str,
}

/// An e-mail that was not sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was given is no URL of an SMTP server.
    #[error("the URL of the SMTP server cannot be used")]
    NotServer,
    /// An address is none.
    #[error("not an address that mail can be sent to: `{address}`")]
    NotAddress {
        /// The address.
        address: String,
    },
    /// The server could not be reached, or would not talk.
    #[error("no answer from the SMTP server")]
    NoAnswer {
        /// What happened on the way.
        source: Cause,
    },
    /// The server refused it.
    #[error("the SMTP server refused the message")]
    Refused {
        /// What it answered.
        source: Cause,
    },
}

/// Sends a letter by a server, such as `smtps://user:password@host:465` or `smtp://host:587?tls=required`.
pub async fn send(url: &str, letter: &Letter<'_>) -> Result<(), Error> {
    let url = url.trim();
    let message = message(letter)?;
    let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url);
    let transport = transport.map_err(|_| Error::NotServer)?;
    let transport = transport.timeout(Some(Duration::from_secs(TIMEOUT_S))).build();
    let sent = transport.send(message).await;
    sent.map(drop).map_err(|error| {
        let source = Cause(without(&chain(&error), &secrets(url)));
        if error.is_permanent() || error.is_transient() {
            Error::Refused { source }
        } else {
            Error::NoAnswer { source }
        }
    })
}

fn message(letter: &Letter<'_>) -> Result<Message, Error> {
    let mailbox = |address: &str| -> Result<Mailbox, Error> {
        address.parse().map_err(|_| Error::NotAddress { address: address.to_owned() })
    };
    let mut builder = Message::builder().from(mailbox(letter.from)?).subject(letter.subject);
    for address in letter.to {
        builder = builder.to(mailbox(address)?);
    }
    let built = builder.header(ContentType::TEXT_PLAIN).body(letter.text.to_owned());
    Ok(built.expect("a message with sender, receivers and text is whole"))
}

/// The URL, and what stands in it before the host: a server may repeat a user's name or password.
fn secrets(url: &str) -> Vec<&str> {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let mut secrets = vec![url];
    if let Some((user, _)) = after.rsplit_once('@') {
        secrets.push(user);
        secrets.extend(user.split_once(':').map(|(_, password)| password));
    }
    secrets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_plain_and_whole() {
        let to = ["finance@example.com".to_owned(), "ana@example.com".to_owned()];
        let letter =
            Letter { from: "apportion@example.com", to: &to, subject: "s", text: "t é\n" };
        let bytes = message(&letter).unwrap().formatted();
        let text = String::from_utf8(bytes).unwrap();
        for expected in [
            "From: apportion@example.com",
            "To: finance@example.com, ana@example.com",
            "Subject: s",
            "Content-Type: text/plain; charset=utf-8",
        ] {
            assert!(text.contains(expected), "{expected}: {text}");
        }
        let error = message(&Letter { from: "ana", ..letter }).unwrap_err().to_string();
        assert_eq!(error, "not an address that mail can be sent to: `ana`");
    }

    #[test]
    fn what_stands_before_the_host_is_secret() {
        for (url, expected) in [
            ("smtps://ana:geheim@host:465", vec!["ana:geheim", "geheim"]),
            ("smtp://host:587?tls=required", vec![]),
        ] {
            let mut all = vec![url];
            all.extend(expected);
            assert_eq!(secrets(url), all);
        }
    }

    #[tokio::test]
    async fn a_url_that_cannot_be_used_is_not_told() {
        let to = ["ana@example.com".to_owned()];
        let letter = Letter { from: "a@example.com", to: &to, subject: "s", text: "t" };
        for url in ["geheim", "https://ana:geheim@host"] {
            let error = send(url, &letter).await.unwrap_err();
            assert!(matches!(error, Error::NotServer), "{error}");
        }
    }
}
