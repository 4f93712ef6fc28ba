//! Where a word can be changed in the text that it comes from.

use crate::launch::Word;
use crate::text::{Source, Span};

/// Which place to try first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Prefer {
    /// Beside the option that it belongs to.
    Use,
    /// Where the value itself is written, if that is used nowhere else.
    Value,
}

/// The places of a word in a text, with quotes around them first; the best first. `option` is the word of the option
/// that it is a value of.
pub(super) fn of(word: &Word, option: Option<&Word>, source: &Source, prefer: Prefer) -> Vec<(usize, usize)> {
    let text = source.text.as_str();
    let inside: Vec<&Span> = word.places.iter().filter(|span| *span.source == *source).collect();
    let beside = |span: &&Span| {
        let option = option.and_then(|option| option.places.iter().find(|place| *place.source == *source));
        option.is_none_or(|option| {
            let between = text.get(option.end..span.start);
            between.is_some_and(|between| between.chars().all(|c| c.is_whitespace() || "\\\"'".contains(c)))
        })
    };
    let mut ordered: Vec<&Span> = Vec::new();
    let written = inside.first().copied().filter(|span| word.value.as_ref().is_ok_and(|value| span.text() == value));
    if prefer == Prefer::Value
        && let Some(written) = written
    {
        let through = inside.iter().skip(1).any(|span| name(span.text()).is_some_and(|name| uses(text, name) > 1));
        if !through {
            ordered.push(written);
        }
    }
    ordered.extend(inside.iter().copied().filter(beside));
    ordered.extend(inside.iter().copied());
    let mut found = Vec::new();
    for span in ordered {
        let quoted = quotes_around(text, span.start, span.end);
        for range in quoted.into_iter().chain([(span.start, span.end)]) {
            if !found.contains(&range) {
                found.push(range);
            }
        }
    }
    // Parts beside each other, `--flag="$X"`: all of them, with the last quote. First where the whole word goes.
    let mut whole = Vec::new();
    if let Some((start, end)) = hull(text, &inside) {
        let quote = text[end..].chars().next().filter(|c| matches!(c, '"' | '\''));
        whole.extend(quote.map(|_| (start, end + 1)));
        whole.push((start, end));
    }
    match prefer {
        Prefer::Use => [whole, found].concat(),
        Prefer::Value => [found, whole].concat(),
    }
}

/// The range of the parts that a word is written in one after the other, where there are several.
fn hull(text: &str, inside: &[&Span]) -> Option<(usize, usize)> {
    let first = inside.iter().find(|span| span.text().starts_with("--"))?;
    let (start, mut end) = (first.start, first.end);
    let mut rest: Vec<&&Span> = inside.iter().filter(|span| span.start >= end).collect();
    rest.sort_by_key(|span| span.start);
    for span in rest {
        let between = text.get(end..span.start)?;
        if !matches!(between, "" | "\"" | "'") {
            break;
        }
        end = span.end;
    }
    (end > first.end).then_some((start, end))
}

/// The range with the quotes that stand right around it.
pub(super) fn quotes_around(text: &str, start: usize, end: usize) -> Option<(usize, usize)> {
    let before = text[..start].chars().next_back()?;
    let behind = text[end..].chars().next()?;
    (before == behind && matches!(before, '"' | '\'')).then_some((start - 1, end + 1))
}

/// The variable that a use expands: `$X`, `"${X}"`, `${X[@]}`.
fn name(text: &str) -> Option<&str> {
    let inner = text.trim_matches('"').strip_prefix('$')?;
    let inner = inner.strip_prefix('{').unwrap_or(inner);
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(inner.len());
    (end > 0).then(|| &inner[..end])
}

/// How often a variable is expanded in a text.
fn uses(text: &str, name: &str) -> usize {
    let ends = |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let count = |before: &str| {
        let start = format!("{before}{name}");
        text.match_indices(&start).filter(|(at, _)| ends(&text[at + start.len()..])).count()
    };
    count("$") + count("${")
}
