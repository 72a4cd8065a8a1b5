#!/usr/bin/env bash
# Makes .venv and installs what is locked, with hashes. Does nothing when that was done for
# these very files before.
#   scripts/setup.sh stack    what the one-machine stack needs (make demo, make up)
#   scripts/setup.sh dev      that, and what tests, linters and builds need
set -euo pipefail
cd "$(dirname "$0")/.."
what="${1:-stack}"
python="${PYTHON:-python3}"
venv="${COUNTERSIGN_VENV:-.venv}"
own=(libs/contracts libs/core libs/platform services/approval services/push
    services/export-worker services/audit gateway cli)
case "$what" in
    stack) locked=cli/requirements.txt ;;
    dev) locked=requirements/dev.txt own+=(chaos) ;;
    *) echo "usage: scripts/setup.sh stack|dev" >&2; exit 2 ;;
esac

fail() { echo "setup: $1" >&2; exit 1; }

command -v "$python" >/dev/null || fail "no $python: install Python 3.11 or newer, or set PYTHON"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$("$python" --version) is too old: Python 3.11 or newer is needed, set PYTHON"

inputs=("$locked" requirements/bootstrap.txt scripts/setup.sh)
for folder in "${own[@]}"; do inputs+=("$folder/pyproject.toml"); done
fingerprint="$("$python" --version) $PWD $(cat "${inputs[@]}" | sha256sum | cut -d' ' -f1)"
stamp="$venv/.installed-$what"
[ -x "$venv/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ] && exit 0

if [ ! -x "$venv/bin/python" ]; then
    # Debian splits ensurepip off; its own pip can then fill an environment made without one.
    "$python" -m venv "$venv" >/dev/null 2>&1 || "$python" -m venv --without-pip --clear "$venv"
fi
if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
    pip=("$venv/bin/python" -m pip)
elif "$python" -m pip --version >/dev/null 2>&1; then
    pip=("$python" -m pip --python "$venv/bin/python")
else
    fail "no pip for $python: install python3-venv (Debian, Ubuntu) or pip"
fi
quiet=(--quiet --disable-pip-version-check --no-input)

"${pip[@]}" install "${quiet[@]}" --require-hashes -r requirements/bootstrap.txt
# uv is the fast way; where it cannot reach an index that only pip is set up for, pip is.
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --require-hashes -r "$locked" ||
    "${pip[@]}" install "${quiet[@]}" --require-hashes -r "$locked"
editable=()
for folder in "${own[@]}"; do editable+=(-e "$folder"); done
"$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --offline \
    --no-deps --no-build-isolation "${editable[@]}"
rm -f "$venv"/.installed-*
echo "$fingerprint" > "$stamp"
