#!/bin/sh
# Makes a table, and a plot with --plot FILE, of the lines of a run.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
dotnet build "$here" -c Release --nologo -v quiet -m:1 -nodeReuse:false >&2
exec dotnet "$here/../../artifacts/bin/Llava.Benchmarks.Gpu/release/Llava.Benchmarks.Gpu.dll" report "$@"
