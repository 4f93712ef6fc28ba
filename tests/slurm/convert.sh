#!/usr/bin/env bash
# Converts a checkpoint as a Slurm job of several tasks on a Slurm of its own: one node, this machine.
#
#   convert.sh MOE_LINT SOURCE [TASKS]
#
# Needs root, Debian's slurm-wlm and munge, and nothing else that listens on their ports. Where Slurm cannot start, it says
# why and exits with 77, which CI counts as skipped. The shares are compared with a conversion in one process.
set -euo pipefail
program=$(realpath "$1") source=$(realpath "$2") tasks=${3:-4}

skip() { echo "skipped: $*"; exit 77; }
for needed in munged slurmctld slurmd srun sbatch; do
    command -v "$needed" >/dev/null || skip "$needed is not installed (apt-get install slurm-wlm munge)"
done
[ "$(id -u)" = 0 ] || skip "slurmd must be started by root"

state=$(mktemp -d)
chmod 755 "$state"
pids=()
finish() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$state"
}
trap finish EXIT

mkdir "$state/munge" "$state/ctld" "$state/d"
dd if=/dev/urandom of="$state/munge/key" bs=1024 count=1 2>/dev/null
chmod 700 "$state/munge" && chmod 400 "$state/munge/key"
munged --foreground --key-file="$state/munge/key" --socket="$state/munge.socket" --pid-file="$state/munge/pid" \
    --log-file="$state/munge/log" --seed-file="$state/munge/seed" --force >"$state/munge/out" 2>&1 &
pids+=($!)
host=$(hostname -s)
cat >"$state/slurm.conf" <<CONF
ClusterName=convert
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$state/munge.socket
SlurmUser=root
SlurmctldPort=16817
SlurmdPort=16818
StateSaveLocation=$state/ctld
SlurmdSpoolDir=$state/d
SlurmctldPidFile=$state/ctld/pid
SlurmdPidFile=$state/d/pid
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
SlurmdParameters=config_overrides
MailProg=/bin/true
NodeName=$host NodeAddr=127.0.0.1 CPUs=$tasks State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=10 State=UP OverSubscribe=YES
CONF
export SLURM_CONF=$state/slurm.conf
slurmctld -D -f "$SLURM_CONF" >"$state/ctld/log" 2>&1 &
pids+=($!)
slurmd -D -f "$SLURM_CONF" -N "$host" >"$state/d/log" 2>&1 &
pids+=($!)
for _ in $(seq 30); do
    if sinfo -h -o %T 2>/dev/null | grep -q idle; then break; fi
    sleep 1
done
if ! sinfo -h -o %T 2>/dev/null | grep -q idle; then
    tail -n 5 "$state/ctld/log" "$state/d/log" "$state/munge/out" || true
    skip "no node of this Slurm became idle"
fi

cat >"$state/job.sh" <<JOB
#!/bin/bash
srun --overlap --ntasks=$tasks "$program" convert "$source" "$state/shared" --experts grouped
JOB
sbatch --wait --ntasks="$tasks" --output="$state/job.log" "$state/job.sh" || { cat "$state/job.log"; exit 1; }
cat "$state/job.log"
[ "$(grep -c '^written: share' "$state/job.log")" = "$tasks" ] || { echo "failed: not $tasks shares"; exit 1; }
[ ! -e "$state/shared/latest_checkpointed_iteration.txt" ] || { echo "failed: complete before --finish"; exit 1; }
srun --ntasks=1 "$program" convert "$source" "$state/shared" --experts grouped --finish
"$program" convert "$source" "$state/whole" --experts grouped
diff -r "$state/shared" "$state/whole" || { echo "failed: shares and the whole differ"; exit 1; }
echo "passed: $tasks tasks of Slurm $(slurmctld -V | cut -d' ' -f2) wrote what one process writes"
