#!/usr/bin/env bash
# Live gates of one binary against itself and against slowed copies, on a quiet machine and beside a load that this script makes:
# how often does the gate cry wolf, how often does it see, what does it cost?
#   Benchmarks/gates.sh 30                            30 gates without a change
#   Benchmarks/gates.sh 30 5% 10%                     then 30 with +5 % and 30 with +10 % on one benchmark of the suite in turn
#   GATES=5 Benchmarks/gates.sh 30 5% 10%             5 of each slowdown instead
#   Benchmarks/gates.sh --load 4 10 5%                the same beside four busy processes
# `named` counts the gates that call the slowed benchmark a regression, and no other; one that the hypervisor makes inconclusive as a
# whole may be among them.
# Every gate keeps its folder; those that are there already are counted and not measured again, so that the same command goes on
# where it was stopped. Environment: ASSAY (the command), OUT (where the folders go, default Reports/gates), SUITE (convolutions that
# differ in their inputs' shapes, default Benchmarks/duet.toml), and further options of `assay duet` in DUET.
set -u
load=0
if [ "${1:-}" = --load ]; then load=${2:?--load: expected a number of processes}; shift 2; fi
count=${1:?usage: gates.sh [--load N] COUNT [SLOWDOWN ...]}
shift
assay=${ASSAY:-.build/release/assay}
out=${OUT:-Reports/gates}/load-$load
mkdir -p "$out"

# Every other one computes, the others move memory, as compilers and test runs beside a gate do.
busy=()
for ((i = 0; i < load; i++)); do
  if ((i % 2)); then (while :; do :; done) & else dd if=/dev/zero of=/dev/null bs=4M 2>/dev/null & fi
  busy+=($!)
done
trap '[ ${#busy[@]} = 0 ] || kill "${busy[@]}" 2>/dev/null' EXIT
# Without the last line of the gate that was stopped.
trap 'exit 130' INT TERM

suite=${SUITE:-Benchmarks/duet.toml}
# What tells its benchmarks apart.
mapfile -t shapes < <(grep -o 'c[0-9]*h[0-9]*w[0-9]*' "$suite")
[ ${#shapes[@]} != 0 ] || { echo "gates.sh: $suite: expected problems with shapes as c64h56w56, found none" >&2; exit 64; }

printf 'load %s\n%-10s %5s %6s %11s %6s %12s %13s %7s %9s\n' "$load" change gates pass regression named underpowered inconclusive \
  failed 's a gate'
gates() { # name, count, words for the head's engine
  local name=$1 number=$2 seconds=0 named=0 folder log verdict start shape i
  local -A verdicts=()
  for ((i = 1; i <= number; i++)); do
    folder=$out/$name-$i log=$out/$name-$i.log shape=${shapes[(i - 1) % ${#shapes[@]}]}
    # A gate that was stopped has no last line, and is measured anew.
    if ! grep -q '^exit ' "$log" 2>/dev/null; then
      rm -rf "$folder"
      start=$SECONDS
      $assay duet --suite "$suite" --base "$assay engine direct" --head "$assay engine direct ${3:+$3 --slowed $shape}" \
        --seed "$i" --quiet ${DUET:-} --out "$folder" >"$log" 2>&1
      echo "exit $? after $((SECONDS - start)) s" >>"$log"
    fi
    [ "$(sed -n 's/^conv2d n[0-9]*\(c[0-9]*h[0-9]*w[0-9]*\) .* regression$/\1/p' "$log")" = "$shape" ] && named=$((named + 1))
    verdict=$(sed -n 's/^verdict: //p' "$log")
    verdicts[${verdict:-failed}]=$((${verdicts[${verdict:-failed}]:-0} + 1))
    seconds=$((seconds + $(sed -n 's/^exit .* after \([0-9]*\) s$/\1/p' "$log")))
  done
  printf '%-10s %5d %6d %11d %6d %12d %13d %7d %9d\n' "$name" "$number" "${verdicts[pass]:-0}" "${verdicts[regression]:-0}" "$named" \
    "${verdicts[underpowered]:-0}" "${verdicts[inconclusive]:-0}" "${verdicts[failed]:-0}" \
    $((seconds / (number > 0 ? number : 1)))
}

gates none "$count" ""
for slowdown in "$@"; do gates "$slowdown" "${GATES:-$count}" "--inject-slowdown $slowdown"; done
echo
$assay simulate-gates "$out"/none-*/run.json
