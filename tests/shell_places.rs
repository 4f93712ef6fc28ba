//! Where the words of a launch were written, which script it starts, and what is said of what is not known.

use std::path::Path;

use moe_lint::launch::{Launch, NoFiles, Options, Word, entry, from_argv, read_script};

const SCRIPT: &str = r#"#!/bin/bash
# An example in the style of the framework's own.
export CUDA_DEVICE_MAX_CONNECTIONS=1
GPUS_PER_NODE=8
MASTER_ADDR=${MASTER_ADDR:-"localhost"}
NNODES=${SLURM_NNODES:-"1"}
CHECKPOINT_PATH=$1
DATA_PATH=${2:-/data/text}

DISTRIBUTED_ARGS=(
    --nproc_per_node $GPUS_PER_NODE
    --nnodes $NNODES # one node
)
MOE_ARGS=(
    --num-experts 8
    --moe-grouped-gemm
)
TRAINING_ARGS="
    --micro-batch-size 1 \
    --bf16
"
if [ -n "${WANDB_API_KEY}" ]; then
    MOE_ARGS+=(--wandb-project "$WANDB_PROJECT")
fi
EP=$((GPUS_PER_NODE / 2))
torchrun ${DISTRIBUTED_ARGS[@]} train_model.py \
    ${MOE_ARGS[@]} \
    $TRAINING_ARGS --expert-model-parallel-size $EP \
    --load $CHECKPOINT_PATH --data-path "$DATA_PATH"
"#;

fn read(text: &str, options: &Options<'_>) -> Launch {
    read_script(Path::new("train.sh"), text, options).expect("a script")
}

fn word<'l>(launch: &'l Launch, text: &str) -> &'l Word {
    let command = launch.training_command().expect("a training command");
    command.argv.iter().find(|word| word.value.as_deref() == Ok(text)).expect(text)
}

fn places(word: &Word) -> Vec<String> {
    word.places.iter().map(|span| format!("{}:{}", span.line_column().0, span.text())).collect()
}

#[test]
fn words_know_where_they_were_written() {
    let launch = read(SCRIPT, &Options { files: &NoFiles, ..Options::default() });
    assert_eq!(places(word(&launch, "--moe-grouped-gemm")), ["16:--moe-grouped-gemm", "27:${MOE_ARGS[@]}"]);
    assert_eq!(places(word(&launch, "--bf16")), ["20:--bf16", "28:$TRAINING_ARGS"]);
}

#[test]
fn what_nobody_set_is_unknown_with_the_way_to_give_it() {
    let launch = read(SCRIPT, &Options { files: &NoFiles, ..Options::default() });
    let command = launch.training_command().expect("a training command");
    let unknown: Vec<_> = command.argv.iter().filter_map(|word| word.value.as_ref().err()).collect();
    assert_eq!(unknown.len(), 1);
    assert_eq!(unknown[0].name, "$1");
    assert!(unknown[0].reason.contains("--arg"), "{}", unknown[0].reason);
    let env = vec![("WANDB_API_KEY".to_owned(), "k".to_owned())];
    let args = vec!["/ckpt".to_owned()];
    let launch = read(SCRIPT, &Options { files: &NoFiles, env, args, ..Options::default() });
    let command = launch.training_command().expect("a training command");
    let unknown: Vec<_> = command.argv.iter().filter_map(|word| word.value.as_ref().err()).collect();
    assert_eq!(unknown[0].reason, "`$WANDB_PROJECT` is not set in this script; give it with --env WANDB_PROJECT=...");
    assert_eq!(places(word(&launch, "/ckpt")), ["7:$1", "29:$CHECKPOINT_PATH"]);
}

#[test]
fn the_entry_and_its_processes_are_found() {
    let launch = read(SCRIPT, &Options { files: &NoFiles, ..Options::default() });
    let found = launch.training_entry().expect("an entry");
    assert_eq!(found.script.value.as_deref(), Ok("train_model.py"));
    assert_eq!(found.arguments[0].value.as_deref(), Ok("--num-experts"));
    assert_eq!(found.world_size.value.int(), Some(8));
    for (argv, script, world) in [
        ("python -u -m torch.distributed.run --nproc-per-node=4 --nnodes 2 a.py --x", "a.py", Some(8)),
        ("python3 a.py --x", "a.py", Some(1)),
        ("srun -N2 --ntasks-per-node=8 -l python -u a.py", "a.py", Some(16)),
        ("numactl --membind 0 torchrun --nproc_per_node gpu a.py", "a.py", None),
        ("uv run --no-sync torchrun a.py", "a.py", Some(1)),
        ("ray job submit --address=x --runtime-env-json {} -- python3 a.py", "a.py", Some(1)),
        ("nsys profile -s none -o x --force-overwrite true torchrun --nproc_per_node 2 a.py", "a.py", Some(2)),
        ("deepspeed --num_nodes 2 --num_gpus 4 a.py --deepspeed", "a.py", Some(8)),
        ("timeout -k 5 10m env A=1 torchrun a.py", "a.py", Some(1)),
        ("docker run --gpus all --rm -v /a:/b image:tag torchrun a.py", "a.py", Some(1)),
        ("mpirun -np 16 -mca btl tcp,self -x PATH python a.py", "a.py", Some(16)),
        ("python -m my.module --x", "my.module", Some(1)),
    ] {
        let words: Vec<String> = argv.split(' ').map(str::to_owned).collect();
        let launch = from_argv(&words);
        let found = entry(&launch.commands[0]).expect(argv);
        assert_eq!(found.script.value.as_deref(), Ok(script), "{argv}");
        assert_eq!(found.world_size.value.int(), world, "{argv}");
    }
}

#[test]
fn both_sides_of_an_unknown_decision_are_joined() {
    let text = "ARGS=(--a 1)\nif [ \"$MODE\" = big ]; then L=32; ARGS+=(--big); else L=16; fi\n\
                torchrun train.py --layers $L ${ARGS[@]} --end\n";
    let launch = read(text, &Options { files: &NoFiles, ..Options::default() });
    let command = launch.training_command().expect("a training command");
    let shown: Vec<String> =
        command.argv.iter().map(|word| word.value.clone().unwrap_or_else(|u| format!("<{}>", u.name))).collect();
    assert_eq!(shown, ["torchrun", "train.py", "--layers", "<$MODE>", "--a", "1", "<$MODE>", "--end"]);
    assert_eq!(command.open, [3, 6]);
    assert_eq!(
        command.argv[3].value.as_ref().expect_err("unknown").reason,
        "decides what `$L` is; `$MODE` is not set in this script; give it with --env MODE=..."
    );
    let text = "if [ \"$MODE\" = big ]; then torchrun train.py --big; else torchrun train.py --small; fi";
    let launch = read(text, &Options { files: &NoFiles, ..Options::default() });
    assert_eq!(launch.commands.len(), 2);
    assert!(launch.commands.iter().all(|command| command.depends_on.as_ref().is_some_and(|u| u.name == "$MODE")));
    assert_eq!(launch.unknowns[0].name, "$MODE");
}

#[test]
fn a_check_that_ends_the_script_does_not_hide_the_launch() {
    let text = "if [ ! -d \"$DATA\" ]; then echo usage; exit 1; fi\ncd /nowhere/else || exit 1\n\
                nvidia-smi | grep -q H100 || exit 2\ntorchrun train.py --x 1\n";
    let launch = read(text, &Options { files: &NoFiles, ..Options::default() });
    assert_eq!(launch.training_command().expect("a training command").known(3), Some("1"));
}

#[test]
fn a_broken_continuation_is_told() {
    let text = "torchrun train.py --a 1 \\\n  # a comment\n  --b 2\n";
    let launch = read(text, &Options { files: &NoFiles, ..Options::default() });
    assert_eq!(launch.training_command().expect("a training command").argv.len(), 4);
    let remark = &launch.remarks[0];
    assert!(remark.message.contains("`--b`"), "{}", remark.message);
    assert_eq!(remark.place.as_ref().expect("a place").line_column(), (3, 3));
}

#[test]
fn a_syntax_error_leaves_what_is_before_it() {
    let text = "torchrun train.py --a 1\nCKPT=<Specify path>\ntorchrun later.py\n";
    let launch = read(text, &Options { files: &NoFiles, ..Options::default() });
    assert_eq!(launch.commands.len(), 1);
    assert!(launch.remarks.iter().any(|remark| remark.message.contains("syntax error")));
}
