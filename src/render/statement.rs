//! Owns a statement as one self-contained page.
//!
//! **Invariant:** the page asks for nothing over a network and runs no script, and no name enters it unescaped.

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;

use crate::render::html::{self, Banner, Figure, Section};

/// The name of the template.
pub(super) const TEMPLATE_NAME: &str = "statement.html";

/// All that a statement says; every amount is already a string for people.
#[derive(Clone, Debug, Serialize)]
pub struct Sheet {
    /// Whose it is.
    pub title: String,
    /// More about whose it is; may be empty.
    pub subtitle: String,
    /// The organisation or account reported on.
    pub organisation: String,
    /// The month.
    pub month: String,
    /// What a reader must know before any figure, most serious first.
    pub banners: Vec<Banner>,
    /// The headline figures.
    pub figures: Vec<Figure>,
    /// What the figures are: a word and a sentence each.
    pub basis: Vec<(String, String)>,
    /// The tables, in order.
    pub sections: Vec<Section>,
    /// How every figure is explained, as a sentence.
    pub how: String,
    /// The snapshot that the page is made from.
    pub snapshot: String,
    /// The version of the program.
    pub version: String,
}

/// Returns the page as HTML.
pub fn render(sheet: &Sheet) -> String {
    let values = context! { page => Serde(sheet), style => html::STYLE };
    html::fill(TEMPLATE_NAME, &sheet.sections, values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::text::Heading;

    #[test]
    fn a_statement_says_all_it_was_given_and_escapes_it() {
        let sheet = Sheet {
            title: "R&D <b>".into(),
            subtitle: String::new(),
            organisation: "Example".into(),
            month: "2026-10".into(),
            banners: Vec::new(),
            figures: vec![Figure {
                label: "Total".into(),
                value: "1.00".into(),
                hint: "all".into(),
            }],
            basis: vec![("Metric".into(), "net amortized cost".into())],
            sections: vec![Section {
                title: "Billed".into(),
                caption: "What `AWS` billed.".into(),
                columns: vec![Heading::left("Owner"), Heading::right("USD")],
                rows: vec![vec!["<script>".into(), "1.00".into()]],
                links: Vec::new(),
                total: None,
                note: String::new(),
            }],
            how: "`apportion explain`".into(),
            snapshot: "20261120".into(),
            version: "0.1.0".into(),
        };
        let html = render(&sheet);
        for words in ["R&amp;D &lt;b&gt;", "&lt;script&gt;", "<code>AWS</code>", "20261120", "all"]
        {
            assert!(html.contains(words), "{words} is missing");
        }
        for request in ["<script", "src=", "href=", "url(", "@import", "http://", "https://"] {
            assert!(!html.contains(request), "{request} would be a request");
        }
    }
}
