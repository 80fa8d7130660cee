//! Owns the look at SNS topics before a plan names them: whether AWS Budgets may publish there.

use std::collections::BTreeSet;

use crate::arn::{AccountId, Arn};
use crate::aws::{Session, sns};
use crate::budget::Subscriber;
use crate::plan::Plan;
use crate::setup::Setup;
use crate::topic::{self, Access};

/// What is wrong with the topics of a plan.
#[derive(Debug, Default)]
pub(super) struct Topics {
    /// Those to which nothing would come.
    pub(super) closed: Vec<String>,
    /// Those of which it cannot be told.
    pub(super) doubtful: Vec<String>,
}

/// Looks at every topic that a plan would have told and does not tell yet.
pub(super) async fn look(session: &Session, plan: &Plan<Setup>, account: &AccountId) -> Topics {
    let of = |setup: Option<&Setup>| -> BTreeSet<String> {
        let whom = setup.into_iter().flat_map(|it| it.alarms.values().flatten());
        let topics = whom.filter_map(|it| match it {
            Subscriber::Sns(arn) => Some(arn.clone()),
            Subscriber::Email(_) => None,
        });
        topics.collect()
    };
    let new = plan.pending().flat_map(|item| {
        let before = of(item.change.from());
        of(item.change.to()).into_iter().filter(move |it| !before.contains(it))
    });
    let mut topics = Topics::default();
    for arn in new.collect::<BTreeSet<String>>() {
        let owner = Arn::parse(&arn).map(|arn| arn.account);
        if owner.as_deref() != Some(account.as_str()) {
            let text = format!(
                "the topic `{arn}` is of another account than its budgets, {account}, and AWS refuses that"
            );
            topics.closed.push(text);
            continue;
        }
        match sns::topic(session, &arn).await {
            Err(error) if error.code.starts_with("NotFound") => {
                topics.closed.push(format!("there is no topic `{arn}`"));
            }
            Err(error) => topics.doubtful.push(format!(
                "the policy of the topic `{arn}` could not be read: {}: {}",
                error.code, error.message
            )),
            Ok(read) => {
                match topic::access(&read.policy, &arn, account) {
                    Access::Open => {}
                    Access::Closed(why) => topics.closed.push(format!("the topic `{arn}`: {why}")),
                    Access::Doubtful(why) => {
                        topics.doubtful.push(format!("the topic `{arn}`: {why}"));
                    }
                }
                if read.is_encrypted {
                    topics.doubtful.push(format!(
                        "the topic `{arn}` is encrypted, so its KMS key must let `budgets.amazonaws.com` use it, \
                         which is not read here"
                    ));
                }
            }
        }
    }
    topics
}
