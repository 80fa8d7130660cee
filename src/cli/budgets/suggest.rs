//! Owns `budgets suggest`: budgets drawn from history, with their back-test, as TOML that a person can edit.
//!
//! **Invariant:** what is printed can be read as a configuration, whatever names hold.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::aws::Session;
use crate::budget::{Budget, Scope};
use crate::charge;
use crate::cli;
use crate::cli::args::budgets::BudgetsSuggestArgs;
use crate::cli::commands::{Context, load};
use crate::cli::error::{self, Failure};
use crate::history::{self, By};
use crate::ledger;
use crate::metric::Metric;
use crate::money::Money;
use crate::outlook::{NoSuggestion, Options};
use crate::period::{Month, day_of};
use crate::render::text::{clean, dollars};
use crate::suggest::{Suggestion, suggest};

use super::outside;

/// One who is looked at, and what came of it.
struct Proposal<'a> {
    title: String,
    scope: &'a Scope,
    suggested: Result<Suggestion, NoSuggestion>,
    present: Vec<&'a Budget>,
}

/// Prints the suggestions; returns the exit code.
pub(super) async fn print(
    context: &Context,
    session: &Session,
    args: &BudgetsSuggestArgs,
) -> Result<u8, Failure> {
    let snapshot = load(&args.snapshots, None)?;
    let metric = context.metric(args.metric);
    let ledger = ledger::post(&snapshot);
    let charges = charge::charge(&snapshot, &ledger, &context.loaded.terms, metric);
    let by = match args.by.as_str() {
        "team" => By::Team,
        "user_profile" => By::UserProfile,
        _ => By::Domain,
    };
    let histories = history::histories(by, &snapshot, &charges, metric);
    if histories.is_empty() {
        let hint = if by == By::Team {
            "say who is in which team: `docs/chargeback.md`"
        } else {
            "run `apportion check`: the tag keys may not be active"
        };
        return Err(Failure::refused("nobody of that sort has cost anything", hint));
    }
    let present = context.budgets(&snapshot, &charges)?;
    let open = Month::of(day_of(snapshot.manifest.taken_at));
    let month = open.plus(1);
    let has_begun = month.start() <= day_of(context.clock.now());
    if args.aws_forecast && has_begun {
        context.ui.line(&format!(
            "The snapshot is of {open}; its next month has begun, so no forecast is asked for: `apportion collect` makes a new one."
        ));
    }
    let forecasts = if args.aws_forecast && !has_begun {
        let scopes: Vec<&Scope> = histories.keys().collect();
        let (scopes, snapshot, charges) = (&scopes[..], &snapshot, &charges);
        let wish = outside::Wish { scopes, snapshot, charges, metric, month };
        outside::forecasts(context, session, &wish, args.max_spend).await?
    } else {
        BTreeMap::new()
    };
    let options = Options { delay_days: args.delay_days, ..Options::default() };
    let proposals = histories.iter().map(|(scope, history)| Proposal {
        title: history::title(scope, &charges),
        scope,
        suggested: suggest(history, open, forecasts.get(scope).copied(), options),
        present: present.iter().filter(|it| it.scope == *scope).collect(),
    });
    let proposals: Vec<Proposal<'_>> = proposals.collect();
    let named = (metric != context.metric(None)).then_some(metric);
    let head = head(metric, open);
    cli::print(&format!("{head}{}", text(&proposals, named)));
    let count = proposals.iter().filter(|it| it.suggested.is_ok()).count();
    let tested = proposals.iter().filter_map(|it| it.suggested.as_ref().ok());
    let tested = tested.filter(|it| !it.back_test.months.is_empty()).count();
    context.ui.line(&format!(
        "{count} of {} get a budget; {tested} of the limits were tested on past months.",
        proposals.len()
    ));
    if tested < count {
        context.ui.line("The days of past months make the test: `apportion collect --daily-months 12` reads them.");
    }
    Ok(error::DONE)
}

fn head(metric: Metric, open: Month) -> String {
    format!(
        "# Limits for a month, by what was known in {open}; {}. Read them, change them, and put them into apportion.toml.\n\
         # What each figure is: docs/suggest.md.\n",
        metric.title()
    )
}

/// Returns the proposals; `named` is the metric that each budget must name, since the configuration would take another.
fn text(proposals: &[Proposal<'_>], named: Option<Metric>) -> String {
    let mut text = String::new();
    for proposal in proposals {
        text.push('\n');
        match &proposal.suggested {
            Ok(suggestion) => propose(&mut text, proposal, suggestion, named),
            Err(why) => comment(&mut text, &format!("No budget for {}: {why}.", proposal.title)),
        }
    }
    text
}

fn propose(
    text: &mut String,
    proposal: &Proposal<'_>,
    suggestion: &Suggestion,
    named: Option<Metric>,
) {
    for why in &suggestion.why {
        comment(text, why);
    }
    for tested in &suggestion.back_test.months {
        let told: Vec<String> =
            tested.alerts.iter().map(|(watch, day)| format!("{watch} on {day}")).collect();
        let over = tested.passed_on.map(|day| format!(", over it since {day}")).unwrap_or_default();
        let told = if told.is_empty() { "no alert".to_owned() } else { told.join(", ") };
        comment(
            text,
            &format!(
                "  {}: {} of {}{over}: {told}.",
                tested.month,
                dollars(tested.actual),
                dollars(tested.limit),
            ),
        );
    }
    for lacking in suggestion.back_test.lacking() {
        comment(text, &lacking);
    }
    for budget in &proposal.present {
        comment(text, &format!("There is a budget of this scope already: `{}`.", budget.name));
    }
    let name = proposal.title.replace([':', '\\'], "-");
    line(text, "[[budget]]");
    line(text, &format!("name = {}", quoted(&name)));
    match proposal.scope {
        Scope::Domain(id) => line(text, &format!("domain = {}", quoted(id.as_str()))),
        Scope::UserProfile(id, user) => {
            line(text, &format!("domain = {}", quoted(id.as_str())));
            line(text, &format!("user_profile = {}", quoted(user.as_str())));
        }
        Scope::Team(team) => line(text, &format!("team = {}", quoted(team.as_str()))),
        Scope::All | Scope::Space(..) | Scope::Foreign(_) => {}
    }
    if let Some(metric) = named {
        line(text, &format!("metric = {}", quoted(metric.name())));
    }
    line(text, &format!("limit = {}", quoted(&amount(suggestion.limit))));
    line(text, &format!("thresholds = {:?}", suggestion.thresholds));
    line(text, &format!("forecast_thresholds = {:?}", suggestion.forecast_thresholds));
}

/// Returns an amount as people write it in a configuration.
fn amount(money: Money) -> String {
    money.to_string()
}

/// Returns a text as TOML quotes it.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn comment(text: &mut String, words: &str) {
    line(text, &format!("# {}", clean(words)));
}

fn line(text: &mut String, words: &str) {
    writeln!(text, "{words}").expect("writing to a string does not fail");
}
