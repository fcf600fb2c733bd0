#!/usr/bin/env bash
# The one test command: installs what is missing, builds, runs everything, ends with "N passed, N failed".
#   tests/run.sh                  all groups
#   tests/run.sh ModelCore Cli    only these (a group is a folder tests/Llava.<Group>.Tests or tests/Llava.<Group>Tests)
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.."

# In run level 1 a package starts no server: tests start their own.
install() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

install_missing() {
  local packages=()
  command -v chromium >/dev/null || packages+=(chromium)
  [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || packages+=(rabbitmq-server)
  compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || packages+=(postgresql)
  compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || packages+=(faketime)
  command -v npm >/dev/null || packages+=(nodejs npm)
  command -v promtool >/dev/null || packages+=(prometheus)
  # The CUDA kernels are run by one and compiled to device code by the other, without a GPU and without a toolkit.
  command -v g++ >/dev/null || packages+=(g++)
  command -v clang-19 >/dev/null || packages+=(clang-19)
  [ ${#packages[@]} -eq 0 ] && return
  if ! command -v apt-get >/dev/null; then
    echo "Missing: ${packages[*]}. Install them with this system's package manager and run again." >&2
    exit 3
  fi
  local as_root=()
  [ "$(id -u)" -eq 0 ] || as_root=(sudo)
  echo "Installing ${packages[*]} ..." >&2
  "${as_root[@]}" apt-get update -qq
  case " ${packages[*]} " in *" postgresql "*)
    # Tests start servers of their own: the package must not make and start the system's.
    install postgresql-common
    "${as_root[@]}" sed -i 's/^#\?create_main_cluster.*/create_main_cluster = false/' /etc/postgresql-common/createcluster.conf
    ;;
  esac
  install "${packages[@]}"
}

chosen() {
  local project=$1
  shift
  [ $# -eq 0 ] && return 0
  local group
  for group in "$@"; do
    case $project in Llava."$group".Tests | Llava."$group"Tests) return 0 ;; esac
  done
  return 1
}

install_missing
echo "Building ..." >&2
dotnet build Llava.Batch.sln -c Release --nologo -v quiet

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT

# Runs one project; says in a line how it went, and all that it said where that was not well.
run_project() {
  local project=$1 log=$results/$1.log started=$SECONDS ended=0 f p
  dotnet test "artifacts/bin/$project/release/$project.dll" --nologo >"$log" 2>&1 || ended=$?
  # The runner's last line: "Passed!  - Failed:     0, Passed:    12, Skipped:     0, Total:    12, Duration: 1 s - X.dll"
  read -r f p < <(sed -nE 's/.*Failed: *([0-9]+), Passed: *([0-9]+),.*/\1 \2/p' "$log" | tail -1) || { f=0 p=0; }
  # A project that crashed reports no count; it must not look green.
  [ $ended -eq 0 ] || [ "${f:-0}" -gt 0 ] || f=1
  echo "${p:-0} ${f:-0}" >"$results/$project.count"
  printf '%-28s %5s passed %3s failed  %4ss\n' "$project" "${p:-0}" "${f:-0}" $((SECONDS - started))
  [ $ended -eq 0 ] || cat "$log"
}
export -f run_project
export results

# Two at a time, as many tests wait for servers, time-outs and restarts most of the time; those that take longest begin.
for project in Llava.DistributedTests Llava.EndToEndTests Llava.BrowserTests Llava.ModelCore.Tests $(cd tests && ls -d -- *Tests); do
  if chosen "$project" "$@"; then echo "$project"; fi
done | awk '!seen[$0]++' | xargs -r -P 2 -I{} bash -c 'run_project {}'

read -r passed failed < <(awk '{ p += $1; f += $2 } END { print p + 0, f + 0 }' "$results"/*.count)
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
