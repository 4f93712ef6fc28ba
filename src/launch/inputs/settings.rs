//! Settings that have the names of arguments: the flags that mean the same.

use std::sync::Arc;

use super::flags::{self, Written};
use super::form::{Name, References};
use super::reference::{self, Found};
use super::{Reader, missing, unknown_at, word_at};
use crate::launch::Word;
use crate::launch::yaml::{Node, Value};

/// How deep references may lead to each other, and settings stand in each other.
const DEEPEST: usize = 16;

impl Reader<'_> {
    /// The words of all sections.
    pub(super) fn setting_words(&mut self) -> Vec<Word> {
        let mut words = Vec::new();
        for section in &self.form.sections {
            let node = if section.is_empty() { Some(Arc::clone(&self.root)) } else { self.node(section) };
            if let Some(node) = node {
                let node = self.with_presets(&node, &mut words);
                self.section(section, &node, DEEPEST, &mut words);
            }
        }
        words
    }

    fn section(&self, path: &str, node: &Arc<Node>, depth: usize, words: &mut Vec<Word>) {
        for (key, value) in node.entries() {
            let inner = if path.is_empty() { key.text.clone() } else { format!("{path}.{}", key.text) };
            match &value.value {
                Value::Map(_) if depth > 0 => self.section(&inner, value, depth - 1, words),
                _ => self.setting(&inner, key, value, words),
            }
        }
    }

    /// The words of one setting.
    fn setting(&self, path: &str, key: &Node, value: &Node, words: &mut Vec<Word>) {
        let found = self.resolved(value, DEEPEST);
        let text = found.value.as_deref().ok();
        if value.value == Value::Null || text == Some("null") && value.text.contains("${") {
            return;
        }
        let truth = match &value.value {
            Value::Bool(truth) => Some(*truth),
            Value::Str if value.text.contains("${") => match text.map(str::to_ascii_lowercase).as_deref() {
                Some("true") => Some(true),
                Some("false") => Some(false),
                _ => None,
            },
            _ => None,
        };
        let name = self.form.names.get(&key.text);
        let written = match name {
            Some(Name::Flag { flag, when }) => {
                Some(if truth == Some(*when) { Written::Flag(flag.clone()) } else { Written::Absent })
            }
            Some(Name::Dest(dest)) if dest.is_empty() => Some(Written::Absent),
            Some(Name::Dest(dest)) => flags::written(dest, truth),
            None => flags::written(&key.text, truth),
        };
        match written {
            Some(Written::Absent) => {}
            Some(Written::Flag(flag)) => words.push(Word::new(Ok(flag), vec![key.span.clone(), value.span.clone()])),
            Some(Written::Valued(flag)) => {
                words.push(word_at(flag, key));
                match &value.value {
                    Value::List(items) => words.extend(items.iter().map(|item| self.resolved(item, DEEPEST))),
                    _ => words.push(found),
                }
            }
            // No argument of the framework: shown as it is written.
            None => {
                let shown = match &value.value {
                    Value::List(_) | Value::Map(_) => Ok(value.span.text().to_owned()),
                    _ => found.value,
                };
                words.push(Word::new(
                    shown.map(|text| format!("{path}={text}")),
                    vec![key.span.clone(), value.span.clone()],
                ));
            }
        }
    }

    /// A scalar with its references put in.
    fn resolved(&self, value: &Node, depth: usize) -> Word {
        if !value.is_scalar() {
            return unknown_at("a list or mapping", "what it means here is not known", value);
        }
        if value.value != Value::Str {
            return word_at(python_text(value), value);
        }
        let variable = |name: &str| self.variable(name);
        let found = match self.form.references {
            References::Shell => reference::shell(&value.text, &variable),
            References::Default => reference::with_defaults(&value.text, &variable),
            References::Omegaconf => reference::omegaconf(&value.text, &variable, &|path| {
                let node = self.node(path).filter(|node| node.is_scalar() && depth > 0);
                match node.map(|node| self.resolved(&node, depth - 1).value) {
                    Some(Ok(text)) => Found::Text(text),
                    Some(Err(unknown)) => Found::Other(unknown.reason.clone()),
                    None => Found::Other(format!("`{path}` is not in this file")),
                }
            }),
        };
        match found {
            Found::Text(text) => word_at(text, value),
            Found::Missing(name) => Word::new(Err(missing(&name)), vec![value.span.clone()]),
            Found::Other(reason) => unknown_at(format!("`{}`", value.text), reason, value),
        }
    }
}

/// What `str` of Python makes of a scalar that is no text.
fn python_text(value: &Node) -> String {
    match &value.value {
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Int(Some(number)) => number.to_string(),
        Value::Null => "null".to_owned(),
        _ => value.text.replace('_', ""),
    }
}
