#!/bin/sh
# Packs the benchmark for a machine that has a GPU, PyTorch for CUDA and Python, and neither .NET nor a network: pack.sh [archive.tar.xz].
# The archive holds .NET and our code; libtorch, NVRTC and transformers are those of the machine.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
archive=$(realpath -m "${1:-$root/artifacts/gpu-bench.tar.xz}")
folder="$root/artifacts/gpu-bench"
rm -rf "$folder"
dotnet publish "$here" -c Release -r linux-x64 --self-contained -p:PublishForTransport=true -o "$folder" --nologo -v quiet -m:1 -nodeReuse:false >&2
# What is large and not needed: libtorch for the CPU.
rm -f "$folder"/libtorch* "$folder"/libc10* "$folder"/libgomp* "$folder"/libshm* "$folder"/*.pdb "$folder"/*.xml
cp "$here/run.sh" "$folder/"
mkdir -p "$(dirname "$archive")"
# The quickest level: the others take five times as long for a tenth of the bytes.
XZ_OPT=-1 tar -C "$root/artifacts" -cJf "$archive" gpu-bench
echo "$archive: $(du -h "$archive" | cut -f1)" >&2
