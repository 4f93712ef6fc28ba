#!/bin/bash
# A wheel: built, installed into a fresh environment, run. PROFILE chooses cargo's profile (default: release).
. "$(dirname "$0")/lib.sh"
maturin=${MATURIN:-maturin}
command -v "$maturin" >/dev/null || fail "no maturin here: pip install maturin, or set MATURIN"

say build
(cd "$root" && "$maturin" build --quiet --locked --profile "${PROFILE:-release}" --out "$work/wheels")
wheel=$(echo "$work"/wheels/*.whl)
ls -lh "$wheel" | awk '{ print $5, $NF }'

say install into a fresh environment
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-index --disable-pip-version-check "$wheel"
cd "$work" && PATH=$work/venv/bin:/usr/bin:/bin

say run
[ "$(command -v moe-lint)" = "$work/venv/bin/moe-lint" ] || fail "another moe-lint is found"
moe-lint --version
expect 1 moe-lint check "$case/train_mixtral.sh" --megatron 0.8.0 --te 1.7 \
    --checkpoint "$case/checkpoints/core_v0.8.0-te1.7-sequential"
sed '/--moe-grouped-gemm/d' "$case/train_mixtral.sh" > train.sh
expect 0 moe-lint check train.sh --megatron 0.8.0 --te 1.7 --checkpoint "$case/checkpoints/core_v0.8.0-te1.7-sequential"
say wheel: installed and runs, with its rules in it
