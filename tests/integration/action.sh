#!/bin/bash
# The steps of action.yml, run as a runner would, in a sample repository.
. "$(dirname "$0")/lib.sh"
python=${PYTHON:-python3}
"$python" -c 'import yaml' 2>/dev/null || fail "python3 with yaml is needed (or set PYTHON)"
mkdir "$work/bin" "$work/repo" && ln -s "$(binary)" "$work/bin/moe-lint"
export PATH=$work/bin:$PATH GITHUB_ACTIONS=true GITHUB_STEP_SUMMARY=$work/summary.md GITHUB_ACTION_PATH=$root
cp -r "$case/." "$work/repo" && cd "$work/repo" && sed -i 's|tests/cases/issue-924|.|' train_mixtral.sh
printf 'megatron = "0.8.0"\nte = "1.7"\n[[target]]\nlaunch = ["*.sh"]\n' > moe-lint.toml

steps() { # steps SARIF: runs the action's steps one after the other, as far as they go
    "$python" - "$root/action.yml" "$1" <<'PYTHON'
import os, subprocess, sys, yaml
action, sarif = yaml.safe_load(open(sys.argv[1])), sys.argv[2]
inputs = {name: one.get("default", "") for name, one in action["inputs"].items()}
inputs["sarif"] = sarif
for step in action["runs"]["steps"]:
    if "sarif != ''" in step.get("if", "") and not sarif:
        continue
    env = dict(os.environ)
    for name, value in step.get("env", {}).items():
        env[name] = inputs[value.strip("${} ").removeprefix("inputs.")]
    code = subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]], env=env).returncode
    if code:
        sys.exit(code)
PYTHON
}

say what does not load fails the job, annotated
expect 1 steps moe-lint.sarif > "$work/log"
cat "$work/log"
grep -q '^::error file=train_mixtral.sh,line=42,' "$work/log" || fail "no annotation"
grep -q '| fails |' "$work/summary.md" || fail "no summary"
"$python" -c 'import json; assert json.load(open("moe-lint.sarif"))["runs"][0]["results"]' || fail "no SARIF"

say what loads goes on
sed -i '/--moe-grouped-gemm/d' train_mixtral.sh
expect 0 steps ""
say action: its steps do what they should
