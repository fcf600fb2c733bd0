#!/bin/sh
# Measures with the PyTorch of this machine's Python: run.sh [folder for the lines] [arguments of run]. Lines are on the disk as they are made; a table comes last.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
output=${1:-.}
[ $# -eq 0 ] || shift
mkdir -p "$output"
python=$(command -v python3 || true)
if [ -z "${LLAVA_LIBTORCH:-}" ] && [ -n "$python" ]; then
  LLAVA_LIBTORCH=$("$python" -c 'import torch; print(torch.__path__[0])' 2>/dev/null || true)
  export LLAVA_LIBTORCH
fi
baseline=""
if [ -n "$python" ] && "$python" -c 'import torch, transformers' 2>/dev/null; then
  baseline="--python $python"
fi
# shellcheck disable=SC2086
exec "$here/Llava.Benchmarks.Gpu" run --out "$output/bench.jsonl" $baseline "$@"
