//! Owns e-mail: one plain text to several people, by the SMTP server of a URL.
//!
//! **Invariant:** the URL holds a password, so no error has any of it.

use std::net::IpAddr;
use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::message::{Mailbox, Message};
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use reqwest::Url;

use crate::chain::chain;

use super::{Cause, without};

/// The longest wait for one answer of the server, in seconds.
const TIMEOUT_S: u64 = 30;
/// The shortest user's name that is hidden: a shorter one is in half of all words.
const USER_LEN_MIN: usize = 3;

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
    /// User and password would go to another machine in plain text.
    #[error("the URL of the SMTP server has a password, and would send it in plain text")]
    PlainText,
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
    if is_open(url) {
        return Err(Error::PlainText);
    }
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

/// Tells whether a password would leave this machine in plain text, or would where the server offers nothing better.
fn is_open(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let tls = url.query_pairs().find(|(key, _)| key == "tls");
    let is_encrypted = url.scheme() == "smtps" || tls.is_some_and(|(_, how)| how == "required");
    url.password().is_some() && !is_encrypted && !url.host_str().is_some_and(is_loopback)
}

fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The URL, and what stands in it before the host, as it is written and as the server gets it: it may repeat either.
fn secrets(url: &str) -> Vec<String> {
    let after = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = after.split(['/', '?', '#']).next().unwrap_or(after);
    let mut secrets = vec![url.to_owned()];
    if let Some((both, _)) = authority.rsplit_once('@') {
        let (user, password) = both.split_once(':').unwrap_or((both, ""));
        let user = [user.to_owned(), decoded(user)];
        secrets.extend(user.into_iter().filter(|it| it.chars().count() >= USER_LEN_MIN));
        secrets.extend([both, password].map(str::to_owned));
        secrets.extend([both, password].map(decoded));
    }
    secrets.retain(|it| !it.is_empty());
    // The longest first, so that none is left in part by one that it holds.
    secrets.sort_by(|one, other| other.len().cmp(&one.len()).then_with(|| one.cmp(other)));
    secrets.dedup();
    secrets
}

/// Reads what is percent-encoded.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let digits =
            after.get(..2).filter(|it| *first == b'%' && it.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|it| std::str::from_utf8(it).ok());
        let byte = digits.and_then(|it| u8::from_str_radix(it, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
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
            ("smtps://ana:geheim@host:465", vec!["ana:geheim", "geheim", "ana"]),
            ("smtps://ab:geheim@host:465/?a=@", vec!["ab:geheim", "geheim"]),
            (
                "smtps://ana%40b:ge%2Fh%C3%A9%@host",
                vec![
                    "ana%40b:ge%2Fh%C3%A9%",
                    "ana@b:ge/hé%",
                    "ge%2Fh%C3%A9%",
                    "ana%40b",
                    "ge/hé%",
                    "ana@b",
                ],
            ),
            ("smtp://host:587?tls=required", vec![]),
        ] {
            let mut all = vec![url];
            all.extend(expected);
            assert_eq!(secrets(url), all);
        }
        let said = "535 ana: geheim/ is not the password of ana";
        let told = without(said, &secrets("smtps://ana:geheim%2F@host"));
        assert_eq!(told, "535 (hidden): (hidden) is not the password of (hidden)");
    }

    #[tokio::test]
    async fn a_password_goes_to_no_other_machine_in_plain_text() {
        for (url, expected) in [
            ("smtp://ana:geheim@example.com", true),
            ("SMTP://ana:geheim@example.com:587?tls=opportunistic", true),
            ("smtp://ana:geheim@example.com?a=tls=required", true),
            ("smtp://:geheim@localhost.example.com", true),
            ("smtp://ana:geheim@128.0.0.1", true),
            ("smtp://ana:geheim@[::2]", true),
            ("smtps://ana:geheim@example.com", false),
            ("smtp://ana:geheim@example.com:587?tls=required", false),
            ("smtp://example.com", false),
            ("smtp://ana:geheim@127.0.0.2:25", false),
            ("smtp://ana:geheim@[::1]:25", false),
            ("smtp://ana:geheim@localhost", false),
        ] {
            assert_eq!(is_open(url), expected, "{url}");
        }
        let to = ["ana@example.com".to_owned()];
        let letter = Letter { from: "a@example.com", to: &to, subject: "s", text: "t" };
        let error = send("smtp://ana:geheim@example.invalid", &letter).await.unwrap_err();
        assert!(matches!(error, Error::PlainText), "{error}");
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
