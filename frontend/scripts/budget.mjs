// Fails the build when the script that the first page needs is larger than the budget.
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET_BYTES = 200_000;
const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const manifest = JSON.parse(readFileSync(`${dist}.vite/manifest.json`, "utf8"));

/** What the browser has to load for a chunk: itself and what it imports at once. */
function loaded(name, seen = new Set()) {
  if (!seen.has(name)) {
    seen.add(name);
    for (const each of manifest[name].imports ?? []) loaded(each, seen);
  }
  return seen;
}

function gzipped(names) {
  return [...names].reduce(
    (sum, name) => sum + gzipSync(readFileSync(dist + manifest[name].file), { level: 9 }).length,
    0,
  );
}

const initial = loaded("index.html");
const pages = Object.keys(manifest).filter((name) => name.startsWith("src/pages/"));
const worst = [...pages, "index.html"].map((name) => ({
  name,
  bytes: gzipped(new Set([...initial, ...loaded(name)])),
}));
const bytes = gzipped(initial);
console.log(`initial script: ${bytes} bytes gzipped (budget ${BUDGET_BYTES})`);
for (const page of worst) console.log(`  with ${page.name}: ${page.bytes}`);
if (bytes > BUDGET_BYTES) {
  console.error("budget: the initial script is too large; load more of it by route");
  process.exit(1);
}
