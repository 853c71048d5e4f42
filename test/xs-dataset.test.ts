import { readFileSync, writeFileSync } from "node:fs";
import { esp32gpt, temporaryFolder } from "./support/cli";

const at = temporaryFolder();

/** Letters that tell the names apart, so that a name found wrongly has another loss. */
function nameOf(i: number): string {
  const letters = "abcdefghijklmnopqrstuvwxyz";
  return letters[i % 26] + letters[(i * 7) % 26] + letters[(i * 11) % 26].repeat(1 + (i % 4));
}

interface StepRecord {
  name: number;
  loss: number;
}

test("XS finds names in C as Node does: line ends of all systems, blank lines, no last newline", async () => {
  const lines = Array.from(
    { length: 5000 },
    (_, i) => nameOf(i) + (i % 5 === 0 ? "\r\n\r\n" : i % 7 === 0 ? "\r" : "\n"),
  );
  writeFileSync(at("names"), `\ufeff\n${lines.join("").trimEnd()}`);
  const records = async (...options: string[]): Promise<StepRecord[]> => {
    const { code } = await esp32gpt("train", "--data", at("names"), "--steps", "60", "--jsonl", at("log"), ...options);
    expect(code).toBe(0);
    const text = readFileSync(at("log"), "utf8").trimEnd();
    return text.split("\n").map((line) => JSON.parse(line) as StepRecord);
  };
  const onNode = await records("--engine", "node");
  const onXs = await records("--engine", "xs");
  expect(onXs.map(({ name }) => name)).toEqual(onNode.map(({ name }) => name));
  onXs.forEach(({ loss }, step) => expect(Math.abs(loss - onNode[step].loss)).toBeLessThan(1e-4));
});
