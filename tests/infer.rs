//! What a checkpoint's keys and shapes tell of its launch is what the launch was; and with what they cannot tell taken
//! from the recording, a launch of the inferred flags builds exactly what was recorded.

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use moe_lint::checkpoint::{Checkpoint, Coordinates, Format, Part};
use moe_lint::infer::{From, Inference, Known, infer, same};
use moe_lint::launch::Word;
use moe_lint::launch::argparse::parse_known;
use moe_lint::rules::flags::{FlagTable, Parser};
use moe_lint::rules::value::Value;
use moe_lint::rules::version::Version;
use moe_lint::schema::{Builder, Schema};
use moe_lint::tensor::Inventory;
use moe_lint::text::Located;
use moe_lint::training::{Installed, TrainingConfig, configure};
use rayon::prelude::*;
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
    fn relaunch(&self, inference: &Inference, config: &TrainingConfig) -> Vec<String> {
        let known: BTreeMap<&str, &[String]> = inference
            .arguments
            .iter()
            .filter_map(|one| match &one.known {
                // What takes something for granted that does not hold is taken from the recording.
                Known::Value { value, assumes: Some(_), .. } if !same(value, config.values.get(&one.name)) => None,
                Known::Value { words, .. } => Some((&*one.name, &words[..])),
                Known::Nothing(_) => None,
            })
            .collect();
        let mut gone = BTreeSet::new();
        for used in parse_known(&self.parser, &words(&self.argv)).uses {
            let dest = &*self.parser.actions[used.action].dest;
            let instead = "num_layers_per_virtual_pipeline_stage";
            if known.contains_key(dest) || dest == "num_virtual_stages_per_pipeline_rank" && known.contains_key(instead)
            {
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
    let stages =
        ["decoder_first_pipeline_num_layers", "decoder_last_pipeline_num_layers", "pipeline_stages", "num_layers"];
    let [first, last, stages, layers] = stages.map(|name| config.values.get(name).int());
    let ends = first.zip(last).map(|(first, last)| first + last);
    let uneven = first.or(last).is_none() && layers.zip(stages).is_some_and(|(layers, stages)| layers % stages != 0);
    if stages == Some(2) && ends.is_some() && ends != layers
        || uneven && recorded.version < "0.9".parse().expect("a version")
    {
        // The stages hold fewer layers than were asked for: the framework drops the rest.
        return Ok(());
    }
    let checkpoint = checkpoint(&schema, Path::new("/nowhere"));
    let inference = infer(&checkpoint, &recorded.version).map_err(|error| error.to_string())?;
    count.checkpoints += 1;
    let mut wrong = Vec::new();
    for one in &inference.arguments {
        match &one.known {
            Known::Value { value, from, assumes, .. } => {
                assert_eq!(*from, From::Shapes);
                let actual = config.values.get(&one.name);
                let layers = config.values.get("num_layers").int().unwrap_or(0);
                let (value, actual) = match &*one.name {
                    "moe_layer_freq" => (pattern(value, layers), pattern(actual, layers)),
                    _ => (value.clone(), actual.clone()),
                };
                count.told += 1;
                if assumes.is_none() && !same(&value, &actual) && !HARMLESS.contains(&&*one.name) {
                    wrong.push(format!("{} is told as {value}, and is {actual}", one.name));
                }
            }
            Known::Nothing(_) => count.cannot += 1,
        }
    }
    let argv = recorded.relaunch(&inference, &config);
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
const HARMLESS: &[&str] = &[
    // The recorded launch is taken for one of either format.
    "ckpt_format",
    "use_dist_ckpt",
    // Without Transformer Engine's experts there is only one grouped layout, and the flag says nothing.
    "moe_use_legacy_grouped_gemm",
    // As many groups as heads are no groups.
    "group_query_attention",
    // Another flag may say the same.
    "num_layers_per_virtual_pipeline_stage",
];

/// What a frequency of MoE layers means, layer by layer.
fn pattern(value: &Value, layers: i64) -> Value {
    let Some(every) = value.int().filter(|every| *every > 0) else { return value.clone() };
    Value::List((0..layers).map(|layer| Value::Int(i64::from(layer % every == 0))).collect())
}

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
        let mut records = lines(&path);
        records.retain(|record| record.get("rejected").is_none());
        let results: Vec<(Count, Vec<String>)> = records
            .par_iter()
            .map(|record| {
                let words = record["argv"].as_array().expect("argv").iter();
                let argv = words.map(|word| word.as_str().expect("a word").to_owned()).collect();
                let parser = table.parser(&version);
                let recorded = Recorded { record, version: version.clone(), parser, argv };
                let mut count = Count::default();
                let judged = [Format::Torch, Format::TorchDist].map(|format| {
                    let result = judge(&recorded, format, &mut count);
                    result.map_err(|text| format!("{tag} {} {}\n  {text}", record["name"], format.name()))
                });
                (count, judged.into_iter().filter_map(Result::err).collect())
            })
            .collect();
        for (one, wrong) in results {
            count.checkpoints += one.checkpoints;
            count.told += one.told;
            count.cannot += one.cannot;
            failures.extend(wrong);
        }
    }
    println!(
        "{} checkpoints: {} arguments told, {} said to leave no trace",
        count.checkpoints, count.told, count.cannot
    );
    assert!(failures.is_empty(), "{} differ:\n{}", failures.len(), failures.join("\n"));
}

#[test]
fn saved_arguments_and_shapes_agree() {
    let root = support::checkpoints();
    let mut looked_at = 0;
    for path in support::checkpoint_directories(root) {
        let Ok(checkpoint) = moe_lint::checkpoint::read(&path, &Default::default()) else { continue };
        if checkpoint.saved_args.is_none() {
            continue;
        }
        looked_at += 1;
        let tag = path.components().find_map(|part| {
            let text = part.as_os_str().to_str()?;
            text.starts_with("core_v").then(|| text.to_owned())
        });
        let version: Version = tag.expect("a version").parse().expect("a version");
        let inference = infer(&checkpoint, &version).expect("rules");
        for one in &inference.arguments {
            if let Known::Value { value, saved: Some(saved), .. } = &one.known
                && !HARMLESS.contains(&&*one.name)
            {
                panic!("{}: {} is saved as {saved}, and told as {value}", path.display(), one.name);
            }
        }
        assert!(inference.arguments.len() > 20, "{}: little is told", path.display());
    }
    assert!(looked_at > 50, "{looked_at} checkpoints");
}

#[test]
fn the_command_prints_an_array_and_a_document() {
    let root = support::checkpoints();
    let path = support::checkpoint_directories(root).into_iter().next().expect("a checkpoint").display().to_string();
    let run = |more: &[&str]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_moe-lint"));
        command.args(["infer", &path, "--megatron", "0.12"]).args(more).output().expect("it runs")
    };
    let output = run(&["--format", "json"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let document: Json = serde_json::from_slice(&output.stdout).expect("JSON");
    let schema = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/infer.json");
    let schema: Json = serde_json::from_str(&std::fs::read_to_string(schema).expect("a schema")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a JSON schema");
    assert!(validator.is_valid(&document), "{document}");
    // The array holds the words of the document, as a shell reads them.
    let text = String::from_utf8(run(&[]).stdout).expect("UTF-8");
    let script = format!("{text}torchrun pretrain_gpt.py \"${{CHECKPOINT_ARGS[@]}}\"\n");
    let launch = moe_lint::launch::read_script(Path::new("a.sh"), &script, &Default::default()).expect("a script");
    let words: Vec<&str> = launch.commands[0].argv[2..].iter().map(|w| w.value.as_deref().expect("known")).collect();
    let mut told: Vec<&str> =
        document["words"].as_array().expect("words").iter().map(|w| w.as_str().expect("a word")).collect();
    let mut words = words;
    told.sort_unstable();
    words.sort_unstable();
    assert_eq!(words, told);
}
