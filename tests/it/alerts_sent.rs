//! Owns the proof that people are told of alerts once, by every channel, and of no secret.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;
use tempfile::TempDir;

use crate::run::{NOW, Output, apportion, copy_snapshots, files, read, write};

/// What stands for a secret: it must not be in anything that is said.
const SECRET: &str = "geheim";

/// A server on loopback that takes all that it is told; it ends with the tests.
struct Sink {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
    /// What it answers from now on, where it is not pleased.
    refusal: Arc<Mutex<Option<&'static str>>>,
}

impl Sink {
    fn open(serve: fn(TcpStream, Option<&'static str>) -> Option<String>) -> Sink {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, refusal) = (Arc::default(), Arc::default());
        let sink = Sink { port, taken, refusal };
        let (taken, refusal) = (Arc::clone(&sink.taken), Arc::clone(&sink.refusal));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let refusal = *refusal.lock().unwrap();
                let message = serve(stream.unwrap(), refusal);
                taken.lock().unwrap().extend(message);
            }
        });
        sink
    }

    /// Returns what was taken since this was asked last.
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.taken.lock().unwrap())
    }

    fn refuse(&self, with: Option<&'static str>) {
        *self.refusal.lock().unwrap() = with;
    }
}

/// One HTTP request; SNS is answered in its own tongue.
fn http(stream: TcpStream, refusal: Option<&'static str>) -> Option<String> {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut length, mut line) = (0, String::new());
    while reader.read_line(&mut line).unwrap() > 2 {
        let lower = line.to_lowercase();
        if let Some(text) = lower.strip_prefix("content-length:") {
            length = text.trim().parse().unwrap();
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8(body).unwrap();
    let (status, answer) = match refusal {
        Some(why) => ("404 Not Found", why.to_owned()),
        None if body.starts_with("Action=Publish") => ("200 OK", PUBLISHED.to_owned()),
        None => ("200 OK", "ok".to_owned()),
    };
    let length = answer.len();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}"
    )
    .unwrap();
    refusal.is_none().then_some(body)
}

const PUBLISHED: &str = "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult>\
    <MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>\
    <ResponseMetadata><RequestId>f187a3c1-376f-11df-8963-01868b7c937a</RequestId></ResponseMetadata></PublishResponse>";

/// One SMTP session of one letter.
fn smtp(stream: TcpStream, refusal: Option<&'static str>) -> Option<String> {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut stream = stream;
    let mut say = move |text: &str| write!(stream, "{text}\r\n").unwrap();
    say("220 sink");
    let mut letter = None;
    while let Some(Ok(line)) = lines.next() {
        match line.split(' ').next().unwrap_or_default() {
            "EHLO" => say("250-sink\r\n250 AUTH PLAIN"),
            "AUTH" => say(refusal.unwrap_or("235 welcome")),
            "DATA" => {
                say("354 go on");
                let text = lines.by_ref().map(Result::unwrap).take_while(|line| line != ".");
                letter = Some(text.collect::<Vec<String>>().join("\n"));
                say("250 taken");
            }
            "QUIT" => {
                say("221 bye");
                break;
            }
            _ => say("250 ok"),
        }
    }
    letter
}

/// A folder with the demonstration's snapshot, and the three channels.
struct Place {
    folder: TempDir,
    sns: Sink,
    slack: Sink,
    mail: Sink,
}

const CHANNELS: &str = "
[alerts]
sns_topic_arn = \"arn:aws:sns:eu-west-1:111122223333:cost\"
slack_webhook_env = \"HOOK\"
[alerts.mail]
smtp_url_env = \"SMTP\"
from = \"apportion@example.com\"
to = [\"finance@example.com\", \"ana@example.com\"]
";

impl Place {
    fn open() -> Place {
        let folder = tempfile::tempdir().unwrap();
        copy_snapshots(&folder.path().join(".apportion"));
        let place = Place {
            folder,
            sns: Sink::open(http),
            slack: Sink::open(http),
            mail: Sink::open(smtp),
        };
        place.configure("80");
        place
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn configure(&self, thresholds: &str) {
        let budget = format!(
            "[[budget]]\nname = \"R&D <all>\"\nall = true\nlimit = \"15000\"\nthresholds = [{thresholds}]\n"
        );
        let text = format!("{budget}{CHANNELS}");
        write(&self.path().join("apportion.toml"), text.as_bytes());
    }

    /// Runs `budgets alerts --send` with every channel's secret, and with more.
    fn send(&self, more: &[&str]) -> Output {
        let mut arguments = vec!["budgets", "alerts", "--send", "--now", NOW];
        arguments.extend(more);
        let output = apportion(self.path(), &arguments)
            .env("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{}", self.sns.port))
            .env("AWS_ACCESS_KEY_ID", "AKIASANDBOX111122223333")
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .env("AWS_REGION", "us-east-1")
            .env("HOOK", &format!("http://127.0.0.1:{}/services/{SECRET}", self.slack.port))
            .env("SMTP", &format!("smtp://ana:{SECRET}@127.0.0.1:{}", self.mail.port))
            .run();
        assert!(!output.stderr.contains(SECRET), "{}", output.stderr);
        output
    }

    /// Returns how many messages SNS, Slack and e-mail got since this was asked last.
    fn counts(&self) -> [usize; 3] {
        [&self.sns, &self.slack, &self.mail].map(|sink| sink.take().len())
    }
}

/// The text of a form, so far as it is needed here.
fn decoded(form: &str) -> String {
    form.replace("%20", " ").replace("%3A", ":").replace("%2C", ",").replace("%0A", "\n")
}

#[test]
fn every_channel_is_told_once_and_again_when_asked_to() {
    let place = Place::open();
    let output = place.send(&[]);
    assert_eq!(output.code, 0, "{}", output.stderr);
    assert!(output.stdout.starts_with("Budget "), "{}", output.stdout);
    let subject = "SageMaker budgets, 2026-11-20: 2 crossed, 1 expected to be";
    for title in ["SNS", "Slack", "e-mail"] {
        let told = format!("Told by {title}: {subject}.");
        assert!(output.stderr.contains(&told), "{}", output.stderr);
    }
    let [sns, slack, mail] = [&place.sns, &place.slack, &place.mail].map(Sink::take);
    let [sns] = &sns[..] else { panic!("{sns:?}") };
    let sns = decoded(sns);
    assert!(sns.contains(&format!("Subject={subject}")), "{sns}");
    assert!(sns.contains("TopicArn=arn:aws:sns:eu-west-1:111122223333:cost"), "{sns}");
    let [slack] = &slack[..] else { panic!("{slack:?}") };
    let slack: Value = serde_json::from_str(slack).unwrap();
    let slack = slack["text"].as_str().unwrap();
    assert!(slack.starts_with(subject), "{slack}");
    assert!(
        slack.contains("\nR&amp;D &lt;all&gt;: crossed\n  owner: all of SageMaker\n"),
        "{slack}"
    );
    assert!(slack.contains("\nsagemaker-vision: expected to be crossed\n"), "{slack}");
    let [letter] = &mail[..] else { panic!("{mail:?}") };
    for expected in [
        "From: apportion@example.com",
        "To: finance@example.com, ana@example.com",
        &format!("Subject: {subject}"),
        "R&D <all>: crossed",
        "  threshold: 80 % of the limit, 12,000.00 USD, since 2026-11-",
        "  spent: 15,434.73 USD",
        "days after 2026-11-18",
    ] {
        assert!(letter.contains(expected), "{expected}: {letter}");
    }
    let output = place.send(&["--check"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    for title in ["SNS", "Slack", "e-mail"] {
        let words = format!("There is nothing new to tell by {title}.");
        assert!(output.stderr.contains(&words), "{}", output.stderr);
    }
    assert_eq!(place.counts(), [0, 0, 0]);
    assert_eq!(place.send(&["--resend"]).code, 0);
    assert_eq!(place.counts(), [1, 1, 1]);
    let file: Value =
        serde_json::from_slice(&read(&place.path().join(".apportion/alerts.json"))).unwrap();
    assert_eq!(file["told"].as_array().map(Vec::len), Some(9), "three thresholds, three channels");
}

#[test]
fn a_further_threshold_is_told_alone() {
    let place = Place::open();
    assert_eq!(place.send(&[]).code, 0);
    assert_eq!(place.counts(), [1, 1, 1]);
    place.configure("80, 100, 200");
    assert_eq!(place.send(&[]).code, 0);
    let letters = place.mail.take();
    let [letter] = &letters[..] else { panic!("{letters:?}") };
    assert!(letter.contains("Thresholds of SageMaker budgets: 1 crossed."), "{letter}");
    assert!(letter.contains("threshold: 100 % of the limit"), "{letter}");
    assert!(!letter.contains("sagemaker-research"), "{letter}");
    assert_eq!((place.sns.take().len(), place.slack.take().len()), (1, 1));
}

#[test]
fn a_channel_that_fails_keeps_no_other_and_is_told_the_next_time() {
    let place = Place::open();
    place.slack.refuse(Some("no_service geheim"));
    let output = place.send(&[]);
    assert_eq!(output.code, 5, "{}", output.stderr);
    for words in [
        "error: nobody was told by Slack: the webhook refused the message",
        "cause: HTTP 404: no_service",
        "hint: look in Slack",
        "Told by e-mail",
    ] {
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    }
    assert_eq!(place.counts(), [1, 0, 1]);
    place.slack.refuse(None);
    place.mail.refuse(Some("535 no such user as ana:geheim"));
    let output = place.send(&["--check"]);
    assert_eq!(output.code, 3, "{}", output.stderr);
    assert_eq!(place.counts(), [0, 1, 0], "only Slack was owed anything");
    let output = place.send(&["--resend"]);
    assert_eq!(output.code, 5, "{}", output.stderr);
    assert!(output.stderr.contains("the SMTP server refused the message"), "{}", output.stderr);
    assert_eq!(place.counts(), [1, 1, 0]);
    place.sns.refuse(Some("<ErrorResponse><Error><Code>NotFound</Code><Message>no topic</Message></Error></ErrorResponse>"));
    let output = place.send(&["--resend"]);
    assert!(
        output.stderr.contains("nobody was told by SNS: SNS refused Publish"),
        "{}",
        output.stderr
    );
    assert_eq!(place.counts(), [0, 1, 0]);
}

#[test]
fn a_dry_run_prints_the_messages_and_sends_nothing() {
    let place = Place::open();
    let output = place.send(&["--dry-run"]);
    assert_eq!((output.code, output.stderr.as_str()), (0, ""));
    for words in ["By SNS:\nSubject: SageMaker budgets", "By Slack:\n", "By e-mail:\n"] {
        assert!(output.stdout.contains(words), "{}", output.stdout);
    }
    assert!(!output.stdout.contains("Watches"), "the table is not there: {}", output.stdout);
    assert_eq!(place.counts(), [0, 0, 0]);
    let kept = files(&place.path().join(".apportion"));
    assert!(!kept.contains(&"alerts.json".into()), "{kept:?}");
}

#[test]
fn what_is_lacking_is_said() {
    let place = Place::open();
    let send = ["budgets", "alerts", "--send", "--now", NOW];
    let output = apportion(place.path(), &send).run();
    assert_eq!(output.code, 5, "{}", output.stderr);
    for words in
        ["the environment variable `HOOK` is not set", "hint: set `SMTP` in the environment"]
    {
        assert!(output.stderr.contains(words), "{words}: {}", output.stderr);
    }
    write(&place.path().join(".apportion/alerts.json"), b"{\"version\": 9}");
    let output = place.send(&[]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("its version is 9"), "{}", output.stderr);
    assert!(output.stderr.contains("hint: put the file back"), "{}", output.stderr);
    write(&place.path().join("apportion.toml"), b"");
    let output = place.send(&[]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("the configuration has no channel"), "{}", output.stderr);
    let text = CHANNELS.replace("\"HOOK\"", "\"https://hooks.example.com/geheim\"");
    write(&place.path().join("apportion.toml"), text.as_bytes());
    let output = place.send(&[]);
    assert_eq!(output.code, 1, "{}", output.stderr);
    assert!(output.stderr.contains("`alerts.slack_webhook_env` is the name"), "{}", output.stderr);
    assert_eq!(place.counts(), [0, 0, 0]);
}
