//! Owns how final a month is, in words for the page.

use crate::render::html::{Banner, Tone};
use crate::report::Report;
use crate::settle::Settlement;

/// Returns what a reader must know of a month that is not final, before any figure.
pub(super) fn banner(report: &Report<'_>) -> Option<Banner> {
    let (tone, text) = match report.settlement(report.month) {
        Settlement::Settled | Settlement::Closed(None) => return None,
        Settlement::Open => {
            (Tone::Warning, "The month is not over; its figures grow every day.".to_owned())
        }
        Settlement::Estimated => {
            let text = "AWS calls these figures estimated; they may still change.";
            (Tone::Warning, text.to_owned())
        }
        Settlement::Settling => {
            let text = "The month is over; late cost and credits may still arrive.";
            (Tone::Information, text.to_owned())
        }
        Settlement::Closed(Some(_)) => {
            let text = "What is charged is fixed; the figures of AWS may still change.";
            (Tone::Warning, text.to_owned())
        }
        Settlement::Restated => {
            let text = "The month is closed with other figures, and those are what is charged; \
                        these are what would be charged now.";
            (Tone::Warning, text.to_owned())
        }
    };
    let lead = format!("{}.", capital(&report.settlement(report.month).title()));
    Some(Banner { tone, lead, text })
}

/// Tells how final a month is, and the rule that says so.
pub(super) fn sentence(report: &Report<'_>) -> String {
    let judgement = report.judgement(report.month);
    format!("{}: {}.", capital(&judgement.settlement.title()), judgement.because)
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
