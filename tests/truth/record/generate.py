"""Make random launches for one Megatron-LM version.

    python flags.py --tag core_v0.12.0 --megatron DIR > flags.json
    python generate.py --flags flags.json --count 60 --seed 1 > launches.jsonl

Only options the version's parser knows are used (with a rare exception), the sizes mostly fit together, and
a part of the launches is meant to be refused.
"""

import argparse
import json
import random


class Launch:
    """The options of one launch, in the making."""

    def __init__(self, rng, known):
        self.rng, self.known, self.options = rng, known, {}

    def add(self, option, value=None):
        """Use the option if this version has it; True if it is in use afterwards."""
        if option not in self.known:
            return False
        self.options[option] = None if value is None else str(value)
        return True

    def chance(self, probability):
        return self.rng.random() < probability

    def maybe(self, probability, option, *values):
        """Use the option with that probability, with one of the values; the value used, or None."""
        if not self.chance(probability):
            return None
        value = self.rng.choice(values) if values else None
        return (True if value is None else value) if self.add(option, value) else None

    def has(self, option):
        return option in self.options

    def argv(self):
        """The options as words, some joined by '=', the order shuffled now and then."""
        items = list(self.options.items())
        if self.chance(0.4):
            self.rng.shuffle(items)
        words = []
        for option, value in items:
            if value is None:
                words.append(option)
            elif self.chance(0.15):
                words.append(f"{option}={value}")
            else:
                words += [option, value]
        return words


def _sizes(launch):
    pick = launch.rng.choice
    layers, hidden, heads = pick([2, 3, 4, 4, 5, 6, 7, 8, 8, 9]), pick([16, 24, 32, 48, 64]), pick([2, 4, 4, 8])
    length = pick([8, 8, 16, 32])
    launch.add("--num-layers", layers)
    launch.add("--hidden-size", hidden)
    launch.add("--num-attention-heads", heads)
    launch.add("--seq-length", length)
    launch.add("--max-position-embeddings", length * pick([1, 1, 1, 2]))
    launch.add("--micro-batch-size", 1)
    launch.add("--train-iters", 10)
    launch.add("--lr", "1e-4")
    launch.add("--tokenizer-type", "NullTokenizer")
    launch.add("--vocab-size", pick([97, 100, 127, 128, 255, 1000, 4096, 32000, 50257]))
    launch.add("--mock-data")
    launch.maybe(0.5, "--make-vocab-size-divisible-by", 1, 2, 64, 128)
    launch.maybe(0.03, "--padded-vocab-size", 51200)
    launch.maybe(0.03, "--no-pad-vocab-size")
    kind = launch.rng.random()
    if kind < 0.87:
        launch.add("--bf16")
    elif kind < 0.93:
        launch.add("--fp16")
    return layers, heads


def _layout(launch, layers, stages):
    """A pipeline layout string for that many layers and physical stages (sometimes with virtual ones)."""
    parts = stages * launch.rng.choice([1, 1, 2])
    cuts = sorted(launch.rng.choice(range(layers + 1)) for _ in range(parts - 1))
    counts = [b - a for a, b in zip([0, *cuts], [*cuts, layers])]
    texts = ["t" * n for n in counts]
    texts[0] = "E" + texts[0]
    mtp = "m" * int(launch.options.get("--mtp-num-layers") or 0)
    texts[-1] += mtp + "L"
    return "|".join(texts)


def _parallel(launch, layers, heads, experts):
    pick = launch.rng.choice
    tp, pp = pick([1, 1, 1, 2, 2, 4]), pick([1, 1, 2, 2, 4])
    if tp > heads:
        tp = 1
    if layers % pp and launch.chance(0.8) and not launch.chance(0.5):
        pp = 1
    if tp > 1 or launch.chance(0.03):
        launch.add("--tensor-model-parallel-size", tp)
        if (experts and launch.chance(0.95)) or launch.chance(0.3):
            launch.add("--sequence-parallel")
    if pp > 1:
        launch.add("--pipeline-model-parallel-size", pp)
        way = launch.rng.random()
        if way < 0.2 and launch.add("--pipeline-model-parallel-layout", _layout(launch, layers, pp)):
            pass
        elif layers % pp == 0 and way < 0.55:
            per_stage = layers // pp
            fits = [n for n in range(1, per_stage) if per_stage % n == 0]
            if fits and launch.chance(0.7):
                launch.add("--num-layers-per-virtual-pipeline-stage", pick(fits))
            elif fits:
                launch.add("--num-virtual-stages-per-pipeline-rank", per_stage // pick(fits))
        elif layers % pp:
            for option in pick([("first",), ("last",), ("first", "last")]):
                rest = layers % (pp - 1) if pp > 2 else 1
                launch.add(f"--decoder-{option}-pipeline-num-layers", max(1, rest if option == "first" else 1))
        if way > 0.9:
            launch.add("--account-for-embedding-in-pipeline-split")
            launch.maybe(0.7, "--account-for-loss-in-pipeline-split")
        launch.maybe(0.03, "--standalone-embedding-stage")
    if experts:
        ep = launch.maybe(0.4, "--expert-model-parallel-size", 2, 2, 4)
        if ep and experts % int(ep):
            launch.options.pop("--expert-model-parallel-size")
        launch.maybe(0.15, "--expert-tensor-parallel-size", 1, 1, 2)
        launch.maybe(0.05, "--moe-extended-tp")
    launch.maybe(0.05, "--context-parallel-size", 2)
    launch.maybe(0.03, "--use-tp-pp-dp-mapping")
    launch.maybe(0.05, "--use-distributed-optimizer")


def _attention(launch, heads, wide):
    mla = launch.maybe(0.16, "--multi-latent-attention")
    if mla:
        launch.add("--kv-lora-rank", launch.rng.choice([8, 12, 16]))
        launch.maybe(0.6, "--q-lora-rank", 8, 12, 24)
        launch.add("--qk-head-dim", launch.rng.choice([4, 8]))
        launch.add("--qk-pos-emb-head-dim", launch.rng.choice([4, 8]))
        launch.add("--v-head-dim", launch.rng.choice([4, 6, 8]))
        launch.add("--position-embedding-type", "rope")
        launch.maybe(0.6, "--normalization", "RMSNorm")
        if not launch.chance(0.1):
            launch.add("--no-rope-fusion")
        launch.maybe(0.2, "--rope-type", "rope", "yarn")
        launch.maybe(0.1, "--mla-down-proj-fusion")
    else:
        groups = [g for g in (1, 2, 4) if heads % g == 0 and g < heads]
        if groups and launch.chance(0.3):
            launch.add("--group-query-attention")
            launch.add("--num-query-groups", launch.rng.choice(groups))
        launch.maybe(0.25, "--kv-channels", 4, 8, 16)
        launch.maybe(0.7, "--position-embedding-type", "rope", "rope", "rope", "learned_absolute", "none")
        if launch.chance(0.03):
            launch.add("--use-rotary-position-embeddings")
        if launch.options.get("--position-embedding-type") == "rope":
            launch.maybe(0.25, "--rotary-percent", 0.5, 1.0)
            launch.maybe(0.15, "--rotary-base", 10000, 500000)
            launch.maybe(0.05, "--no-rope-fusion")
            launch.maybe(0.05, "--rotary-interleaved")
            launch.maybe(0.05, "--use-rope-scaling")
            launch.maybe(0.06 * wide, "--no-rope-freq", 2, "[0,1]*1")
    launch.maybe(0.25, "--qk-layernorm")
    if not launch.has("--qk-layernorm"):
        launch.maybe(0.08, "--qk-l2-norm")
    if wide and not mla:
        launch.maybe(0.15, "--attention-output-gate")
        launch.maybe(0.15, "--softmax-type", "learnable", "off-by-one", "vanilla")
        if launch.maybe(0.1, "--window-size", "4,0", "(7,0)"):
            launch.maybe(0.5, "--window-attn-skip-freq", 2)
    launch.maybe(0.03, "--attention-softmax-in-fp32")
    launch.maybe(0.05, "--no-masked-softmax-fusion")
    if wide and "--experimental-attention-variant" in launch.known:
        if mla and launch.chance(0.3):
            launch.add("--experimental-attention-variant", "dsa")
            launch.add("--dsa-indexer-n-heads", 2)
            launch.add("--dsa-indexer-head-dim", launch.rng.choice([8, 16]))
            launch.add("--dsa-indexer-topk", 4)
        elif not mla and launch.chance(0.25):
            launch.add("--experimental-attention-variant", "gated_delta_net")
            launch.add("--linear-attention-freq", launch.rng.choice([2, 3, 4]))
            launch.add("--linear-conv-kernel-dim", launch.rng.choice([2, 4]))
            launch.add("--linear-key-head-dim", launch.rng.choice([4, 8]))
            launch.add("--linear-value-head-dim", launch.rng.choice([4, 8]))
            launch.add("--linear-num-key-heads", launch.rng.choice([4, 4, 2]))
            launch.add("--linear-num-value-heads", launch.rng.choice([4, 8]))


def _block(launch, experts, wide):
    act = launch.rng.random()
    if act < 0.4:
        launch.add("--swiglu")
        launch.maybe(0.05, "--no-bias-swiglu-fusion")
    elif act < 0.48:
        launch.add("--squared-relu")
        launch.maybe(0.3, "--no-bias-gelu-fusion")
    elif act < 0.52 and wide:
        launch.maybe(0.5, "--quick-geglu")
    elif act < 0.55:
        launch.maybe(0.5, "--openai-gelu")
    launch.maybe(0.45, "--ffn-hidden-size", 24, 32, 40, 48, 64, 96)
    if not launch.has("--normalization"):
        launch.maybe(0.28, "--normalization", "RMSNorm")
    launch.maybe(0.06, "--apply-layernorm-1p")
    if (experts and launch.chance(0.85)) or (not experts and launch.chance(0.45)):
        launch.add("--disable-bias-linear")
    launch.maybe(0.17, "--add-qkv-bias")
    launch.maybe(0.35, "--untie-embeddings-and-output-weights")
    launch.maybe(0.04, "--no-bias-dropout-fusion")
    launch.maybe(0.02, "--apply-residual-connection-post-layernorm")
    launch.maybe(0.02, "--fp32-residual-connection")
    launch.maybe(0.03, "--no-gradient-accumulation-fusion")
    if wide:
        launch.maybe(0.05, "--glu-linear-offset", 1.0)
        launch.maybe(0.05, "--use-te-activation-func")
        launch.maybe(0.06, "--use-mup")
        launch.maybe(0.06, "--fused-residual-rmsnorm")
        launch.maybe(0.06, "--use-transformer-engine-op-fuser")
        launch.maybe(0.06, "--use-grouped-gemm-for-dense-mlp")
        launch.maybe(0.08, "--enable-mhc-connections")
        launch.maybe(0.05, "--te-rng-tracker")
        launch.maybe(0.05, "--enable-experimental")
        launch.maybe(0.04, "--defer-embedding-wgrad-compute")


def _layer_pattern(launch, layers):
    pick = launch.rng.choice
    kind = launch.rng.random()
    if kind < 0.4:
        return pick([1, 2, 2, 3])
    if kind < 0.7:
        dense = pick(range(0, layers))
        return f"[0]*{dense}+[1]*{layers - dense}"
    return "[" + ",".join(str(pick([0, 1, 1])) for _ in range(layers)) + "]"


def _experts(launch, layers, experts, wide):
    pick = launch.rng.choice
    launch.add("--num-experts", experts)
    if launch.maybe(0.55, "--moe-grouped-gemm"):
        launch.maybe(0.15, "--moe-use-legacy-grouped-gemm")
    topk = launch.maybe(0.3, "--moe-router-topk", 1, 2, 2)
    if topk == 1 and launch.chance(0.6):
        launch.add("--moe-router-pre-softmax")
    launch.maybe(0.07, "--moe-router-pre-softmax")
    launch.maybe(0.22, "--moe-ffn-hidden-size", 8, 16, 24, 32)
    if launch.maybe(0.22, "--moe-shared-expert-intermediate-size", 16, 24, 32):
        launch.maybe(0.2, "--moe-shared-expert-gate")
        launch.maybe(0.08, "--moe-shared-expert-overlap")
        launch.maybe(0.05 * wide, "--use-grouped-gemm-for-shared-expert")
    if launch.chance(0.4):
        launch.add("--moe-layer-freq", _layer_pattern(launch, layers))
    if launch.maybe(0.22, "--moe-router-score-function", "sigmoid", "sigmoid", "softmax"):
        if launch.options["--moe-router-score-function"] == "sigmoid":
            launch.maybe(0.7, "--moe-router-enable-expert-bias")
    else:
        launch.maybe(0.04, "--moe-router-enable-expert-bias")
    launch.maybe(0.2, "--moe-router-dtype", "fp32", "fp64")
    balancing = ["none", "aux_loss", "sinkhorn"] + (["seq_aux_loss"] if wide else [])
    launch.maybe(0.2, "--moe-router-load-balancing-type", *balancing)
    launch.maybe(0.25, "--moe-token-dispatcher-type", "allgather", "alltoall", "alltoall")
    launch.maybe(0.12, "--moe-latent-size", 8, 16)
    if not wide:
        return
    if topk == 2 and experts >= 4 and launch.maybe(0.3, "--moe-router-num-groups", 2):
        launch.add("--moe-router-group-topk", 1)
    launch.maybe(0.1, "--moe-router-topk-scaling-factor", 2.5)
    launch.maybe(0.08, "--moe-aux-loss-coeff", "1e-2")
    launch.maybe(0.08, "--moe-z-loss-coeff", "1e-3")
    launch.maybe(0.05, "--moe-input-jitter-eps", "1e-2")
    launch.maybe(0.06, "--moe-permute-fusion")
    launch.maybe(0.06, "--moe-router-fusion")
    launch.maybe(0.06, "--moe-router-force-load-balancing")
    launch.maybe(0.06, "--moe-apply-probs-on-input")
    launch.maybe(0.06, "--moe-router-padding-for-fp8")
    launch.maybe(0.05, "--moe-pad-expert-input-to-capacity")
    launch.maybe(0.06, "--moe-expert-capacity-factor", 1.0)
    launch.maybe(0.06, "--moe-layer-recompute")
    launch.maybe(0.08, "--moe-single-grouped-weight")
    launch.maybe(0.08, "--moe-use-grouped-tensor")
    launch.maybe(0.05, "--moe-router-bias-update-rate", pick(["1e-3", "1e-2"]))


def _repair(launch, out):
    """Take most of the combinations back that are only ever refused."""
    options = launch.options

    def drop(*names):
        if launch.chance(0.85):
            for name in names:
                options.pop(name, None)

    local, bare = options.get("--transformer-impl") == "local", out.get("te") == "none"
    if out.get("apex") is False:
        if launch.chance(0.9):
            launch.add("--no-gradient-accumulation-fusion")
        drop("--sequence-parallel", "--apply-layernorm-1p")
    if local and options.get("--normalization") == "RMSNorm" and "apex" not in out and launch.chance(0.4):
        del options["--normalization"]
    if local and launch.has("--multi-latent-attention"):
        drop("--transformer-impl")
        if "--transformer-impl" not in options:
            out.pop("te", None)
            local = bare = False
    if local:
        drop("--context-parallel-size")
        if launch.has("--experimental-attention-variant"):
            drop("--experimental-attention-variant")
    if bare and options.get("--position-embedding-type") == "rope" and launch.chance(0.85):
        launch.add("--no-rope-fusion")
    if launch.has("--multi-latent-attention"):
        drop("--qk-l2-norm")
    if "--fp8-format" not in options:
        drop("--moe-router-padding-for-fp8")
    if "--quick-geglu" not in options:
        drop("--glu-linear-offset")
    if "--pipeline-model-parallel-size" not in options:
        drop("--defer-embedding-wgrad-compute")
    if launch.has("--squared-relu") and launch.chance(0.8):
        launch.add("--no-bias-gelu-fusion")
    if launch.has("--use-te-activation-func") and launch.chance(0.8):
        launch.add("--no-bias-swiglu-fusion")
        launch.add("--no-bias-gelu-fusion")
    if launch.has("--moe-use-legacy-grouped-gemm"):
        drop("--moe-latent-size")
        if launch.chance(0.8):
            launch.add("--disable-bias-linear")
    if options.get("--moe-router-score-function") != "sigmoid":
        drop("--moe-router-enable-expert-bias")
    if options.get("--moe-router-topk", "1" if "--moe-router-pre-softmax" in options else "2") == "1":
        if launch.chance(0.85):
            launch.add("--moe-router-pre-softmax")
    if options.get("--moe-router-load-balancing-type") == "sinkhorn" and launch.chance(0.8):
        options["--moe-router-topk"] = "1"
    if launch.has("--moe-shared-expert-overlap") and launch.chance(0.8):
        launch.add("--moe-token-dispatcher-type", "alltoall")
    tp, pp = int(options.get("--tensor-model-parallel-size", 1)), int(options.get("--pipeline-model-parallel-size", 1))
    if int(options.get("--num-query-groups", tp)) % tp and launch.chance(0.9):
        options["--num-query-groups"] = str(tp)
    layout = [o for o in options if o.startswith(("--decoder-", "--account-", "--pipeline-model-parallel-layout"))]
    if int(options["--num-layers"]) % pp and (not layout or launch.chance(0.4)):
        for option in layout:
            del options[option]
        if launch.chance(0.9):
            options["--num-layers"] = str(pp * max(1, int(options["--num-layers"]) // pp))
            options.pop("--moe-layer-freq", None)
            options.pop("--num-layers-per-virtual-pipeline-stage", None)


def make(name, rng, known):
    """One launch."""
    launch = Launch(rng, known)
    wide = launch.chance(0.5)
    old = launch.add("--use-mcore-models") if launch.chance(0.9) else True
    layers, heads = _sizes(launch)
    experts = rng.choice([2, 4, 4, 8, 16]) if launch.chance(0.62) else 0
    legacy = old and launch.chance(0.03) and launch.add("--use-legacy-models")
    if legacy and launch.chance(0.8):
        launch.add("--ckpt-format", "torch")
    _attention(launch, heads, wide)
    launch.maybe(0.08 + 0.06 * wide, "--mtp-num-layers", 1, 1, 2)
    if launch.has("--mtp-num-layers"):
        launch.maybe(0.3, "--mtp-use-repeated-layer")
        if not launch.has("--position-embedding-type"):
            launch.add("--position-embedding-type", "rope")
    if experts:
        _experts(launch, layers, experts, wide)
    _block(launch, experts, wide)
    _parallel(launch, layers, heads, experts)
    out = {"name": name}
    kind = rng.random()
    if kind < 0.3:
        launch.add("--transformer-impl", "local")
        if launch.chance(0.85):
            launch.add("--no-persist-layer-norm")
        if launch.chance(0.35):
            out["te"] = "none"
        if launch.chance(0.35) and launch.has("--no-persist-layer-norm"):
            out["apex"] = False
    elif kind < 0.5:
        launch.add("--transformer-impl", "transformer_engine")
    elif kind < 0.52 and wide:
        launch.add("--transformer-impl", rng.choice(["transformer_engine", "inference_optimized"]))
    if kind >= 0.3 and launch.maybe(0.12, "--fp8-format", "hybrid", "e4m3"):
        launch.maybe(0.2 * wide, "--fp8-recipe", "tensorwise", "delayed", "mxfp8", "blockwise")
        launch.maybe(0.2 * wide, "--first-last-layers-bf16")
        launch.maybe(0.1 * wide, "--fp8-param-gather")
    _repair(launch, out)
    out["argv"] = launch.argv()
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flags", required=True, help="what flags.py printed for the version")
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--prefix", default="r")
    given = parser.parse_args()
    with open(given.flags) as file:
        flags = json.load(file)
    known = {option for action in flags["actions"] for option in action["options"]}
    rng = random.Random(f"{flags['tag']} {given.seed}")
    for number in range(given.count):
        print(json.dumps(make(f"{given.prefix}{number:03}", rng, known)))


if __name__ == "__main__":
    main()
