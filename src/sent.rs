//! Owns what was sent: which thresholds of which runs were told by which channel, so that none is told twice.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

use crate::alert::{Alert, Source, State};
use crate::budget::Threshold;
use crate::period::Period;

/// The version of the form that this program writes.
pub const VERSION: u32 = 1;
/// Days after the end of a run for which it is remembered.
const DAYS_KEPT: i64 = 400;

/// A way by which people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Channel {
    /// An SNS topic.
    Sns,
    /// An incoming webhook of Slack.
    Slack,
    /// E-mail by SMTP.
    Mail,
}

/// All that was sent, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sent {
    /// The version of this form.
    pub version: u32,
    /// What was told, oldest first.
    pub told: Vec<Told>,
}

/// One threshold that was told by one channel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Told {
    /// The budget.
    pub budget: String,
    /// Where it is kept.
    pub source: Source,
    /// The threshold, as it was given.
    pub threshold: Threshold,
    /// The run.
    pub run: Period,
    /// The channel.
    pub channel: Channel,
    /// When it was told.
    pub sent_at: Timestamp,
}

impl Channel {
    /// Returns the words for people.
    pub fn title(self) -> &'static str {
        match self {
            Channel::Sns => "SNS",
            Channel::Slack => "Slack",
            Channel::Mail => "e-mail",
        }
    }
}

impl Default for Sent {
    fn default() -> Sent {
        Sent { version: VERSION, told: Vec::new() }
    }
}

impl Sent {
    /// Returns the alerts to tell by a channel: each threshold of a run once, by its gravest state, those crossed first.
    pub fn news<'a>(&self, alerts: &'a [Alert], channel: Channel, again: bool) -> Vec<&'a Alert> {
        let mut news: Vec<&Alert> = Vec::new();
        let is_over = |alert: &&Alert| matches!(alert.state, State::Crossed | State::Forecast);
        for alert in alerts.iter().filter(is_over) {
            let Some(threshold) = alert.level() else { continue };
            if !again && self.has(alert, threshold, channel) {
                continue;
            }
            let key = (&alert.budget, alert.source, alert.days(), Some(threshold));
            // One threshold may be watched for actual and for forecast spend; it is one line to be over.
            let known =
                news.iter().position(|it| (&it.budget, it.source, it.days(), it.level()) == key);
            match known {
                None => news.push(alert),
                Some(at) if alert.state < news[at].state => news[at] = alert,
                Some(_) => {}
            }
        }
        news.sort_by_key(|alert| alert.state);
        news
    }

    fn has(&self, alert: &Alert, threshold: Threshold, channel: Channel) -> bool {
        self.told.iter().any(|it| {
            it.channel == channel
                && it.budget == alert.budget
                && it.source == alert.source
                && it.threshold == threshold
                && it.run == alert.days()
        })
    }

    /// Takes down what a channel was told, and forgets runs that ended long ago.
    pub fn add(&mut self, news: &[&Alert], channel: Channel, sent_at: Timestamp, today: Date) {
        for alert in news {
            let Some(threshold) = alert.level() else { continue };
            if !self.has(alert, threshold, channel) {
                self.told.push(Told {
                    budget: alert.budget.clone(),
                    source: alert.source,
                    threshold,
                    run: alert.days(),
                    channel,
                    sent_at,
                });
            }
        }
        self.told.retain(|it| it.run.end >= today - DAYS_KEPT.days());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::NotificationKind;
    use crate::limit::Cycle;
    use crate::money::Money;
    use crate::period::Month;

    fn day(text: &str) -> Date {
        text.parse().unwrap()
    }

    fn alert(budget: &str, points: i128, watches: NotificationKind, state: State) -> Alert {
        Alert {
            budget: budget.to_owned(),
            source: Source::Configuration,
            scope: "all".to_owned(),
            owner: String::new(),
            month: Month::parse("2026-11").unwrap(),
            cycle: Some(Cycle::Monthly),
            run: Some(Cycle::Monthly.run(day("2026-11-20"))),
            metric: None,
            limit: None,
            watches,
            threshold: Some(Money::from_cents(100)),
            threshold_percent: Some(points),
            actual: None,
            forecast: None,
            forecast_source: "",
            state,
            day: None,
            currency: "USD".to_owned(),
            remark: String::new(),
        }
    }

    fn told(news: &[&Alert]) -> String {
        let told = news.iter().map(|it| {
            format!("{} {} {}", it.budget, it.threshold_percent.unwrap(), it.state.name())
        });
        told.collect::<Vec<String>>().join(", ")
    }

    #[test]
    fn each_threshold_of_a_run_is_told_once_a_channel() {
        use NotificationKind::{Actual, Forecast};
        let mut alerts = vec![
            alert("a", 10_000, Actual, State::Forecast),
            alert("a", 10_000, Forecast, State::Forecast),
            alert("b", 8_000, Actual, State::Crossed),
            alert("b", 9_000, Actual, State::Within),
            alert("c", 8_000, Actual, State::Unknown),
        ];
        let mut sent = Sent::default();
        let (at, today) = ("2026-11-20T08:00:00Z".parse().unwrap(), day("2026-11-20"));
        let news = sent.news(&alerts, Channel::Slack, false);
        assert_eq!(told(&news), "b 8000 crossed, a 10000 forecast");
        sent.add(&news, Channel::Slack, at, today);
        assert_eq!(told(&sent.news(&alerts, Channel::Slack, false)), "");
        assert_eq!(sent.news(&alerts, Channel::Slack, true).len(), 2);
        assert_eq!(sent.news(&alerts, Channel::Mail, false).len(), 2);
        sent.add(&sent.clone().news(&alerts, Channel::Slack, true), Channel::Slack, at, today);
        assert_eq!(sent.told.len(), 2);
        alerts[3].state = State::Crossed;
        assert_eq!(told(&sent.news(&alerts, Channel::Slack, false)), "b 9000 crossed");
        alerts[2].run = Some(Cycle::Monthly.run(day("2026-12-01")));
        let news = sent.news(&alerts, Channel::Slack, false);
        assert_eq!(told(&news), "b 8000 crossed, b 9000 crossed");
        sent.add(&news, Channel::Slack, at, day("2028-01-06"));
        let runs: Vec<String> = sent.told.iter().map(|it| it.run.to_string()).collect();
        assert_eq!(runs, ["2026-12-01..2027-01-01"]);
    }
}
