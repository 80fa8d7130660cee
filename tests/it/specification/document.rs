//! Owns reading `docs/allocation.md`: its rules, and the fenced blocks under them.

const DOCUMENT: &str = include_str!("../../../docs/allocation.md");
/// What parts the given from the stated, where they do not share a row.
const RULER: &str = "----";
/// What parts the given from the stated within a row.
const ARROW: &str = " -> ";

/// One fenced example.
#[derive(Clone)]
pub(crate) struct Block {
    /// The rule it stands under; empty under the notation.
    pub(crate) rule: String,
    /// The second word of its info string.
    pub(crate) kind: String,
    /// Rows between rulers, without blank ones.
    pub(crate) sections: Vec<Vec<String>>,
    line: usize,
}

/// A row with an arrow: what is given, and what is stated.
pub(crate) fn halves(row: &str) -> Option<(&str, &str)> {
    row.split_once(ARROW)
}

/// The cells of a row: two spaces or more part them.
pub(crate) fn cells(row: &str) -> Vec<&str> {
    row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

/// The cells of what is stated: remarks in parentheses are none.
pub(crate) fn stated(row: &str) -> Vec<&str> {
    let is_remark = |cell: &str| cell.starts_with('(') && cell.ends_with(')');
    cells(row).into_iter().filter(|cell| !is_remark(cell)).collect()
}

/// The rules by their numbers, in the order of the document.
pub(crate) fn rules() -> Vec<String> {
    DOCUMENT.lines().filter_map(rule_of).collect()
}

fn rule_of(line: &str) -> Option<String> {
    let (number, _) = line.strip_prefix("## ")?.split_once(": ")?;
    let digits = number.strip_prefix('A')?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.to_owned())
}

/// Every example of the document.
///
/// A fenced block is an example of some kind or a formula, so none can be forgotten.
pub(crate) fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut rule = String::new();
    let mut open: Option<(&str, Block)> = None;
    for (index, line) in DOCUMENT.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        open = match (open, fence) {
            (None, None) => {
                if line.starts_with("## ") {
                    rule = rule_of(line).unwrap_or_default();
                }
                None
            }
            (None, Some(info)) => {
                let kind = info.strip_prefix("example ").unwrap_or_default().to_owned();
                assert!(!kind.is_empty() || info == "formula", "line {}: `{info}`", index + 1);
                let sections = vec![Vec::new()];
                Some((info, Block { rule: rule.clone(), kind, sections, line: index + 1 }))
            }
            (Some((info, block)), Some(end)) => {
                assert!(end.is_empty(), "line {}: a block within a block", index + 1);
                if info != "formula" {
                    blocks.push(block);
                }
                None
            }
            (Some((info, mut block)), None) => {
                if line == RULER {
                    block.sections.push(Vec::new());
                } else if !line.trim().is_empty() {
                    let last = block.sections.last_mut().expect("a block has a section");
                    last.push(line.to_owned());
                }
                Some((info, block))
            }
        };
    }
    assert!(open.is_none(), "a block is not closed");
    blocks
}

impl Block {
    /// Where the example stands, for messages.
    pub(crate) fn place(&self) -> String {
        format!("docs/allocation.md:{} ({})", self.line, self.rule)
    }

    /// The rows below the last ruler.
    pub(crate) fn outcome(&self) -> &[String] {
        assert!(self.sections.len() > 1, "{} has no ruler", self.place());
        self.sections.last().expect("a block has a section")
    }

    /// The rows as they stand.
    pub(crate) fn text(&self) -> String {
        let sections: Vec<String> =
            self.sections.iter().map(|section| section.join("\n")).collect();
        format!("\n{}", sections.join(&format!("\n{RULER}\n")))
    }

    /// The example with each stated cell changed in turn.
    pub(crate) fn changes(&self) -> Vec<Block> {
        let mut changes = Vec::new();
        let last = self.sections.len() - 1;
        for (at, section) in self.sections.iter().enumerate() {
            for (row_at, row) in section.iter().enumerate() {
                let (given, right) = match halves(row) {
                    Some((given, right)) => (format!("{given}{ARROW}"), right),
                    None if at == last && last > 0 => (String::new(), row.as_str()),
                    None => continue,
                };
                for cell in stated(right) {
                    let start = right.find(cell).expect("the cell is of the row");
                    let (before, after) = right.split_at(start + cell.len());
                    let mut block = self.clone();
                    block.sections[at][row_at] = format!("{given}{before}9{after}");
                    changes.push(block);
                }
            }
        }
        changes
    }
}
