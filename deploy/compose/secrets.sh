#!/usr/bin/env bash
# Makes every secret of the compose file once, in ./secrets (git-ignored). Run it again after
# 30 days: service tokens are made anew, everything else stays.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
mkdir -p secrets
# The containers run as 65532 and read these files through bind mounts.
command -v openssl >/dev/null || { echo "secrets.sh: openssl is needed" >&2; exit 1; }
cli="${COUNTERSIGN:-../../.venv/bin/countersign}"
once() { [ -s "secrets/$1" ] || openssl rand -hex 24 > "secrets/$1"; }
for name in owner approval push audit rabbitmq; do once "${name}_password"; done
COUNTERSIGN_HOME="$PWD/secrets/home" "$cli" keys init >/dev/null
cp secrets/home/keys/{jwks.json,relay.token,worker.token,secret_keys} secrets/
cp secrets/home/keys/audit/signing-key.pem secrets/audit_signing_key
cp secrets/home/keys/audit/jwks.json secrets/audit_keys
for name in approval push audit; do
    printf 'postgresql://countersign_%s:%s@postgres:5432/countersign\n' \
        "$name" "$(cat "secrets/${name}_password")" > "secrets/${name}_database_url"
done
printf 'amqp://countersign:%s@rabbitmq:5672/\n' "$(cat secrets/rabbitmq_password)" > secrets/broker_url
printf 'COUNTERSIGN_RABBITMQ_PASSWORD=%s\n' "$(cat secrets/rabbitmq_password)" > secrets/rabbitmq.env
{
    printf 'COUNTERSIGN_OWNER_DATABASE_URL=postgresql://postgres:%s@postgres:5432/countersign\n' "$(cat secrets/owner_password)"
    for name in approval push audit; do
        printf 'COUNTERSIGN_%s_PASSWORD=%s\n' "${name^^}" "$(cat "secrets/${name}_password")"
    done
} > secrets/migrate.env
chmod 0644 secrets/{jwks.json,relay.token,worker.token,secret_keys,audit_signing_key,audit_keys,broker_url,*_database_url,owner_password}
chmod 0711 secrets
mkdir -p dropzone archive && chmod 0777 dropzone archive
echo "secrets are in $PWD/secrets"
