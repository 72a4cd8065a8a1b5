#!/usr/bin/env bash
# Locks every version with its hashes: one file for development, one per image, one for the
# one-machine stack. Our own distributions are installed beside them with --no-deps.
#   scripts/lock.sh [--upgrade]
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${UV:-.venv/bin/uv}"
own=()
for name in contracts core platform approval push export-worker audit gateway cli chaos; do
    own+=(--no-emit-package "countersign-$name")
done
compile() {
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --custom-compile-command "make lock" "${own[@]}" "${@:3}" "$1" --output-file "$2"
}
compile requirements/bootstrap.in requirements/bootstrap.txt "$@"
compile requirements/dev.in requirements/dev.txt "$@"
# The peer of the benchmarks, in an environment of its own.
compile bench/peers/fastapi_celery/requirements.in bench/peers/fastapi_celery/requirements.txt "$@"
for folder in services/approval services/push services/export-worker services/audit gateway cli; do
    compile "$folder/pyproject.toml" "$folder/requirements.txt" --constraint requirements/dev.txt "$@"
done
