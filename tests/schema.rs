//! Properties of what the rules build, on random launches of every release.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use moe_lint::launch::Word;
use moe_lint::rules::flags::FlagTable;
use moe_lint::rules::value::Value;
use moe_lint::rules::version::Version;
use moe_lint::schema::{Builder, Rank, Schema};
use moe_lint::tensor::Inventory;
use moe_lint::text::Located;
use moe_lint::training::{Installed, TrainingConfig, configure};
use proptest::prelude::*;

static FLAGS: LazyLock<&FlagTable> = LazyLock::new(|| FlagTable::load().expect("the flags"));

/// A release and the Transformer Engine beside it.
fn release() -> impl Strategy<Value = (&'static str, Option<&'static str>)> {
    prop::sample::select(vec![
        ("0.6", Some("1.7")),
        ("0.7", Some("1.7")),
        ("0.8", Some("1.9")),
        ("0.9", Some("1.13")),
        ("0.10", Some("1.13")),
        ("0.11", Some("2.0")),
        ("0.12", Some("2.2")),
        ("0.13", Some("2.4")),
        ("0.14", Some("2.6")),
        ("0.15", Some("2.8")),
        ("0.16", Some("2.10")),
        ("0.17", Some("2.12")),
        ("0.18", Some("2.14")),
        ("0.19", Some("2.14")),
        ("main", Some("2.14")),
    ])
}

#[derive(Debug, Clone)]
struct Sizes {
    tp: u64,
    pp: u64,
    ep: u64,
}

/// A launch without its parallel sizes. Everything divides by 4, so that any of them fits.
fn model() -> impl Strategy<Value = (Vec<String>, bool)> {
    let flag = |text: &'static str| prop_oneof![Just(None), Just(Some(text))];
    let norm = prop_oneof![Just("LayerNorm"), Just("RMSNorm")];
    let position = prop_oneof![Just("rope"), Just("learned_absolute")];
    let experts = prop_oneof![Just(None), Just(Some(4_u64)), Just(Some(8))];
    let attention = prop_oneof![Just(""), Just("--group-query-attention --num-query-groups 4"), Just("--qk-layernorm")];
    (
        (4..12_u64, 1..4_u64, experts, norm, position, attention),
        (
            flag("--swiglu"),
            flag("--untie-embeddings-and-output-weights"),
            flag("--moe-grouped-gemm"),
            flag("--add-qkv-bias"),
            flag("--transformer-impl local"),
        ),
    )
        .prop_map(|((layers, width, experts, norm, position, attention), flags)| {
            let (swiglu, untied, grouped, qkv, local) = flags;
            let layers = layers / 4 * 4;
            let mut text = format!(
                "--num-layers {layers} --hidden-size {} --num-attention-heads 8 --ffn-hidden-size {} --seq-length 8 \
                 --max-position-embeddings 8 --micro-batch-size 1 --train-iters 1 --lr 1e-4 --bf16 --mock-data \
                 --tokenizer-type NullTokenizer --vocab-size 4000 --disable-bias-linear --normalization {norm} \
                 --position-embedding-type {position} {attention}",
                width * 32,
                width * 64,
            );
            for part in [swiglu, untied, qkv, local].into_iter().flatten() {
                text.push(' ');
                text.push_str(part);
            }
            if let Some(experts) = experts {
                text.push_str(&format!(" --num-experts {experts} --moe-router-topk 2"));
                text.push_str(grouped.map_or("", |_| " --moe-grouped-gemm"));
            }
            (text.split_whitespace().map(str::to_owned).collect(), experts.is_some())
        })
}

fn config(model: &[String], release: (&str, Option<&str>), sizes: &Sizes) -> TrainingConfig {
    let version: Version = release.0.parse().expect("a version");
    let te = release.1.map(|te| te.parse().expect("a version"));
    let mut argv = model.to_vec();
    for (flag, size) in [
        ("--tensor-model-parallel-size", sizes.tp),
        ("--pipeline-model-parallel-size", sizes.pp),
        ("--expert-model-parallel-size", sizes.ep),
    ] {
        argv.extend([flag.to_owned(), size.to_string()]);
    }
    if sizes.tp > 1 {
        argv.push("--sequence-parallel".to_owned());
    }
    if version < "0.8".parse().expect("a version") {
        argv.push("--use-mcore-models".to_owned());
    }
    let words: Vec<Word> = argv.into_iter().map(|word| Located::nowhere(Ok(word))).collect();
    let world = Value::Int(i64::try_from(sizes.tp * sizes.pp * sizes.ep).expect("small"));
    let installed = Installed { framework: version.clone(), transformer_engine: te, apex: true };
    configure(&FLAGS.parser(&version), &words, world, installed).expect("the rules compute")
}

fn ranks(builder: &Builder, config: &TrainingConfig) -> Vec<Rank> {
    let built = builder.per_rank(config).expect("the rules compute");
    assert!(built.unknown.is_empty(), "{:?}", built.unknown);
    let Schema::PerRank(ranks) = built.schema else { panic!("ranks were asked for") };
    ranks
}

fn global(builder: &Builder, config: &TrainingConfig) -> Inventory {
    let Schema::Global(state) = builder.global(config).expect("the rules compute").schema else {
        panic!("the global state was asked for")
    };
    state.iter().map(|(key, tensor)| (key.clone(), tensor.clone())).collect()
}

/// Elements of all tensors, by global layer-free name classes: what a rank holds.
fn elements(inventory: &Inventory) -> u64 {
    inventory.iter().filter_map(|(_, t)| t.shape.as_ref()).map(|shape| shape.iter().product::<u64>()).sum()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    /// The global state does not depend on how the model is split, every tensor-parallel share is the same part of one
    /// axis or the whole, and pipeline stages together hold every layer once.
    #[test]
    fn ranks_tile_the_whole(
        (model, moe) in model(),
        release in release(),
        tp in prop_oneof![Just(1_u64), Just(2), Just(4)],
        pp in prop_oneof![Just(1_u64), Just(2), Just(4)],
        ep in prop_oneof![Just(1_u64), Just(2), Just(4)],
    ) {
        let split = Sizes { tp, pp, ep: if moe { ep } else { 1 } };
        let whole = Sizes { tp: 1, pp: 1, ep: 1 };
        let (small, large) = (config(&model, release, &split), config(&model, release, &whole));
        if small.rejected.is_some() || large.rejected.is_some() {
            return Ok(());
        }
        let builder = Builder::new(&small).expect("the rules load");
        prop_assert_eq!(global(&builder, &small), global(&builder, &large));

        let of_split = ranks(&builder, &small);
        let of_whole = ranks(&builder, &large);
        prop_assert_eq!(of_whole.len(), 1);
        prop_assert_eq!(of_split.len() as u64, split.tp * split.pp * split.ep);

        // Tensor-parallel shares: against the same stages without tensor parallelism.
        let unsplit = config(&model, release, &Sizes { tp: 1, ..split.clone() });
        if unsplit.rejected.is_none() {
            let unsplit = ranks(&builder, &unsplit);
            for rank in &of_split {
                let at = |r: &&Rank| (r.coordinates.pp, r.coordinates.ep) == (rank.coordinates.pp, rank.coordinates.ep);
                let Some(other) = unsplit.iter().find(at) else { panic!("no stage for {:?}", rank.coordinates) };
                for (mine, theirs) in rank.chunks.iter().zip(&other.chunks) {
                    let names = |i: &Inventory| i.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
                    prop_assert_eq!(names(mine), names(theirs));
                    for ((key, share), (_, all)) in mine.iter().zip(theirs.iter()) {
                        let (Some(share), Some(all)) = (&share.shape, &all.shape) else { continue };
                        let ratios: Vec<u64> = share.iter().zip(all).map(|(s, a)| a.max(&1) / s.max(&1)).collect();
                        let product: u64 = ratios.iter().product();
                        prop_assert!(product == 1 || product == tp, "{key}: {share:?} of {all:?}");
                    }
                }
            }
        }

        // Pipeline stages: together they hold what one rank holds, but for the tied embedding's copy on the last stage.
        let stages = config(&model, release, &Sizes { tp: 1, ep: 1, ..split });
        if stages.rejected.is_none() {
            let held: u64 = ranks(&builder, &stages).iter().flat_map(|r| &r.chunks).map(|c| elements(c)).sum();
            let all: u64 = of_whole[0].chunks.iter().map(|c| elements(c)).sum();
            let copies = held - all;
            let embedding = of_whole[0].chunks[0].get("embedding.word_embeddings.weight").and_then(|t| t.shape.clone());
            let embedding: u64 = embedding.map_or(0, |shape| shape.iter().product());
            prop_assert!(copies == 0 || (pp > 1 && copies == embedding), "{copies} elements too many");
        }
    }
}

/// Any words at all: never a panic, and an answer or an error.
#[test]
fn nonsense_never_panics() {
    let values =
        ["", "0", "-1", "7", "1e9", "9223372036854775807", "[1,0", "None", "none", "local", "((((", "Et|t*9999999|L"];
    let flags = [
        "--num-layers",
        "--hidden-size",
        "--num-attention-heads",
        "--kv-channels",
        "--num-experts",
        "--tensor-model-parallel-size",
        "--pipeline-model-parallel-size",
        "--expert-model-parallel-size",
        "--moe-layer-freq",
        "--pipeline-model-parallel-layout",
        "--num-query-groups",
        "--vocab-size",
        "--make-vocab-size-divisible-by",
        "--ffn-hidden-size",
        "--mtp-num-layers",
    ];
    let base: BTreeMap<&str, &str> = BTreeMap::from([
        ("--num-layers", "4"),
        ("--hidden-size", "32"),
        ("--num-attention-heads", "4"),
        ("--seq-length", "8"),
    ]);
    for release in ["0.6", "0.12", "0.19", "main"] {
        let version: Version = release.parse().expect("a version");
        let parser = FLAGS.parser(&version);
        for flag in flags {
            for value in values {
                let mut all = base.clone();
                all.insert(flag, value);
                let mut argv: Vec<Word> = Vec::new();
                for (flag, value) in all {
                    argv.push(Located::nowhere(Ok(flag.to_owned())));
                    argv.push(Located::nowhere(Ok(value.to_owned())));
                }
                for more in
                    ["--max-position-embeddings", "8", "--micro-batch-size", "1", "--tokenizer-type", "NullTokenizer"]
                {
                    argv.push(Located::nowhere(Ok(more.to_owned())));
                }
                let installed = Installed {
                    framework: version.clone(),
                    transformer_engine: Some("2.2".parse().expect("a version")),
                    apex: false,
                };
                let Ok(config) = configure(&parser, &argv, Value::None, installed) else { continue };
                if config.rejected.is_none() && config.unsupported.is_empty() {
                    let builder = Builder::new(&config).expect("the rules load");
                    let _ = builder.per_rank(&config);
                    let _ = builder.global(&config);
                }
            }
        }
    }
}
