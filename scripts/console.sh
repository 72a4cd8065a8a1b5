#!/usr/bin/env bash
# The operator console. Does nothing when that was done for these very sources before.
#   scripts/console.sh build [--if-possible]   into frontend/dist; without npm, says so and goes on
#   scripts/console.sh check                   client, types, lint, format
#   scripts/console.sh test                    unit tests
set -euo pipefail
cd "$(dirname "$0")/../frontend"
what="${1:-build}"

missing() {
    if [ "${2:-}" = "--if-possible" ]; then
        echo "console: $1: the stack runs without the web console" >&2
        exit 0
    fi
    echo "console: $1" >&2
    exit 1
}
case "$what" in build | check | test) ;; *) echo "usage: scripts/console.sh build|check|test" >&2; exit 2 ;; esac
needed="install Node.js 20.19 or newer with npm"
command -v npm >/dev/null || missing "no npm here; $needed" "${2:-}"
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)' ||
    missing "node $(node --version) is too old; $needed" "${2:-}"

digest() { sha256sum | cut -d' ' -f1; }
# Every file that git knows or would take; what is ignored is made from them.
sources() { git ls-files -z --cached --others --exclude-standard . ../gateway/openapi.json \
    ../services/*/src/*/access.py ../libs/core/src/countersign_core/roles.py ../scripts/console.sh |
    sort -zu | xargs -0 sha256sum 2>/dev/null || true; } # a file that was just removed is no source
fingerprint="$(node --version) $(sources | digest)"
stamp="node_modules/.done-$what"
if [ "$(cat "$stamp" 2>/dev/null)" = "$fingerprint" ]; then
    [ "$what" = build ] && [ ! -f dist/index.html ] || exit 0
fi

locked="$(node --version) $(digest <package-lock.json)"
if [ "$(cat node_modules/.installed 2>/dev/null)" != "$locked" ]; then
    npm ci --no-audit --no-fund --loglevel=error
    echo "$locked" >node_modules/.installed
fi
case "$what" in
    build) npm run --silent build ;;
    check)
        npm run --silent api:check >/dev/null ||
            missing "src/api/schema.d.ts is not what gateway/openapi.json makes: run make openapi"
        npm run --silent types
        npm run --silent lint -- --cache --cache-location node_modules/.cache/eslint
        npm run --silent format:check
        ;;
    test) npm run --silent test ;;
esac
echo "$fingerprint" >"$stamp"
