//! Patterns for the names of files and entries, such as `step_{iteration:07}`: matching and writing.

use std::fmt::Write as _;

/// A compiled name pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    /// A number of at least `width` digits, padded with zeros.
    Number {
        name: String,
        width: usize,
    },
    Any,
}

/// Text that is not a name pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a name pattern: expected text with `{{name}}`, `{{name:03}}` or `*`")]
pub struct NotAPattern(pub String);

impl NamePattern {
    /// Compiles a pattern.
    pub fn new(text: &str) -> Result<Self, NotAPattern> {
        let bad = || NotAPattern(text.to_owned());
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some(at) = rest.find(['{', '*']) {
            if at > 0 {
                pieces.push(Piece::Text(rest[..at].to_owned()));
            }
            if let Some(after) = rest[at..].strip_prefix('*') {
                pieces.push(Piece::Any);
                rest = after;
                continue;
            }
            let end = rest[at..].find('}').ok_or_else(bad)? + at;
            let (name, width) = rest[at + 1..end].split_once(':').unwrap_or((&rest[at + 1..end], "1"));
            let width = width.parse().map_err(|_| bad())?;
            if name.is_empty() || width > 20 {
                return Err(bad());
            }
            pieces.push(Piece::Number { name: name.to_owned(), width });
            rest = &rest[end + 1..];
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.to_owned()));
        }
        Ok(Self { text: text.to_owned(), pieces })
    }

    /// The pattern as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The names of its numbers, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.pieces.iter().filter_map(|piece| match piece {
            Piece::Number { name, .. } => Some(name.as_str()),
            _ => None,
        })
    }

    /// The numbers of `name`, in the pattern's order, if it has this form.
    pub fn numbers(&self, name: &str) -> Option<Vec<(&str, u64)>> {
        let mut found = Vec::new();
        matches(&self.pieces, name, &mut found).then_some(found)
    }

    /// Whether `name` has this form.
    pub fn matches(&self, name: &str) -> bool {
        self.numbers(name).is_some()
    }

    /// The name with these numbers; a number that is not given stays as its placeholder.
    pub fn write(&self, numbers: &[(&str, u64)]) -> String {
        let mut name = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Text(text) => name.push_str(text),
                Piece::Any => name.push('*'),
                Piece::Number { name: wanted, width } => {
                    // Writing to a String cannot fail.
                    let _ = match numbers.iter().find(|(given, _)| given == wanted) {
                        Some((_, number)) => write!(name, "{number:0width$}"),
                        None => write!(name, "{{{wanted}}}"),
                    };
                }
            }
        }
        name
    }
}

/// Patterns are ours and short, so trying every end of a `*` is cheap; recursion is bounded by the pattern's pieces.
fn matches<'p>(pieces: &'p [Piece], name: &str, found: &mut Vec<(&'p str, u64)>) -> bool {
    let Some((first, rest)) = pieces.split_first() else { return name.is_empty() };
    match first {
        Piece::Text(text) => name.strip_prefix(text.as_str()).is_some_and(|tail| matches(rest, tail, found)),
        Piece::Any => {
            let end = name.find('/').unwrap_or(name.len());
            (0..=end).filter(|&i| name.is_char_boundary(i)).any(|i| matches(rest, &name[i..], found))
        }
        Piece::Number { name: key, width } => {
            let digits = name.bytes().take_while(u8::is_ascii_digit).count();
            let padded = digits > *width && name.starts_with('0');
            if digits < *width || padded {
                return false;
            }
            let Ok(number) = name[..digits].parse() else { return false };
            found.push((key, number));
            matches(rest, &name[digits..], found)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> NamePattern {
        NamePattern::new(text).expect("a pattern")
    }

    #[test]
    fn numbers_are_padded_as_python_pads_them() {
        let ranks = pattern("mp_rank_{tp:02}_{pp:03}");
        assert_eq!(ranks.numbers("mp_rank_00_012"), Some(vec![("tp", 0), ("pp", 12)]));
        assert_eq!(ranks.numbers("mp_rank_100_1000"), Some(vec![("tp", 100), ("pp", 1000)]));
        for not in ["mp_rank_0_000", "mp_rank_000_000", "mp_rank_00", "mp_rank_00_000_000", "mp_rank_00_0001"] {
            assert!(!ranks.matches(not), "{not}");
        }
        assert_eq!(ranks.write(&[("tp", 3), ("pp", 0)]), "mp_rank_03_000");
    }

    #[test]
    fn stars_stop_at_a_slash() {
        assert!(pattern("*_model_states.pt").matches("mp_rank_00_model_states.pt"));
        assert!(!pattern("*.pt").matches("a/b.pt"));
        assert!(pattern("a*b*c").matches("a.b.bc"));
    }

    #[test]
    fn broken_patterns_are_refused() {
        for text in ["{", "a{b", "{}", "{n:x}", "{n:99}"] {
            assert!(NamePattern::new(text).is_err(), "{text}");
        }
    }
}
