#!/usr/bin/env bash
# PyTorch and a small Triton engine on a GPU: verified, fuzzed, and timed under the audit, in under eight minutes.
#   Benchmarks/gpu.sh                             everything, into Reports/gpu
#   Benchmarks/gpu.sh --device cpu --smoke        the same on a CPU, Triton interpreted: a rehearsal
# Options:
#   --device NAME     cuda (the default), cuda:1 or cpu
#   --wheel FILE      the tool; without it dist/assay-*.whl of this project, `assay` on the PATH, or the build beside it
#   --out FOLDER      where runs, logs and summary.txt go (default: Reports/gpu); gpu.tar.gz in it holds all of them
#   --fuzz SECONDS    of random problems an engine, 1 to 600 (default: 60)
#   --budget SECONDS  for all steps, 30 to 3600 (default: 450): a step ends when it is spent, and what comes after is left out
#   --only PARTS      of verify,tf32,fuzz,bench those named
#   --smoke           the cases tagged smoke, and one convolution to time
# PYTHON names the Python that has PyTorch, Triton, NumPy and h5py (default: python3).
#
# Convolution, batch norm, softmax and GELU in float32, float16 and bfloat16. With TF32 on, which no engine can declare, float32 is
# expected to FAIL: a step that passes it fails. Ends by the tool's exit codes: 0 holds, 1 fails, 2 nothing decided (no GPU, a step
# that did not end), 64 usage.
set -u
here=$(cd "$(dirname "$0")" && pwd)
device=cuda wheel="" out="" fuzz=60 budget=450 smoke="" only=verify,tf32,fuzz,bench python=${PYTHON:-python3}

usage() { echo "gpu.sh: $1" >&2; sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0" >&2; exit 64; }
number() { # option, value, least, most
  [[ $2 =~ ^[0-9]{1,5}$ ]] && ((10#$2 >= $3 && 10#$2 <= $4)) || usage "$1: expected $3 to $4, found '$2'"
}
while (($#)); do
  case $1 in
    --smoke) smoke=1 ;;
    --device | --wheel | --out | --fuzz | --budget | --only)
      (($# > 1)) || usage "$1: expected a value"
      case $1 in
        --device) device=$2 ;;
        --wheel) wheel=$2 ;;
        --out) out=$2 ;;
        --only) only=$2 ;;
        --fuzz) number "$1" "$2" 1 600; fuzz=$2 ;;
        --budget) number "$1" "$2" 30 3600; budget=$2 ;;
      esac
      shift ;;
    *) usage "expected an option, found '$1'" ;;
  esac
  shift
done
[[ $device =~ ^(cpu|cuda(:[0-9]+)?)$ ]] || usage "--device: expected cuda, cuda:1 or cpu, found '$device'"
[[ $only =~ ^(verify|tf32|fuzz|bench)(,(verify|tf32|fuzz|bench))*$ ]] ||
  usage "--only: expected some of verify,tf32,fuzz,bench, found '$only'"
[[ -z $wheel || -f $wheel ]] || usage "--wheel: expected a file, found nothing at '$wheel'"

# What must be there, said all at once.
if ! missing=$("$python" - "$device" <<'PYTHON' 2>&1
import importlib.util, sys
missing = [name for name in ("torch", "triton", "numpy", "h5py") if importlib.util.find_spec(name) is None]
if missing:
    sys.exit("Python has no " + ", ".join(missing))
import torch
if sys.argv[1] != "cpu" and not torch.cuda.is_available():
    sys.exit(f"PyTorch {torch.__version__} finds no GPU")
PYTHON
); then
  echo "gpu.sh: nothing was run: ${missing##*$'\n'}." >&2
  echo "It needs a GPU, and a Python ($python, or the one that PYTHON names) with PyTorch, Triton, NumPy and h5py;" >&2
  echo "with --device cpu, no GPU: Triton's kernels are then interpreted." >&2
  exit 2
fi

out=${out:-$here/../Reports/gpu}
if [[ -e $out/steps ]]; then
  echo "gpu.sh: $out holds the steps of another time: name another folder with --out" >&2
  exit 64
fi
mkdir -p "$out" || exit 74
out=$(cd "$out" && pwd)
started=$SECONDS

# The tool.
if [[ -z $wheel ]]; then
  found=("$here"/../dist/assay-*.whl)
  [[ -f ${found[0]} ]] && wheel=${found[0]}
fi
if [[ -n $wheel ]]; then
  site=$(mktemp -d) && trap 'rm -rf "$site"' EXIT
  "$python" -m pip install --quiet --no-index --no-deps --no-compile --target "$site" "$wheel" >&2 || {
    echo "gpu.sh: pip does not install $wheel" >&2
    exit 65
  }
  assay=$site/bin/assay
elif command -v assay >/dev/null; then
  assay=$(command -v assay)
else
  assay=$here/../.build/release/assay
fi
"$assay" --version >/dev/null 2>"$out/tool.txt" || {
  echo "gpu.sh: expected the tool at $assay, which does not run: $(head -1 "$out/tool.txt")" >&2
  exit 2
}
rm -f "$out/tool.txt"

interpret=""
[[ $device == cpu ]] && interpret="TRITON_INTERPRET=1 "
engines=$(printf '%q' "$here/engines") py=$(printf '%q' "$(command -v "$python")")
pytorch="pytorch=$py $engines/pytorch.py --device $device"
triton="triton=$interpret$py $engines/triton_engine.py --device $device"
[[ $device != cpu ]] && pytorch="pytorch-cuda=${pytorch#*=}"
pytorch_tf32="${pytorch%%=*}-tf32=${pytorch#*=} --tf32"
triton_tf32="triton-tf32=${triton#*=} --tf32"
common=(--threads 1 --timeout 120 --quiet)
dtypes=float32,float16,bfloat16
operations=(conv2d batch_norm2d softmax gelu)
tag=full
[[ -n $smoke ]] && tag=smoke
cases=() drawn=() one=()
for operation in "${operations[@]}"; do
  cases+=(--filter "$operation/*")
  drawn+=(--operation "$operation")
done
# A process for each of a few cores: all of them share one GPU.
cores=$(nproc)
jobs=$((cores < 6 ? cores : 6))
[[ -n $smoke ]] && one=(--filter '*h14w14 k128r3s3*nchw*')

# step PART NAME EXPECTED SECONDS COMMAND…: runs for so long at most, keeps what it prints and its run, and goes on.
step() {
  local part=$1 name=$2 expected=$3 limit=$4 code=0 left
  shift 4
  [[ ,$only, == *,$part,* ]] || return 0
  left=$((budget - (SECONDS - started)))
  if ((left < 10)); then
    printf '%s\t%s\tleft out\t0\n' "$name" "$expected" >>"$out/steps"
    echo "==> $name: left out, the budget of $budget s is spent"
    return
  fi
  ((limit > left)) && limit=$left
  echo "==> $name (at most $limit s)"
  local begun=$SECONDS
  timeout --signal=INT --kill-after=15 "$limit" "$assay" "$@" --out "$out/$name" >"$out/$name.txt" 2>&1 || code=$?
  printf '%s\t%s\t%s\t%s\n' "$name" "$expected" "$code" "$((SECONDS - begun))" >>"$out/steps"
  tail -n 3 "$out/$name.txt" | cut -c 1-160
}

for engine in pytorch triton; do
  step verify "verify-$engine" 0 100 verify --engine "${!engine}" "${cases[@]}" --tag "$tag" --dtype "$dtypes" --jobs "$jobs" "${common[@]}"
done
# What an engine that computes in float32 may not do unsaid: expected to be caught.
for engine in pytorch_tf32 triton_tf32; do
  [[ $engine == triton_tf32 && $device == cpu ]] && continue # the interpreter has no TF32
  step tf32 "verify-${engine/_/-}" 1 60 verify --engine "${!engine}" --filter 'conv2d/*' --tag smoke --dtype float32 --jobs "$jobs" \
    "${common[@]}"
done
for engine in pytorch triton; do
  step fuzz "fuzz-$engine" 0 $((fuzz + 45)) fuzz --engine "${!engine}" "${drawn[@]}" --dtype "$dtypes" --time "${fuzz}s" --jobs "$jobs" \
    "${common[@]}"
done
# Interpreted kernels have no time worth a slice, and a CPU without instructions for 16 bits none either.
rivals=(--engine "$pytorch") timed=float32
[[ $device != cpu ]] && rivals+=(--engine "$triton") timed=$dtypes
for dtype in ${timed//,/ }; do
  step bench "bench-$dtype" 0 75 bench --suite "$here/gpu.toml" --dtype "$dtype" "${rivals[@]}" ${one[@]+"${one[@]}"} --timeout 120 --quiet
done

code=0
"$python" "$here/gpu_summary.py" "$out" | tee "$out/summary.txt"
code=${PIPESTATUS[0]}
rm -f "$out/gpu.tar.gz"
packed=$(mktemp) && tar -czf "$packed" -C "$out" . && mv "$packed" "$out/gpu.tar.gz"
echo "$((SECONDS - started)) s; runs, logs and gpu.tar.gz are in $out"
exit "$code"
