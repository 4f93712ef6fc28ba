//! Writing a snapshot.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::entries::{self, Lines};
use super::{MARK, VERSION, values};
use crate::checkpoint::locate::{ChosenBy, Content, Location, Tracker};
use crate::checkpoint::safetensors::Found;
use crate::checkpoint::{Checkpoint, Coordinates, Iteration, Part};

/// The text of a checkpoint's snapshot. `location` is what the loader finds at its root when no step is asked for.
pub fn write(checkpoint: &Checkpoint, location: &Location) -> String {
    let facts = facts(checkpoint);
    let Checkpoint { root, directory, format: _, iteration: _, saved_args: _, parts: _, notes, problems } = checkpoint;
    let mut out = String::new();
    field(&mut out, MARK, &json!(VERSION));
    field(&mut out, "digest", &json!(digest(&facts)));
    field(&mut out, "root", &json!(root.to_string_lossy()));
    field(&mut out, "directory", &json!(directory.to_string_lossy()));
    table(&mut out, "location", location_json(location).into_iter());
    list(&mut out, "notes", notes);
    list(&mut out, "problems", problems);
    out.push_str(&facts);
    // The last comma goes.
    out.truncate(out.trim_end_matches(",\n").len());
    format!("{{\n{out}\n}}\n")
}

/// The digest of a checkpoint's facts.
pub(super) fn digest_of(checkpoint: &Checkpoint) -> String {
    digest(&facts(checkpoint))
}

/// What does not depend on the place that a checkpoint was read at.
fn facts(checkpoint: &Checkpoint) -> String {
    let Checkpoint { root: _, directory: _, notes: _, problems: _, format, iteration, saved_args, parts } = checkpoint;
    let mut facts = String::new();
    field(&mut facts, "format", &json!(format.name()));
    field(&mut facts, "iteration", &iteration_json(*iteration));
    match saved_args {
        None => field(&mut facts, "saved_args", &Json::Null),
        Some(args) => {
            table(&mut facts, "saved_args", args.iter().map(|(name, value)| (&**name, values::to_json(value))));
        }
    }
    state(&mut facts, parts);
    facts
}

/// The digest of what the headers say, whatever the place they were read at.
fn digest(facts: &str) -> String {
    format!("sha256:{}", Sha256::digest(facts).iter().map(|byte| format!("{byte:02x}")).collect::<String>())
}

/// What the parts hold: each distinct state, value table and import list once, then one line a part.
fn state(out: &mut String, parts: &[Part]) {
    let (mut states, mut tables, mut imports) = (Vec::new(), Vec::new(), Vec::new());
    let (mut of_states, mut of_tables, mut of_imports) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    let mut lines = Vec::new();
    for part in parts {
        let Part { file, coordinates, chunks, other, values, globals } = part;
        let mut number = |inventory| once(entries::fold(inventory, file), &mut states, &mut of_states);
        let chunks: Vec<usize> = chunks.iter().map(&mut number).collect();
        let other = number(other);
        let table: Vec<(String, String)> =
            values.iter().map(|(key, value)| (key.to_string(), values::to_json(value).to_string())).collect();
        let coordinates = coordinates.map(|Coordinates { tp, pp, ep }| json!([tp, pp, ep]));
        lines.push(json!({
            "file": &**file,
            "rank": coordinates,
            "model": chunks,
            "other": other,
            "values": once(table, &mut tables, &mut of_tables),
            "globals": once(globals.clone(), &mut imports, &mut of_imports),
        }));
    }
    nested(out, "states", &states, |out, lines: &Lines| {
        rows(out, "    ", lines.iter().map(|(pattern, what)| (&**pattern, json!(what).to_string())));
    });
    nested(out, "values", &tables, |out, table: &Lines| {
        rows(out, "    ", table.iter().map(|(key, json)| (&**key, json.clone())));
    });
    nested(out, "globals", &imports, |out, names: &Vec<String>| {
        let names: Vec<String> = names.iter().map(|name| format!("      {}", json!(name))).collect();
        let _ = match names.is_empty() {
            true => write!(out, "[]"),
            false => write!(out, "[\n{}\n    ]", names.join(",\n")),
        };
    });
    list(out, "parts", &lines);
}

/// The number of a thing among those that were seen.
fn once<T: Clone + Ord>(thing: T, all: &mut Vec<T>, numbers: &mut BTreeMap<T, usize>) -> usize {
    *numbers.entry(thing.clone()).or_insert_with(|| {
        all.push(thing);
        all.len() - 1
    })
}

/// `"name": value,` on one line.
fn field(out: &mut String, name: &str, value: &Json) {
    // Writing to a String cannot fail.
    let _ = writeln!(out, "  {}: {value},", json!(name));
}

/// A table with one line an entry.
fn table<'n>(out: &mut String, name: &str, entries: impl Iterator<Item = (&'n str, Json)>) {
    let _ = write!(out, "  {}: ", json!(name));
    rows(out, "  ", entries.map(|(name, value)| (name, value.to_string())));
    out.push_str(",\n");
}

fn rows<'n>(out: &mut String, indent: &str, entries: impl Iterator<Item = (&'n str, String)>) {
    let lines: Vec<String> = entries.map(|(name, value)| format!("{indent}  {}: {value}", json!(name))).collect();
    let _ = match lines.is_empty() {
        true => write!(out, "{{}}"),
        false => write!(out, "{{\n{}\n{indent}}}", lines.join(",\n")),
    };
}

/// A list with one line an element.
fn list(out: &mut String, name: &str, elements: &[impl Serialize]) {
    let lines: Vec<String> =
        elements.iter().map(|element| format!("    {}", serde_json::to_value(element).unwrap_or_default())).collect();
    let _ = match lines.is_empty() {
        true => writeln!(out, "  {}: [],", json!(name)),
        false => writeln!(out, "  {}: [\n{}\n  ],", json!(name), lines.join(",\n")),
    };
}

/// A list of tables.
fn nested<T>(out: &mut String, name: &str, elements: &[T], mut one: impl FnMut(&mut String, &T)) {
    let _ = writeln!(out, "  {}: [", json!(name));
    for (i, element) in elements.iter().enumerate() {
        out.push_str("    ");
        one(out, element);
        out.push_str(if i + 1 < elements.len() { ",\n" } else { "\n" });
    }
    out.push_str("  ],\n");
}

fn iteration_json(iteration: Option<Iteration>) -> Json {
    match iteration {
        None => Json::Null,
        Some(Iteration::Release) => json!("release"),
        Some(Iteration::Step(step)) => json!(step),
    }
}

fn location_json(location: &Location) -> Vec<(&'static str, Json)> {
    // The root is the checkpoint's own.
    let Location {
        root: _,
        is_file,
        root_exists,
        tracker,
        iteration,
        chosen_by,
        folder,
        folder_exists,
        present,
        newest,
        names,
        content,
    } = location;
    let Content { looks_ranked, ranks, empty_ranks, has_index, has_config, safetensors } = content;
    let tracker = match tracker {
        Tracker::Absent => json!({ "absent": null }),
        Tracker::Step(step) => json!({ "step": step }),
        Tracker::Release => json!({ "release": null }),
        Tracker::Garbage(text) => json!({ "garbage": text }),
        Tracker::Unreadable(why) => json!({ "unreadable": why }),
    };
    let chosen_by = chosen_by.map(|chosen_by| match chosen_by {
        ChosenBy::Tracker => "tracker",
        ChosenBy::Option => "option",
        ChosenBy::Path => "path",
    });
    let safetensors = safetensors.as_ref().map(|found| match found {
        Found::Index(name) => json!({ "index": name }),
        Found::Files(names) => json!({ "files": names }),
    });
    vec![
        ("is_file", json!(is_file)),
        ("root_exists", json!(root_exists)),
        ("tracker", tracker),
        ("iteration", iteration_json(*iteration)),
        ("chosen_by", json!(chosen_by)),
        ("folder", json!(folder)),
        ("folder_exists", json!(folder_exists)),
        ("present", json!(present)),
        ("newest", json!(newest)),
        ("names", json!(names)),
        ("looks_ranked", json!(looks_ranked)),
        ("ranks", json!(ranks)),
        ("empty_ranks", json!(empty_ranks)),
        ("has_index", json!(has_index)),
        ("has_config", json!(has_config)),
        ("safetensors", json!(safetensors)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_told_once() {
        let (mut all, mut numbers) = (Vec::new(), BTreeMap::new());
        let numbered: Vec<usize> = ["a", "b", "a"].into_iter().map(|x| once(x, &mut all, &mut numbers)).collect();
        assert_eq!((numbered, all), (vec![0, 1, 0], vec!["a", "b"]));
    }
}
