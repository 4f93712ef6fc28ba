#!/bin/bash
# What `moe-lint exec` adds to the start of a command: the founding case against a snapshot, 40 starts with and without.
. "$(dirname "$0")/lib.sh"
moe_lint=$(binary)
cd "$work"
printf '#!/bin/sh\nexit 0\n' > torchrun && chmod +x torchrun
"$moe_lint" snapshot "$case/checkpoints/core_v0.8.0-te1.7-sequential" -o x.moe-lint.json >/dev/null
sed '/--moe-grouped-gemm/d' "$case/train_mixtral.sh" > train.sh
python3 - "$moe_lint" "$work" <<'PYTHON'
import json, statistics, subprocess, sys, time
moe_lint, work = sys.argv[1:]
target = ["--megatron", "0.8.0", "--te", "1.7", "--checkpoint", "x.moe-lint.json"]
told = subprocess.run([moe_lint, "check", "train.sh", *target, "--format", "json"], stdout=subprocess.PIPE).stdout
argv = [work + "/torchrun", *json.loads(told)["launch"]["argv"][1:]]

def milliseconds(command):
    times = []
    for _ in range(40):
        start = time.perf_counter()
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
        times.append((time.perf_counter() - start) * 1000)
    return statistics.median(times)

plain, checked = milliseconds(argv), milliseconds([moe_lint, "exec", *target, "--", *argv])
print(f"alone {plain:.1f} ms, behind moe-lint exec {checked:.1f} ms: {checked - plain:.1f} ms more (medians of 40)")
sys.exit(0 if checked - plain < 50 else "moe-lint exec adds 50 ms or more")
PYTHON
