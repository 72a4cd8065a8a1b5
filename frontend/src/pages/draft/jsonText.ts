/**
 * JSON text laid out for people without being read as numbers: `1.10` stays `1.10`, and a quantity
 * of thirty digits keeps them all.
 */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

export function indented(text: string): string {
  const tokens = text.match(TOKEN) ?? [];
  const lines: string[] = [];
  let line = "";
  let depth = 0;
  const end = () => {
    if (line !== "") lines.push("  ".repeat(depth) + line);
    line = "";
  };
  tokens.forEach((token, place) => {
    const closes = token === "}" || token === "]";
    const emptied = closes && (tokens[place - 1] === "{" || tokens[place - 1] === "[");
    if (closes && !emptied) {
      end();
      depth -= 1;
    }
    line += token === ":" ? ": " : token;
    if (emptied) return;
    if (token === "{" || token === "[") {
      if (tokens[place + 1] === "}" || tokens[place + 1] === "]") return;
      end();
      depth += 1;
    } else if (token === ",") {
      end();
    }
  });
  end();
  return lines.join("\n");
}
