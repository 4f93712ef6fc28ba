//! Many keys in few lines: `layers.{0..31}.weight{1,2}` stands for exactly its 64 keys, never for one that is not there.
//!
//! Only numbers are folded, because a reader counts layers and experts but wants to see names. A pattern is the full
//! product of its number sets; keys that do not fill a product become several patterns.

mod numbers;
mod parse;
mod product;

use std::collections::{BTreeMap, HashMap};
use std::fmt;

pub use numbers::Numbers;

/// More digit runs than this in one key stay text: no framework nests deeper, and a hostile key must stay cheap.
const MOST_HOLES: usize = 8;

/// Stands for a number in a template. A key that holds this character itself is never folded.
const HOLE: char = '\0';

/// A set of keys that differ only in numbers, and hold every combination of these numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    parts: Vec<Part>,
}

/// A piece of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Numbers(Numbers),
}

/// The fewest patterns that this way of folding finds for the keys, in a stable order. Repeated keys count once.
pub fn fold<S: AsRef<str>>(keys: impl IntoIterator<Item = S>) -> Vec<Pattern> {
    let mut groups: HashMap<String, Group> = HashMap::new();
    let mut patterns = Vec::new();
    let (mut template, mut numbers) = (String::new(), Vec::new());
    for key in keys {
        let key = key.as_ref();
        if key.contains(HOLE) {
            patterns.push(Pattern { parts: vec![Part::Text(key.to_owned())] });
            continue;
        }
        split(key, &mut template, &mut numbers);
        match groups.get_mut(&template) {
            Some(group) => group.rows.extend_from_slice(&numbers),
            None => {
                groups.insert(template.clone(), Group { width: numbers.len(), rows: numbers.clone() });
            }
        }
    }
    for (template, group) in groups {
        group.patterns(&template, &mut patterns);
    }
    patterns.sort_by_cached_key(Pattern::place);
    patterns.dedup();
    patterns
}

/// Folds the keys of each attribute by themselves, so that a line says one thing about all its keys.
pub fn fold_by<S: AsRef<str>, A: Ord + Clone>(items: impl IntoIterator<Item = (S, A)>) -> Vec<(Pattern, A)> {
    let mut groups: BTreeMap<A, Vec<S>> = BTreeMap::new();
    for (key, attribute) in items {
        groups.entry(attribute).or_default().push(key);
    }
    let mut patterns: Vec<(Pattern, A)> = groups
        .into_iter()
        .flat_map(|(attribute, keys)| fold(keys).into_iter().map(move |pattern| (pattern, attribute.clone())))
        .collect();
    patterns.sort_by_cached_key(|(pattern, attribute)| (pattern.place(), attribute.clone()));
    patterns
}

/// All keys of one template: their numbers, `width` for each key.
struct Group {
    width: usize,
    rows: Vec<u64>,
}

impl Group {
    fn patterns(&self, template: &str, patterns: &mut Vec<Pattern>) {
        if self.width == 0 {
            patterns.push(Pattern { parts: vec![Part::Text(template.to_owned())] });
            return;
        }
        let mut rows: Vec<&[u64]> = self.rows.chunks_exact(self.width).collect();
        rows.sort_unstable();
        rows.dedup();
        for product in product::decompose(&rows, 0) {
            let mut parts = Vec::with_capacity(2 * self.width + 1);
            let mut sets = product.into_iter();
            for (i, text) in template.split(HOLE).enumerate() {
                if i > 0 {
                    parts.extend(sets.next().map(Part::Numbers));
                }
                if !text.is_empty() {
                    parts.push(Part::Text(text.to_owned()));
                }
            }
            patterns.push(Pattern { parts });
        }
    }
}

/// Splits a key into its text with holes and the numbers in them. Leading zeros belong to the text (`mp_00` is
/// `mp_0` and 0), so that text and plain numbers together always spell the key.
fn split(key: &str, template: &mut String, numbers: &mut Vec<u64>) {
    template.clear();
    numbers.clear();
    let mut rest = key;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let digits = &rest[start..];
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let run = &digits[..end];
        let number = run.trim_start_matches('0');
        let number = if number.is_empty() { &run[run.len() - 1..] } else { number };
        template.push_str(&rest[..start]);
        match number.parse() {
            Ok(value) if numbers.len() < MOST_HOLES => {
                template.push_str(&run[..run.len() - number.len()]);
                template.push(HOLE);
                numbers.push(value);
            }
            _ => template.push_str(run),
        }
        rest = &digits[end..];
    }
    template.push_str(rest);
}

impl Pattern {
    /// How many keys it stands for.
    pub fn count(&self) -> u64 {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Text(_) => 1,
                Part::Numbers(numbers) => numbers.count(),
            })
            .product()
    }

    /// Its first key, with numbers that sort as numbers: patterns are listed in this order.
    fn place(&self) -> String {
        let mut place = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => place.push_str(text),
                Part::Numbers(numbers) => place.push_str(&format!("{:020}", numbers.first())),
            }
        }
        place
    }

    /// Every key that it stands for.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = vec![String::new()];
        for part in &self.parts {
            match part {
                Part::Text(text) => keys.iter_mut().for_each(|key| key.push_str(text)),
                Part::Numbers(numbers) => {
                    keys = keys.iter().flat_map(|key| numbers.iter().map(move |n| format!("{key}{n}"))).collect();
                }
            }
        }
        keys
    }
}

impl fmt::Display for Pattern {
    /// Braces of the key itself and control characters are written with a backslash.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Numbers(numbers) => write!(f, "{numbers}")?,
                Part::Text(text) if text.contains(needs_escape) => {
                    for c in text.chars() {
                        match c {
                            '{' | '}' | '\\' => write!(f, "\\{c}")?,
                            c if c.is_control() => write!(f, "{}", c.escape_default())?,
                            c => write!(f, "{c}")?,
                        }
                    }
                }
                Part::Text(text) => f.write_str(text)?,
            }
        }
        Ok(())
    }
}

fn needs_escape(c: char) -> bool {
    matches!(c, '{' | '}' | '\\') || c.is_control()
}

#[cfg(test)]
mod tests;
