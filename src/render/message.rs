//! Owns the message about alerts: a subject and lines of plain text, the same for every channel.
//!
//! **Invariant:** the subject is ASCII of at most 100 characters, as SNS wants it (Amazon SNS API Reference, `Publish`).

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::alert::{Alert, State};
use crate::budget::Threshold;
use crate::money::Money;
use crate::render::text::{clean, dollars};

/// Alerts that one message lists at most; the rest is counted.
const ALERTS_SHOWN: usize = 50;

/// A message to people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
}

/// What the figures are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Basis {
    /// When they were fetched.
    pub taken_at: Timestamp,
    /// The last day whose data is complete.
    pub last_complete: Date,
    /// Whether something does not reconcile, or could not be read.
    pub is_doubtful: bool,
}

/// Returns the message that tells alerts, those crossed first.
pub fn message(news: &[&Alert], basis: Basis) -> Message {
    let crossed = news.iter().filter(|alert| alert.state == State::Crossed).count();
    let count = match (crossed, news.len() - crossed) {
        (crossed, 0) => format!("{crossed} crossed"),
        (0, expected) => format!("{expected} expected to be crossed"),
        (crossed, expected) => format!("{crossed} crossed, {expected} expected to be"),
    };
    let taken_at = TimeZone::UTC.to_datetime(basis.taken_at);
    let subject = format!("SageMaker budgets, {}: {count}", taken_at.date());
    let mut text = format!("Thresholds of SageMaker budgets: {count}.\n");
    for alert in news.iter().take(ALERTS_SHOWN) {
        text.push('\n');
        text.push_str(&lines(alert));
    }
    let more = news.len().saturating_sub(ALERTS_SHOWN);
    if more > 0 {
        say(&mut text, format_args!("\n{more} more: `apportion budgets alerts` lists all.\n"));
    }
    let (hour, minute) = (taken_at.hour(), taken_at.minute());
    say(&mut text, format_args!("\nAs of {} {hour:02}:{minute:02} UTC. ", taken_at.date()));
    say(
        &mut text,
        format_args!(
            "AWS brings its cost data up to date at least once in 24 hours, so days after {} are not complete.\n",
            basis.last_complete
        ),
    );
    if basis.is_doubtful {
        text.push_str(
            "Some of these figures do not reconcile or could not be read; the report's notes say which.\n",
        );
    }
    Message { subject, text }
}

fn lines(alert: &Alert) -> String {
    let amount = |money: Option<Money>| match money {
        Some(money) => format!("{} {}", dollars(money), alert.currency).trim_end().to_owned(),
        None => "unknown".to_owned(),
    };
    let is_crossed = alert.state == State::Crossed;
    let state = if is_crossed { "crossed" } else { "expected to be crossed" };
    let owner = if alert.owner.is_empty() { &alert.scope } else { &alert.owner };
    let mut text = format!("{}: {state}\n", clean(&alert.budget));
    say(&mut text, format_args!("  owner: {}\n", clean(owner)));
    say(&mut text, format_args!("  period: {}\n", alert.span()));
    say(&mut text, format_args!("  spent: {}\n", amount(alert.actual)));
    if alert.forecast.is_some() {
        let by = forecast_by(alert.forecast_source);
        say(&mut text, format_args!("  expected: {}, {by}\n", amount(alert.forecast)));
    }
    say(&mut text, format_args!("  limit: {}\n", amount(alert.limit)));
    let share = match alert.level() {
        Some(percent @ Threshold::BasisPoints(_)) => format!("{percent} of the limit, "),
        _ => String::new(),
    };
    let day = alert.day.map(|day| format!(", {} {day}", if is_crossed { "since" } else { "by" }));
    let day = day.unwrap_or_default();
    say(&mut text, format_args!("  threshold: {share}{}{day}\n", amount(alert.threshold)));
    if !alert.remark.is_empty() {
        say(&mut text, format_args!("  remark: {}\n", clean(&alert.remark)));
    }
    text
}

fn forecast_by(source: &str) -> &'static str {
    match source {
        "aws_budgets" => "by AWS Budgets",
        "cost_explorer" => "by Cost Explorer",
        _ => "by the days of the last four weeks",
    }
}

fn say(text: &mut String, words: std::fmt::Arguments<'_>) {
    text.write_fmt(words).expect("writing to a string does not fail");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::alert::Source;
    use crate::budget::NotificationKind;
    use crate::limit::Cycle;
    use crate::period::Month;

    fn basis() -> Basis {
        Basis {
            taken_at: "2026-11-20T08:05:00Z".parse().unwrap(),
            last_complete: "2026-11-18".parse().unwrap(),
            is_doubtful: false,
        }
    }

    fn alert(budget: &str, cycle: Cycle, state: State) -> Alert {
        let day = |text: &str| text.parse::<Date>().unwrap();
        let money = |text: &str| Some(Money::parse(text).unwrap());
        Alert {
            budget: budget.to_owned(),
            source: Source::Configuration,
            scope: "domain/d-a".to_owned(),
            owner: "domain research (d-a)".to_owned(),
            month: Month::parse("2026-11").unwrap(),
            cycle: Some(cycle),
            run: Some(cycle.run(day("2026-11-20"))),
            metric: None,
            limit: money("1546"),
            watches: NotificationKind::Actual,
            threshold: money("1236.8"),
            threshold_percent: Some(8_000),
            actual: money("1209.7131407904"),
            forecast: money("3471.447361139675"),
            forecast_source: "days",
            state,
            day: Some(day("2026-11-21")),
            currency: "USD".to_owned(),
            remark: String::new(),
        }
    }

    #[test]
    fn a_message_says_all_that_is_asked_next() {
        let research = Alert {
            threshold: Some(Money::parse("100.5").unwrap()),
            threshold_percent: None,
            day: None,
            forecast: None,
            owner: String::new(),
            remark: "Some days could not be read.".to_owned(),
            ..alert("research", Cycle::Quarterly, State::Crossed)
        };
        let vision = alert("vision", Cycle::Monthly, State::Forecast);
        let told = message(&[&research, &vision], Basis { is_doubtful: true, ..basis() });
        assert_eq!(told.subject, "SageMaker budgets, 2026-11-20: 1 crossed, 1 expected to be");
        insta::assert_snapshot!(told.text, @r"
        Thresholds of SageMaker budgets: 1 crossed, 1 expected to be.

        research: crossed
          owner: domain/d-a
          period: 2026-10 to 2026-12
          spent: 1,209.71 USD
          limit: 1,546.00 USD
          threshold: 100.50 USD
          remark: Some days could not be read.

        vision: expected to be crossed
          owner: domain research (d-a)
          period: 2026-11
          spent: 1,209.71 USD
          expected: 3,471.45 USD, by the days of the last four weeks
          limit: 1,546.00 USD
          threshold: 80 % of the limit, 1,236.80 USD, by 2026-11-21

        As of 2026-11-20 08:05 UTC. AWS brings its cost data up to date at least once in 24 hours, so days after 2026-11-18 are not complete.
        Some of these figures do not reconcile or could not be read; the report's notes say which.
        ");
    }

    #[test]
    fn the_subject_is_short_whatever_the_message() {
        let many: Vec<Alert> =
            (0..1234).map(|it| alert(&format!("é{it}"), Cycle::Daily, State::Crossed)).collect();
        let told = message(&many.iter().collect::<Vec<&Alert>>(), basis());
        assert_eq!(told.subject, "SageMaker budgets, 2026-11-20: 1234 crossed");
        assert!(told.subject.is_ascii() && told.subject.len() <= 100);
        assert!(told.text.contains("\n1184 more: `apportion budgets alerts` lists all.\n"));
        assert_eq!(told.text.matches(": crossed\n").count(), ALERTS_SHOWN);
    }
}
