#!/usr/bin/env bash
# Live gates of one binary against itself and against slowed copies: how often does the gate cry wolf, how often does it see?
#   Benchmarks/gates.sh 30                     30 gates without a change
#   Benchmarks/gates.sh 30 5% 10%              then 30 with +5 % and 30 with +10 %
#   GATES=5 Benchmarks/gates.sh 30 5% 10%      5 of each slowdown instead
# Environment: ASSAY (the command), OUT (where the gates' runs go, default Reports/gates), and further options of `assay duet` in DUET.
set -u
count=${1:?usage: gates.sh COUNT [SLOWDOWN ...]}
shift
assay=${ASSAY:-.build/release/assay}
out=${OUT:-Reports/gates}
printf '%-10s %5s %6s %11s %13s %8s %9s\n' change gates pass regression inconclusive failed 's a gate'

gates() { # name, count, words for the head's engine
  local name=$1 number=$2 pass=0 regression=0 inconclusive=0 failed=0 start=$SECONDS
  for ((i = 1; i <= number; i++)); do
    $assay duet --base "$assay engine direct" --head "$assay engine direct $3" --seed "$i" --quiet ${DUET:-} \
      --out "$out/$name-$i" >"$out/$name-$i.log" 2>&1
    case $? in
      0) pass=$((pass + 1)) ;;
      1) if grep -q '^verdict: regression' "$out/$name-$i.log"; then regression=$((regression + 1)); else failed=$((failed + 1)); fi ;;
      2) inconclusive=$((inconclusive + 1)) ;;
      *) failed=$((failed + 1)) ;;
    esac
  done
  printf '%-10s %5d %6d %11d %13d %8d %9d\n' "$name" "$number" $pass $regression $inconclusive $failed \
    $(((SECONDS - start) / (number > 0 ? number : 1)))
}

mkdir -p "$out"
gates none "$count" ""
for slowdown in "$@"; do gates "$slowdown" "${GATES:-$count}" "--inject-slowdown $slowdown"; done
echo
$assay simulate-gates "$out"/none-*/run.json
