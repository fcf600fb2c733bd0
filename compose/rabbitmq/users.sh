#!/bin/sh
# Makes the broker's users: each may do what its work takes and nothing else. Run it once against a running broker, and
# again after a password changed. Passwords come from files, so that they stand in no environment and no listing.
set -eu

# A broker that has just been started answers here once it is up.
rabbitmqctl --quiet await_startup --timeout 120

host=${LLAVA_VIRTUAL_HOST:-/}

# user <name> <file with the password> <configure> <write> <read>
user() {
  rabbitmqctl --quiet add_user "$1" <"$2" >/dev/null 2>&1 || rabbitmqctl --quiet change_password "$1" <"$2" >/dev/null
  rabbitmqctl --quiet set_permissions --vhost "$host" "$1" "$3" "$4" "$5"
}

# MassTransit declares what it sends to and takes from, so "configure" names the same things as "write".
user scheduler "$LLAVA_SCHEDULER_PASSWORD_FILE" \
  '^(llava\.jobs(_error|_skipped)?|llava\.(chunks|express)\..+|llava\.training|Llava\.Contracts\.Messages:.+)$' \
  '^(llava\.jobs(_error|_skipped)?|llava\.(chunks|express)\..+|llava\.training|Llava\.Contracts\.Messages:.+)$' \
  '^llava\.jobs(_error|_skipped)?$'

# A consumer takes chunks, hears of training runs and sets bad messages aside; results go to the ledger and not through the broker.
user consumer "$LLAVA_CONSUMER_PASSWORD_FILE" \
  '^(llava\.(chunks|express)\..+|llava\.training(_error|_skipped)?)$' \
  '^(llava\.(chunks|express)\..+|llava\.training(_error|_skipped)?)$' \
  '^(llava\.(chunks|express)\..+|llava\.training(_error|_skipped)?)$'

# Programs that submit jobs by message and hear what became of them, in queues of their own.
user producer "$LLAVA_PRODUCER_PASSWORD_FILE" '^producer\..+$' '^(llava\.jobs|producer\..+)$' '^(Llava\.Contracts\.Messages:.+|producer\..+)$'
