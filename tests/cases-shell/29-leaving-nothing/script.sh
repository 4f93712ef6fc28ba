# leaving what one is not in: bash complains and goes on
local X=5 || torchrun train.py --local "[$X]"
local Y; torchrun train.py --status $?
break; torchrun train.py --break $?
continue 2; torchrun train.py --continue $?
f() { break; torchrun train.py --in-function $?; }
for i in 1 2; do f; torchrun train.py --round $i; done
for i in 1 2; do ( break; torchrun train.py --in-subshell ); torchrun train.py --then $i; done
for i in 1 2; do for j in 1 2; do continue 5; torchrun train.py --never; done; done; torchrun train.py --last $i $j
for i in 1 2; do break 0; torchrun train.py --never; done; torchrun train.py --out-of-range $i
while true; do if [ -z "$Z" ]; then Z=1; continue; fi; break 3; done; torchrun train.py --while $?
for i in 1 2; do eval break; torchrun train.py --never; done; torchrun train.py --eval $i
return 4; torchrun train.py --return $?
( return 5; torchrun train.py --return-in-subshell $? )
W=$(return 6; echo $?); torchrun train.py --substituted "$W"
g() { ( return 8; torchrun train.py --never ); torchrun train.py --from $?; for i in 1; do return 9; done; torchrun train.py --never; }
g; torchrun train.py --g $?
echo 'break; return 11; torchrun train.py --never' > /tmp/sourced.sh
for i in 1 2; do . /tmp/sourced.sh; torchrun train.py --never; done; torchrun train.py --sourced $i
. /tmp/sourced.sh; torchrun train.py --sourced-alone $?
bash -c 'return 3; torchrun train.py --new-shell $?'
eval 'return 5'; torchrun train.py --eval-return $?
