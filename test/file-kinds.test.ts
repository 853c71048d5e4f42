import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { storageOfBytes } from "../src/places/stored-bytes";
import { Dataset } from "../src/gpt/data/dataset";
import { InputError } from "../src/gpt/base/errors";
import { STORED } from "../src/device/checkpoint-files";
import { utf8 } from "./helpers";
import { esp32gpt, outcomeOf, start, temporaryFolder } from "./support/cli";
import { MemoryStorage } from "./support/memory-storage";
import { onPosix, script } from "./support/scripts";
import { TestDevice } from "./support/test-device";

/* Files that are no list and no checkpoint: every command says what they are. */

const at = temporaryFolder();
const POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 229804\n";
const HTML = "is an HTML page: download the file itself; on GitHub, click Raw.";
const LFS = "is a Git LFS pointer, not the file itself: git lfs pull fetches that.";

const KINDS: readonly [what: string, content: string | Uint8Array, message: string][] = [
  ["a Git LFS pointer", POINTER, LFS],
  ["a Git LFS pointer as an editor of Windows saves it", `\ufeff${POINTER.replaceAll("\n", "\r\n")}`, LFS],
  ["an HTML page", "<!DOCTYPE html>\n<html><body>404</body></html>\n", HTML],
  ["an HTML page in small letters, behind a mark and white space", "\ufeff \r\n\t<!doctype html >", HTML],
  ["an HTML page without its type", '\n<HTML lang="en">\n', HTML],
  [
    "an HTML page behind comments",
    "<?xml version='1.0'?>\n<!-- saved -->\n<!-- twice --> <!DOCTYPE HTML PUBLIC>",
    HTML,
  ],
  ["a list packed by gzip", gzipSync("emma\nolivia\n"), "is packed by gzip: unpack it."],
  ["a ZIP archive", "PK\u0003\u0004\u0014\0", "is a ZIP archive, as .docx, .npz and PyTorch's .pt are."],
  ["a PDF document", "%PDF-1.7\n", "is a PDF document, not its text."],
  ["a document in RTF", "{\\rtf1\\ansi", "is a document in RTF, not its text."],
];

test.each(KINDS)("%s is neither a list nor a checkpoint, and told as what it is", async (_what, content, message) => {
  const bytes = typeof content === "string" ? utf8(content) : new Uint8Array(content);
  expect(() => new Dataset(bytes, "f")).toThrow(new InputError(`f ${message}`));
  await expect(Checkpoint.open(storageOfBytes(bytes), "f")).rejects.toThrow(new InputError(`f ${message}`));
});

describe.each(KINDS.slice(0, 3))("%s", (_what, content, message) => {
  beforeAll(() => writeFileSync(at("given"), content));
  const sentence = (): string => `${at("given")} ${message}\n`;

  test.each([
    ["train --data FILE"],
    ["train --engine xs --data FILE"],
    ["eval --model MODEL --data FILE"],
    ["plan --data FILE"],
    ["train --init FILE"],
    ["train --resume FILE"],
    ["generate --model FILE"],
    ["eval --engine xs --model FILE"],
    ["monitor --port tcp://127.0.0.1:1 --send FILE"],
  ])("is refused by %s", async (line) => {
    const model = join(__dirname, "data", "format-2.safetensors");
    const words = line.split(" ").map((word) => ({ FILE: at("given"), MODEL: model })[word] ?? word);
    expect(await esp32gpt(...words)).toEqual({ code: 2, stdout: "", stderr: `esp32gpt: ${sentence()}` });
  });

  onPosix("is refused out of a pipe", async () => {
    const program = start("train", "--data", "/dev/stdin");
    program.stdin.end(content);
    const { code, stderr } = await outcomeOf(program);
    expect([code, stderr]).toEqual([2, `esp32gpt: /dev/stdin ${message}\n`]);
  });

  test("is refused by the firmware's scripts", async () => {
    expect(await script("qemu", [`data=${at("given")}`])).toEqual({ code: 2, stdout: "", stderr: sentence() });
  });

  test("is what a device says that has it for a list, or in its flash", async () => {
    const storage = new MemoryStorage();
    storage.files.set(STORED, utf8(String(content)));
    const device = new TestDevice({}, storage);
    await device.live();
    expect(device.take()).toContain(`${STORED} ${message}`);
    expect(() => new TestDevice({}, storage, { names: [String(content)] })).toThrow(message);
  });
});

test("a list for a checkpoint, and a checkpoint for a list", async () => {
  writeFileSync(at("list"), "emma\nolivia\n");
  const asModel = await esp32gpt("eval", "--model", at("list"));
  expect([asModel.code, asModel.stderr]).toEqual([
    2,
    `esp32gpt: ${at("list")} is not a sound safetensors file: it is text.\n`,
  ]);
  const checkpoint = readFileSync(`${__dirname}/data/format-2.safetensors`);
  expect(() => new Dataset(checkpoint, "m")).toThrow("m is a checkpoint in safetensors, not a list of names.");
});

test.each([
  ["<", "<b>", "<html5", "<!doctypes"],
  ["<!-- a comment -->", "<div>"],
  ["version 2", "version https"],
  ["pk", "%pdf", "{rtf}"],
])("documents that begin like these are a list: %j", (...names) => {
  expect(new Dataset(utf8(names.join("\n")), "f").count).toBe(names.length);
});
