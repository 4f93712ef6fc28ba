//! Every recorded launch: whether Megatron-LM refuses it, with which reason, and what its arguments become.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use moe_lint::launch::Word;
use moe_lint::rules::flags::FlagTable;
use moe_lint::rules::value::Value;
use moe_lint::rules::version::Version;
use moe_lint::schema::Builder;
use moe_lint::text::Located;
use moe_lint::training::{Installed, TrainingConfig, configure};
use serde_json::Value as Json;

/// Recorded outcomes that say something about the recorder and not about Megatron-LM: a part of the message, and why.
const ARTEFACTS: &[(&str, &str)] = &[
    ("incompatible constructor arguments", "core 0.6 makes process groups as old releases of torch did"),
    ("Creating a Parameter from an instance of type quantize", "a stand-in of Transformer Engine's native part"),
    ("CUDA_DEVICE_MAX_CONNECTIONS", "an environment variable, set by the recorder"),
    ("NVTE_CPU_OFFLOAD_V1", "an environment variable, not set by the recorder"),
    ("NCCL_ALGO", "an environment variable, not set by the recorder"),
    ("NVTE_APPLY_QK_LAYER_SCALING", "an environment variable, not set by the recorder"),
    ("CUDA_GRAPHS_USE_NODE_PRIORITY", "an environment variable, not set by the recorder"),
    ("comm+GEMM overlap with CUDA Multicast", "what the GPU and its driver can do"),
    ("Userbuffer communication backend not available", "what the GPU and its driver can do"),
    ("Cannot access accelerator device", "there is no GPU"),
    ("Must have at least torch version", "the version of torch"),
    ("DeepEP is not installed", "a package that the recorder does without"),
    ("HybridEP is not installed", "a package that the recorder does without"),
    ("nvidia_resiliency_ext is required", "a package that the recorder does without"),
    ("specialize for NoneType", "--spec names a Python module of the user"),
    ("not enough values to unpack", "--spec names a Python module of the user"),
];

/// Arguments that the schema depends on. `num_query_groups` counts only with grouped queries, see `checked`.
const ARGUMENTS: &[&str] = &[
    "add_bias_linear",
    "add_qkv_bias",
    "bf16",
    "context_parallel_size",
    "expert_model_parallel_size",
    "expert_tensor_parallel_size",
    "ffn_hidden_size",
    "fp16",
    "group_query_attention",
    "hidden_size",
    "kv_channels",
    "max_position_embeddings",
    "moe_ffn_hidden_size",
    "moe_layer_freq",
    "moe_shared_expert_intermediate_size",
    "mtp_num_layers",
    "multi_latent_attention",
    "normalization",
    "num_attention_heads",
    "num_experts",
    "num_layers",
    "num_query_groups",
    "padded_vocab_size",
    "params_dtype",
    "pipeline_model_parallel_size",
    "position_embedding_type",
    "qk_layernorm",
    "sequence_parallel",
    "swiglu",
    "tensor_model_parallel_size",
    "transformer_impl",
    "untie_embeddings_and_output_weights",
    "use_dist_ckpt",
    "virtual_pipeline_model_parallel_size",
];

/// The recorded launches below `tests/truth`: those with their models, and those that were recorded for refusals alone.
fn files() -> Vec<PathBuf> {
    let truth = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/truth");
    let mut files = Vec::new();
    for folder in ["expect", "refusals"] {
        files.extend(std::fs::read_dir(truth.join(folder)).expect("truth").map(|e| e.expect("an entry").path()));
    }
    files.sort();
    files
}

fn lines(path: &Path) -> Vec<Json> {
    let bytes = std::fs::read(path).expect("the recorded truth");
    let mut text = String::new();
    flate2::read::GzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn config(record: &Json, version: &Version, table: &FlagTable) -> Result<TrainingConfig, String> {
    let words = record["argv"].as_array().expect("argv");
    let argv: Vec<Word> =
        words.iter().map(|word| Located::nowhere(Ok(word.as_str().expect("a word").to_owned()))).collect();
    let te = match record["te"].as_str() {
        Some("none") => None,
        // A launch that was refused early was recorded without the version; nothing in those refusals asks for it.
        te => Some(te.unwrap_or("2.2").parse().expect("a version")),
    };
    let world =
        record["world"].as_i64().map_or_else(|| Value::unknown("world size", "not recorded", vec![]), Value::Int);
    let installed = Installed {
        framework: version.clone(),
        transformer_engine: te,
        apex: record["apex"].as_bool().unwrap_or(true),
    };
    configure(&table.parser(version), &argv, world, installed).map_err(|e| e.to_string())
}

fn rejection(config: &TrainingConfig) -> Result<Option<String>, String> {
    if let Some(rejected) = &config.rejected {
        return Ok(Some(rejected.message.clone()));
    }
    let builder = Builder::new(config).map_err(|e| e.to_string())?;
    let built = builder.per_rank(config).map_err(|e| e.to_string())?;
    Ok(built.rejected.map(|rejected| rejected.message))
}

/// The framework's reason alone: without the exception's name, the program's name and the modules it was building.
fn reason(recorded: &str) -> String {
    let mut text = recorded.split(" when instantiating ").next().unwrap_or(recorded);
    if let Some((_, message)) = text.split_once("pretrain_gpt.py: error: ") {
        text = message;
    } else if let Some((name, message)) = text.split_once(':')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "._()".contains(c))
    {
        text = message;
    } else if text.chars().all(|c| c.is_ascii_alphanumeric()) {
        text = "";
    }
    words(text)
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether our message is the framework's, or a part of it. An assertion without a message shows the assertion itself.
fn same(ours: &str, recorded: &str) -> bool {
    let (ours, theirs) = (words(ours), reason(recorded));
    let silent = theirs.is_empty() && ours.starts_with("assert ");
    // `exit()` after printing the reason, which is not recorded.
    theirs.contains(&ours) || silent || theirs == "SystemExit(None)"
}

/// A value as the recorder writes it.
fn plain(value: &Value) -> Json {
    match value {
        Value::None => Json::Null,
        Value::Bool(b) => Json::Bool(*b),
        Value::Int(i) => Json::from(*i),
        Value::Float(x) => Json::from(*x),
        Value::List(items) => Json::Array(items.iter().map(plain).collect()),
        other => Json::String(other.to_string()),
    }
}

/// Whether an argument's value must be the recorded one.
fn checked(name: &str, record: &Json, version: &Version) -> bool {
    let args = &record["args"];
    let older = |than: &str| *version < than.parse::<Version>().expect("a version");
    match name {
        // Without grouped queries the argument keeps its default and the model does not read it.
        "num_query_groups" => args["group_query_attention"] == Json::Bool(true),
        // Known to no argument yet: 0 in a dense model.
        "moe_ffn_hidden_size" => !older("0.10") && !args["num_experts"].is_null(),
        // Left empty where the vocabulary is not padded; the model then takes the tokenizer's size.
        "padded_vocab_size" => !args["padded_vocab_size"].is_null(),
        "expert_tensor_parallel_size" | "add_qkv_bias" => !older("0.10"),
        // The model itself takes a frequency of one for no frequency.
        "moe_layer_freq" => !older("0.10"),
        _ => true,
    }
}

fn arguments(record: &Json, config: &TrainingConfig, version: &Version) -> Vec<String> {
    let mut wrong = Vec::new();
    for name in ARGUMENTS.iter().filter(|name| checked(name, record, version)) {
        let mut recorded = record["args"][*name].clone();
        if let Some(text) = recorded.as_str() {
            recorded = Json::from(text.trim_start_matches("torch."));
        }
        let ours = plain(config.values.get(name));
        if ours != recorded {
            wrong.push(format!("{name}: recorded {recorded}, ours {ours}"));
        }
    }
    wrong
}

#[derive(Default)]
struct Agreement {
    accepted: usize,
    refused: usize,
    reasons: usize,
    artefacts: usize,
    outside: usize,
}

#[test]
fn launches_are_refused_as_megatron_refuses_them() {
    let table = FlagTable::load().expect("the flags");
    let mut agreement = Agreement::default();
    let mut failures: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for path in files() {
        let tag = path.file_name().and_then(|n| n.to_str()).expect("a name").trim_end_matches(".jsonl.gz").to_owned();
        let version: Version = tag.parse().expect("a version");
        for record in lines(&path) {
            let recorded = record["rejected"].as_str();
            if recorded.is_some_and(|text| ARTEFACTS.iter().any(|(part, _)| text.contains(part))) {
                agreement.artefacts += 1;
                continue;
            }
            let ours = config(&record, &version, table).and_then(|config| Ok((rejection(&config)?, config)));
            if matches!(&ours, Ok((None, config)) if !config.unsupported.is_empty()) {
                // Outside of the model: the answer is undetermined, whatever the framework does.
                agreement.outside += 1;
                continue;
            }
            let what = match (recorded, ours) {
                (_, Err(error)) => format!("error: {error}"),
                (Some(theirs), Ok((None, _))) => format!("not refused: {theirs}"),
                (None, Ok((Some(ours), _))) => format!("refused: {ours}"),
                (Some(theirs), Ok((Some(ours), _))) if same(&ours, theirs) => {
                    agreement.refused += 1;
                    agreement.reasons += 1;
                    continue;
                }
                (Some(theirs), Ok((Some(ours), _))) => {
                    agreement.refused += 1;
                    format!("another reason: {theirs}\n      ours: {ours}")
                }
                (None, Ok((None, config))) => {
                    agreement.accepted += 1;
                    let wrong = if record["args"].is_object() { arguments(&record, &config, &version) } else { vec![] };
                    if wrong.is_empty() {
                        continue;
                    }
                    wrong.join("\n    ")
                }
            };
            failures.entry(what).or_default().push(format!("{tag} {}", record["name"].as_str().unwrap_or("?")));
        }
    }
    println!(
        "{} launches accepted and {} refused as recorded, {} of these with the recorded reason; {} artefacts and {} outside of the model left out",
        agreement.accepted, agreement.refused, agreement.reasons, agreement.artefacts, agreement.outside
    );
    let mut text = String::new();
    for (what, launches) in &failures {
        let first: Vec<&str> = launches.iter().take(4).map(String::as_str).collect();
        writeln!(text, "{} launches ({})\n    {what}", launches.len(), first.join(", ")).expect("grows");
    }
    assert!(failures.is_empty(), "{} differences:\n{text}", failures.len());
}
