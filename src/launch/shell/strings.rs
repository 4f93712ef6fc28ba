//! The string operators of `${V...}`: cutting, replacing, changing case, quoting.

use super::holes::Hole;
use super::machine::{Machine, Run};
use super::pattern::{Pattern, unquote};
use super::text::Text;

impl Machine<'_> {
    fn whole_hole(&self, text: &Text) -> Option<Text> {
        Hole::in_text(text.as_str()).map(|hole| text.becomes(hole.character().to_string()))
    }

    /// `#`, `##`, `%`, `%%`
    pub(super) fn trim(&mut self, text: Text, pattern: &str, suffix: bool, longest: bool) -> Run<Text> {
        if let Some(hole) = self.whole_hole(&text) {
            return Ok(trim_beyond_holes(&text, pattern, suffix, longest).unwrap_or(hole));
        }
        let compiled = Pattern::new(pattern, false);
        if let Some(literal) = compiled.literal() {
            let plain = text.as_str();
            let cut = if suffix {
                plain.strip_suffix(&*literal).map(|rest| 0..rest.len())
            } else {
                plain.strip_prefix(&*literal).map(|_| literal.len()..plain.len())
            };
            return Ok(cut.map_or_else(|| text.clone(), |range| text.slice(range)));
        }
        let characters: Vec<char> = text.as_str().chars().collect();
        let starts: Vec<usize> = text.as_str().char_indices().map(|(i, _)| i).chain([text.len()]).collect();
        let count = characters.len();
        for step in 0..=count {
            self.step(count)?;
            // The length of the part that is cut.
            let cut = if longest { count - step } else { step };
            let (part, rest) = if suffix {
                (&characters[count - cut..], 0..starts[count - cut])
            } else {
                (&characters[..cut], starts[cut]..text.len())
            };
            if compiled.matches(part) {
                return Ok(text.slice(rest));
            }
        }
        Ok(text)
    }

    /// `/`, `//`, `/#`, `/%`
    pub(super) fn replace(&mut self, text: Text, pattern: &str, with: &Text, kind: char) -> Run<Text> {
        if let Some(hole) = self.whole_hole(&text) {
            return Ok(hole);
        }
        if Hole::in_text(pattern).is_some() || pattern.is_empty() {
            return Ok(text);
        }
        let compiled = Pattern::new(pattern, false);
        if text.is_empty() {
            return Ok(if compiled.matches(&[]) { with.clone() } else { text });
        }
        let characters: Vec<char> = text.as_str().chars().collect();
        let starts: Vec<usize> = text.as_str().char_indices().map(|(i, _)| i).chain([text.len()]).collect();
        let count = characters.len();
        let literal = compiled.literal().map(|literal| literal.chars().collect::<Vec<char>>());
        let mut result = Text::default();
        let mut at = 0;
        let mut copied = 0;
        while at <= count {
            self.step(if literal.is_some() { 0 } else { count })?;
            let end = match (&literal, kind) {
                (_, '#') if at > 0 => None,
                (_, '%') => Some(count).filter(|_| compiled.matches(&characters[at..])),
                (Some(literal), _) => characters[at..].starts_with(literal).then_some(at + literal.len()),
                (None, _) => (at..=count).rev().find(|to| compiled.matches(&characters[at..*to])),
            };
            match end {
                Some(end) if end > at || matches!(kind, '#' | '%') => {
                    result.push(&text.slice(starts[copied]..starts[at]));
                    result.push(with);
                    copied = end;
                    if kind != '/' {
                        break;
                    }
                    at = end;
                }
                _ => at += 1,
            }
        }
        result.push(&text.slice(starts[copied]..text.len()));
        self.step(result.len())?;
        Ok(result)
    }

    /// `^`, `^^`, `,`, `,,`, `~`, `~~`
    pub(super) fn change_case(&mut self, text: Text, kind: char, all: bool, pattern: &str) -> Run<Text> {
        if let Some(hole) = self.whole_hole(&text) {
            return Ok(hole);
        }
        self.step(text.len())?;
        let compiled = (!pattern.is_empty()).then(|| Pattern::new(pattern, false));
        let mut changed = String::with_capacity(text.len());
        for (i, c) in text.as_str().chars().enumerate() {
            let applies = (all || i == 0) && compiled.as_ref().is_none_or(|pattern| pattern.matches(&[c]));
            let upper = match kind {
                '^' => true,
                ',' => false,
                _ => !c.is_uppercase(),
            };
            match (applies, upper) {
                (false, _) => changed.push(c),
                (true, true) => changed.extend(c.to_uppercase()),
                (true, false) => changed.extend(c.to_lowercase()),
            }
        }
        Ok(text.becomes(changed))
    }

    /// `@Q` and the like.
    pub(super) fn transform(&mut self, text: Text, letter: char) -> Text {
        if letter == 'Q' {
            return quoted(&text);
        }
        if let Some(hole) = self.whole_hole(&text) {
            return hole;
        }
        let plain = text.as_str();
        let changed = match letter {
            'U' => plain.to_uppercase(),
            'L' => plain.to_lowercase(),
            'u' => {
                let mut characters = plain.chars();
                characters.next().map_or(String::new(), |c| c.to_uppercase().chain(characters).collect())
            }
            'E' => super::escapes::ansi(plain),
            _ => {
                let hole = self.hole(format!("@{letter}"), format!("`${{...@{letter}}}` is not followed"), None);
                hole.character().to_string()
            }
        };
        text.becomes(changed)
    }
}

/// A text in single quotes, as `${V@Q}` writes it.
pub fn quoted(text: &Text) -> Text {
    let mut result = Text::made("'");
    let mut from = 0;
    for (at, _) in text.as_str().match_indices('\'') {
        result.push(&text.slice(from..at));
        result.push_str("'\\''");
        from = at + 1;
    }
    result.push(&text.slice(from..text.len()));
    result.push_str("'");
    result
}

/// Cuts where the part that decides lies behind everything unknown: `${ROOT/a/b.sh##*/}`.
fn trim_beyond_holes(text: &Text, pattern: &str, suffix: bool, longest: bool) -> Option<Text> {
    let plain = text.as_str();
    let last_hole = plain.char_indices().rfind(|(_, c)| Hole::of(*c).is_some())?;
    let known_from = last_hole.0 + last_hole.1.len_utf8();
    let known = &plain[known_from..];
    let literal = |part: &str| -> Option<String> { Pattern::new(part, false).literal().map(|_| unquote(part)) };
    if suffix && !longest {
        if let Some(all) = literal(pattern) {
            return (known.len() >= all.len()).then(|| {
                known.strip_suffix(&*all).map_or_else(|| text.clone(), |k| text.slice(0..known_from + k.len()))
            });
        }
        let start = literal(pattern.strip_suffix('*')?)?;
        return known.rfind(&*start).map(|at| text.slice(0..known_from + at));
    }
    if !suffix && longest {
        let end = literal(pattern.strip_prefix('*')?)?;
        return known.rfind(&*end).map(|at| text.slice(known_from + at + end.len()..text.len()));
    }
    None
}
