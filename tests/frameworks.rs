//! Launches of other programs than Megatron-LM's own: never a pass, never a false alarm.

use moe_lint::check::{Input, Machine, Request, schema};

/// Why the launch cannot be judged, or what stops it.
fn told(words: &str) -> (Vec<String>, Option<String>) {
    let machine = Machine {
        framework: Some("0.12".parse().expect("a version")),
        te: None,
        apex: true,
        world_size: Some(1),
        tokenizer_size: None,
        told_by: None,
        env: Vec::new(),
    };
    let input = Input::Words(words.split_whitespace().map(str::to_owned).collect());
    let report = schema(&Request { input, machine, checkpoint: None, command: None }, None).expect("a report");
    let undetermined = report.undetermined.iter().map(|one| format!("{}: {}", one.name, one.reason)).collect();
    assert!(report.schema.is_none() || report.undetermined.is_empty(), "never shown as known: {words}");
    (undetermined, report.rejected.map(|rejected| rejected.message))
}

const MODEL: &str = "--num-layers 2 --hidden-size 64 --num-attention-heads 4 --seq-length 8 --max-position-embeddings 8 \
                     --micro-batch-size 1 --train-iters 1 --lr 1e-4 --tokenizer-type NullTokenizer --vocab-size 99 --bf16";

#[test]
fn the_frameworks_own_script_is_judged() {
    assert_eq!(told(&format!("torchrun pretrain_gpt.py {MODEL}")), (vec![], None));
    let (undetermined, rejected) = told(&format!("torchrun pretrain_gpt.py {MODEL} --no-such-flag 1"));
    assert_eq!((undetermined.len(), rejected.as_deref()), (0, Some("unrecognized arguments: --no-such-flag 1")));
}

#[test]
fn flags_of_forks_are_named() {
    for (flags, name, fork) in [
        ("--padded-samples --n-group 8 --use-fused-rotary-pos-emb", "--padded-samples", "MindSpeed-LLM"),
        ("--extra-vocab-size 293 --patch-tokenizer-type Qwen2Tokenizer", "--extra-vocab-size", "Pai-Megatron-Patch"),
        (
            "--rollout-batch-size 32 --actor-num-nodes 1 --sglang-mem-fraction-static 0.7",
            "--rollout-batch-size",
            "slime",
        ),
        ("--deepspeed --deepspeed_config ds.json --zero-stage=1", "--deepspeed", "Megatron-DeepSpeed"),
    ] {
        let (undetermined, rejected) = told(&format!("torchrun pretrain_gpt.py {MODEL} {flags}"));
        assert_eq!(rejected, None, "{flags}");
        let first = undetermined.first().expect("it is not known");
        assert_eq!(*first, format!("{name}: it is a flag of {fork}: what it changes is not modelled"));
    }
}

#[test]
fn programs_with_arguments_of_their_own_are_told() {
    for (words, framework) in [
        ("megatron sft --model Qwen/Qwen3-30B-A3B --moe_grouped_gemm true --num_layers 2", "ms-swift"),
        ("python3 -m verl.trainer.main_ppo actor_rollout_ref.actor.megatron.tensor_model_parallel_size=2", "verl"),
        ("torchrun primus-cli train pretrain --config x.yaml", "primus"),
        ("ray job submit -- python3 train_async.py --num-layers 2", "slime"),
    ] {
        let (undetermined, rejected) = told(words);
        assert_eq!(rejected, None, "{words}");
        assert!(undetermined[0].contains(&format!("{framework} has arguments of its own")), "{undetermined:?}");
    }
}

#[test]
fn what_an_unknown_script_refuses_is_not_known() {
    let (undetermined, rejected) = told("torchrun scripts/train_mine.py model.num_layers=2 ++model.x=y");
    assert_eq!(rejected, None);
    assert!(undetermined[0].starts_with("scripts/train_mine.py: what it does with its arguments is not known"));
}
