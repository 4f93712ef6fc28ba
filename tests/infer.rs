//! What a checkpoint's keys and shapes tell of its launch is what the launch was; and with what they cannot tell taken
//! from the recording, a launch of the inferred flags builds exactly what was recorded.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moe_lint::checkpoint::{Checkpoint, Coordinates, Format, Part};
use moe_lint::infer::{From, Inference, Known, infer};
use moe_lint::launch::Word;
use moe_lint::launch::argparse::parse_known;
use moe_lint::rules::flags::{FlagTable, Parser};
use moe_lint::rules::value::Value;
use moe_lint::rules::version::Version;
use moe_lint::schema::{Builder, Schema};
use moe_lint::tensor::Inventory;
use moe_lint::text::Located;
use moe_lint::training::{Installed, TrainingConfig, configure};
use serde_json::Value as Json;

fn lines(path: &Path) -> Vec<Json> {
    let bytes = std::fs::read(path).expect("the recorded truth");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn words(texts: &[String]) -> Vec<Word> {
    texts.iter().map(|text| Located::nowhere(Ok(text.clone()))).collect()
}

/// One recorded launch.
struct Recorded<'r> {
    record: &'r Json,
    version: Version,
    parser: Parser,
    argv: Vec<String>,
}

impl Recorded<'_> {
    fn configure(&self, argv: &[String]) -> Option<TrainingConfig> {
        let te = match self.record["te"].as_str() {
            Some("none") => None,
            te => Some(te.unwrap_or("2.2").parse().expect("a version")),
        };
        let installed = Installed {
            framework: self.version.clone(),
            transformer_engine: te,
            apex: self.record["apex"].as_bool().unwrap_or(true),
        };
        let world = self.record["world"].as_i64().map_or_else(|| Value::unknown("world", "", vec![]), Value::Int);
        let config = configure(&self.parser, &words(argv), world, installed).ok()?;
        (config.rejected.is_none() && config.unsupported.is_empty()).then_some(config)
    }

    /// The launch's words without those that set a dest of which something is known, and the words for that.
    fn relaunch(&self, inference: &Inference) -> Vec<String> {
        let known: BTreeMap<&str, &[String]> = inference
            .arguments
            .iter()
            .filter_map(|one| match &one.known {
                Known::Value { words, .. } => Some((&*one.name, &words[..])),
                Known::Nothing(_) => None,
            })
            .collect();
        let mut gone = BTreeSet::new();
        for used in parse_known(&self.parser, &words(&self.argv)).uses {
            if known.contains_key(&*self.parser.actions[used.action].dest) {
                gone.extend(used.words);
            }
        }
        let left = self.argv.iter().enumerate().filter(|(index, _)| !gone.contains(index));
        let left = left.map(|(_, word)| word.clone());
        left.chain(known.values().copied().flatten().cloned()).collect()
    }
}

/// The checkpoint that ranks would write.
fn checkpoint(schema: &Schema, root: &Path) -> Checkpoint {
    let part = |file: &str, coordinates, chunks| Part {
        file: Arc::from(file),
        coordinates,
        chunks,
        other: Inventory::new(),
        values: BTreeMap::new(),
        globals: Vec::new(),
    };
    let (format, parts) = match schema {
        Schema::Global(all) => (Format::TorchDist, vec![part(".metadata", None, vec![(**all).clone()])]),
        Schema::PerRank(ranks) => {
            let mut files = BTreeMap::new();
            for rank in ranks {
                let at = Coordinates {
                    tp: rank.coordinates.tp,
                    pp: Some(rank.coordinates.pp),
                    ep: Some(rank.coordinates.ep),
                };
                let chunks = rank.chunks.iter().map(|chunk| (**chunk).clone()).collect();
                files.entry(rank.file.to_string()).or_insert_with(|| part(&rank.file, Some(at), chunks));
            }
            (Format::Torch, files.into_values().collect())
        }
    };
    Checkpoint {
        root: root.to_path_buf(),
        directory: root.to_path_buf(),
        format,
        iteration: None,
        saved_args: None,
        parts,
        notes: Vec::new(),
        problems: Vec::new(),
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth/expect")
}

#[derive(Default)]
struct Count {
    checkpoints: usize,
    told: usize,
    cannot: usize,
}

fn judge(recorded: &Recorded<'_>, format: Format, count: &mut Count) -> Result<(), String> {
    let Some(config) = recorded.configure(&recorded.argv) else { return Ok(()) };
    if format == Format::TorchDist && config.values.get("no_global_state").text().is_some() {
        return Ok(());
    }
    let build = |config: &TrainingConfig| {
        let builder = Builder::new(config).ok()?;
        let built = if format == Format::Torch { builder.per_rank(config) } else { builder.global(config) }.ok()?;
        built.rejected.is_none().then_some(built.schema)
    };
    let Some(schema) = build(&config) else { return Ok(()) };
    let checkpoint = checkpoint(&schema, Path::new("/nowhere"));
    let inference = infer(&checkpoint, &recorded.version).map_err(|error| error.to_string())?;
    count.checkpoints += 1;
    let mut wrong = Vec::new();
    for one in &inference.arguments {
        match &one.known {
            Known::Value { value, from, assumes, .. } => {
                assert_eq!(*from, From::Shapes);
                let actual = config.values.get(&one.name);
                count.told += 1;
                if assumes.is_none() && !moe_lint::infer::same(value, actual) && !HARMLESS.contains(&&*one.name) {
                    wrong.push(format!("{} is told as {value}, and is {actual}", one.name));
                }
            }
            Known::Nothing(_) => count.cannot += 1,
        }
    }
    let argv = recorded.relaunch(&inference);
    match recorded.configure(&argv).as_ref().and_then(build) {
        None => wrong.push(format!("refused: {}", argv.join(" "))),
        Some(again) => {
            let same = match (&schema, &again) {
                (Schema::Global(left), Schema::Global(right)) => left == right,
                (Schema::PerRank(left), Schema::PerRank(right)) => left
                    .iter()
                    .map(|r| (&r.coordinates, &r.chunks))
                    .eq(right.iter().map(|r| (&r.coordinates, &r.chunks))),
                _ => false,
            };
            if !same {
                wrong.push(format!("builds something else: {}", argv.join(" ")));
            }
        }
    }
    if wrong.is_empty() { Ok(()) } else { Err(format!("{}\n    {}", recorded.argv.join(" "), wrong.join("\n    "))) }
}

/// Arguments that may differ from the recording's without the model being another.
const HARMLESS: &[&str] = &[];

#[test]
fn recorded_launches_are_found_again() {
    let table = FlagTable::load().expect("the flags");
    let mut files: Vec<_> = std::fs::read_dir(folder()).expect("truth").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    let only = std::env::var("INFER_ONLY").unwrap_or_default();
    files.retain(|path| path.to_string_lossy().contains(&only));
    let mut failures = Vec::new();
    let mut count = Count::default();
    for path in files {
        let tag = path.file_name().and_then(|n| n.to_str()).expect("a name").trim_end_matches(".jsonl.gz").to_owned();
        let version: Version = tag.parse().expect("a version");
        for record in lines(&path).iter().filter(|record| record.get("rejected").is_none()) {
            let argv = record["argv"].as_array().expect("argv").iter().map(|w| w.as_str().expect("a word").to_owned());
            let recorded =
                Recorded { record, version: version.clone(), parser: table.parser(&version), argv: argv.collect() };
            for format in [Format::Torch, Format::TorchDist] {
                if let Err(text) = judge(&recorded, format, &mut count) {
                    failures.push(format!("{tag} {} {}\n  {text}", record["name"], format.name()));
                }
            }
        }
    }
    println!(
        "{} checkpoints: {} arguments told, {} said to leave no trace",
        count.checkpoints, count.told, count.cannot
    );
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}
