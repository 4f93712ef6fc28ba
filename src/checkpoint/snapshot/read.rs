//! Reading a snapshot. It may have been written by anybody: what does not fit is refused, sizes are bounded.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value as Json;

use super::{MOST_ENTRIES, Snapshot, VERSION, entries, values, write};
use crate::checkpoint::error::{CheckpointError, Problem, malformed};
use crate::checkpoint::locate::{ChosenBy, Content, Location, Tracker};
use crate::checkpoint::safetensors::Found;
use crate::checkpoint::{Checkpoint, Coordinates, Format, Iteration, Part};
use crate::rules::value::Value;
use crate::tensor::{Inventory, Key};

/// The head alone, so that a newer format is told from a damaged file.
#[derive(Deserialize)]
struct Head {
    moe_lint_snapshot: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "moe_lint_snapshot")]
    _version: u64,
    digest: String,
    root: PathBuf,
    directory: PathBuf,
    location: LocationDocument,
    notes: Vec<String>,
    problems: Vec<CheckpointError>,
    format: String,
    iteration: Option<Json>,
    saved_args: Option<BTreeMap<String, Json>>,
    states: Vec<BTreeMap<String, String>>,
    values: Vec<BTreeMap<String, Json>>,
    globals: Vec<Vec<String>>,
    parts: Vec<PartDocument>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PartDocument {
    file: String,
    rank: Option<(u64, Option<u64>, Option<u64>)>,
    model: Vec<usize>,
    other: usize,
    values: usize,
    globals: usize,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LocationDocument {
    is_file: bool,
    root_exists: bool,
    tracker: TrackerDocument,
    iteration: Option<Json>,
    chosen_by: Option<ChosenByDocument>,
    folder: Option<String>,
    folder_exists: bool,
    present: Vec<String>,
    newest: Option<String>,
    names: Vec<String>,
    looks_ranked: bool,
    ranks: Vec<String>,
    empty_ranks: Vec<String>,
    has_index: bool,
    has_config: bool,
    safetensors: Option<FoundDocument>,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum TrackerDocument {
    Absent(()),
    Step(i64),
    Release(()),
    Garbage(String),
    Unreadable(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum ChosenByDocument {
    Tracker,
    Option,
    Path,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum FoundDocument {
    Index(String),
    Files(Vec<String>),
}

/// The snapshot of these bytes.
pub(super) fn read(bytes: &[u8]) -> Result<Snapshot, Problem> {
    let damaged = |error: serde_json::Error| malformed("a snapshot of a checkpoint", error);
    let head: Head = serde_json::from_slice(bytes).map_err(damaged)?;
    if head.moe_lint_snapshot != VERSION {
        let name = format!("moe-lint snapshot of version {}", head.moe_lint_snapshot);
        return Err(Problem::Unsupported {
            name,
            help: "read it with the moe-lint that wrote it, or a newer one".to_owned(),
        });
    }
    let document: Document = serde_json::from_slice(bytes).map_err(damaged)?;
    let digest = document.digest.clone();
    let snapshot = snapshot(document).ok_or_else(|| malformed("a snapshot of a checkpoint", "lines that are none"))?;
    if write::digest_of(&snapshot.checkpoint) != digest {
        return Err(Problem::Edited);
    }
    Ok(snapshot)
}

fn snapshot(document: Document) -> Option<Snapshot> {
    let mut left = MOST_ENTRIES;
    let shared = Shared {
        states: &document.states,
        values: document.values.iter().map(table).collect::<Option<_>>()?,
        globals: &document.globals,
    };
    let parts = document.parts.iter().map(|part| shared.part(part, &mut left)).collect::<Option<_>>()?;
    let saved_args = match &document.saved_args {
        None => None,
        Some(args) => {
            let told = |(name, json): (&String, &Json)| Some((name.clone(), values::from_json(json)?));
            Some(args.iter().map(told).collect::<Option<_>>()?)
        }
    };
    let formats = [Format::Torch, Format::TorchDist, Format::TorchDcp, Format::Safetensors];
    let checkpoint = Checkpoint {
        root: document.root.clone(),
        directory: document.directory,
        format: formats.into_iter().find(|format| format.name() == document.format)?,
        iteration: iteration(document.iteration)?,
        saved_args,
        parts,
        notes: document.notes,
        problems: document.problems,
    };
    let location = location(document.location, document.root)?;
    Some(Snapshot { checkpoint, location })
}

fn table(table: &BTreeMap<String, Json>) -> Option<BTreeMap<Key, Value>> {
    table.iter().map(|(key, json)| Some((Key::from(&**key), values::from_json(json)?))).collect()
}

/// What parts refer to by number.
struct Shared<'d> {
    states: &'d [BTreeMap<String, String>],
    values: Vec<BTreeMap<Key, Value>>,
    globals: &'d [Vec<String>],
}

impl Shared<'_> {
    fn part(&self, part: &PartDocument, left: &mut u64) -> Option<Part> {
        let file: Arc<str> = Arc::from(&*part.file);
        let mut inventory = |number: usize| entries::unfold(self.states.get(number)?, &file, left);
        let chunks: Vec<Inventory> = part.model.iter().map(|number| inventory(*number)).collect::<Option<_>>()?;
        let other = inventory(part.other)?;
        Some(Part {
            file: Arc::clone(&file),
            coordinates: part.rank.map(|(tp, pp, ep)| Coordinates { tp, pp, ep }),
            chunks,
            other,
            values: self.values.get(part.values)?.clone(),
            globals: self.globals.get(part.globals)?.clone(),
        })
    }
}

fn iteration(json: Option<Json>) -> Option<Option<Iteration>> {
    match json {
        None | Some(Json::Null) => Some(None),
        Some(Json::String(text)) if text == "release" => Some(Some(Iteration::Release)),
        Some(json) => json.as_u64().map(|step| Some(Iteration::Step(step))),
    }
}

fn location(document: LocationDocument, root: PathBuf) -> Option<Location> {
    Some(Location {
        root,
        is_file: document.is_file,
        root_exists: document.root_exists,
        tracker: match document.tracker {
            TrackerDocument::Absent(()) => Tracker::Absent,
            TrackerDocument::Step(step) => Tracker::Step(step),
            TrackerDocument::Release(()) => Tracker::Release,
            TrackerDocument::Garbage(text) => Tracker::Garbage(text),
            TrackerDocument::Unreadable(why) => Tracker::Unreadable(why),
        },
        iteration: iteration(document.iteration)?,
        chosen_by: document.chosen_by.map(|chosen_by| match chosen_by {
            ChosenByDocument::Tracker => ChosenBy::Tracker,
            ChosenByDocument::Option => ChosenBy::Option,
            ChosenByDocument::Path => ChosenBy::Path,
        }),
        folder: document.folder,
        folder_exists: document.folder_exists,
        present: document.present,
        newest: document.newest,
        names: document.names,
        content: Content {
            looks_ranked: document.looks_ranked,
            ranks: document.ranks,
            empty_ranks: document.empty_ranks,
            has_index: document.has_index,
            has_config: document.has_config,
            safetensors: document.safetensors.map(|found| match found {
                FoundDocument::Index(name) => Found::Index(name),
                FoundDocument::Files(names) => Found::Files(names),
            }),
        },
    })
}
