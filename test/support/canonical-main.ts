import type { Host } from "../../host/xs/host";
import { respell } from "../../src/gpt/data/canonical";

// Runs on XS: tells canonical.test.ts how texts are respelled there; one a line comes in, behind its vocabulary.

declare const host: Host;

host.setLineListener((line) => {
  if (line === undefined) return;
  const [vocabulary, text] = JSON.parse(line) as [string, string];
  const known = new Set(Array.from(vocabulary, (character) => character.codePointAt(0)));
  host.write(`${JSON.stringify(respell(text, (codePoint) => known.has(codePoint)))}\n`);
});
