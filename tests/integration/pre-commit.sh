#!/bin/bash
# The hook in a throw-away repository: a commit is blocked, then allowed.
. "$(dirname "$0")/lib.sh"
pre_commit=${PRE_COMMIT:-pre-commit}
command -v "$pre_commit" >/dev/null || fail "no pre-commit here: pip install pre-commit, or set PRE_COMMIT"
mkdir "$work/bin" && ln -s "$(binary)" "$work/bin/moe-lint"
export PATH=$work/bin:$PATH PRE_COMMIT_HOME=$work/cache HOME=$work GIT_CONFIG_NOSYSTEM=1
git config --global user.name somebody && git config --global user.email somebody@example.org
git config --global init.defaultBranch main

say the manifest is valid
"$pre_commit" validate-manifest "$root/.pre-commit-hooks.yaml"

# The hook's own repository: pre-commit clones it at a revision.
mkdir "$work/hooks" && cp "$root/.pre-commit-hooks.yaml" "$work/hooks/"
git -C "$work/hooks" init -q && git -C "$work/hooks" add -A && git -C "$work/hooks" commit -qm hooks

say a repository with two launches, one of them excluded, and a snapshot
mkdir -p "$work/repo/train/old" && cd "$work/repo" && git init -q
cp "$case/train_mixtral.sh" train/mixtral.sh
cp "$case/train_mixtral.sh" train/old/mixtral.sh
sed -i '/--moe-grouped-gemm/d' train/mixtral.sh
printf '#!/bin/bash\necho no launch\n' > setup.sh
moe-lint snapshot "$case/checkpoints/core_v0.8.0-te1.7-sequential" -o mixtral.moe-lint.json
cat > moe-lint.toml <<'TOML'
megatron = "0.8.0"
te = "1.7"
exclude = ["train/old/*"]

[[target]]
launch = ["train/**/*.sh"]
checkpoint = "mixtral.moe-lint.json"
TOML
cat > .pre-commit-config.yaml <<YAML
repos:
  - repo: $work/hooks
    rev: $(git -C "$work/hooks" rev-parse HEAD)
    hooks: [{ id: moe-lint }]
YAML
"$pre_commit" install >/dev/null
git add -A

say what loads is committed
expect 0 git commit -qm "All launches"

say a flag that breaks the load is blocked
sed -i 's/    --moe-router-topk 2/    --moe-router-topk 2\n    --moe-grouped-gemm/' train/mixtral.sh
git add -A
expect 1 git commit -qm "Faster experts" 2> "$work/log"
cat "$work/log"
grep -q 'error\[expert-layout\]' "$work/log" || fail "the hook does not say why"
[ "$(git log --oneline | wc -l)" -eq 1 ] || fail "it was committed all the same"

say without it, the commit is allowed
sed -i '/--moe-grouped-gemm/d' train/mixtral.sh
echo '# a comment' >> train/mixtral.sh
git add -A
expect 0 git commit -qm "Say more"

say excluded launches and scripts that launch nothing are passed over
echo '# old' >> train/old/mixtral.sh && echo 'echo more' >> setup.sh && git add -A
expect 0 git commit -qm "Others"

say the settings are checked when they change
sed -i 's/0.8.0/0.13.0/; s/"1.7"/"1.9"/' moe-lint.toml
sed -i 's/    --moe-router-topk 2/    --moe-router-topk 2\n    --moe-grouped-gemm/' train/mixtral.sh
git add moe-lint.toml
expect 1 git commit -qam "Newer Megatron-LM, grouped experts"

say all launches, as CI runs them
git checkout -q -- . && git reset -q --hard
expect 0 "$pre_commit" run --all-files
say pre-commit: blocked and allowed as it should be
