import { expect, test } from "vitest";

import { texts as german } from "./de";
import { texts as english } from "./en";

function leaves(value: object, path = ""): [string, string][] {
  return Object.entries(value).flatMap(([name, each]: [string, unknown]) =>
    typeof each === "object" && each !== null
      ? leaves(each, `${path}${name}.`)
      : [[`${path}${name}`, String(each)] as [string, string]],
  );
}

const slots = (text: string) => [...text.matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name).sort();

test("German has every text that English has, with the same slots", () => {
  const of = new Map(leaves(german));
  expect([...of.keys()].sort()).toEqual(
    leaves(english)
      .map(([path]) => path)
      .sort(),
  );
  for (const [path, text] of leaves(english)) {
    expect([path, slots(of.get(path) ?? "")]).toEqual([path, slots(text)]);
  }
});

test("no text is empty", () => {
  for (const [path, text] of [...leaves(english), ...leaves(german)]) {
    expect(text.trim(), path).not.toBe("");
  }
});
