//! From the events of a YAML text to one tree, as `yaml.safe_load` builds it.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, StructureStyle, Tag as Written};

use super::scalar::{self, Tag};
use super::{Entry, Node, Value, YamlError};
use crate::text::{Source, Span};

/// The most nodes that a text may stand for, aliases and merges expanded.
const MOST: usize = 200_000;
/// How deep collections may stand in each other.
const DEEPEST: usize = 200;

/// A collection that is being read.
enum Open {
    List { items: Vec<Arc<Node>>, start: usize, anchor: usize, flow: bool },
    Map { entries: Vec<Entry>, merged: Vec<Entry>, key: Option<Arc<Node>>, start: usize, anchor: usize, flow: bool },
}

struct Loader<'s> {
    source: &'s Arc<Source>,
    anchors: HashMap<usize, (Arc<Node>, usize)>,
    open: Vec<Open>,
    root: Option<Arc<Node>>,
    /// Nodes that were built or stand behind an alias.
    size: usize,
}

/// `yaml.safe_load` of a text: `None` for an empty one.
///
/// # Errors
/// Where PyYAML raises, or the text stands for more than can be meant.
pub fn load(source: &Arc<Source>) -> Result<Option<Arc<Node>>, YamlError> {
    let mut loader = Loader { source, anchors: HashMap::new(), open: Vec::new(), root: None, size: 0 };
    let options = granit_parser::options! {
        bom_inside_document_as_content: true,
        block_scalar_eof_without_line_feed: true,
        emit_anchor_events: true,
        flow_nesting_limit: DEEPEST,
        block_nesting_limit: DEEPEST,
    };
    let mut documents = 0;
    let mut names = HashSet::new();
    let mut read = 0;
    for event in Parser::new_from_str_with_options(&source.text, options) {
        let (event, span) = event.map_err(|error| {
            let at = error.marker().byte_offset().unwrap_or(0);
            loader.error(at..at, error.to_string())
        })?;
        let range = span.byte_range().unwrap_or(0..0);
        if !matches!(event, Event::Anchor(..)) {
            if let Some(at) = tab(&source.text, read..range.start) {
                return Err(loader.error(at..at + 1, "found character '\\t' that cannot start any token"));
            }
            read = read.max(range.end);
        }
        match event {
            Event::Anchor(_, name) if !names.insert(name.to_string()) => {
                return Err(loader.error(range, "found duplicate anchor"));
            }
            Event::DocumentStart(..) => {
                documents += 1;
                if documents > 1 {
                    return Err(loader.error(range, "expected a single document in the stream"));
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                let node = loader.scalar(text.into_owned(), style, tag.as_deref(), range)?;
                loader.add(node, anchor)?;
            }
            Event::Alias(anchor) => {
                let Some((node, size)) = loader.anchors.get(&anchor).cloned() else {
                    return Err(loader.error(range, "an alias inside of what it stands for"));
                };
                loader.grow(size, &range)?;
                loader.place(node)?;
            }
            Event::SequenceStart(style, anchor, tag) => {
                loader.collection_tag(tag.as_deref(), "seq", &range)?;
                let flow = style == StructureStyle::Flow;
                loader.open(Open::List { items: Vec::new(), start: range.start, anchor, flow }, &range)?;
            }
            Event::MappingStart(style, anchor, tag) => {
                loader.collection_tag(tag.as_deref(), "map", &range)?;
                let flow = style == StructureStyle::Flow;
                let (entries, merged, start) = (Vec::new(), Vec::new(), range.start);
                loader.open(Open::Map { entries, merged, key: None, start, anchor, flow }, &range)?;
            }
            Event::SequenceEnd | Event::MappingEnd => loader.close(range.end)?,
            _ => {}
        }
    }
    Ok(loader.root)
}

impl Loader<'_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span { source: self.source.clone(), start: range.start, end: range.end.max(range.start) }
    }

    fn error(&self, range: std::ops::Range<usize>, reason: impl Into<String>) -> YamlError {
        YamlError { reason: reason.into(), span: self.span(range) }
    }

    fn grow(&mut self, nodes: usize, range: &std::ops::Range<usize>) -> Result<(), YamlError> {
        self.size = self.size.saturating_add(nodes);
        if self.size > MOST {
            return Err(self.error(range.clone(), format!("stands for more than {MOST} values")));
        }
        Ok(())
    }

    fn open(&mut self, open: Open, range: &std::ops::Range<usize>) -> Result<(), YamlError> {
        if self.open.len() >= DEEPEST {
            return Err(self.error(range.clone(), "collections stand in each other too deep"));
        }
        self.open.push(open);
        Ok(())
    }

    /// Adds a new node, which an anchor may name.
    fn add(&mut self, node: Node, anchor: usize) -> Result<(), YamlError> {
        let range = node.span.start..node.span.end;
        self.grow(1, &range)?;
        let node = Arc::new(node);
        if anchor > 0 {
            let size = size(&node);
            self.anchors.insert(anchor, (node.clone(), size));
        }
        self.place(node)
    }

    /// Puts a node where the text has it.
    fn place(&mut self, node: Arc<Node>) -> Result<(), YamlError> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List { items, .. }) => items.push(node),
            Some(Open::Map { key: key @ None, .. }) => *key = Some(node),
            Some(Open::Map { entries, merged, key, .. }) => {
                let Some(name) = key.take() else { return Ok(()) };
                if !is_merge(&name) {
                    entries.push((name, node));
                    return Ok(());
                }
                let more = match &node.value {
                    Value::Map(more) => Some(more.clone()),
                    // Earlier ones of a list win: they are taken last.
                    Value::List(maps) if maps.iter().all(|map| matches!(map.value, Value::Map(_))) => {
                        Some(maps.iter().rev().flat_map(|map| map.entries().to_vec()).collect())
                    }
                    _ => None,
                };
                let Some(more) = more else {
                    let reason = "expected a mapping or list of mappings for merging";
                    return Err(YamlError { reason: reason.to_owned(), span: node.span.clone() });
                };
                merged.extend(more);
                let (count, range) = (merged.len(), node.span.start..node.span.end);
                self.grow(count, &range)?;
            }
        }
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), YamlError> {
        let mut doubled = None;
        let (value, start, anchor) = match self.open.pop() {
            Some(Open::List { items, start, anchor, .. }) => (Value::List(items), start, anchor),
            Some(Open::Map { entries, merged, start, anchor, .. }) => {
                let all: Vec<Entry> = merged.into_iter().chain(entries).collect();
                let map = self.map(&all)?;
                doubled = (map.len() < all.len()).then(|| all.into());
                (Value::Map(map), start, anchor)
            }
            None => return Ok(()),
        };
        let mut node = Node::new(value, String::new(), self.span(start..end));
        node.doubled = doubled;
        self.add(node, anchor)
    }

    /// A `dict` of entries in order: of equal keys the first gives the place, the last the value.
    fn map(&self, entries: &[Entry]) -> Result<Vec<Entry>, YamlError> {
        let mut map: Vec<Entry> = Vec::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (key, value) in entries {
            let Some(name) = hashed(key) else {
                return Err(YamlError { reason: "found unhashable key".to_owned(), span: key.span.clone() });
            };
            match known.get(&name) {
                Some(at) => map[*at].1 = Arc::clone(value),
                None => {
                    known.insert(name, map.len());
                    map.push((Arc::clone(key), Arc::clone(value)));
                }
            }
        }
        Ok(map)
    }

    fn collection_tag(
        &self,
        tag: Option<&Written>,
        plain: &str,
        range: &std::ops::Range<usize>,
    ) -> Result<(), YamlError> {
        match tag {
            None => Ok(()),
            Some(tag) if is_tag(tag, plain) || is_unspecific(tag) => Ok(()),
            Some(tag) => Err(self.no_constructor(tag, range)),
        }
    }

    fn no_constructor(&self, tag: &Written, range: &std::ops::Range<usize>) -> YamlError {
        self.error(range.clone(), format!("could not determine a constructor for the tag '{}'", tag.original()))
    }

    fn scalar(
        &self,
        text: String,
        style: ScalarStyle,
        tag: Option<&Written>,
        range: std::ops::Range<usize>,
    ) -> Result<Node, YamlError> {
        let plain = style == ScalarStyle::Plain;
        let quoted = matches!(style, ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted) && range.len() >= 2;
        let inner = if quoted { range.start + 1..range.end - 1 } else { range.clone() };
        let kinds =
            [("str", Tag::Str), ("bool", Tag::Bool), ("int", Tag::Int), ("float", Tag::Float), ("null", Tag::Null)];
        let kind = match tag {
            None if plain => scalar::resolve(&text),
            None => Tag::Str,
            Some(tag) if is_unspecific(tag) => {
                if plain {
                    scalar::resolve(&text)
                } else {
                    Tag::Str
                }
            }
            Some(tag) if is_tag(tag, "timestamp") => Tag::Time,
            Some(tag) if is_tag(tag, "binary") => {
                return Ok(Node::new(Value::Binary, text, self.span(inner)));
            }
            Some(tag) => match kinds.iter().find(|(name, _)| is_tag(tag, name)) {
                Some((_, kind)) => *kind,
                None => return Err(self.no_constructor(tag, &range)),
            },
        };
        // What the library reads and PyYAML reads otherwise.
        let flow = matches!(self.open.last(), Some(Open::List { flow: true, .. } | Open::Map { flow: true, .. }));
        let odd = text.contains('\t') || flow && (text.contains('?') || text.is_empty() && tag.is_some());
        let no_key = range.is_empty() && self.expects_key() && self.keyless(range.start);
        if plain && (odd || no_key) {
            return Err(self.error(range, "is written in a way that PyYAML does not take for a value"));
        }
        let raises = |what: &str| self.error(range.clone(), format!("`{text}` is no {what}"));
        let value = match kind {
            Tag::Str => Value::Str,
            Tag::Null => Value::Null,
            Tag::Bool => Value::Bool(scalar::bool(&text).ok_or_else(|| raises("bool"))?),
            Tag::Int => Value::Int(scalar::int(&text).map_err(|_| raises("int"))?),
            Tag::Float => Value::Float(scalar::float(&text).map_err(|_| raises("float"))?),
            Tag::Time if scalar::is_time(&text) => Value::Time,
            Tag::Time => return Err(raises("time")),
            // `=` is a text as a key only, `<<` merges as a key only; which it is, its place decides.
            Tag::Merge | Tag::Value if self.expects_key() => Value::Str,
            Tag::Merge | Tag::Value => return Err(raises("value that PyYAML constructs")),
        };
        // A plain `<<` and a quoted one differ in their spans alone.
        Ok(Node::new(value, text, self.span(inner)))
    }

    /// Whether an empty key has no `?` before it.
    fn keyless(&self, at: usize) -> bool {
        let before = self.source.text.get(..at).unwrap_or("");
        let next = self.source.text.get(at..).unwrap_or("").trim_start_matches(' ');
        next.starts_with(':') && !before.trim_end().ends_with('?')
    }

    fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open::Map { key: None, .. }))
    }
}

/// The first tab between two tokens, outside of comments.
fn tab(text: &str, gap: std::ops::Range<usize>) -> Option<usize> {
    let mut at = gap.start;
    for line in text.get(gap)?.split_inclusive('\n') {
        let code = line.find('#').map_or(line, |comment| &line[..comment]);
        if let Some(found) = code.find('\t') {
            return Some(at + found);
        }
        at += line.len();
    }
    None
}

/// Whether a key is the plain `<<`.
fn is_merge(key: &Node) -> bool {
    let before = key.span.start.checked_sub(1).and_then(|at| key.span.source.text.as_bytes().get(at));
    key.value == Value::Str && key.text == "<<" && !matches!(before, Some(b'"' | b'\''))
}

/// What `hash` and `==` of Python tell keys apart by; `None` for what has no hash.
fn hashed(key: &Node) -> Option<String> {
    Some(match &key.value {
        Value::Null => "none".to_owned(),
        Value::Bool(truth) => format!("n{}", f64::from(u8::from(*truth))),
        #[allow(clippy::cast_precision_loss, reason = "whole numbers of that size stand apart by their text")]
        Value::Int(Some(number)) if number.unsigned_abs() < 1 << 53 => format!("n{}", *number as f64),
        Value::Int(_) => format!("i{}", key.text),
        Value::Float(number) if number.is_nan() => format!("nan{}", key.span.start),
        Value::Float(number) => format!("n{number}"),
        Value::Str => format!("s{}", key.text),
        Value::Time => format!("t{}", key.text),
        Value::Binary => format!("b{}", key.text),
        Value::List(_) | Value::Map(_) => return None,
    })
}

fn is_tag(tag: &Written, name: &str) -> bool {
    tag.is_yaml_core_schema_tag(name) || tag.suffix_in_namespace("tag:yaml.org,2002:").is_some_and(|s| s == name)
}

fn is_unspecific(tag: &Written) -> bool {
    tag.original() == "!"
}

/// The number of nodes that a node stands for.
fn size(node: &Arc<Node>) -> usize {
    // Iterative and stopped early: a tree of aliases can be far larger than its text.
    let mut count = 0usize;
    let mut rest = vec![node];
    while let Some(next) = rest.pop() {
        count += 1;
        if count > MOST {
            return count;
        }
        rest.extend(next.items());
        rest.extend(next.entries().iter().flat_map(|(key, value)| [key, value]));
    }
    count
}
