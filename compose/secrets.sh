#!/bin/sh
# Draws every password that compose.yaml names, into compose/secrets or the folder given. Those that are there stay as they are.
set -eu

folder=${1:-$(dirname "$0")/secrets}
umask 077
mkdir -p "$folder"
for name in ledger database-admin broker-scheduler broker-consumer broker-producer chat grafana-admin; do
  if [ ! -s "$folder/$name" ]; then
    head -c 24 /dev/urandom | base64 | tr '+/' '-_' >"$folder/$name"
    # Containers read it under users of their own. On this machine the folder keeps others out.
    chmod 444 "$folder/$name"
  fi
done
