//! Owns the report as one self-contained page.
//!
//! **Invariant:** the page asks for nothing over a network and runs no script, and only charts enter it unescaped.

use std::fmt::Write;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{Environment, HtmlEscape, UndefinedBehavior, context};
use serde::Serialize;

use crate::render::text::Heading;

const TEMPLATES: [(&str, &str); 2] = [
    (TEMPLATE_NAME, include_str!("../../templates/report.html")),
    (super::statement::TEMPLATE_NAME, include_str!("../../templates/statement.html")),
];
/// Where templates have what is the same in each: banners and headline figures, and their tables.
const PARTS: [(&str, &str); 2] = [
    ("<!-- lead -->\n", include_str!("../../templates/lead.html")),
    ("<!-- table -->\n", include_str!("../../templates/table.html")),
];
const TEMPLATE_NAME: &str = "report.html";

/// The style of every page.
pub(super) const STYLE: &str = include_str!("../../templates/report.css");

/// All that the page says; every amount is already a string for people.
#[derive(Clone, Debug, Serialize)]
pub struct Page {
    /// What the report is: `SageMaker cost`.
    pub title: String,
    /// The organisation or account reported on.
    pub organisation: String,
    /// The month reported.
    pub month: String,
    /// What a reader must know before any figure, most serious first.
    pub banners: Vec<Banner>,
    /// The headline figures.
    pub figures: Vec<Figure>,
    /// Budgets that are or will be over, worst first.
    pub budgets: Vec<Banner>,
    /// What all totals on the page are totals of; stands beside each of them.
    pub statement: Statement,
    /// From the bill to the ledger, in order.
    pub bridge: Vec<BridgeRow>,
    /// From the report's metric to the invoice, in order.
    pub metric_bridge: Vec<BridgeRow>,
    /// Whether the month may still move, as a sentence.
    pub settlement: String,
    /// The charts, in order.
    pub charts: Vec<Chart>,
    /// The tables, in order.
    pub sections: Vec<Section>,
    /// What is doubtful, with the amount concerned.
    pub notes: Vec<NoteRow>,
    /// What reading the data cost, as a sentence.
    pub receipt: String,
    /// The snapshot that the page is made from.
    pub snapshot: String,
    /// The version of the program.
    pub version: String,
}

/// A sentence across the top of the page.
#[derive(Clone, Debug, Serialize)]
pub struct Banner {
    /// How serious it is.
    pub tone: Tone,
    /// The first words, set apart: `Estimated`.
    pub lead: String,
    /// The sentence.
    pub text: String,
}

/// How serious a banner is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Tone {
    /// Good to know.
    Information,
    /// The figures may change or are not complete.
    Warning,
    /// The figures must not be used.
    Failure,
}

/// A headline figure.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// What it is.
    pub label: String,
    /// The figure.
    pub value: String,
    /// What to compare it with, or what it leaves out; may be empty.
    pub hint: String,
}

/// What totals are totals of.
#[derive(Clone, Debug, Serialize)]
pub struct Statement {
    /// The metric, as people call it.
    pub metric: String,
    /// The currency.
    pub currency: String,
    /// What is in and what is out.
    pub filters: String,
    /// The accounts.
    pub accounts: Vec<String>,
}

/// A row of the bridge from the bill to the ledger.
#[derive(Clone, Debug, Serialize)]
pub struct BridgeRow {
    /// What the amount is.
    pub what: String,
    /// The amount.
    pub amount: String,
    /// Whether the row is a sum of those above.
    pub is_total: bool,
}

/// A chart.
#[derive(Clone, Debug, Serialize)]
pub struct Chart {
    /// The name for those who cannot see it.
    pub title: String,
    /// The picture as [`super::chart`] draws it.
    pub svg: String,
    /// What the picture shows, in words.
    pub alt: String,
}

/// A table with its heading.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// The heading.
    pub title: String,
    /// What the table holds, as a sentence.
    pub caption: String,
    /// The columns.
    pub columns: Vec<Heading>,
    /// The rows; each has one cell a column.
    pub rows: Vec<Vec<String>>,
    /// Where the first cell of each row leads; empty where none leads anywhere, and so is a row's.
    pub links: Vec<String>,
    /// The row of totals.
    pub total: Option<Vec<String>>,
    /// What is said below the table, as where the rest of the rows is; may be empty.
    pub note: String,
}

/// A note with the amount that it concerns.
#[derive(Clone, Debug, Serialize)]
pub struct NoteRow {
    /// The kind.
    pub kind: String,
    /// The sentence.
    pub text: String,
    /// The amount, empty where none is concerned.
    pub amount: String,
}

/// Returns the page as HTML.
pub fn render(page: &Page) -> String {
    fill(TEMPLATE_NAME, &page.sections, context! { page => Serde(page), style => STYLE })
}

/// Fills a template whose sections are those given.
pub(super) fn fill(name: &str, sections: &[Section], values: Value) -> String {
    for section in sections {
        let width = section.columns.len();
        let fits = section.rows.iter().chain(&section.total).all(|row| row.len() == width);
        assert!(fits, "a row of `{}` has one cell a column", section.title);
        let leads = section.links.is_empty() || section.links.len() == section.rows.len();
        assert!(leads, "each row of `{}` leads somewhere or none does", section.title);
    }
    let whole = |template: &str| {
        PARTS.iter().fold(template.to_owned(), |text, (mark, part)| text.replace(mark, part))
    };
    let filled = TEMPLATES.map(|(name, template)| (name, whole(template)));
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let lines = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(lines.expect("the default delimiters are distinct"));
    environment.add_filter("code", |text: &str| Value::from_safe_string(code(text)));
    for (name, template) in &filled {
        // The name's ending turns on escaping.
        environment.add_template(name, template).expect("the template is well-formed");
    }
    let template = environment.get_template(name).expect("the template is among those added");
    template.render(values).expect("the template names what the page has")
}

/// Escapes a sentence and sets the names between its backticks as code; an odd backtick is left out.
fn code(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    let mut html = String::new();
    for (index, part) in parts.iter().enumerate() {
        let is_code = index % 2 == 1 && index + 1 < parts.len();
        let part = HtmlEscape(part);
        let _ = if is_code { write!(html, "<code>{part}</code>") } else { write!(html, "{part}") };
    }
    html
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page() -> Page {
        let row = |words: [&str; 2]| words.map(String::from).to_vec();
        Page {
            title: "SageMaker cost".into(),
            organisation: "Example & Sons".into(),
            month: "2026-10".into(),
            banners: vec![Banner {
                tone: Tone::Warning,
                lead: "Estimated".into(),
                text: "this month is not settled".into(),
            }],
            figures: vec![Figure {
                label: "Total".into(),
                value: "1,234.56".into(),
                hint: String::new(),
            }],
            budgets: vec![Banner {
                tone: Tone::Warning,
                lead: "Over budget".into(),
                text: "research, 2.00 of 1.00".into(),
            }],
            statement: Statement {
                metric: "net amortized cost".into(),
                currency: "USD".into(),
                filters: "SageMaker without tax and support".into(),
                accounts: vec!["111122223333".into(), "444455556666".into()],
            },
            bridge: vec![BridgeRow {
                what: "Ledger".into(),
                amount: "1,234.56".into(),
                is_total: true,
            }],
            metric_bridge: Vec::new(),
            settlement: "Estimated until the bill is final.".into(),
            charts: vec![Chart {
                title: "Trend".into(),
                svg: "<svg viewBox=\"0 0 1 1\"></svg>".into(),
                alt: "13 months".into(),
            }],
            sections: vec![Section {
                title: "Owners".into(),
                caption: "All owners.".into(),
                columns: vec![Heading::left("owner"), Heading::right("USD")],
                rows: vec![row(["<script>alert('x')</script>", "1.00"])],
                links: Vec::new(),
                total: Some(row(["total", "1.00"])),
                note: "The rest is in owners.csv.".into(),
            }],
            notes: vec![NoteRow {
                kind: "no tag".into(),
                text: "\"quoted\" <b>".into(),
                amount: String::new(),
            }],
            receipt: "17 requests, $0.17.".into(),
            snapshot: "abc123".into(),
            version: "0.1.0".into(),
        }
    }

    #[test]
    fn names_are_escaped_and_charts_are_not() {
        let html = render(&page());
        assert!(!html.contains("<script"), "{html}");
        assert!(html.contains("&lt;script&gt;"));
        assert!(html.contains("Example &amp; Sons"));
        assert!(html.contains("&quot;quoted&quot; &lt;b&gt;"));
        assert!(html.contains("<svg viewBox=\"0 0 1 1\"></svg>"));
    }

    #[test]
    fn names_between_backticks_are_code() {
        for (text, html) in [
            ("plain <b>", "plain &lt;b&gt;"),
            ("the key `a<b` and `c`.", "the key <code>a&lt;b</code> and <code>c</code>."),
            ("one ` alone", "one  alone"),
        ] {
            assert_eq!(code(text), html);
        }
    }

    #[test]
    fn the_page_says_all_it_was_given_and_asks_for_nothing() {
        let html = render(&page());
        for words in [
            "2026-10",
            "Estimated",
            "1,234.56",
            "net amortized cost",
            "444455556666",
            "17 requests, $0.17.",
            "abc123",
            "0.1.0",
            "The rest is in owners.csv.",
            "scope=\"col\"",
            "<caption>",
        ] {
            assert!(html.contains(words), "{words} is missing");
        }
        for request in ["src=", "href=", "url(", "@import", "http://", "https://"] {
            assert!(!html.contains(request), "{request} would be a request");
        }
        assert_eq!(html, render(&page()));
    }

    #[test]
    fn a_page_with_nothing_in_it_is_still_a_page() {
        let mut empty = page();
        empty.banners.clear();
        empty.figures.clear();
        empty.budgets.clear();
        empty.bridge.clear();
        empty.charts.clear();
        empty.sections.clear();
        empty.notes.clear();
        let html = render(&empty);
        assert!(html.starts_with("<!doctype html>") && html.ends_with("</html>\n"), "{html}");
    }
}
