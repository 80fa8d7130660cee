//! Owns talk: progress, questions and messages on stderr; stdout is for data.

use std::io::{BufRead, IsTerminal, Write};
use std::sync::{Arc, Mutex};

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::collect::Progress;
use crate::cli::error::Failure;
use crate::money::Money;
use crate::request::{Purpose, Quote};
use crate::snapshot::{PAGE_PRICE_CENTS, Receipt};

/// How much is said, and to whom.
pub struct Ui {
    is_quiet: bool,
    is_terminal: bool,
    is_yes: bool,
    bar: Arc<Mutex<Option<ProgressBar>>>,
}

impl Ui {
    /// Makes the talk of one run; `is_yes` when the quote is accepted beforehand.
    pub fn new(is_quiet: bool, is_yes: bool) -> Ui {
        let is_terminal = std::io::stderr().is_terminal() && std::io::stdin().is_terminal();
        Ui { is_quiet, is_terminal, is_yes, bar: Arc::new(Mutex::new(None)) }
    }

    /// Tells whether a person can be asked.
    pub fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// Says one line.
    pub fn line(&self, text: &str) {
        if self.is_quiet {
            return;
        }
        let bar = self.bar.lock().expect("no holder of the bar panics");
        match bar.as_ref() {
            Some(bar) => bar.println(text),
            None => say(&format!("{text}\n")),
        }
    }

    /// Says one line that even a quiet run must not keep to itself.
    pub fn grave(&self, text: &str) {
        self.finish();
        say(&format!("{text}\n"));
    }

    /// Begins something of so many steps: a bar on a terminal, a line elsewhere.
    pub fn begin(&self, text: &str, count: usize) {
        if self.is_quiet {
            return;
        }
        if !self.is_terminal {
            self.line(&format!("{text} ({count})."));
            return;
        }
        self.finish();
        let length = u64::try_from(count).unwrap_or(u64::MAX);
        let bar = ProgressBar::new(length).with_style(
            ProgressStyle::with_template("{msg:24} {wide_bar} {pos}/{len}")
                .unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        bar.set_message(text.to_owned());
        *self.bar.lock().expect("no holder of the bar panics") = Some(bar);
    }

    /// Moves the bar on by some steps, if one is shown.
    pub fn advance(&self, count: usize) {
        if let Some(bar) = self.bar.lock().expect("no holder of the bar panics").as_ref() {
            bar.inc(u64::try_from(count).unwrap_or(u64::MAX));
        }
    }

    /// Ends the progress bar, if one is shown.
    pub fn finish(&self) {
        if let Some(bar) = self.bar.lock().expect("no holder of the bar panics").take() {
            bar.finish_and_clear();
        }
    }

    /// Shows a failure, however quiet the run is.
    pub fn failure(&self, failure: &Failure) {
        self.finish();
        say(&failure.text());
    }

    /// Shows what the requests came to.
    pub fn receipt(&self, receipt: &Receipt) {
        self.line(&receipt_text(receipt));
    }

    /// Asks a person; anything but yes is no.
    pub fn confirm(&self, question: &str) -> bool {
        self.finish();
        say(&format!("{question} [y/N] "));
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.is_ok() && ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
    }
}

/// Writes to stderr; a reader that has gone away must not end a run that was paid for.
fn say(text: &str) {
    drop(std::io::stderr().write_all(text.as_bytes()));
    drop(std::io::stderr().flush());
}

/// Returns the receipt in one sentence.
pub fn receipt_text(receipt: &Receipt) -> String {
    let usd = |money| crate::render::text::dollars(money);
    let Receipt { pages, failed, unknown, .. } = receipt;
    let lost = if *unknown > 0 {
        let at_most = usd(receipt.usd_at_most());
        format!(", at most ${at_most}: {unknown} answers were lost and may have been charged")
    } else {
        String::new()
    };
    let refused = if *failed > 0 {
        format!("; {failed} attempts were refused, free of charge")
    } else {
        String::new()
    };
    format!("Cost Explorer answered {pages} pages for ${}{lost}{refused}.", usd(receipt.usd()))
}

impl Progress for Ui {
    fn quote(&self, quote: &Quote) -> bool {
        let usd = |count: u64| {
            crate::render::text::dollars(Money::from_cents(i128::from(count) * PAGE_PRICE_CENTS))
        };
        self.line(&format!(
            "Quote: at least {} requests to Cost Explorer (${}), probably {} (${}); further pages cost $0.01 each.",
            quote.least,
            usd(quote.least),
            quote.expected,
            usd(quote.expected)
        ));
        if self.is_yes || !self.is_terminal {
            return true;
        }
        self.confirm("Go on?")
    }

    fn stage(&self, name: &str, count: usize) {
        self.begin(&format!("Reading {name}"), count);
    }

    fn say(&self, text: &str) {
        self.line(text);
    }

    fn on_page(&self) -> Arc<dyn Fn(&Purpose) + Send + Sync> {
        let bar = Arc::clone(&self.bar);
        Arc::new(move |_| {
            if let Some(bar) = bar.lock().expect("no holder of the bar panics").as_ref() {
                bar.inc(1);
            }
        })
    }
}
