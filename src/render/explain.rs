//! Owns an explanation as text for a terminal, and as JSON for programs.
//!
//! **Invariant:** text leaves out what does not fit its limit and says so; JSON has all of it.

use std::collections::{BTreeMap, BTreeSet};

use crate::explanation::{
    Balance, Billed, Explanation, Handed, Moved, Origin, Request, Rule, Share, Step, Sum, Target,
};
use crate::money::Money;
use crate::render::text::{clean, dollars, others};

/// The columns of the page.
const WIDTH: usize = 100;
/// The columns that are kept free for an amount at the right.
const AMOUNT_WIDTH: usize = 22;

/// Returns the explanation as JSON, with a line feed at its end.
pub fn json(explanation: &Explanation) -> String {
    let mut text = serde_json::to_string_pretty(explanation).expect("plain data becomes JSON");
    text.push('\n');
    text
}

/// Returns the explanation as text of 100 columns; of each list at most `limit` are shown.
pub fn text(explanation: &Explanation, limit: usize) -> String {
    let mut page = Page { text: String::new(), limit, requests: BTreeSet::new() };
    page.head(explanation);
    let mut open = Vec::new();
    let shares = &explanation.shares;
    page.list(0, shares, |share| share.sum, |page, share| page.share(share, &mut open));
    page.rules(explanation, open);
    page.requests(explanation);
    page.text
}

/// A page under way.
struct Page {
    text: String,
    limit: usize,
    /// The requests that the page names.
    requests: BTreeSet<u32>,
}

fn amount(money: Option<Money>) -> String {
    money.map_or_else(|| "not delivered".to_owned(), |money| money.to_string())
}

/// Breaks a text into lines of at most that many columns; a longer word has a line of its own.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        let room = line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && room > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

impl Page {
    /// Says something, on as many lines as it needs; what follows the first is indented further.
    fn say(&mut self, indent: usize, text: &str) {
        self.put(indent, text, "");
    }

    /// Says something with an amount at the right of its first line.
    fn row(&mut self, indent: usize, text: &str, sum: &Sum) {
        self.put(indent, text, &amount(sum.amount));
    }

    fn put(&mut self, indent: usize, text: &str, right: &str) {
        let taken = if right.is_empty() { 0 } else { right.chars().count().max(AMOUNT_WIDTH) + 1 };
        let lines = wrap(&clean(text), (WIDTH - indent - 2).saturating_sub(taken));
        for (index, line) in lines.iter().enumerate() {
            let indent = if index == 0 { indent } else { indent + 2 };
            let start = format!("{:indent$}{line}", "");
            self.text.push_str(&start);
            if index == 0 && !right.is_empty() {
                let room = WIDTH.saturating_sub(start.chars().count());
                self.text.push_str(&format_right(right, room));
            }
            self.text.push('\n');
        }
    }

    fn gap(&mut self) {
        self.text.push('\n');
    }

    /// Shows the first of a list, and sums what is left out.
    fn list<T>(
        &mut self,
        indent: usize,
        items: &[T],
        sum: impl Fn(&T) -> Sum,
        mut show: impl FnMut(&mut Page, &T),
    ) {
        let shown = items.len().min(self.limit);
        for item in &items[..shown] {
            show(self, item);
        }
        let rest = &items[shown..];
        if !rest.is_empty() {
            let mut all = rest.iter().map(|item| sum(item).amount);
            let all = all.try_fold(Money::ZERO, |all, money| Some(all + money?));
            let text = format!("{}, in the JSON", others(rest.len()));
            self.put(indent, &text, &amount(all));
        }
    }

    fn head(&mut self, explanation: &Explanation) {
        let Explanation { figure, currency, month, metric, .. } = explanation;
        self.row(0, &explanation.asked.words(), &figure.sum);
        self.say(2, &format!("{month}, {} in {currency}", metric.title()));
        for (words, money) in [("billed", figure.billed), ("moved by rules", figure.shared)] {
            self.put(2, words, &amount(money));
        }
        if let Some((cents, rounded_by)) = figure.cents.zip(figure.rounded_by) {
            let how = match (rounded_by.is_zero(), figure.handed.is_empty()) {
                (true, _) => String::new(),
                (false, true) => format!(", rounded half to even, by {rounded_by}"),
                (false, false) => format!(", rounded by {rounded_by}"),
            };
            self.say(2, &format!("printed in cents: {}{how}", dollars(cents)));
        }
        for handed in &figure.handed {
            let (of, cents) = (&handed.of, dollars(handed.cents));
            let Handed { exact, because, .. } = handed;
            self.say(4, &format!("{of}: {cents} of {exact}, {because}"));
        }
        let snapshot = format!("snapshot {}, begun {}", explanation.snapshot, explanation.taken_at);
        self.say(2, &snapshot);
    }

    fn share(&mut self, share: &Share, open: &mut Vec<String>) {
        self.gap();
        let domain = share.domain_name.as_ref().map(|name| format!(" (domain {name})"));
        let team =
            share.team.as_ref().map_or("without a team".to_owned(), |team| format!("team {team}"));
        let title = format!("{}{}, {team}", share.owner, domain.unwrap_or_default());
        self.row(0, &title, &share.sum);
        for because in &share.owner_because {
            self.say(2, &format!("owner: {because}"));
        }
        for because in &share.team_because {
            self.say(2, &format!("team: {because}"));
        }
        self.answered(2, &share.weight_requests);
        self.list(2, &share.billed, |billed| billed.sum, |page, billed| page.billed(2, billed));
        self.list(2, &share.moved, |moved| moved.sum, |page, moved| page.moved(2, moved));
        let shown = share.moved.iter().take(self.limit);
        open.extend(shown.map(|moved| moved.balance.clone()));
    }

    fn billed(&mut self, indent: usize, billed: &Billed) {
        let usage = billed
            .usage
            .filter(|usage| !usage.is_zero())
            .map(|usage| format!("{usage} {}", billed.usage_unit.as_deref().unwrap_or("units")));
        let what = match billed.kind {
            "residual" => Some("difference from a control".to_owned()),
            "not_read" => Some("not read: a control without its lines".to_owned()),
            "outside" => Some("SageMaker's share".to_owned()),
            _ => None,
        };
        let account = billed.billed_account.as_ref().map(|account| format!("account {account}"));
        let words: Vec<String> = [Some(billed.service.clone()), billed.usage_type.clone()]
            .into_iter()
            .chain([Some(billed.record_type.clone()), usage, account, what])
            .chain([billed.estimated.then(|| "estimated".to_owned())])
            .flatten()
            .collect();
        self.row(indent, &words.join(", "), &billed.sum);
        for because in &billed.because {
            self.say(indent + 2, because);
        }
        for step in &billed.steps {
            self.step(indent + 2, step);
        }
        self.answered(indent + 2, &billed.requests);
        if let Some(compared) = &billed.control {
            let of = format!("control of `{}`", compared.slice);
            let request = compared.request.map(|number| format!(", request {number}"));
            self.requests.extend(compared.request);
            self.row(
                indent + 2,
                &format!("{of}{}", request.unwrap_or_default()),
                &compared.control,
            );
            self.row(indent + 2, "less the sum of its parts", &compared.parts);
        }
        match billed.records.as_slice() {
            [one] => {
                self.requests.insert(one.request);
                self.say(indent + 2, &place(one));
            }
            several => self.list(
                indent + 2,
                several,
                |it| it.sum,
                |page, origin| {
                    page.requests.insert(origin.request);
                    let text = format!("{}, `{}`", place(origin), origin.value);
                    page.row(indent + 2, &text, &origin.sum);
                },
            ),
        }
    }

    fn answered(&mut self, indent: usize, requests: &[u32]) {
        if !requests.is_empty() {
            let numbers: Vec<String> = requests.iter().map(u32::to_string).collect();
            self.requests.extend(requests);
            self.say(indent, &format!("answered by request {}", numbers.join(", ")));
        }
    }

    fn moved(&mut self, indent: usize, moved: &Moved) {
        let how = if moved.direction == "out" { "to" } else { "from" };
        let Moved { pool, record_type, balance, .. } = moved;
        let text = format!("{how} pool {pool}, {record_type}, balance {balance}");
        self.row(indent, &text, &moved.sum);
        for step in &moved.steps {
            self.step(indent + 2, step);
        }
    }

    fn step(&mut self, indent: usize, step: &Step) {
        let Step { by, weight, weight_total, .. } = step;
        if weight == weight_total {
            return self.say(indent, &format!("{by}: all of it"));
        }
        let rounding = step.rounding.map_or_else(String::new, |rounding| {
            if rounding.is_exact() {
                ", exactly".to_owned()
            } else {
                format!(", rounded by {rounding} of 10⁻¹²")
            }
        });
        let (whole, part) = (amount(step.whole), amount(step.part));
        self.say(indent, &format!("{by}: {whole} × {weight} / {weight_total} = {part}{rounding}"));
    }

    /// Shows the rules behind what is shown, with the balances that they moved, back to the first.
    fn rules(&mut self, explanation: &Explanation, mut open: Vec<String>) {
        let balances: BTreeMap<&str, &Balance> =
            explanation.balances.iter().map(|balance| (balance.id.as_str(), balance)).collect();
        let mut shown: BTreeSet<String> = BTreeSet::new();
        while let Some(id) = open.pop() {
            let fed = balances[id.as_str()].fed.iter().take(self.limit);
            let fed: Vec<String> = fed.map(|moved| moved.balance.clone()).collect();
            if shown.insert(id) {
                open.extend(fed);
            }
        }
        for rule in &explanation.rules {
            let of_rule = explanation.balances.iter();
            let of_rule = of_rule.filter(|balance| balance.rule == rule.id);
            let of_rule: Vec<&Balance> =
                of_rule.filter(|balance| shown.contains(&balance.id)).collect();
            if !of_rule.is_empty() {
                self.rule(rule);
                for balance in of_rule {
                    self.balance(balance);
                }
            }
        }
    }

    fn rule(&mut self, rule: &Rule) {
        self.gap();
        self.say(0, &format!("Rule {}: pool {}", rule.id, rule.pool));
        for because in &rule.because {
            self.say(2, because);
        }
        if let [only] = rule.targets.as_slice() {
            return self.say(2, &format!("all of it to {}", only.owner));
        }
        let mut targets: Vec<&Target> = rule.targets.iter().collect();
        targets.sort_by_key(|target| std::cmp::Reverse(target.weight));
        self.put(
            2,
            &format!("weights of {} targets", targets.len()),
            &rule.weight_total.to_string(),
        );
        for target in targets.iter().take(self.limit) {
            self.put(4, &target.owner, &target.weight.to_string());
        }
        let rest: Money = targets.iter().skip(self.limit).map(|target| target.weight).sum();
        if targets.len() > self.limit {
            let text = format!("{}, in the JSON", others(targets.len() - self.limit));
            self.put(4, &text, &rest.to_string());
        }
    }

    fn balance(&mut self, balance: &Balance) {
        let Balance { id, owner, service, record_type, .. } = balance;
        self.row(2, &format!("Balance {id}: of {owner}, {service}, {record_type}"), &balance.sum);
        self.list(4, &balance.billed, |billed| billed.sum, |page, billed| page.billed(4, billed));
        self.list(4, &balance.fed, |moved| moved.sum, |page, moved| page.moved(4, moved));
    }

    fn requests(&mut self, explanation: &Explanation) {
        let shown = explanation.requests.iter();
        let shown: Vec<&Request> =
            shown.filter(|request| self.requests.contains(&request.number)).collect();
        if shown.is_empty() {
            return;
        }
        self.gap();
        self.say(0, "Requests to Cost Explorer");
        for request in shown {
            let Request { number, purpose, asked_at, pages, groups, .. } = request;
            let size = format!("{}, {}", count(u64::from(*pages), "page"), count(*groups, "group"));
            self.say(2, &format!("{number}: {purpose}; asked {asked_at}, {size}"));
            let by = request.group_by.join(" and ");
            self.say(4, &format!("{}, {}, by {by}", request.period, request.granularity));
            let filter = request.filter_words.as_deref();
            self.say(
                4,
                &filter.map_or("without a filter".to_owned(), |filter| format!("where {filter}")),
            );
        }
    }
}

fn count(count: u64, what: &str) -> String {
    let many = if count == 1 { "" } else { "s" };
    format!("{count} {what}{many}")
}

fn place(origin: &Origin) -> String {
    format!("request {}, page {}", origin.request, origin.page)
}

fn format_right(text: &str, width: usize) -> String {
    let padding = width.saturating_sub(text.chars().count()).max(1);
    format!("{:padding$}{text}", "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_end_at_the_hundredth_column_and_long_texts_are_wrapped_beside_them() {
        let mut page = Page { text: String::new(), limit: 2, requests: BTreeSet::new() };
        page.put(2, &"word ".repeat(20), "-1.5");
        page.say(0, "short");
        let widths: Vec<usize> = page.text.lines().map(|line| line.chars().count()).collect();
        assert!(page.text.lines().next().unwrap().ends_with(" -1.5"));
        assert_eq!(widths[0], WIDTH);
        assert!(widths.iter().all(|width| *width <= WIDTH), "{widths:?}");
        assert_eq!(wrap("a bb ccc", 4), ["a bb", "ccc"]);
        assert_eq!(wrap("a-word-too-long b", 4), ["a-word-too-long", "b"]);
    }

    #[test]
    fn what_a_list_leaves_out_is_counted_and_summed() {
        let mut page = Page { text: String::new(), limit: 1, requests: BTreeSet::new() };
        let sum = |cents: &i128| {
            let mut amounts = crate::metric::Amounts::ABSENT;
            let metric = crate::metric::Metric::UnblendedCost;
            amounts.put(metric, Some(Money::from_cents(*cents)));
            Sum::new(amounts, metric)
        };
        page.list(0, &[5, 7, 9], sum, |page, cents| page.row(0, "it", &sum(cents)));
        let rows: Vec<Vec<&str>> =
            page.text.lines().map(|line| line.split_whitespace().collect()).collect();
        assert_eq!(rows, [vec!["it", "0.05"], vec!["2", "others,", "in", "the", "JSON", "0.16"]]);
    }
}
