//! `[[ TEXT =~ REGEX ]]`: POSIX extended expressions by way of the `regex` crate.

use super::ast::Word;
use super::condition::Truth;
use super::expand::Part;
use super::holes::Hole;
use super::machine::{Machine, Run};
use super::text::Text;

/// The longest expression that is tried.
const LONGEST: usize = 4_000;

impl Machine<'_> {
    /// The right side of `=~`: what stood in quotes means itself.
    pub(super) fn regex_text(&mut self, word: &Word) -> Run<String> {
        let mut text = String::new();
        for part in self.parts(&word.pieces, &word.unit, false, false)? {
            match part {
                Part::Text { text: more, quoted: true, .. } => text.push_str(&regex::escape(more.as_str())),
                Part::Text { text: more, .. } => text.push_str(&translated(more.as_str())),
                Part::Break(_) => text.push(' '),
            }
        }
        Ok(text)
    }

    /// Whether a text matches, with what `BASH_REMATCH` holds then.
    pub(super) fn matches_regex(&mut self, text: &Text, expression: &str) -> Run<Truth> {
        self.step(text.len() + expression.len())?;
        let hole = Hole::in_text(text.as_str()).or_else(|| Hole::in_text(expression));
        if let Some(hole) = hole {
            self.state.matched = vec![self.unknown_text(hole, None)];
            return Ok(Err(hole));
        }
        let any_case = self.state.flags.nocasematch;
        let built = (expression.len() <= LONGEST).then(|| {
            regex::RegexBuilder::new(expression)
                .case_insensitive(any_case)
                .dot_matches_new_line(true)
                .size_limit(1 << 20)
                .build()
        });
        let Some(Ok(regex)) = built else {
            let hole = self.hole("=~", format!("the regular expression `{expression}` is not followed"), None);
            return Ok(Err(hole));
        };
        let Some(found) = regex.captures(text.as_str()) else {
            self.state.matched = Vec::new();
            return Ok(Ok(false));
        };
        self.state.matched =
            found.iter().map(|group| group.map_or_else(Text::default, |group| text.slice(group.range()))).collect();
        Ok(Ok(true))
    }
}

/// An extended expression in the `regex` crate's syntax: inside brackets a backslash is an ordinary character.
pub fn translated(expression: &str) -> String {
    let mut text = String::with_capacity(expression.len());
    let characters: Vec<char> = expression.chars().collect();
    let mut at = 0;
    while let Some(&c) = characters.get(at) {
        at += 1;
        if c == '\\' {
            let next = characters.get(at).copied().unwrap_or('\\');
            at += 1;
            text.push_str(&regex::escape(&next.to_string()));
            continue;
        }
        text.push(c);
        if c != '[' {
            continue;
        }
        if characters.get(at) == Some(&'^') {
            text.push('^');
            at += 1;
        }
        let first = at;
        while let Some(&c) = characters.get(at) {
            if c == ']' && at > first {
                break;
            }
            if c == '[' && matches!(characters.get(at + 1), Some(':')) {
                while let Some(&c) = characters.get(at) {
                    text.push(c);
                    at += 1;
                    if c == ']' {
                        break;
                    }
                }
                continue;
            }
            if matches!(c, '\\' | '[' | ']' | '&' | '~') {
                text.push('\\');
            }
            text.push(c);
            at += 1;
        }
    }
    text
}
