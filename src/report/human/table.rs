//! A folded table of entries: key pattern, shape, dtype, count.

use std::collections::{BTreeMap, BTreeSet};

use textwrap::core::display_width;

use super::rows::{self, thousands};
use crate::pattern::{self, Pattern};
use crate::report::style::{Role, Style};
use crate::report::words;
use crate::rules::value::Value;
use crate::tensor::{Key, Tensor};

/// A line of a table.
struct Line {
    key: String,
    shape: String,
    dtype: String,
    count: String,
    file: String,
}

/// Longer values are cut: a table shows settings, not texts.
const MOST_OF_VALUE: usize = 40;

/// What is said beside the keys.
pub(super) struct Beside<'i> {
    /// Say which files hold each line's keys.
    pub(super) files: bool,
    /// The values of entries that are single settings.
    pub(super) values: Option<&'i BTreeMap<Key, Value>>,
}

/// Writes the entries, those that differ only in numbers in one line.
pub(super) fn render<'i>(
    out: &mut String,
    style: Style,
    entries: impl Iterator<Item = (&'i Key, &'i Tensor)>,
    beside: &Beside<'_>,
) {
    let entries: Vec<(&Key, &Tensor)> = entries.collect();
    let value = |key| beside.values.and_then(|values| values.get(key)).map(shown).unwrap_or_default();
    let attribute = |key, tensor: &Tensor| (tensor.kind, tensor.shape.clone(), tensor.dtype.clone(), value(key));
    let folded = pattern::fold_by(entries.iter().map(|(key, tensor)| (key, attribute(*key, tensor))));
    let lines: Vec<Line> = folded
        .into_iter()
        .map(|(pattern, (kind, shape, dtype, value))| {
            let tensor = Tensor { kind, shape, dtype, file: None, optional: false };
            Line {
                key: pattern.to_string(),
                shape: words::shape(&tensor),
                dtype: if value.is_empty() { words::dtype(&tensor) } else { value },
                count: thousands(pattern.count()),
                file: if beside.files { files_of(&pattern, &entries) } else { String::new() },
            }
        })
        .collect();
    write(out, style, &lines);
}

fn shown(value: &Value) -> String {
    let text = rows::printable(&value.to_string()).replace('\n', " ");
    match text.char_indices().nth(MOST_OF_VALUE) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

fn write(out: &mut String, style: Style, lines: &[Line]) {
    let widest = |text: fn(&Line) -> &String| lines.iter().map(|line| display_width(text(line))).max().unwrap_or(0);
    let (shape, dtype, count) = (widest(|l| &l.shape), widest(|l| &l.dtype), widest(|l| &l.count));
    let rest = 2 + count + 2 + 2 + shape + 2 + dtype;
    let key = widest(|l| &l.key).min(style.columns().saturating_sub(rest).max(24));
    for line in lines {
        let tally = style.paint(Role::Quiet, &format!("{:>count$}", line.count));
        let attributes = format!("{:<shape$}  {}", line.shape, line.dtype);
        let gap = key.saturating_sub(display_width(&line.key));
        out.push_str(&format!("  {tally}  {}", line.key));
        if display_width(&line.key) > key {
            out.push_str(&format!("\n{}", " ".repeat(2 + count + 2 + key)));
        }
        out.push_str(&format!("{}  {}", " ".repeat(gap), attributes.trim_end()));
        if !line.file.is_empty() {
            let full = 2 + count + 2 + key + 2 + shape + 2 + dtype + 2;
            let gap = shape + 2 + dtype - display_width(attributes.trim_end());
            let fits = full + display_width(&line.file) <= style.columns();
            out.push_str(&if fits { " ".repeat(gap + 2) } else { format!("\n{}", " ".repeat(2 + count + 4)) });
            out.push_str(&style.paint(Role::Quiet, &line.file));
        }
        out.push('\n');
    }
}

/// The files that hold the keys of a pattern, folded.
fn files_of(pattern: &Pattern, entries: &[(&Key, &Tensor)]) -> String {
    let mut files = BTreeSet::new();
    for key in pattern.keys() {
        if let Ok(at) = entries.binary_search_by(|(other, _)| other.as_ref().cmp(key.as_str())) {
            files.extend(entries[at].1.file.as_deref());
        }
    }
    let folded: Vec<String> = pattern::fold(&files).iter().map(Pattern::to_string).collect();
    match &folded[..] {
        [] => String::new(),
        lines if lines.len() <= 2 => format!("in {}", lines.join(", ")),
        _ => format!("in {} files", thousands(files.len() as u64)),
    }
}
