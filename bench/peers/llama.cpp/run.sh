#!/bin/sh
# Installs llama.cpp's libraries, once, builds, and measures; arguments go to the benchmark (--help lists them).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
version=3.22.1
folder="$root/artifacts/peers/node-llama-cpp-$version"
if [ ! -d "$folder/package/bins/linux-x64" ]; then
  mkdir -p "$folder"
  (cd "$folder" && npm pack --silent "@node-llama-cpp/linux-x64@$version" >/dev/null && tar xzf ./*.tgz && rm ./*.tgz)
fi
dotnet build "$here" -c Release --nologo -v quiet -m:1 -nodeReuse:false >&2
exec dotnet "$root/artifacts/bin/Llava.Benchmarks.LlamaCpp/release/Llava.Benchmarks.LlamaCpp.dll" "$folder/package/bins/linux-x64" "$@"
