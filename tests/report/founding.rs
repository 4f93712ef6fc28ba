//! The founding case as a report made by hand: what the command is to print, whatever the rest of the program does.

use std::sync::Arc;
use std::time::Duration;

use moe_lint::checkpoint::{Checkpoint, Format, Iteration, Part};
use moe_lint::diagnose::{Applicability, Diagnosis, Edit, Explained, Fix, Label, Note, Proof, Severity};
use moe_lint::diff::{Diff, PartDiff};
use moe_lint::launch::{Command, Launch};
use moe_lint::loader::{Outcome, Stage, Verdict};
use moe_lint::report::{Environment, Framework, Report, SchemaReport};
use moe_lint::rules::value::Value;
use moe_lint::schema::{Coordinates, Rank, Schema};
use moe_lint::tensor::{Dtype, Inventory, Tensor};
use moe_lint::text::{Located, Source, Span};

const SCRIPT: &str = include_str!("../cases/issue-924/train_mixtral.sh");
pub const FLAG: &str = "--moe-grouped-gemm";

pub fn script() -> Arc<Source> {
    Source::file("train_mixtral.sh", SCRIPT)
}

pub fn span(source: &Arc<Source>, text: &str) -> Span {
    let start = source.text.find(text).expect("the text is in the script");
    Span { source: Arc::clone(source), start, end: start + text.len() }
}

pub fn at(ep: u64) -> Coordinates {
    Coordinates { tp: 0, pp: 0, ep, etp: None }
}

pub fn bf16(shape: &[u64]) -> Tensor {
    Tensor::tensor(shape.to_vec(), Dtype::new("bfloat16"))
}

/// What every rank has beside the experts.
fn common(inventory: &mut Inventory) {
    inventory.insert("embedding.word_embeddings.weight", bf16(&[128, 16]));
    inventory.insert("decoder.final_layernorm.weight", bf16(&[16]));
    inventory.insert("output_layer.weight", bf16(&[128, 16]));
    for layer in 0..4 {
        let at = |name: &str| format!("decoder.layers.{layer}.{name}");
        inventory.insert(at("self_attention.linear_proj.weight"), bf16(&[16, 16]));
        inventory.insert(at("self_attention.linear_qkv.layer_norm_weight"), bf16(&[16]));
        inventory.insert(at("self_attention.linear_qkv.weight"), bf16(&[32, 16]));
        inventory.insert(at("self_attention.linear_qkv._extra_state"), Tensor::object());
        inventory.insert(at("pre_mlp_layernorm.weight"), bf16(&[16]));
        inventory.insert(at("mlp.router.weight"), bf16(&[8, 16]));
    }
}

pub fn grouped() -> Inventory {
    let mut inventory = Inventory::new();
    common(&mut inventory);
    for layer in 0..4 {
        inventory.insert(format!("decoder.layers.{layer}.mlp.experts.weight1"), bf16(&[16, 96]));
        inventory.insert(format!("decoder.layers.{layer}.mlp.experts.weight2"), bf16(&[48, 16]));
    }
    inventory
}

pub fn sequential() -> Inventory {
    let mut inventory = Inventory::new();
    common(&mut inventory);
    for layer in 0..4 {
        for expert in 0..2 {
            let at = |name: &str| format!("decoder.layers.{layer}.mlp.experts.local_experts.{expert}.{name}");
            inventory.insert(at("linear_fc1.weight"), bf16(&[48, 16]));
            inventory.insert(at("linear_fc2.weight"), bf16(&[16, 24]));
        }
    }
    inventory
}

fn only_in(one: &Inventory, other: &Inventory) -> Vec<(moe_lint::tensor::Key, Tensor)> {
    let lacks = one.iter().filter(|(key, _)| other.get(key).is_none());
    lacks.map(|(key, tensor)| (Arc::clone(key), tensor.clone())).collect()
}

pub fn schema(inventory: &Arc<Inventory>) -> Schema {
    let rank = |ep| Rank {
        coordinates: at(ep),
        file: format!("mp_rank_00_{ep:03}/model_optim_rng.pt").into(),
        chunks: vec![Arc::clone(inventory)],
    };
    Schema::PerRank((0..4).map(rank).collect())
}

pub fn checkpoint() -> Checkpoint {
    let part = |ep| {
        let file: Arc<str> = format!("mp_rank_00_{ep:03}/model_optim_rng.pt").into();
        let chunk = sequential().iter().map(|(key, tensor)| (Arc::clone(key), tensor.clone().in_file(&file))).collect();
        let mut other = Inventory::new();
        other.insert("checkpoint_version", Tensor::object().in_file(&file));
        other.insert("iteration", Tensor::object().in_file(&file));
        let values = [("iteration".into(), Value::Int(10))].into();
        Part { file, coordinates: None, chunks: vec![chunk], other, values, globals: Vec::new() }
    };
    let args = [("num_layers", Value::Int(4)), ("lr", Value::Float(1e-4)), ("load", Value::None)];
    Checkpoint {
        root: "checkpoints/mixtral".into(),
        directory: "checkpoints/mixtral/iter_0000010".into(),
        format: Format::Torch,
        iteration: Some(Iteration::Step(10)),
        saved_args: Some(args.map(|(name, value)| (name.to_owned(), value)).into()),
        parts: (0..4).map(part).collect(),
        problems: Vec::new(),
        notes: Vec::new(),
    }
}

pub fn launch(source: &Arc<Source>) -> Launch {
    let word = |text: &str| Located::new(Ok(text.to_owned()), vec![span(source, text)]);
    let argv = ["torchrun", "pretrain_gpt.py", "--num-experts", FLAG].map(word).into();
    let command = Command { argv, line: 66, ..Command::default() };
    Launch { sources: vec![Arc::clone(source)], commands: vec![command], training: Some(0), ..Launch::default() }
}

pub fn framework() -> Framework {
    Framework { name: "Megatron-LM".into(), version: "0.8.0".parse().expect("a version"), from: "--megatron".into() }
}

pub fn environment() -> Environment {
    Environment { transformer_engine: Some("1.7".parse().expect("a version")), engine_from: "--te".into(), apex: true }
}

/// The launch of issue 924 against the checkpoint of issue 924.
pub fn fails() -> Report {
    let source = script();
    let (wants, has) = (Arc::new(grouped()), sequential());
    let part = |ep| PartDiff {
        coordinates: Some(at(ep)),
        missing: only_in(&wants, &has),
        unexpected: only_in(&has, &wants),
        ..PartDiff::default()
    };
    let diff = Diff { parts: (0..4).map(part).collect() };
    let all = |n: usize| (0..4).flat_map(|part| (0..n).map(move |entry| (part, entry))).collect();
    let diagnosis = Diagnosis {
        rule: "expert-layout".into(),
        severity: Severity::Error,
        message: "the launch builds GroupedMLP, the checkpoint holds SequentialMLP experts".into(),
        labels: vec![Label {
            span: span(&source, FLAG),
            text: "stores all experts of a layer in weight1 and weight2".into(),
        }],
        explains: Explained { missing: all(8), unexpected: all(16), ..Explained::default() },
        notes: vec![Note {
            heading: "what happens".into(),
            text: "Megatron-LM 0.8 stops: \"Missing key(s) in state_dict\". From 0.13 on it would train with random \
                   experts."
                .into(),
        }],
        fixes: vec![
            Fix {
                title: "remove --moe-grouped-gemm".into(),
                applicability: Applicability::Safe,
                edits: vec![Edit { span: span(&source, FLAG), replacement: String::new() }],
                command: None,
                proof: Proof::Loads,
            },
            Fix {
                title: "convert the experts".into(),
                applicability: Applicability::Safe,
                edits: Vec::new(),
                command: Some("moe-lint convert SRC DST --experts grouped".into()),
                proof: Proof::None,
            },
        ],
    };
    let stage = |name: &str, verdict, message: &str| Stage { name: name.into(), verdict, message: message.into() };
    Report {
        framework: framework(),
        environment: environment(),
        launch: Arc::new(launch(&source)),
        rejected: None,
        schema: Some(schema(&wants)),
        checkpoint: Some(Arc::new(checkpoint())),
        outcome: Outcome::Fails,
        stages: vec![
            stage("locate", Verdict::Ok, "iteration 10"),
            stage("model", Verdict::Fails, "load_state_dict raises RuntimeError"),
            stage("optimizer", Verdict::Skipped, "--no-load-optim"),
        ],
        diff,
        diagnoses: vec![diagnosis],
        undetermined: Vec::new(),
        versions: vec![framework().version],
        others: Vec::new(),
        elapsed: Duration::from_millis(14),
    }
}

/// The same launch without the flag.
pub fn loads() -> Report {
    let parts = (0..4).map(|ep| PartDiff { coordinates: Some(at(ep)), ..PartDiff::default() }).collect();
    let stage = Stage { name: "model".into(), verdict: Verdict::Ok, message: "every key matches".into() };
    Report {
        schema: Some(schema(&Arc::new(sequential()))),
        outcome: Outcome::Loads,
        stages: vec![stage],
        diff: Diff { parts },
        diagnoses: Vec::new(),
        ..fails()
    }
}

/// What `moe-lint schema` says about the launch.
pub fn schema_report() -> SchemaReport {
    SchemaReport {
        framework: framework(),
        environment: environment(),
        launch: Arc::new(launch(&script())),
        rejected: None,
        schema: Some(schema(&Arc::new(grouped()))),
        undetermined: Vec::new(),
        elapsed: Duration::from_millis(3),
    }
}
