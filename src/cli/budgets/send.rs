//! Owns telling people of alerts: channel by channel, each threshold of a run once.
//!
//! **Invariant:** what was told is stored after each channel, so a message may come twice after a kill, and never not at all.

use crate::alert::Alert;
use crate::aws::{self, Session};
use crate::cli;
use crate::cli::args::AwsArgs;
use crate::cli::args::budgets::AlertsArgs;
use crate::cli::channels::Mail;
use crate::cli::commands::Context;
use crate::cli::error::Failure;
use crate::deliver::mail::{self, Letter};
use crate::deliver::webhook;
use crate::period::day_of;
use crate::render::message::{Basis, Message, message};
use crate::sent::Channel;
use crate::store;

/// Tells whether there is any channel to tell people by.
pub(super) fn check(context: &Context) -> Result<(), Failure> {
    if context.loaded.config.alerts.all().is_empty() {
        return Err(Failure::refused(
            "nobody can be told: the configuration has no channel",
            "add `[alerts]` with `sns_topic_arn`, `slack_webhook_env` or `[alerts.mail]`; `docs/alerts.md` shows them",
        ));
    }
    Ok(())
}

/// Tells every channel what is new to it, or prints it; returns whether all of them were told.
pub(super) async fn send(
    context: &Context,
    args: &AlertsArgs,
    alerts: &[Alert],
    basis: Basis,
) -> Result<bool, Failure> {
    let mut sent = store::sent::load(&args.snapshots)?;
    let now = context.clock.now();
    let today = day_of(now);
    let mut is_whole = true;
    for channel in context.loaded.config.alerts.all() {
        let news = sent.news(alerts, channel, args.telling.resend);
        let title = channel.title();
        if news.is_empty() {
            context.ui.line(&format!("There is nothing new to tell by {title}."));
            continue;
        }
        let message = message(&news, basis);
        if args.telling.dry_run {
            let Message { subject, text } = &message;
            cli::print(&format!("By {title}:\nSubject: {subject}\n\n{text}\n"));
            continue;
        }
        match tell(context, args, channel, &message).await {
            Ok(()) => {
                sent.add(&news, channel, now, today);
                store::sent::store(&args.snapshots, &sent)?;
                context.ui.line(&format!("Told by {title}: {}.", message.subject));
            }
            Err(failure) => {
                // The other channels are told all the same, and this one the next time.
                context.ui.failure(&Failure {
                    message: format!("nobody was told by {title}: {}", failure.message),
                    ..failure
                });
                is_whole = false;
            }
        }
    }
    Ok(is_whole)
}

async fn tell(
    context: &Context,
    args: &AlertsArgs,
    channel: Channel,
    message: &Message,
) -> Result<(), Failure> {
    let channels = &context.loaded.config.alerts;
    let Message { subject, text } = message;
    match channel {
        Channel::Sns => {
            let arn = channels.sns_topic_arn.as_deref().unwrap_or_default();
            let settings = context
                .aws_settings(&AwsArgs { profile: args.profile.clone(), region: Vec::new() });
            let session = Session::open(&settings).await?;
            aws::sns::publish(&session, arn, subject, text).await?;
        }
        Channel::Slack => {
            let address = secret(channels.slack_webhook_env.as_deref().unwrap_or_default())?;
            webhook::post(&address, &format!("{subject}\n{text}")).await?;
        }
        Channel::Mail => {
            let Some(Mail { smtp_url_env, from, to }) = &channels.mail else { return Ok(()) };
            let url = secret(smtp_url_env)?;
            mail::send(&url, &Letter { from, to, subject, text }).await?;
        }
    }
    Ok(())
}

/// Reads a secret from the environment, where alone it is.
#[expect(clippy::disallowed_methods, reason = "the environment is read in cli/, and this is it")]
fn secret(name: &str) -> Result<String, Failure> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value),
        _ => Err(Failure::refused(
            format!("the environment variable `{name}` is not set"),
            format!("set `{name}` in the environment of the program; the configuration names it"),
        )),
    }
}
