#!/bin/sh
# Prints new secrets for a developer's own servers, as NAME=value lines. For compose.yaml and for the dev overlay:
#   sh deploy/dev-secrets.sh > deploy/.env
set -eu
umask 077

random() {
    od -An -v -tx1 -N "$1" /dev/urandom | tr -d ' \n'
}

rabbitmq_password=$(random 24)
redis_password=$(random 24)

# The keys begin with letters: digits alone would be read as a number.
# The hosts are the names of the services, which are the same in compose.yaml and in the dev overlay.
cat <<LINES
RABBITMQ_PASSWORD=$rabbitmq_password
REDIS_PASSWORD=$redis_password
QUEUE_URL=amqp://shardmill:$rabbitmq_password@rabbitmq:5672/%2f
LEDGER_URL=redis://:$redis_password@redis:6379/0
STORE_ACCESS_KEY_ID=dev$(random 10)
STORE_SECRET_ACCESS_KEY=dev$(random 24)
FIRST_ADMIN_KEY=smk_$(random 32)
LINES
