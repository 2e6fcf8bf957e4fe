#!/usr/bin/env bash
# False alarms of the audit: honest engines, again and again, with a load beside them if asked.
#   Benchmarks/honest.sh [RUNS] [LOAD] [FOLDER]        20 runs, no load, Reports/honest
# Each run's folder is kept. Prints, for each engine, how often it was timed, claimed, and caught; one caught is a false alarm.
set -euo pipefail
cd "$(dirname "$0")/.."
runs=${1:-20} load=${2:-0} folder=${3:-Reports/honest}
if [[ -e "$folder/1" ]]; then
  echo "honest.sh: $folder holds runs already, which would be counted as these: name another folder" >&2
  exit 64
fi
mkdir -p "$folder"
busy=()
trap 'kill "${busy[@]}" 2>/dev/null || true' EXIT
for ((i = 0; i < load; i++)); do
  (while :; do :; done) &
  busy+=($!)
done
for ((run = 1; run <= runs; run++)); do
  .build/release/assay bench --suite Benchmarks/honest.toml --seed "$run" --quiet --out "$folder/$run" \
    >"$folder/$run.txt" 2>&1 || true
done
python3 - "$folder" "$runs" <<'PYTHON'
import collections, json, sys

counts, seconds = collections.defaultdict(collections.Counter), []
for run in range(1, int(sys.argv[2]) + 1):
    bench = json.load(open(f"{sys.argv[1]}/{run}/run.json"))["benchmark"]
    seconds.append((bench["seconds"], bench.get("audit_seconds", 0)))
    for workload in bench["workloads"]:
        for found in workload["contestants"]:
            claimed = found["status"] == "timed" and found.get("trust") == "claimed"
            counts[found["engine"]]["claimed" if claimed else found["status"]] += 1
for engine, found in counts.items():
    print(f"{engine:22}", ", ".join(f"{count} {status}" for status, count in sorted(found.items())))
print(f"{len(seconds)} runs, {sum(s for s, _ in seconds) / len(seconds):.1f} s each, of which the audit",
      f"{100 * sum(a for _, a in seconds) / sum(s for s, _ in seconds):.0f} %;",
      "caught:", sum(found["cheated"] for found in counts.values()))
PYTHON
