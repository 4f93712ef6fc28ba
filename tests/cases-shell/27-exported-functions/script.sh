#!/bin/bash
# functions that export -f passes on to new shells, and those that it does not
flags() { echo "--num-layers $1"; }
own() { echo "--own"; }
twice() { torchrun "$1" "$2" train.py --from twice; }
late() { echo "--late"; }
export -f flags twice late
export -fn late
set -a
given() { echo "--given"; }
set +a
bash -c 'torchrun train.py $(flags 4) $(given)'
bash -c 'declare -F own >/dev/null || torchrun train.py --own-is-not-there'
bash -c 'declare -F late >/dev/null || torchrun train.py --late-is-not-there'
bash <<'INNER'
twice a "b c"
bash -c 'torchrun train.py $(flags 8) --deeper'
unset -f flags
bash -c 'declare -F flags >/dev/null || torchrun train.py --unset'
INNER
INNER=1 bash -c 'flags() { echo "--other"; }; torchrun train.py $(flags 1)'
( export -f own; bash -c 'torchrun train.py $(own) --in-subshell' )
bash -c 'declare -F own >/dev/null || torchrun train.py --still-not-there'
