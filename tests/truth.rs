//! Every recorded launch: what the rules build is exactly what the real framework built.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::Path;

use moe_lint::launch::Word;
use moe_lint::rules::arguments_file::ArgumentsFile;
use moe_lint::rules::flags::FlagTable;
use moe_lint::rules::value::Value;
use moe_lint::rules::version::Version;
use moe_lint::schema::{Builder, Schema};
use moe_lint::tensor::{Inventory, Kind, Tensor};
use moe_lint::text::Located;
use moe_lint::text::Source;
use moe_lint::training::arguments_file::{settings, take};
use moe_lint::training::{Installed, TrainingConfig, configure_with};
use serde_json::Value as Json;

/// Recordings that say something about the recorder and not about Megatron-LM: a part of the refusal, and why.
const ARTEFACTS: &[(&str, &str)] =
    &[("incompatible constructor arguments", "core 0.6 makes process groups as old releases of torch did")];

fn lines(path: &Path) -> Vec<Json> {
    let bytes = std::fs::read(path).expect("the recorded truth");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn config(record: &Json, version: &Version, table: &FlagTable) -> Result<TrainingConfig, String> {
    let argv: Vec<Word> = record["argv"]
        .as_array()
        .expect("argv")
        .iter()
        .map(|word| Located::nowhere(Ok(word.as_str().expect("a word").to_owned())))
        .collect();
    let te = match record["te"].as_str() {
        Some("none") => None,
        // A launch that was refused early was recorded without the version.
        te => Some(te.unwrap_or("2.2").parse().expect("a version")),
    };
    let apex = record["apex"].as_bool().unwrap_or(true);
    let world =
        record["world"].as_i64().map_or_else(|| Value::unknown("world size", "not recorded", vec![]), Value::Int);
    let installed = Installed { framework: version.clone(), transformer_engine: te, apex };
    let parser = table.parser(version);
    let prepare = |arguments: &mut moe_lint::training::Arguments| {
        let Some(text) = record["yaml"].as_str() else { return Ok(()) };
        let source = Source::file("config.yaml", text);
        arguments.file = source.path.clone();
        let root = moe_lint::launch::yaml::load(&source).expect("YAML").expect("settings");
        let rules = ArgumentsFile::load(version).expect("the rules");
        let settings = settings(&rules, &root, &|node| Value::str(&node.text));
        take(&rules, &parser, &settings, arguments)
    };
    configure_with(&parser, &argv, world, installed, &prepare).map_err(|e| e.to_string())
}

fn shown(tensor: &Tensor) -> String {
    let shape = tensor.shape.as_ref().map(|s| {
        let sizes: Vec<String> = s.iter().map(u64::to_string).collect();
        format!("[{}]", sizes.join(","))
    });
    match tensor.kind {
        Kind::Tensor => {
            format!("{}{}", tensor.dtype.as_ref().map_or("?", |d| d.name()), shape.unwrap_or_else(|| "?".to_owned()))
        }
        Kind::Object => format!("object{}", shape.unwrap_or_default()),
    }
}

/// The smallest difference of two inventories, at most a few lines.
fn difference(expected: &serde_json::Map<String, Json>, found: &Inventory) -> Option<String> {
    let found: BTreeMap<&str, String> = found.iter().map(|(k, t)| (&**k, shown(t))).collect();
    let mut text = String::new();
    for (key, entry) in expected {
        match found.get(key.as_str()) {
            None => writeln!(text, "    recorded, not built: {key} {entry}").expect("grows"),
            Some(built) if Some(built.as_str()) != entry.as_str() => {
                writeln!(text, "    {key}: recorded {entry}, built {built}").expect("grows");
            }
            Some(_) => {}
        }
    }
    for (key, entry) in found {
        if !expected.contains_key(key) {
            writeln!(text, "    built, not recorded: {key} {entry}").expect("grows");
        }
    }
    if text.is_empty() {
        return None;
    }
    let total = text.lines().count();
    let first: Vec<&str> = text.lines().take(4).collect();
    Some(format!("{}\n    ({total} differences)", first.join("\n")))
}

#[derive(Default)]
struct Count {
    launches: usize,
    rejected: usize,
    unsupported: usize,
    ranks: usize,
    tensors: usize,
}

/// Why the launch stops before the model is built or while it is.
fn rejection(config: &TrainingConfig) -> Option<String> {
    if let Some(rejected) = &config.rejected {
        return Some(rejected.message.clone());
    }
    let built = Builder::new(config).ok()?.per_rank(config).ok()?;
    built.rejected.map(|rejected| rejected.message)
}

/// Whether something that is not known keeps us from saying that the launch loads.
fn is_undetermined(config: &TrainingConfig) -> bool {
    let built = || Builder::new(config).ok()?.per_rank(config).ok();
    !config.open.is_empty()
        || built().is_some_and(|built| !(built.unknown.is_empty() && built.unknown_shapes.is_empty()))
}

fn compare(record: &Json, version: &Version, table: &FlagTable, count: &mut Count) -> Result<(), String> {
    let config = config(record, version, table)?;
    if !config.unsupported.is_empty() {
        count.unsupported += 1;
        return Ok(());
    }
    if let Some(rejected) = record.get("rejected") {
        count.rejected += 1;
        let text = rejected.as_str().unwrap_or_default();
        if ARTEFACTS.iter().any(|(part, _)| text.contains(part)) {
            return Ok(());
        }
        return match rejection(&config) {
            Some(_) => Ok(()),
            None if is_undetermined(&config) => Ok(()),
            None => Err(format!("    not rejected; recorded {rejected}")),
        };
    }
    if let Some(reason) = rejection(&config) {
        return Err(format!("    rejected: {reason}"));
    }
    let builder = Builder::new(&config).map_err(|e| e.to_string())?;
    let built = builder.per_rank(&config).map_err(|e| e.to_string())?;
    let Schema::PerRank(ranks) = built.schema else { unreachable!() };
    if !built.unknown.is_empty() {
        return Err(format!("    unknown: {:?}", built.unknown));
    }
    count.launches += 1;
    let recorded = record["ranks"].as_array().expect("ranks");
    let complete = record["world"].as_u64().is_none_or(|w| w <= 8);
    let mut seen = 0;
    for rank in recorded {
        let number = |i: usize| rank[i].as_u64();
        let Some(found) = ranks.iter().find(|r| {
            let c = r.coordinates;
            (Some(c.tp), Some(c.pp), Some(c.ep)) == (number(0), number(1), number(2))
                && (c.etp.is_none() || rank[3].is_null() || c.etp == number(3))
        }) else {
            return Err(format!(
                "    no rank {rank}; built {:?}",
                ranks.iter().map(|r| r.coordinates).collect::<Vec<_>>()
            ));
        };
        seen += 1;
        if Some(&*found.file) != rank[4].as_str() {
            return Err(format!("    rank {rank} writes {}", found.file));
        }
        let chunks = rank[5].as_array().expect("chunks");
        if chunks.len() != found.chunks.len() {
            return Err(format!("    rank {rank} has {} chunks", found.chunks.len()));
        }
        for (index, chunk) in chunks.iter().zip(&found.chunks) {
            let index = usize::try_from(index.as_u64().expect("an index")).expect("small");
            let expected = record["chunks"][index].as_object().expect("a chunk");
            if let Some(text) = difference(expected, chunk) {
                return Err(format!("  rank tp={} pp={} ep={}\n{text}", rank[0], rank[1], rank[2]));
            }
            count.tensors += expected.len();
        }
        count.ranks += 1;
    }
    if complete && seen != ranks.len() {
        return Err(format!("    {} ranks built, {seen} recorded", ranks.len()));
    }
    if let Some(expected) = record["global"].as_object() {
        let built = builder.global(&config).map_err(|e| e.to_string())?;
        let Schema::Global(found) = built.schema else { unreachable!() };
        if complete && let Some(text) = difference(expected, &found) {
            return Err(format!("  global\n{text}"));
        }
        count.tensors += expected.len();
    }
    Ok(())
}

fn compare_all(folder: &str) -> Count {
    let mut count = Count::default();
    let table = FlagTable::load().expect("the flags");
    let mut failures = Vec::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth").join(folder);
    let mut files: Vec<_> = std::fs::read_dir(folder).expect("truth").map(|e| e.expect("an entry").path()).collect();
    files.sort();
    for path in files {
        let tag = path.file_name().and_then(|n| n.to_str()).expect("a name").trim_end_matches(".jsonl.gz").to_owned();
        let version: Version = tag.parse().expect("a version");
        for record in lines(&path) {
            if let Err(text) = compare(&record, &version, table, &mut count) {
                failures.push(format!("{tag} {}\n{text}", record["name"]));
            }
        }
    }
    println!(
        "{} launches built and {} rejected, {} ranks, {} tensors compared, {} not supported",
        count.launches, count.rejected, count.ranks, count.tensors, count.unsupported
    );
    assert!(failures.is_empty(), "{} launches differ:\n{}", failures.len(), failures.join("\n"));
    count
}

#[test]
fn launches() {
    compare_all("expect");
}

/// Arguments from a file (`--yaml-cfg`).
#[test]
fn files_of_arguments() {
    let count = compare_all("yaml");
    assert!(count.launches > 90 && count.rejected > 90 && count.unsupported < 5);
}
