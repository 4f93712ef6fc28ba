//! YAML files as launches: the words that they stand for, with their places.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use moe_lint::launch::{Files, Launch, NoFiles, Options, entry_point, read_script};

/// Files by their paths.
struct Some(BTreeMap<PathBuf, String>);

impl Files for Some {
    fn read(&self, path: &Path, _: u64) -> io::Result<String> {
        self.0.get(path).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
    fn is_directory(&self, path: &Path) -> Option<bool> {
        match self.0.contains_key(path) {
            true => Option::Some(false),
            false => self.0.keys().any(|file| file.starts_with(path)).then_some(true),
        }
    }
    fn size(&self, _: &Path) -> Option<u64> {
        None
    }
    fn list(&self, _: &Path) -> Vec<String> {
        Vec::new()
    }
    fn real_path(&self, path: &Path) -> Option<PathBuf> {
        Option::Some(path.to_path_buf())
    }
}

fn read(path: &str, text: &str, env: &[(&str, &str)], files: &dyn Files) -> Launch {
    let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let options = Options { files, env, directory: Option::Some("/w".into()), ..Options::default() };
    read_script(Path::new(path), text, &options).unwrap_or_else(|error| panic!("{error}"))
}

fn words(launch: &Launch) -> Vec<String> {
    let text = |word: &moe_lint::launch::Word| match &word.value {
        Ok(text) => text.clone(),
        Err(unknown) => format!("<{}>", unknown.name),
    };
    launch.commands[0].argv.iter().map(text).collect()
}

fn framework(launch: &Launch) -> String {
    let entry = launch.training_entry().expect("a training command");
    entry_point(&entry).expect("a known one").framework.clone()
}

const TEST: &str = "\
ENV_VARS:
  CUDA_DEVICE_MAX_CONNECTIONS: 1
  NCCL_ALGO: ^NVLS
MODEL_ARGS:
  # Distributed
  --tensor-model-parallel-size: 2
  --use-distributed-optimizer: true
  --quoted: \"true\"
  --capital: True
  --yes: yes
  --off: false
  --lr: 1e-4
  --octal: 010
  --empty: ''
  --moe-layer-freq: ([0]*3+[1]*5)
  --recompute-modules: \"[moe_act  layernorm]\"
  --layout: Et|(tt|)*30L
  --text: two words
  --data-path: ${DATA_PATH}/text
  --load: $MISSING/x
  --list: [1, 2]
  --spec: \"a; b\"
  --nulled: null
BEFORE_SCRIPT: |
  echo x
";

#[test]
fn a_functional_test_is_what_its_runner_makes_of_it() {
    let launch = read("x/test_cases/moe/one/model_config.yaml", TEST, &[("DATA_PATH", "/d")], &NoFiles);
    let want = "torchrun --nproc_per_node <$GPUS_PER_NODE> --nnodes <$NUM_NODES> pretrain_gpt.py \
                --tensor-model-parallel-size 2 --use-distributed-optimizer --quoted --capital True --yes yes --off false \
                --lr 1e-4 --octal 010 --moe-layer-freq ([0]*3+[1]*5) --recompute-modules moe_act layernorm \
                --layout Et|(tt|)*30L --text two_words --data-path /d/text --load <$MISSING> --list <a_list_or_mapping> \
                --spec a;_b --nulled <--nulled>";
    let found: Vec<String> = words(&launch).iter().map(|word| word.replace(' ', "_")).collect();
    assert_eq!(found.join(" "), want);
    let command = &launch.commands[0];
    assert_eq!(framework(&launch), "megatron-lm");
    let env: Vec<(&str, &str)> =
        command.env.iter().map(|(name, word)| (name.as_str(), word.value.as_deref().expect("known"))).collect();
    assert_eq!(env, [("CUDA_DEVICE_MAX_CONNECTIONS", "1"), ("NCCL_ALGO", "^NVLS")]);
    let at = |index: usize| command.argv[index].places[0].clone();
    assert_eq!((at(6).text(), at(6).line_column()), ("--tensor-model-parallel-size", (6, 3)));
    assert_eq!((at(7).text(), at(7).line_column()), ("2", (6, 33)));
}

#[test]
fn the_runner_is_told_by_the_environment() {
    let env = [("GPUS_PER_NODE", "8"), ("NUM_NODES", "2"), ("TRAINING_SCRIPT_PATH", "./pretrain_gpt.py")];
    let launch = read("model_config.yaml", "MODEL_ARGS:\n  --bf16: true\n", &env, &NoFiles);
    assert_eq!(words(&launch).join(" "), "torchrun --nproc_per_node 8 --nnodes 2 ./pretrain_gpt.py --bf16");
    let entry = launch.training_entry().expect("a training command");
    assert_eq!(entry.world_size.value.int(), Option::Some(16));
    let launch = read("a/t5/b/model_config.yaml", "MODEL_ARGS:\n  --bf16: true\n", &env[..2], &NoFiles);
    assert_eq!(words(&launch)[5], "examples/t5/pretrain_t5.py");
}

#[test]
fn flags_of_other_collections_are_left_out_where_false() {
    let text = "MODEL_ARGS:\n  --tensor-model-parallel-size: ${TP}\n  --sequence-parallel: false\n  --bf16: true\n";
    let launch = read("model_configs/benchmarking/M.yaml", text, &[("TP", "4")], &NoFiles);
    assert!(words(&launch).join(" ").ends_with("pretrain_gpt.py --tensor-model-parallel-size 4 --bf16"));
    // The runner goes over what is written, and argparse takes the last.
    let launch = read("m.yaml", "MODEL_ARGS:\n  --a: 1\n  --b: 2\n  --a: 3\n", &[], &NoFiles);
    assert!(words(&launch).join(" ").ends_with("pretrain_gpt.py --a 1 --b 2 --a 3"));
}

#[test]
fn an_experiment_of_primus_is_merged_from_its_files() {
    let files = [
        ("/w/primus/configs/modules/megatron/pre_trainer.yaml", "extends: base.yaml\nlr: 1.0e-5\n"),
        ("/w/primus/configs/modules/megatron/base.yaml", "train_iters: 10\nlr: 1.0\nbf16: true\n"),
        (
            "/w/primus/configs/models/megatron/m.yaml",
            "extends: [n.yaml]\nnum_layers: 4\nadd_bias_linear: false\nmoe_grouped_gemm: true\n",
        ),
        (
            "/w/primus/configs/models/megatron/n.yaml",
            "hidden_size: 64\nnum_layers: 2\nuntie_embeddings_and_output_weights: false\n",
        ),
    ];
    let files = Some(files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect());
    let text = "modules:\n  pre_trainer:\n    framework: megatron\n    config: pre_trainer.yaml\n    model: ${M:m}\n    overrides:\n      \
                num_layers: ${LAYERS:8}\n      moe_layer_freq: [0, 1]\n      moe_grouped_gemm: ${GG:false}\n      primus_turbo: 1\n      \
                load: null\n";
    let launch = read("examples/x.yaml", text, &[("LAYERS", "6")], &files);
    assert_eq!(
        words(&launch).join(" "),
        "primus-cli train pretrain --train-iters 10 --lr 1.0e-5 --bf16 --hidden-size 64 --num-layers 6 --disable-bias-linear \
         --moe-layer-freq 0 1 modules.pre_trainer.primus_turbo=1"
    );
    assert_eq!(framework(&launch), "primus");
    assert_eq!(launch.sources.len(), 5);
    let lost = read("examples/x.yaml", text, &[], &NoFiles);
    assert_eq!(words(&lost)[3..5], ["<pre_trainer.yaml>", "<${M:m}>"], "a file that is not here is told");
    assert_eq!(lost.unknowns.len(), 2);
}

#[test]
fn a_path_out_of_the_presets_is_not_followed() {
    let files = Some(BTreeMap::from([
        (PathBuf::from("/w/primus/configs/x"), String::new()),
        (PathBuf::from("/w/secret.yaml"), "num_layers: 2\n".to_owned()),
    ]));
    let text = "modules: {pre_trainer: {framework: megatron, config: ../../../../secret.yaml, overrides: {lr: 1.0}}}\n";
    let launch = read("x.yaml", text, &[], &files);
    assert_eq!(words(&launch)[3..].join(" "), "<../../../../secret.yaml> --lr 1.0");
}

#[test]
fn configurations_of_other_programs_are_shown_by_flags() {
    let bridge = "model:\n  _target_: megatron.bridge.models.GPTModelProvider\n  num_layers: 2\n  num_moe_experts: 8\n  \
                  share_embeddings_and_output_weights: false\n  add_bias_linear: false\n  bf16: true\n  seq_length: ${train.n}\n  \
                  teacher:\n    x: 1\ntrain:\n  n: 64\n  micro_batch_size: 1\ncheckpoint:\n  load: ${oc.env:CKPT}\n";
    let launch = read("run_config.yaml", bridge, &[("CKPT", "/c")], &NoFiles);
    assert_eq!(
        words(&launch).join(" "),
        "megatron-bridge --num-layers 2 --num-experts 8 --untie-embeddings-and-output-weights --disable-bias-linear --bf16 \
         --seq-length 64 model.teacher.x=1 train.n=64 --micro-batch-size 1 --load /c"
    );
    assert_eq!(framework(&launch), "megatron-bridge");
    let flagscale =
        "system: {tensor_model_parallel_size: 2, checkpoint: {load: /c}}\nmodel: {num_layers: 2, lr: 1e-5}\ndata: {}\n";
    let launch = read("train.yaml", flagscale, &[], &NoFiles);
    assert_eq!(
        words(&launch).join(" "),
        "flagscale train --tensor-model-parallel-size 2 --load /c --num-layers 2 --lr 1e-5"
    );
    let neox = "pipe_parallel_size: 1\nnum_layers: 2\nhidden_size: 64\nmoe_type: megablocks\n";
    let launch = read("neox.yml", neox, &[], &NoFiles);
    assert_eq!(
        words(&launch).join(" "),
        "gpt-neox pipe_parallel_size=1 --num-layers 2 --hidden-size 64 moe_type=megablocks"
    );
    assert_eq!(framework(&launch), "gpt-neox");
}

#[test]
fn words_after_the_file_change_its_settings() {
    let with = |path: &str, text: &str, args: &str| {
        let args = args.split_whitespace().map(str::to_owned).collect();
        let options = Options { files: &NoFiles, args, directory: Option::Some("/w".into()), ..Options::default() };
        words(&read_script(Path::new(path), text, &options).expect("a launch")).join(" ")
    };
    let bridge = "model: {num_layers: 2, add_bias_linear: false, bf16: true}\ntrain: {}\nddp: {}\n";
    assert_eq!(
        with(
            "x.yaml",
            bridge,
            "model.num_layers=4 ++model.kv_channels=128 ~model.bf16 +train.lr=1e-5 model.moe_layer_freq=[0,1] rest"
        ),
        "megatron-bridge --num-layers 4 --disable-bias-linear --kv-channels 128 --moe-layer-freq 0 1 --lr 1e-5 rest"
    );
    let primus = "modules: {pre_trainer: {overrides: {num_layers: 2}}}\n";
    assert_eq!(
        with("x.yaml", primus, "--num_layers 4 hidden_size=64 --bf16=true"),
        "primus-cli train pretrain --num-layers 4 --hidden-size 64 --bf16"
    );
    let flags = "MODEL_ARGS: {--bf16: true, --num-layers: 2}\n";
    assert!(with("x.yaml", flags, "--num-layers 3").ends_with("pretrain_gpt.py --bf16 --num-layers 2 --num-layers 3"));
}

#[test]
fn what_is_no_launch_is_refused_with_a_reason() {
    let refused = |text: &str| {
        let options = Options { files: &NoFiles, ..Options::default() };
        read_script(Path::new("x.yaml"), text, &options).expect_err("refused").to_string()
    };
    assert!(refused("a: 1\n").starts_with("x.yaml: is no YAML that starts a training; known are "));
    assert_eq!(refused(""), "x.yaml: is empty");
    assert!(refused("a: [\n").starts_with("x.yaml: line "), "{}", refused("a: [\n"));
    assert!(refused(&"a".repeat(3 << 20)).contains("too many"));
}

#[test]
fn whatever_yaml_is_given_is_read_or_refused() {
    let Ok(folder) = std::env::var("MOE_LINT_YAML_FOLDER") else { return };
    let mut found: BTreeMap<String, usize> = BTreeMap::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Option::Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() && !path.is_symlink() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "yaml" || e == "yml") {
                let Ok(text) = std::fs::read_to_string(&path) else { continue };
                let start = std::time::Instant::now();
                let kind = match read_script(&path, &text, &Options::default()) {
                    Ok(launch) => words(&launch).into_iter().take(2).collect::<Vec<_>>().join(" "),
                    Err(error) => error.to_string().split(": ").nth(1).unwrap_or_default().chars().take(20).collect(),
                };
                assert!(start.elapsed().as_secs() < 2, "{}", path.display());
                *found.entry(kind).or_default() += 1;
            }
        }
    }
    assert!(!found.is_empty());
    eprintln!("{found:#?}");
}

/// `MOE_LINT_MODEL_CONFIGS` names a file of lines `[path, text, variables, words]`, the words as a real shell made them
/// with every variable `/v`.
#[test]
fn more_functional_tests_are_what_their_runner_makes_of_them() {
    let Ok(path) = std::env::var("MOE_LINT_MODEL_CONFIGS") else { return };
    let mut failed = String::new();
    for line in std::fs::read_to_string(path).expect("the lines").lines() {
        let (name, text, variables, want): (String, String, Vec<String>, Vec<String>) =
            serde_json::from_str(line).expect("a line");
        let env: Vec<(&str, &str)> = variables.iter().map(|name| (name.as_str(), "/v")).collect();
        let have = words(&read(&name, &text, &env, &NoFiles))[6..].to_vec();
        // A word that is not known stands for any.
        let same = |(have, want): &(&String, &String)| have == want || have.starts_with("<--");
        if have.len() != want.len() || !have.iter().zip(&want).all(|pair| same(&pair)) {
            let first = have.iter().zip(&want).find(|pair| !same(pair));
            failed += &format!("{name}: {first:?}\n");
        }
    }
    assert!(failed.is_empty(), "\n{failed}");
}
