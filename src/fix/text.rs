//! Texts: taking a word out without breaking the lines around it, and saying what differs between two texts.

use std::sync::Arc;

use similar::{DiffTag, TextDiff};

use crate::diagnose::Edit;
use crate::text::{Source, Span};

/// The text without a range. A line that has nothing else goes too; where it ended a command that was continued, the
/// line before it ends the command.
pub(super) fn without(text: &str, start: usize, end: usize) -> String {
    let line = text[..start].rfind('\n').map_or(0, |at| at + 1);
    let line_end = text[end..].find('\n').map_or(text.len(), |at| end + at);
    let (before, behind) = (&text[line..start], &text[end..line_end]);
    let (mut from, mut to) = (start, end);
    if before.trim().is_empty() && matches!(behind.trim(), "" | "\\") {
        let earlier = text[..line].trim_end_matches(['\n', '\r']);
        if behind.trim().is_empty() && continues(earlier) {
            from = earlier[..earlier.len() - 1].trim_end_matches([' ', '\t']).len();
            to = line_end;
        } else {
            from = line;
            to = (line_end + 1).min(text.len());
        }
    } else {
        let blanks = |text: &str| text.len() - text.trim_start_matches([' ', '\t']).len();
        let trimmed = before.trim_end_matches([' ', '\t']);
        if !trimmed.is_empty() && trimmed.len() < before.len() {
            from = line + trimmed.len();
        } else {
            to = end + blanks(behind);
        }
    }
    format!("{}{}", &text[..from], &text[to..])
}

/// Whether a line goes on in the next one.
fn continues(line: &str) -> bool {
    let backslashes = line.len() - line.trim_end_matches('\\').len();
    backslashes % 2 == 1
}

/// The text with words put in behind a place: in a line of their own where the lines hold one option each, and beside it.
pub(super) fn with_words(text: &str, at: usize, words: &str) -> Vec<String> {
    let line = text[..at].rfind('\n').map_or(0, |found| found + 1);
    let line_end = text[at..].find('\n').map_or(text.len(), |found| at + found);
    let indent: String = text[line..].chars().take_while(|c| matches!(c, ' ' | '\t')).collect();
    let mut found = Vec::new();
    let one_a_line = text[line..at].trim_start().starts_with('-');
    match text[at..line_end].trim() {
        "\\" if one_a_line => found.push(format!(" \\\n{indent}{words}")),
        "" if one_a_line => found.push(format!("\n{indent}{words}")),
        _ => {}
    }
    found.push(format!(" {words}"));
    found.into_iter().map(|new| format!("{}{new}{}", &text[..at], &text[at..])).collect()
}

/// The replacements that turn a source into another text, each as small as it can be.
pub fn edits(source: &Arc<Source>, new: &str) -> Vec<Edit> {
    let old = source.text.as_str();
    let diff = TextDiff::from_lines(old, new);
    let starts = |slices: &[&str]| {
        let mut at = 0;
        let mut all = vec![0];
        all.extend(slices.iter().map(|slice| {
            at += slice.len();
            at
        }));
        all
    };
    let (old_at, new_at) = (starts(diff.old_slices()), starts(diff.new_slices()));
    let changed = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    let edit = changed.map(|op| {
        let (of_old, of_new) = (op.old_range(), op.new_range());
        let (mut start, mut end) = (old_at[of_old.start], old_at[of_old.end]);
        let mut replacement = &new[new_at[of_new.start]..new_at[of_new.end]];
        if !replacement.is_empty() && start < end {
            let same = |pair: &(char, char)| pair.0 == pair.1;
            let front = old[start..end].chars().zip(replacement.chars()).take_while(same).map(|(c, _)| c.len_utf8());
            let front: usize = front.sum();
            start += front;
            replacement = &replacement[front..];
            let back = old[start..end].chars().rev().zip(replacement.chars().rev()).take_while(same);
            let back: usize = back.map(|(c, _)| c.len_utf8()).sum();
            end -= back;
            replacement = &replacement[..replacement.len() - back];
        }
        Edit { span: Span { source: Arc::clone(source), start, end }, replacement: replacement.to_owned() }
    });
    edit.collect()
}

/// A text after edits of it; `None` where they touch each other or lie outside of it.
pub fn applied(text: &str, edits: &[Edit]) -> Option<String> {
    let mut sorted: Vec<&Edit> = edits.iter().collect();
    sorted.sort_by_key(|edit| (edit.span.start, edit.span.end));
    let mut new = String::new();
    let mut at = 0;
    for edit in sorted {
        new.push_str(text.get(at..edit.span.start)?);
        new.push_str(&edit.replacement);
        at = edit.span.end;
    }
    new.push_str(text.get(at..)?);
    Some(new)
}

/// What differs between two versions of a file, as `diff -u` prints it; empty where nothing does.
pub fn unified(name: &str, old: &str, new: &str) -> String {
    if old == new {
        return String::new();
    }
    let diff = TextDiff::from_lines(old, new);
    diff.unified_diff().context_radius(3).header(name, name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str, word: &str) -> String {
        let at = text.find(word).expect("the word");
        without(text, at, at + word.len())
    }

    #[test]
    fn lines_stay_whole() {
        assert_eq!(taken("run a \\\n  --x \\\n  --y\n", "--x"), "run a \\\n  --y\n");
        assert_eq!(taken("run a \\\n  --x \\\n  --y\nend\n", "--y"), "run a \\\n  --x\nend\n");
        assert_eq!(taken("run a \\\n  --y", "--y"), "run a");
        assert_eq!(taken("A=(\n  --x\n  --y # why\n)\n", "--x"), "A=(\n  --y # why\n)\n");
        assert_eq!(taken("A=(\n  --x\n  --y # why\n)\n", "--y"), "A=(\n  --x\n  # why\n)\n");
        assert_eq!(taken("A=(--x --y)", "--x"), "A=(--y)");
        assert_eq!(taken("A=(--x --y)", "--y"), "A=(--x)");
        assert_eq!(taken("A=\"--x\"", "--x"), "A=\"\"");
        assert_eq!(taken("echo \\\\\n--x\n", "--x"), "echo \\\\\n");
    }

    #[test]
    fn edits_are_small() {
        let source = Source::file("a.sh", "one\ntwo 2 \\\nthree\n");
        let found = |new: &str| -> Vec<(usize, usize, String)> {
            edits(&source, new).into_iter().map(|e| (e.span.start, e.span.end, e.replacement)).collect()
        };
        assert_eq!(found("one\ntwo 22 \\\nthree\n"), [(9, 9, "2".to_owned())]);
        assert_eq!(found("one\nthree\n"), [(4, 12, String::new())]);
        assert_eq!(found("one\ntwo 2 \\\nthree\n"), []);
    }
}
