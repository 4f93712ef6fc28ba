//! Keys that are flags: the words that a runner script makes of them.
//!
//! The runner prints a line `KEY: VALUE` for each, trims the value with `xargs`, puts it into quotes where it holds blanks
//! or round brackets, drops square brackets around it, and lets a shell split the result.

use std::sync::Arc;

use super::reference::{self, Found};
use super::{Reader, missing, unknown_at, word_at};
use crate::launch::Word;
use crate::launch::yaml::Node;

impl Reader<'_> {
    /// The words of a mapping whose keys are flags.
    pub(super) fn flag_words(&mut self, flags: &Arc<Node>) -> Vec<Word> {
        let mut words = Vec::new();
        for (key, value) in flags.written() {
            let text = value.text.as_str();
            if value.is_scalar()
                && (self.form.drop.iter().any(|drop| drop == text) || text.is_empty() && value.str().is_some())
            {
                continue;
            }
            if self.form.joined {
                words.push(self.joined_word(key, value));
                continue;
            }
            words.push(word_at(key.text.as_str(), key));
            if text != "true" {
                words.extend(self.values(key, value));
            }
        }
        words
    }

    /// `KEY=VALUE`, or the key alone for what is true.
    fn joined_word(&self, key: &Node, value: &Node) -> Word {
        if value.text == "true" {
            return word_at(key.text.as_str(), key);
        }
        let mut word = self.text(value);
        word.value = word.value.map(|text| format!("{}={text}", key.text));
        word.places.insert(0, key.span.clone());
        word
    }

    /// A scalar with the environment's variables put in.
    pub(super) fn text(&self, value: &Node) -> Word {
        if !value.is_scalar() {
            return unknown_at("a list or mapping", "what the runner makes of a collection here is not known", value);
        }
        match reference::shell(&value.text, &|name| self.variable(name)) {
            Found::Text(text) => word_at(text, value),
            Found::Missing(name) => {
                let mut word = unknown_at("", "", value);
                word.value = Err(missing(&name));
                word
            }
            Found::Other(reason) => unknown_at(format!("`{}`", value.text), reason, value),
        }
    }

    fn values(&self, key: &Node, value: &Node) -> Vec<Word> {
        let word = self.text(value);
        let Ok(text) = &word.value else { return vec![word] };
        let odd =
            |why: &str| vec![unknown_at(key.text.as_str(), format!("{why} in the value of `{}`", key.text), value)];
        if text.contains('\n') || value.value == crate::launch::yaml::Value::Null {
            return odd("there is an empty value or a line end, which the runner may read otherwise,");
        }
        let Some(text) = trimmed(text) else { return odd("there are quotes without their end") };
        let inside = |open: char, close: char| {
            let inner = text.strip_prefix(open)?.strip_suffix(close)?;
            (!inner.is_empty() && !inner.contains(close)).then_some(inner)
        };
        if inside('(', ')').is_some() {
            return quoted(&text, value).unwrap_or_else(|| odd("there are signs that a shell reads"));
        }
        if let Some(inner) = inside('[', ']') {
            let words: Option<Vec<Word>> = inner.split_whitespace().map(|part| bare(part, value)).collect();
            return words.unwrap_or_else(|| odd("there are signs that a shell reads"));
        }
        if text == "true" {
            return Vec::new();
        }
        let words = if text.contains([' ', '|', '(', ')']) {
            quoted(&text, value)
        } else {
            bare(&text, value).map(|word| vec![word])
        };
        words.unwrap_or_else(|| odd("there are signs that a shell reads"))
    }
}

/// What `echo VALUE | xargs` prints: quotes and backslashes are taken away, blanks become one. `None` where `xargs` fails.
fn trimmed(text: &str) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            ' ' | '\t' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(characters.next()?),
            '"' | '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next()? {
                        end if end == character => break,
                        inside => word.push(inside),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    Some(words.join(" "))
}

/// One word in double quotes; `None` where the shell would read something in it.
fn quoted(text: &str, value: &Node) -> Option<Vec<Word>> {
    (!text.contains(['"', '\\', '`', '$'])).then(|| vec![word_at(text, value)])
}

/// One word without quotes; `None` where the shell would read something in it.
fn bare(text: &str, value: &Node) -> Option<Word> {
    let read = text.contains(['"', '\'', '\\', '`', '$', '&', ';', '<', '>', '|', '(', ')']);
    let braces = text.contains('{') && (text.contains(',') || text.contains(".."));
    (!read && !braces && !text.starts_with(['~', '#'])).then(|| word_at(text, value))
}

#[cfg(test)]
mod tests {
    use super::trimmed;

    #[test]
    fn blanks_and_quotes_go_as_with_xargs() {
        assert_eq!(trimmed("  a   'b c' \\\"d ").as_deref(), Some("a b c \"d"));
        assert_eq!(trimmed("it's"), None);
        assert_eq!(trimmed("([0]*3+[1]*4)").as_deref(), Some("([0]*3+[1]*4)"));
    }
}
