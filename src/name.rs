//! Owns names: services, record types, usage types, units and accounts, each text kept once under a number.
//!
//! **Invariant:** a number is a text's place, and never changes.

use std::collections::BTreeMap;

/// Texts, each kept once.
#[derive(Clone, Debug, Default)]
pub struct Names {
    texts: Vec<String>,
    numbers: BTreeMap<String, u32>,
}

impl Names {
    /// Returns the number of a text, which it gets when it is met first.
    pub(crate) fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = u32::try_from(self.texts.len()).expect("fewer than 2³² names");
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }

    /// Returns the number of a text, where any line or the bill beside the scope has it.
    pub fn find(&self, text: &str) -> Option<u32> {
        self.numbers.get(text).copied()
    }

    /// Returns every text in the order of the numbers.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// Returns the text of a number.
    pub fn text(&self, number: u32) -> &str {
        &self.texts[usize::try_from(number).expect("a name's number is a place")]
    }
}
