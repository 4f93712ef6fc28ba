//! Ways out: changes of a launch, as edits of the text that the user wrote and as the words that would result.

use std::path::Path;
use std::sync::Arc;

use crate::diagnose::{Candidate, Edit};
use crate::launch::Word;
use crate::rules::flags::{Nargs, Parser};
use crate::text::{Source, Span};

/// A change of a launch's words.
#[derive(Debug, Clone, Default)]
pub struct Change {
    /// Indexes of the script's arguments that go.
    pub remove: Vec<usize>,
    /// Words that come.
    pub add: Vec<String>,
    /// The index of the argument that they come behind; `None`: behind the last.
    pub behind: Option<usize>,
}

/// The change that a candidate makes to a script's arguments; `None` when it changes nothing.
pub fn change(candidate: &Candidate, arguments: &[Word], parser: &Parser) -> Option<Change> {
    let mut change = Change { add: candidate.add.clone(), ..Change::default() };
    for option in &candidate.remove {
        change.remove.extend(uses(option, arguments, parser));
    }
    change.remove.sort_unstable();
    change.remove.dedup();
    if let Some(behind) = &candidate.behind {
        change.behind = uses(behind, arguments, parser).last().copied().filter(|at| !change.remove.contains(at));
    }
    (!change.remove.is_empty() || !change.add.is_empty()).then_some(change)
}

/// The indexes of an option and its values.
fn uses(option: &str, arguments: &[Word], parser: &Parser) -> Vec<usize> {
    let takes_one = parser.action(option).is_some_and(|action| action.nargs == Nargs::One);
    let mut found = Vec::new();
    for (index, word) in arguments.iter().enumerate() {
        let Ok(text) = &word.value else { continue };
        if text == option {
            found.push(index);
            if takes_one && index + 1 < arguments.len() {
                found.push(index + 1);
            }
        } else if text.strip_prefix(option).is_some_and(|rest| rest.starts_with('=')) {
            found.push(index);
        }
    }
    found
}

/// The words after a change.
pub fn words(change: &Change, arguments: &[String]) -> Vec<String> {
    let mut out = Vec::new();
    for (index, word) in arguments.iter().enumerate() {
        if !change.remove.contains(&index) {
            out.push(word.clone());
        }
        if change.behind == Some(index) {
            out.extend(change.add.iter().cloned());
        }
    }
    if change.behind.is_none() {
        out.extend(change.add.iter().cloned());
    }
    out
}

/// The edits of the user's texts that make a change; `None` where a word is not written as such in a file.
pub fn edits(change: &Change, arguments: &[Word]) -> Option<Vec<Edit>> {
    let mut edits = Vec::new();
    for index in &change.remove {
        let span = written(arguments.get(*index)?)?;
        edits.push(Edit { span: with_blank(span), replacement: String::new() });
    }
    if !change.add.is_empty() {
        let behind = match change.behind {
            Some(index) => arguments.get(index)?,
            None => arguments.iter().enumerate().rev().find(|(at, _)| !change.remove.contains(at))?.1,
        };
        let end = written(behind)?;
        let span = Span { start: end.end, ..end };
        edits.push(Edit { span, replacement: format!(" {}", change.add.join(" ")) });
    }
    Some(whole_lines(edits))
}

/// The place where a word is written letter by letter in a file.
fn written(word: &Word) -> Option<Span> {
    let text = word.value.as_ref().ok()?;
    let span = word.places.first()?;
    (span.source.path.is_some() && span.text() == text).then(|| span.clone())
}

/// A span with the blanks before it, where there is something else before them on the line.
fn with_blank(span: Span) -> Span {
    let before = &span.source.text[..span.start];
    let trimmed = before.trim_end_matches([' ', '\t']);
    if trimmed.is_empty() || trimmed.ends_with('\n') {
        return span;
    }
    Span { start: trimmed.len(), ..span }
}

/// Takes out whole lines where nothing but blanks and a continuation would be left of them.
fn whole_lines(edits: Vec<Edit>) -> Vec<Edit> {
    let mut out: Vec<Edit> = Vec::new();
    for edit in edits {
        let source = Arc::clone(&edit.span.source);
        let start = source.text[..edit.span.start].rfind('\n').map_or(0, |at| at + 1);
        let end = source.text[edit.span.end..].find('\n').map_or(source.text.len(), |at| edit.span.end + at + 1);
        // Edits come in order: those before on the same line have already been taken into one span.
        let taken =
            out.last().filter(|last| last.span.source == source && last.span.end > start).map(|last| last.span.clone());
        let left = match &taken {
            Some(last) => format!(
                "{}{}",
                &source.text[start.min(last.start)..last.start],
                &source.text[last.end..edit.span.start]
            ),
            None => source.text[start..edit.span.start].to_owned(),
        };
        let right = source.text[edit.span.end..end].trim_end_matches('\n').trim_end().trim_end_matches('\\');
        if edit.replacement.is_empty() && left.trim().is_empty() && right.trim().is_empty() {
            if taken.is_some() {
                out.pop();
            }
            let start = taken.map_or(start, |last| last.start.min(start));
            out.push(Edit { span: Span { source, start, end }, replacement: String::new() });
        } else {
            out.push(edit);
        }
    }
    out
}

/// The text of one file after edits; `None` where they touch another file or each other.
pub fn apply(source: &Source, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| edit.span.start);
    let mut text = String::new();
    let mut at = 0;
    for edit in sorted {
        if edit.span.source.path.as_deref().map(Path::as_os_str) != source.path.as_deref().map(Path::as_os_str)
            || edit.span.start < at
        {
            return None;
        }
        text.push_str(source.text.get(at..edit.span.start)?);
        text.push_str(&edit.replacement);
        at = edit.span.end;
    }
    text.push_str(source.text.get(at..)?);
    Some(text)
}
