//! `path.to.setting=value` words that change a file's settings: Hydra's grammar of overrides.
//!
//! `+path=value` adds, `++path=value` adds or changes, `~path` takes away. Values are null, booleans, numbers, quoted and
//! plain texts, lists and mappings; here, unlike in YAML 1.1, `1e-5` is a number.

use std::ops::Range;
use std::sync::{Arc, LazyLock};

use regex::Regex;

use crate::launch::Word;
use crate::launch::yaml::{Node, Value};
use crate::text::{Located, Source, Span};

/// How deep lists and mappings may stand in each other, and the most parts of a path.
const DEEPEST: usize = 40;

/// The words after the file's name: a tree with all overrides applied, and the words that are none.
pub fn apply(root: &Arc<Node>, words: &[String], below: &str) -> (Arc<Node>, Vec<Word>, Arc<Source>) {
    let source = Source::command_line(words.join(" "));
    let mut root = Arc::clone(root);
    let mut rest = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(word) = words.get(at) {
        let span = Span { source: source.clone(), start, end: start + word.len() };
        (at, start) = (at + 1, start + word.len() + 1);
        // `--name value` is `name=value`, where the next word is no flag.
        let next = words.get(at).filter(|next| !next.starts_with("--"));
        let (text, span) = match (word.strip_prefix("--"), next) {
            (Some(name), Some(next)) if !name.contains('=') && !below.is_empty() => {
                let whole = Span { end: start + next.len(), ..span };
                (at, start) = (at + 1, start + next.len() + 1);
                (format!("{name}={next}"), whole)
            }
            (Some(name), _) if !below.is_empty() => (name.to_owned(), span),
            _ => (word.clone(), span),
        };
        match changed(&root, &text, &span, below) {
            Some(tree) => root = tree,
            None => rest.push(Located::new(Ok(word.clone()), vec![span])),
        }
    }
    (root, rest, source)
}

/// The words as they are, for a file whose keys are flags.
pub fn words(root: &Arc<Node>, words: &[String]) -> (Arc<Node>, Vec<Word>, Arc<Source>) {
    let source = Source::command_line(words.join(" "));
    let mut start = 0;
    let mut located = Vec::new();
    for word in words {
        let span = Span { source: source.clone(), start, end: start + word.len() };
        start = span.end + 1;
        located.push(Located::new(Ok(word.clone()), vec![span]));
    }
    (Arc::clone(root), located, source)
}

/// The tree after one override; `None` for what is none.
fn changed(root: &Arc<Node>, text: &str, span: &Span, below: &str) -> Option<Arc<Node>> {
    let (path, value) = match text.strip_prefix('~') {
        Some(path) => (path.split_once('=').map_or(path, |(path, _)| path), None),
        None => {
            let (path, value) = text.split_once('=')?;
            (path.trim_start_matches('+'), Some(parse(value, span)?))
        }
    };
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    let parts: Vec<&str> = below.split('.').filter(|part| !part.is_empty()).chain(path.split('.')).collect();
    (parts.len() <= DEEPEST && parts.iter().all(|part| plain(part))).then(|| set(root, &parts, value, span))
}

/// The tree with a value at a path, or without one.
fn set(node: &Arc<Node>, path: &[&str], value: Option<Arc<Node>>, span: &Span) -> Arc<Node> {
    let Some((first, rest)) = path.split_first() else { return value.unwrap_or_else(|| Arc::clone(node)) };
    let mut entries = node.entries().to_vec();
    let at = entries.iter().position(|(key, _)| key.text == *first);
    let key = || Arc::new(Node::new(Value::Str, (*first).to_owned(), span.clone()));
    match (at, value) {
        (Some(at), None) if rest.is_empty() => {
            entries.remove(at);
        }
        (Some(at), value) => entries[at] = (key(), set(&entries[at].1, rest, value, span)),
        (None, None) => {}
        (None, value) => {
            let empty = Arc::new(Node::new(Value::Map(Vec::new()), String::new(), span.clone()));
            entries.push((key(), set(&empty, rest, value, span)));
        }
    }
    Arc::new(Node::new(Value::Map(entries), String::new(), node.span.clone()))
}

/// The value of an override; `None` where Hydra refuses it or takes it for several.
pub fn parse(text: &str, span: &Span) -> Option<Arc<Node>> {
    let mut parser = Parser { text, at: 0, span };
    let value = parser.value("", DEEPEST)?;
    (parser.at == text.len()).then_some(value)
}

struct Parser<'t> {
    text: &'t str,
    at: usize,
    span: &'t Span,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn blanks(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start_matches([' ', '\t']).len();
    }

    fn take(&mut self, sign: char) -> bool {
        let found = self.rest().starts_with(sign);
        self.at += if found { sign.len_utf8() } else { 0 };
        found
    }

    fn node(&self, value: Value, text: impl Into<String>) -> Arc<Node> {
        Arc::new(Node::new(value, text.into(), self.span.clone()))
    }

    /// A value that ends before one of `ends`, or at the end of the text.
    fn value(&mut self, ends: &str, depth: usize) -> Option<Arc<Node>> {
        let depth = depth.checked_sub(1)?;
        self.blanks();
        let value = if self.take('[') {
            let mut items = Vec::new();
            self.blanks();
            while !self.take(']') {
                if !items.is_empty() && !self.take(',') {
                    return None;
                }
                items.push(self.value(",]", depth)?);
                self.blanks();
            }
            self.node(Value::List(items), "")
        } else if self.take('{') {
            let mut entries = Vec::new();
            self.blanks();
            while !self.take('}') {
                if !entries.is_empty() && !self.take(',') {
                    return None;
                }
                let key = self.value(":", depth).filter(|key| key.is_scalar())?;
                self.blanks();
                if !self.take(':') {
                    return None;
                }
                entries.push((key, self.value(",}", depth)?));
                self.blanks();
            }
            self.node(Value::Map(entries), "")
        } else if self.rest().starts_with(['"', '\'']) {
            self.quoted()?
        } else {
            self.plain(ends)?
        };
        self.blanks();
        Some(value)
    }

    fn quoted(&mut self) -> Option<Arc<Node>> {
        let quote = self.rest().chars().next()?;
        let mut text = String::new();
        let mut escaped = false;
        for (at, character) in self.rest().char_indices().skip(1) {
            match character {
                _ if escaped => {
                    if character != quote && character != '\\' {
                        text.push('\\');
                    }
                    text.push(character);
                    escaped = false;
                }
                '\\' => escaped = true,
                _ if character == quote => {
                    self.at += at + 1;
                    return Some(self.node(Value::Str, text));
                }
                _ => text.push(character),
            }
        }
        None
    }

    /// A value without quotes. At the top a `,` would be a sweep over several values.
    fn plain(&mut self, ends: &str) -> Option<Arc<Node>> {
        let mut text = String::new();
        let mut range: Range<usize> = self.at..self.at;
        let mut characters = self.rest().char_indices();
        let mut inside = 0usize;
        let mut before = ' ';
        while let Some((at, character)) = characters.next() {
            match character {
                '{' if before == '$' => inside += 1,
                '}' if inside > 0 => inside -= 1,
                _ if inside > 0 => {}
                _ if ends.contains(character) => break,
                ',' | '[' | ']' | '{' | '}' | '"' | '\'' | '(' | ')' => return None,
                '\\' => {
                    let (next_at, next) = characters.next()?;
                    text.push(next);
                    before = ' ';
                    range.end = self.at + next_at + next.len_utf8();
                    continue;
                }
                _ => {}
            }
            before = character;
            text.push(character);
            range.end = self.at + at + character.len_utf8();
        }
        self.at = range.end;
        let text = text.trim_end_matches([' ', '\t']);
        Some(self.node(typed(text), text))
    }
}

/// The type of a text without quotes.
fn typed(text: &str) -> Value {
    static INT: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^[+-]?(?:0|[1-9](?:_?[0-9])*)$").ok());
    static FLOAT: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let digits = "[0-9](?:_?[0-9])*";
        let float = format!(
            r"^(?i)[+-]?(?:{digits}\.(?:{digits})?(?:e[+-]?{digits})?|\.{digits}(?:e[+-]?{digits})?|{digits}e[+-]?{digits}|inf|nan)$"
        );
        Regex::new(&float).ok()
    });
    let is = |regex: &LazyLock<Option<Regex>>| regex.as_ref().is_some_and(|regex| regex.is_match(text));
    let digits = || text.replace('_', "");
    match text.to_ascii_lowercase().as_str() {
        "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ if is(&INT) => Value::Int(digits().parse().ok()),
        _ if is(&FLOAT) => digits().parse().map_or(Value::Str, Value::Float),
        _ => Value::Str,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        fn show(node: &Node) -> String {
            match &node.value {
                Value::Null => "None".to_owned(),
                Value::Bool(truth) => format!("{truth}"),
                Value::Int(number) => number.map_or("large".to_owned(), |n| n.to_string()),
                Value::Float(number) => format!("{number:e}"),
                Value::List(items) => format!("[{}]", items.iter().map(|i| show(i)).collect::<Vec<_>>().join(", ")),
                Value::Map(all) => {
                    format!("{{{}}}", all.iter().map(|(k, v)| show(k) + ": " + &show(v)).collect::<Vec<_>>().join(", "))
                }
                _ => format!("'{}'", node.text),
            }
        }
        let span = Span { source: Source::command_line(""), start: 0, end: 0 };
        parse(text, &span).map_or("refused".to_owned(), |node| show(&node))
    }

    #[test]
    fn values_are_those_of_hydras_grammar() {
        for (text, want) in [
            ("", "''"),
            ("null", "None"),
            ("NULL", "None"),
            ("True", "true"),
            ("on", "'on'"),
            ("1", "1"),
            ("-1_000", "-1000"),
            ("010", "'010'"),
            ("1e-5", "1e-5"),
            ("1.", "1e0"),
            (".5", "5e-1"),
            ("-inf", "-inf"),
            ("1_", "'1_'"),
            ("'1'", "'1'"),
            ("\"a, b\"", "'a, b'"),
            ("'it\\'s'", "'it's'"),
            ("a b", "'a b'"),
            ("a\\,b", "'a,b'"),
            ("/path/to-x:y@z%", "'/path/to-x:y@z%'"),
            ("[1, a,'b c' ,[true]]", "[1, 'a', 'b c', [true]]"),
            ("[]", "[]"),
            ("{a: 1, b:[x]}", "{'a': 1, 'b': ['x']}"),
            ("${model.x}", "'${model.x}'"),
            ("x-${oc.env:A,b}", "'x-${oc.env:A,b}'"),
            ("1,2", "refused"),
            ("[1", "refused"),
            ("{a}", "refused"),
            ("a'b", "refused"),
            ("choice(1,2)", "refused"),
        ] {
            assert_eq!(shown(text), want, "{text}");
        }
        assert_eq!(shown(&"[".repeat(1000)), "refused");
    }
}
