#!/bin/sh
# Makes the role that the service signs in with, and its database: it owns that one and is nobody elsewhere. PostgreSQL's image
# runs this once, as the administrator; the password comes from a file and stands in no environment and no listing.
set -eu

psql --quiet --no-psqlrc -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres <<'SQL'
\set password `cat "$LLAVA_LEDGER_PASSWORD_FILE"`
create role llava login nosuperuser nocreatedb nocreaterole password :'password';
create database llava owner llava;
revoke connect on database llava from public;
revoke connect on database postgres from public;
SQL
