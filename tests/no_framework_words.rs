//! What is known about a framework is data in `rules/`. Its words have no place in `src/`, tests aside.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const WORDS: &[&str] = &[
    "_extra_state",
    "ckpt_format",
    "ckpt-format",
    "decoder.layers",
    "groupedmlp",
    "grouped_gemm",
    "grouped-gemm",
    "hidden_size",
    "hidden-size",
    "iter_0",
    "latest_checkpointed_iteration",
    "layernorm",
    "linear_fc",
    "linear_proj",
    "linear_qkv",
    "local_experts",
    "model_optim_rng",
    "moe_layer",
    "moe_router",
    "moe-router",
    "mp_rank",
    "num_experts",
    "num-experts",
    "num_layers",
    "num-layers",
    "output_layer",
    "pretrain_gpt",
    "pretrained-checkpoint",
    "self_attention",
    "sequentialmlp",
    "swiglu",
    "transformer_engine",
    "transformer-impl",
    "word_embeddings",
];

/// File, word, and why it may stand there.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("src/diff.rs", "_extra_state", "torch's own suffix, torch.nn.modules.module._EXTRA_STATE_KEY_SUFFIX"),
    ("src/check/target.rs", "transformer_engine", "hands what `--te` says to the configuration and the report"),
    ("src/report.rs", "transformer_engine", "a package that is installed or not: what `--te` says"),
    ("src/report/human/schema.rs", "transformer_engine", "prints what `--te` says"),
    ("src/report/json.rs", "transformer_engine", "the field of the JSON contract"),
    ("src/cli/convert.rs", "transformer_engine", "a value that the help shows"),
    ("src/commands/convert.rs", "transformer-impl", "names the option in a message"),
    ("src/training.rs", "transformer_engine", "hands what `--te` says to the rules"),
];

fn rust_files(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The lines before the module of tests, which by our custom ends a file.
fn without_tests(text: &str) -> &str {
    text.find("#[cfg(test)]").map_or(text, |end| &text[..end])
}

#[test]
fn framework_words_are_data() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    rust_files(&root.join("src"), &mut files);
    let mut wrong = Vec::new();
    let mut used = BTreeSet::new();
    for path in files {
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let file = path.strip_prefix(root).expect("below the root").display().to_string();
        let text = fs::read_to_string(&path).expect("a file");
        for (i, line) in without_tests(&text).lines().enumerate() {
            // The name of the package and of its own crate.
            let line = line.to_lowercase().replace("moe_lint", "");
            for word in WORDS.iter().filter(|word| line.contains(**word)) {
                match ALLOWED.iter().position(|(at, allowed, _)| *at == file && allowed == word) {
                    Some(index) => {
                        used.insert(index);
                    }
                    None => wrong.push(format!("{file}:{}: `{word}`: {}", i + 1, line.trim())),
                }
            }
        }
    }
    let unused = (0..ALLOWED.len()).filter(|index| !used.contains(index));
    wrong.extend(unused.map(|index| format!("no longer needed: {:?}", ALLOWED[index])));
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}
