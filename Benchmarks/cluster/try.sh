#!/usr/bin/env bash
# Tries slurm.sh and the Snakefile for real on this machine, kills a part of each, and holds the merged run against the whole one.
#
#   Benchmarks/cluster/try.sh .build/release/assay [WORDS OF VERIFY …]
#
# Needs root for Slurm's daemons, Debian's slurm-wlm and munge, and snakemake on the PATH (or SNAKEMAKE=…); what is missing is
# left out and said. Everything it starts it ends, and everything it writes lies in one temporary folder, which it names.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
assay=$(realpath "${1:?usage: try.sh ASSAY [words of verify]}")
shift
words=("$@")
[ $# -gt 0 ] || words=(--tag smoke --dtype float32)
work=$(mktemp -d /tmp/assay-cluster.XXXXXX)
echo "working in $work"
failures=0
daemons=()
end() { for pid in "${daemons[@]}"; do kill "$pid" 2>/dev/null; done; }
trap end EXIT
cd "$root" || exit 70

say() { printf '\n== %s\n' "$*"; }
# equal WHOLE MERGED: the results of both, without times.
equal() {
  python3 - "$1/run.json" "$2/run.json" <<'PY'
import json, sys
def results(path):
    run = json.load(open(path))
    section = run["verification"]
    def bare(value):
        if isinstance(value, dict):
            return {k: bare(v) for k, v in value.items() if "seconds" not in k}
        return [bare(v) for v in value] if isinstance(value, list) else value
    return run["outcome"], bare(section)
(a, x), (b, y) = map(results, sys.argv[1:])
different = sorted(k for k in x.keys() | y.keys() if x.get(k) != y.get(k))
print(f"{len(x['results'])} results in the whole run, {len(y['results'])} in the merged one; outcomes {a}, {b}; "
      f"different: {', '.join(different) or 'nothing but times'}")
sys.exit(bool(different) or a != b)
PY
}

say "the whole run, on one machine"
"$assay" verify "${words[@]}" --quiet --out "$work/whole" | tail -n 3
echo "exit ${PIPESTATUS[0]}"

slurm() {
  say "Slurm: $(slurmctld -V)"
  mkdir -p "$work/munge" "$work/slurm/state" "$work/slurm/spool" /run/munge
  host=$(hostname -s)
  dd if=/dev/urandom of="$work/munge/key" bs=1024 count=1 status=none
  chmod 700 "$work/munge"; chmod 400 "$work/munge/key"
  munged --force --foreground --key-file="$work/munge/key" --socket="$work/munge/socket" \
    --pid-file="$work/munge/pid" --log-file="$work/munge/log" --seed-file="$work/munge/seed" >"$work/munge/out" 2>&1 &
  daemons+=($!)
  cat >"$work/slurm/slurm.conf" <<CONF
ClusterName=assay
SlurmctldHost=$host(127.0.0.1)
AuthType=auth/munge
AuthInfo=socket=$work/munge/socket
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$work/slurm/state
SlurmdSpoolDir=$work/slurm/spool
SlurmctldPidFile=$work/slurm/ctld.pid
SlurmdPidFile=$work/slurm/d.pid
SlurmctldLogFile=$work/slurm/ctld.log
SlurmdLogFile=$work/slurm/d.log
SlurmctldPort=16817
SlurmdPort=16818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
MinJobAge=3600
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
  export SLURM_CONF=$work/slurm/slurm.conf
  sleep 1
  slurmctld -D -c >"$work/slurm/ctld.out" 2>&1 & daemons+=($!)
  sleep 2
  slurmd -D -N "$host" >"$work/slurm/d.out" 2>&1 & daemons+=($!)
  for _ in $(seq 30); do sinfo -h -o %T 2>/dev/null | grep -q idle && break; sleep 1; done
  sinfo || { tail -n 5 "$work"/slurm/*.log "$work"/slurm/*.out; return 1; }
  export ASSAY=$assay OUT=$work/slurm/parts
  job=$(sbatch --parsable --chdir="$root" --output="$work/slurm/task-%a.log" "$here/slurm.sh" verify "${words[@]}" --quiet)
  echo "job $job, four tasks"
  # The first task that has some results, and not yet all, is killed in the middle and requeued.
  victim=
  for _ in $(seq 600); do
    for task in 0 1 2 3; do
      [ -e "$OUT/$task/run.json" ] && continue
      done=$(find "$OUT/$task/results" -name '*.json' ! -name header.json 2>/dev/null | wc -l)
      [ "$done" -ge 3 ] && { victim=$task; break 2; }
    done
    squeue -h -j "$job" 2>/dev/null | grep -q . || break
    sleep 0.1
  done
  if [ -n "$victim" ]; then
    scontrol requeue "${job}_$victim" && echo "task $victim was killed with $done cases done, and requeued"
  else
    echo "no task could be caught in the middle"; failures=$((failures + 1))
  fi
  # A requeued task waits for a while that Slurm sets; it need not.
  for _ in $(seq 900); do
    squeue -h -j "$job" 2>/dev/null | grep -q . || break
    scontrol update jobid="${job}_${victim:-0}" StartTime=now >/dev/null 2>&1
    sleep 1
  done
  for task in 0 1 2 3; do echo "task $task: $(grep -h 'going on' "$work/slurm/task-$task.log" | tail -n 1)"; done
  scontrol -o show job "$job" | grep -oE 'ArrayTaskId=[0-9]+|JobState=[A-Z]+|Restarts=[0-9]+|ExitCode=[0-9:]+' | paste -sd' ' | fold -w 110
  say "merge of three of the four parts names the hole"
  "$assay" merge "$OUT/0" "$OUT/1" "$OUT/3" --out "$work/slurm/hole" | grep -iE 'shard|inconclusive' | head -n 3
  echo "exit ${PIPESTATUS[0]}; $(python3 -c "
import json, sys
run = json.load(open('$work/slurm/hole/run.json'))
print('; '.join(h['reason'] + ': ' + (h.get('command') or '') for h in (run.get('holes') or []) + (run['verification'].get('holes') or [])))")"
  say "merge of all four"
  "$assay" merge "$OUT"/* --out "$work/slurm/whole" | tail -n 2
  equal "$work/whole" "$work/slurm/whole" || failures=$((failures + 1))
}

snake() {
  say "Snakemake: $("$snakemake" --version)"
  mkdir -p "$work/snake"
  # Snakemake runs it elsewhere: what is found from the project's folder is named in full.
  args=(-s "$here/Snakefile" --directory "$work/snake" --cores "$(nproc)" --quiet all
    --config assay="$assay" words="verify ${words[*]} --quiet --golden $root/Fixtures --known-failures $root/Benchmarks/known_failures.toml")
  "$snakemake" "${args[@]}" >"$work/snake/log" 2>&1 &
  runner=$!
  for _ in $(seq 600); do
    kill -0 $runner 2>/dev/null || break
    for part in 1 2 3 4; do
      [ -e "$work/snake/shards/$part/run.json" ] && continue
      done=$(find "$work/snake/shards/$part/results" -name '*.json' ! -name header.json 2>/dev/null | wc -l)
      [ "$done" -ge 3 ] || continue
      pid=$(pgrep -f -- "^$assay verify .*--shard $part/4" | head -n 1)
      [ -n "$pid" ] && kill -9 "$pid" && echo "part $part was killed with $done cases done" && break 2
    done
    sleep 0.1
  done
  wait $runner
  echo "snakemake: exit $?; $(grep -c 'going on' "$work/snake/log") part went on; whole.code: $(cat "$work/snake/whole.code")"
  "$assay" verify "${words[@]}" --quiet --golden "$root/Fixtures" --known-failures "$root/Benchmarks/known_failures.toml" \
    --out "$work/snake/alone" >/dev/null
  equal "$work/snake/alone" "$work/snake/whole" || failures=$((failures + 1))
}

if command -v slurmctld >/dev/null && command -v munged >/dev/null && [ "$(id -u)" = 0 ]; then slurm; else
  say "Slurm was left out: it needs slurm-wlm, munge and root"; failures=$((failures + 1))
fi
snakemake=${SNAKEMAKE:-$(command -v snakemake)}
if [ -n "$snakemake" ]; then snake; else
  say "Snakemake was left out: pip install snakemake"; failures=$((failures + 1))
fi
say "$failures failures"
exit $((failures > 0))
