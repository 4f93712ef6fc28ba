//! Patterns of keys: `a.layers.{layer}.**`.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use crate::rules::RuleError;

/// A pattern of keys that catches numbers. `*` stands for any text within a part of a key, `?` for one character,
/// `[12]` for one of these, `{name}` for a number, `**` as a part for any number of parts (at the end: at least one).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPattern {
    parts: Vec<Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Any,
    Of(Vec<Piece>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Rest,
    One,
    OneOf(String),
    Number(String),
}

impl KeyPattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// When a bracket or brace is left open, or a name is none.
    pub fn parse(place: &str, text: &str) -> Result<Self, RuleError> {
        let wrong = |what: &str| RuleError::new(place, format!("{what} in the key pattern `{text}`"));
        let mut parts = Vec::new();
        for part in text.split('.') {
            if part == "**" {
                parts.push(Part::Any);
                continue;
            }
            let mut pieces = Vec::new();
            let mut rest = part;
            while let Some(at) = rest.find(['*', '?', '[', '{']) {
                if at > 0 {
                    pieces.push(Piece::Text(rest[..at].to_owned()));
                }
                let kind = &rest[at..=at];
                rest = &rest[at + 1..];
                let mut until = |close: char| {
                    let end = rest.find(close)?;
                    let inside = rest[..end].to_owned();
                    rest = &rest[end + 1..];
                    (!inside.is_empty()).then_some(inside)
                };
                pieces.push(match kind {
                    "*" => Piece::Rest,
                    "?" => Piece::One,
                    "[" => Piece::OneOf(until(']').ok_or_else(|| wrong("`[` without characters and `]`"))?),
                    _ => Piece::Number(until('}').ok_or_else(|| wrong("`{` without a name and `}`"))?),
                });
            }
            if !rest.is_empty() {
                pieces.push(Piece::Text(rest.to_owned()));
            }
            parts.push(Part::Of(pieces));
        }
        Ok(Self { parts })
    }

    /// The numbers that it catches in a key, if the key has this form.
    pub fn catches(&self, key: &str) -> Option<Vec<(&str, u64)>> {
        let parts: Vec<&str> = key.split('.').collect();
        let mut caught = Vec::new();
        has_parts(&self.parts, &parts, &mut caught).then_some(caught)
    }

    /// Whether a key has this form.
    pub fn matches(&self, key: &str) -> bool {
        self.catches(key).is_some()
    }

    /// The names of its numbers.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let pieces = self.parts.iter().filter_map(|part| match part {
            Part::Of(pieces) => Some(pieces),
            Part::Any => None,
        });
        pieces.flatten().filter_map(|piece| match piece {
            Piece::Number(name) => Some(name.as_str()),
            _ => None,
        })
    }
}

fn has_parts<'p>(pattern: &'p [Part], parts: &[&str], caught: &mut Vec<(&'p str, u64)>) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return parts.is_empty() };
    let before = caught.len();
    match first {
        Part::Any if rest.is_empty() => !parts.is_empty(),
        Part::Any => (0..=parts.len()).any(|skip| {
            caught.truncate(before);
            has_parts(rest, &parts[skip..], caught)
        }),
        Part::Of(pieces) => {
            let Some((part, others)) = parts.split_first() else { return false };
            has_pieces(pieces, part, caught) && has_parts(rest, others, caught)
        }
    }
}

fn has_pieces<'p>(pieces: &'p [Piece], text: &str, caught: &mut Vec<(&'p str, u64)>) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return text.is_empty() };
    let one = || text.chars().next();
    match first {
        Piece::Text(wanted) => text.strip_prefix(wanted.as_str()).is_some_and(|tail| has_pieces(rest, tail, caught)),
        Piece::One => one().is_some_and(|c| has_pieces(rest, &text[c.len_utf8()..], caught)),
        Piece::OneOf(set) => one().is_some_and(|c| set.contains(c) && has_pieces(rest, &text[c.len_utf8()..], caught)),
        Piece::Number(name) => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            let Ok(number) = text[..digits].parse() else { return false };
            caught.push((name, number));
            has_pieces(rest, &text[digits..], caught)
        }
        Piece::Rest => {
            let before = caught.len();
            (0..=text.len()).filter(|&at| text.is_char_boundary(at)).any(|at| {
                caught.truncate(before);
                has_pieces(rest, &text[at..], caught)
            })
        }
    }
}

/// Key globs, where nothing is to be caught: `*` stands for one part of a key, `**` for any number of parts.
pub fn globs(place: &str, patterns: &[String]) -> Result<GlobSet, RuleError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let path = as_path(pattern);
        let glob = GlobBuilder::new(&path).literal_separator(true).build();
        set.add(glob.map_err(|e| RuleError::new(place, e.to_string()))?);
    }
    set.build().map_err(|e| RuleError::new(place, e.to_string()))
}

/// A key as the path that its glob is matched against.
pub fn as_path(key: &str) -> String {
    key.replace('.', "/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caught(pattern: &str, key: &str) -> Option<Vec<(String, u64)>> {
        let pattern = KeyPattern::parse("test", pattern).expect("a pattern");
        pattern.catches(key).map(|caught| caught.into_iter().map(|(name, n)| (name.to_owned(), n)).collect())
    }

    #[test]
    fn numbers_are_caught() {
        let both = Some(vec![("layer".to_owned(), 3), ("expert".to_owned(), 12)]);
        assert_eq!(caught("**.layers.{layer}.experts.{expert}.w", "a.layers.3.experts.12.w"), both);
        assert_eq!(caught("**.layers.{layer}.fc[12].weight{expert}", "layers.3.fc2.weight12"), both);
        assert_eq!(caught("**.layers.{layer}.**", "layers.x.weight"), None);
        assert_eq!(caught("layers.{layer}.**", "layers.3"), None);
        // A key may hold several runs of numbers before the one that is meant.
        assert_eq!(caught("**.{n}.end", "1.2.end"), Some(vec![("n".to_owned(), 2)]));
    }

    #[test]
    fn it_agrees_with_globs() {
        let keys = ["a", "a.b", "a.b.c", "b", "ab.c", "a.bc", "a.b.b.c"];
        for pattern in ["**", "a.**", "**.b", "a.*", "*.b", "a.**.c", "a?.c", "**.b.**", "a.[bc]", "*b.*", "?.b"] {
            let glob = globs("test", &[pattern.to_owned()]).expect("a glob");
            let own = KeyPattern::parse("test", pattern).expect("a pattern");
            for key in keys {
                assert_eq!(own.matches(key), glob.is_match(as_path(key)), "{pattern} {key}");
            }
        }
    }

    #[test]
    fn broken_patterns_are_refused() {
        for text in ["a.{", "a.{}", "a.[12", "a.[]"] {
            assert!(KeyPattern::parse("test", text).is_err(), "{text}");
        }
    }
}
