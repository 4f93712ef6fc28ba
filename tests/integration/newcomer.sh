#!/bin/bash
# A new user's way: the commands of the README's section "A gate in five minutes", typed in a sample repository, then the hook
# it asks for. Says how long it took. `FROM_SOURCE=1` also installs as the README says (compiles: minutes).
. "$(dirname "$0")/lib.sh"
start=$(date +%s)
mkdir "$work/bin" "$work/repo"
if [ -n "${FROM_SOURCE:-}" ]; then
    say install, as the README says
    (cd "$root" && cargo install --quiet --locked --path . --root "$work" --debug)
    printf 'installed after %s s\n' "$(($(date +%s) - start))"
else
    ln -s "$(binary)" "$work/bin/moe-lint"
fi
export PATH=$work/bin:$PATH HOME=$work GIT_CONFIG_NOSYSTEM=1
git config --global user.name somebody && git config --global user.email somebody@example.org
cp -r "$case/." "$work/repo" && cd "$work/repo"
sed -i 's|tests/cases/issue-924|.|' train_mixtral.sh
git init -q && git add -A && git commit -qm "Before"

say the commands of the README
sed -n '/^## A gate in five minutes/,/^## More/p' "$root/README.md" | sed -n 's/^\$ //p' > "$work/commands"
[ "$(wc -l < "$work/commands")" -ge 5 ] || fail "the README has no commands there"
while read -r command; do
    printf '$ %s\n' "$command"
    bash -c "$command" || printf '(exit code %s)\n' $?
done < "$work/commands"

say the gate is closed for what does not load, and open for what does
expect 0 moe-lint check >/dev/null
git add -A && git commit -qm "A gate"
sed -i 's/    --moe-router-topk 2/    --moe-router-topk 2\n    --moe-grouped-gemm/' train_mixtral.sh
expect 1 moe-lint check >/dev/null
git checkout -q train_mixtral.sh
mv checkpoints elsewhere
expect 0 moe-lint check >/dev/null

say "from nothing to a gate in $(($(date +%s) - start)) s"
