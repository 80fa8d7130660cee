//! Owns wildcards of IAM policies: `*` stands for any text, `?` for one character, and nothing else stands for others.
//!
//! **Invariant:** what a policy variable was replaced by is taken literally.

/// A part of a text with wildcards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
    /// Any text, none included.
    Any,
    /// Any one character.
    One,
    /// This character.
    Is(char),
}

/// Reads a text whose `*` and `?` stand for others.
pub fn tokens(text: &str) -> Vec<Token> {
    let token = |sign| match sign {
        '*' => Token::Any,
        '?' => Token::One,
        other => Token::Is(other),
    };
    text.chars().map(token).collect()
}

/// Reads a text in which each character stands for itself.
pub fn literal(text: &str) -> Vec<Token> {
    text.chars().map(Token::Is).collect()
}

/// Tells whether a text is one that tokens stand for.
pub fn fits(tokens: &[Token], text: &str) -> bool {
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut index) = (0, 0);
    // Where the last `*` stands, and from where on the text after it is tried.
    let mut last: Option<(usize, usize)> = None;
    while index < text.len() {
        match tokens.get(at) {
            Some(Token::Any) => {
                last = Some((at, index));
                at += 1;
            }
            Some(Token::One) => (at, index) = (at + 1, index + 1),
            Some(Token::Is(sign)) if *sign == text[index] => (at, index) = (at + 1, index + 1),
            _ => match last {
                Some((star, from)) => {
                    last = Some((star, from + 1));
                    (at, index) = (star + 1, from + 1);
                }
                None => return false,
            },
        }
    }
    tokens[at..].iter().all(|token| *token == Token::Any)
}

/// Tells whether a text fits a text with wildcards.
pub fn like(pattern: &str, text: &str) -> bool {
    fits(&tokens(pattern), text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "a:b", true),
            ("a*c", "abbc", true),
            ("a*c", "abcd", false),
            ("*ab", "aab", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("a?", "aä", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("a.c", "abc", false),
            ("[ab]", "a", false),
        ] {
            assert_eq!(like(pattern, text), expected, "{pattern} {text}");
        }
        assert!(fits(&literal("a*"), "a*"));
        assert!(!fits(&literal("a*"), "ab"));
    }
}
