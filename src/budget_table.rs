//! Owns the table `[[budget]]` of the configuration: what it may say, and the budgets that follow.
//!
//! Limits of AWS: Billing and Cost Management API Reference, `CreateBudget` and `Budget`.
//! **Invariant:** what AWS would refuse is an error when the configuration is read, before anything is asked.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::arn::{DomainId, SpaceName, UserProfileName};
use crate::bounds::{NOTIFICATION_COUNT_MAX, check_name, check_threshold, subscribers};
use crate::budget::{
    Budget, Notification, NotificationKind, Notifications, Scope, Subscriber, Threshold,
};
use crate::common::Common;
use crate::each::{Each, Someone};
use crate::limit::{Adjustment, Cycle, Limit};
use crate::metric::Metric;
use crate::money::Money;
use crate::period::Month;
use crate::team::TeamName;

/// One `[[budget]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// The name; with placeholders where there is one budget for each of many.
    pub name: String,
    #[serde(default)]
    all: bool,
    each: Option<Each>,
    domain: Option<DomainId>,
    user_profile: Option<UserProfileName>,
    space: Option<SpaceName>,
    team: Option<TeamName>,
    #[serde(default)]
    period: Cycle,
    limit: Option<Money>,
    planned: Option<Planned>,
    auto_adjust: Option<Adjustment>,
    metric: Option<Metric>,
    #[serde(default)]
    exclude: BTreeSet<String>,
    #[serde(default)]
    thresholds: Vec<u32>,
    #[serde(default)]
    forecast_thresholds: Vec<u32>,
    emails: Option<Vec<String>>,
    sns_topic_arn: Option<String>,
    #[serde(default)]
    notification: Vec<Told>,
    #[serde(default)]
    local_only: bool,
}

/// Limits that follow the calendar: amounts from January on, or amounts by the first month of each run.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
enum Planned {
    Yearly(Vec<Money>),
    Listed(BTreeMap<Month, Money>),
}

/// One `[[budget.notification]]`: a threshold with people of its own.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    of: NotificationKind,
    percent: Option<Money>,
    amount: Option<Money>,
    emails: Option<Vec<String>>,
    sns_topic_arn: Option<String>,
}

impl Table {
    /// Says what is wrong with the table, and returns its budget; of `each` one that stands for all.
    pub fn check(&self, common: &Common) -> Result<Budget, String> {
        let example = self.each.map(Someone::example);
        let budget = self.budget(common, example.as_ref())?;
        if budget.name.trim().is_empty() || budget.name.contains(['{', '}']) {
            return Err(
                "a name has characters, and braces only round what `each` fills in".to_owned()
            );
        }
        check_name(&common.aws_name(&budget.name))?;
        Ok(budget)
    }

    /// Returns the budgets: one, or one for each of those who exist.
    pub fn budgets(&self, common: &Common, everybody: &BTreeSet<Someone>) -> Vec<Budget> {
        let who = everybody.iter().filter(|it| Some(it.each()) == self.each).map(Some);
        let who = if self.each.is_some() { who.collect() } else { vec![None] };
        let made = |someone| self.budget(common, someone).expect("the table was checked");
        who.into_iter().map(made).collect()
    }

    fn budget(&self, common: &Common, someone: Option<&Someone>) -> Result<Budget, String> {
        let scope = match (self.each, someone) {
            (Some(each), Some(someone)) => {
                self.check_each(each)?;
                someone.scope()
            }
            _ => self.scope()?,
        };
        let name = someone.map_or_else(|| self.name.clone(), |someone| someone.fill(&self.name));
        let limit = self.limit()?;
        let notifications = self.notifications(common)?;
        if self.period == Cycle::Daily
            && notifications.keys().any(|it| it.kind == NotificationKind::Forecast)
        {
            return Err("a daily budget has no forecast thresholds".to_owned());
        }
        if matches!(limit, Limit::Adjusted(_)) && self.local_only {
            return Err("`auto_adjust` is done by AWS, so it cannot be `local_only`".to_owned());
        }
        Ok(Budget {
            name,
            scope,
            cycle: self.period,
            limit,
            metric: self.metric,
            excluded: self.exclude.clone(),
            notifications,
            is_local: self.local_only,
        })
    }

    fn check_each(&self, each: Each) -> Result<(), String> {
        let is_alone = !self.all
            && self.domain.is_none()
            && self.user_profile.is_none()
            && self.space.is_none()
            && self.team.is_none();
        if !is_alone {
            return Err(
                "`each` stands instead of `all`, `domain`, `user_profile`, `space` and `team`"
                    .to_owned(),
            );
        }
        match each.placeholders().iter().find(|it| !self.name.contains(**it)) {
            None => Ok(()),
            Some(lacking) => Err(format!(
                "the name of a budget for each {} has `{lacking}` in it, so that each has a name of its own",
                each.name()
            )),
        }
    }

    fn scope(&self) -> Result<Scope, String> {
        let Table { all, domain, user_profile, space, team, .. } = self;
        match (all, domain, user_profile, space, team) {
            (true, None, None, None, None) => Ok(Scope::All),
            (false, Some(domain), None, None, None) => Ok(Scope::Domain(domain.clone())),
            (false, Some(domain), Some(user), None, None) => {
                Ok(Scope::UserProfile(domain.clone(), user.clone()))
            }
            (false, Some(domain), None, Some(space), None) => {
                Ok(Scope::Space(domain.clone(), space.clone()))
            }
            (false, None, None, None, Some(team)) => Ok(Scope::Team(team.clone())),
            _ => Err("give `all = true`, or `domain`, or `domain` with one of `user_profile` and `space`, \
                      or `team`, or `each`"
                .to_owned()),
        }
    }

    fn limit(&self) -> Result<Limit, String> {
        let limit = match (&self.limit, &self.planned, self.auto_adjust) {
            (Some(money), None, None) => Limit::Fixed(*money),
            (None, Some(Planned::Yearly(amounts)), None) => Limit::Yearly(amounts.clone()),
            (None, Some(Planned::Listed(amounts)), None) => Limit::Listed(amounts.clone()),
            (None, None, Some(adjustment)) => Limit::Adjusted(adjustment),
            _ => return Err("give one of `limit`, `planned` and `auto_adjust`".to_owned()),
        };
        limit.check(self.period)?;
        Ok(limit)
    }

    fn notifications(&self, common: &Common) -> Result<Notifications, String> {
        let told = |emails: Option<&Vec<String>>, topic: Option<&String>| {
            let is_said = emails.is_some() || topic.is_some();
            let (own, none) = (self.emails.is_some() || self.sns_topic_arn.is_some(), Vec::new());
            if is_said {
                subscribers(emails.unwrap_or(&none), topic)
            } else if own {
                subscribers(self.emails.as_ref().unwrap_or(&none), self.sns_topic_arn.as_ref())
            } else {
                subscribers(&common.emails, common.sns_topic_arn.as_ref())
            }
        };
        let percents = |kind, percents: &[u32]| -> Vec<Notification> {
            let of = |percent: &u32| Threshold::BasisPoints(i64::from(*percent) * 100);
            percents.iter().map(|it| Notification { kind, threshold: of(it) }).collect()
        };
        let mut all: Vec<(Notification, BTreeSet<Subscriber>)> = Vec::new();
        let plain = [
            percents(NotificationKind::Actual, &self.thresholds),
            percents(NotificationKind::Forecast, &self.forecast_thresholds),
        ];
        for notification in plain.concat() {
            all.push((notification, told(None, None)?));
        }
        for it in &self.notification {
            let notification = Notification { kind: it.of, threshold: it.threshold()? };
            all.push((notification, told(it.emails.as_ref(), it.sns_topic_arn.as_ref())?));
        }
        if all.len() > NOTIFICATION_COUNT_MAX {
            return Err(format!("AWS takes {NOTIFICATION_COUNT_MAX} thresholds a budget"));
        }
        let mut notifications = Notifications::new();
        for (notification, subscribers) in all {
            if notifications.insert(notification, subscribers).is_some() {
                return Err(format!("the threshold `{notification}` is there twice"));
            }
        }
        Ok(notifications)
    }
}

impl Told {
    fn threshold(&self) -> Result<Threshold, String> {
        let threshold = match (self.percent, self.amount) {
            // Hundredths of a percent stand to percent as cents to dollars.
            (Some(percent), None) if percent == Money::from_cents(percent.cents()) => {
                Threshold::BasisPoints(i64::try_from(percent.cents()).unwrap_or(-1))
            }
            (Some(percent), None) => {
                return Err(format!("`percent` has two decimals at most: `{percent}`"));
            }
            (None, Some(amount)) => Threshold::Amount(amount),
            _ => return Err("a notification has one of `percent` and `amount`".to_owned()),
        };
        check_threshold(self.percent.or(self.amount).unwrap_or(Money::ZERO))?;
        Ok(threshold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct File {
        #[serde(default)]
        budgets: Common,
        budget: Vec<Table>,
    }

    fn limit(limit: &Limit) -> String {
        let list = |amounts: &[Money]| {
            amounts.iter().map(ToString::to_string).collect::<Vec<String>>().join("+")
        };
        match limit {
            Limit::Fixed(money) => money.to_string(),
            Limit::Yearly(amounts) => list(amounts),
            Limit::Listed(amounts) => {
                let told = amounts.iter().map(|(at, it)| format!("{at}={it}"));
                told.collect::<Vec<String>>().join("+")
            }
            Limit::Adjusted(adjustment) => format!("{adjustment:?}"),
        }
    }

    fn check(text: &str) -> String {
        let file: File = match toml::from_str(&text.replace('\'', "\"")) {
            Ok(file) => file,
            Err(error) => return error.message().to_owned(),
        };
        let checked = file.budgets.check().and_then(|()| file.budget[0].check(&file.budgets));
        let budget = match checked {
            Err(why) => return why,
            Ok(budget) => budget,
        };
        let told = budget.notifications.iter().map(|(notification, whom)| {
            let whom: Vec<&str> = whom.iter().map(Subscriber::address).collect();
            format!(", {notification}: {}", whom.join("+"))
        });
        let told = told.collect::<Vec<String>>().concat();
        format!("{} {} {}{told}", budget.scope, budget.cycle, limit(&budget.limit))
    }

    #[test]
    fn a_budget_is_what_its_table_says() {
        let topic = "arn:aws:sns:us-east-1:111122223333:t";
        let own = format!(
            "team = 'R&D'\nlimit = '5'\n[[budget.notification]]\nof = 'actual'\namount = '4.5'\n\
             sns_topic_arn = '{topic}'\n[[budget.notification]]\nof = 'actual'\npercent = '80.5'"
        );
        for (text, expected) in [
            ("all = true\nlimit = '5'", "all monthly 5".to_owned()),
            (
                "domain = 'd-a'\nlimit = '5'\nthresholds = [80]\nforecast_thresholds = [100]\nemails = ['a@b.c']",
                "domain/d-a monthly 5, actual > 80 %: a@b.c, forecast > 100 %: a@b.c".to_owned(),
            ),
            (&own, format!("team/R&D monthly 5, actual > 80.5 %: x@y.z, actual > 4.5: {topic}")),
            (
                "domain = 'd-a'\nperiod = 'quarterly'\nplanned = ['1', '2', '3', '4']",
                "domain/d-a quarterly 1+2+3+4".to_owned(),
            ),
            (
                "domain = 'd-a'\nplanned = { 2026-12 = '9' }",
                "domain/d-a monthly 2026-12=9".to_owned(),
            ),
            (
                "domain = 'd-a'\nauto_adjust = { historical = 6 }",
                "domain/d-a monthly Historical(6)".to_owned(),
            ),
            ("all = true\nauto_adjust = 'forecast'", "all monthly Forecast".to_owned()),
        ] {
            let text = format!("[budgets]\nemails = ['x@y.z']\n[[budget]]\nname = 'n'\n{text}");
            let text =
                if text.contains("team") { text } else { text.replace("emails = ['x@y.z']\n", "") };
            assert_eq!(check(&text), expected, "{text}");
        }
    }

    #[test]
    fn what_aws_would_refuse_is_refused() {
        for (text, expected) in [
            ("limit = '5'", "give `all = true`"),
            ("all = true\nteam = 'x'\nlimit = '5'", "give `all = true`"),
            ("all = true", "one of `limit`, `planned` and `auto_adjust`"),
            ("all = true\nlimit = '5'\nauto_adjust = 'forecast'", "one of `limit`"),
            ("all = true\nlimit = '0'", "above zero"),
            ("all = true\nplanned = ['1']", "has 12 amounts"),
            (
                "all = true\nperiod = 'quarterly'\nplanned = { 2026-11 = '1' }",
                "no quarterly run begins with 2026-11",
            ),
            ("all = true\nperiod = 'daily'\nplanned = ['1']", "no planned limits"),
            (
                "all = true\nperiod = 'daily'\nlimit = '1'\nforecast_thresholds = [100]",
                "no forecast",
            ),
            ("all = true\nperiod = 'quarterly'\nauto_adjust = { historical = 5 }", "is 1 to 4"),
            ("all = true\nauto_adjust = 'forecast'\nlocal_only = true", "cannot be `local_only`"),
            ("all = true\nlimit = '5'\nthresholds = [80, 80]", "`actual > 80 %` is there twice"),
            ("all = true\nlimit = '5'\nthresholds = [1,2,3,4,5,6,7,8,9,10,11]", "10 thresholds"),
            (
                "all = true\nlimit = '5'\nthresholds = [1]\nemails = ['ana']",
                "not an e-mail address",
            ),
            (
                "all = true\nlimit = '5'\nthresholds = [1]\nsns_topic_arn = 'x'",
                "ARN of an SNS topic",
            ),
            (
                "all = true\nlimit = '5'\n[[budget.notification]]\nof = 'actual'\npercent = '0.001'",
                "two decimals",
            ),
            (
                "all = true\nlimit = '5'\n[[budget.notification]]\nof = 'actual'",
                "one of `percent` and `amount`",
            ),
            ("each = 'domain'\nlimit = '5'", "has `{domain}` in it"),
            ("each = 'domain'\ndomain = 'd-a'\nlimit = '5'", "`each` stands instead"),
        ] {
            let told = check(&format!("[[budget]]\nname = 'n'\n{text}"));
            assert!(told.contains(expected), "{text}: {told}");
        }
        for (name, expected) in [("a:b", "takes no `:`"), (&*"x".repeat(95), "100 characters")] {
            let told = check(&format!("[[budget]]\nname = '{name}'\nall = true\nlimit = '5'"));
            assert!(told.contains(expected), "{name}: {told}");
        }
        for name in ["{name}", "x{name}", "apportion", "a/{name}{other}"] {
            let text = format!(
                "[budgets]\nname = '{name}'\n[[budget]]\nname = 'n'\nall = true\nlimit = '5'"
            );
            assert!(check(&text).contains("`budgets.name`"), "{name}: {}", check(&text));
        }
    }

    #[test]
    fn one_table_makes_a_budget_for_each() {
        let text =
            "[[budget]]\nname = '{user_profile} of {domain}'\neach = 'user_profile'\nlimit = '5'";
        let file: File = toml::from_str(&text.replace('\'', "\"")).unwrap();
        let domain = |id: &str| DomainId::parse(id).unwrap();
        let user =
            |id, name| Someone::UserProfile(domain(id), UserProfileName::parse(name).unwrap());
        let everybody = BTreeSet::from([
            user("d-a", "ana"),
            user("d-b", "ana"),
            Someone::Domain(domain("d-a"), "research".to_owned()),
        ]);
        let made = file.budget[0].budgets(&file.budgets, &everybody);
        let told: Vec<String> = made.iter().map(|it| format!("{}={}", it.name, it.scope)).collect();
        assert_eq!(
            told.join(" "),
            "ana of d-a=user-profile/d-a/ana ana of d-b=user-profile/d-b/ana"
        );
    }
}
