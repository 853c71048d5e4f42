import { crc32, formatChecksum } from "../../src/gpt/base/crc32";
import type { Random } from "../../src/gpt/model/random";
import { rewritten } from "./altered-checkpoints";
import { HOSTILE, mutated, pick } from "./fuzz";
import { fileOf, headerOf } from "./safetensors-file";

type Entry = Record<string, unknown>;
type Header = Record<string, Entry>;

/** Alters the header of a file as JSON; what is no JSON any more is given as text. */
function withHeader(bytes: Uint8Array, alter: (header: Header) => unknown): Uint8Array {
  const { start } = headerOf(bytes);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Header;
  return fileOf(alter(header) ?? header, bytes.subarray(start));
}

const METADATA = "__metadata__";
const EMPTY = { dtype: "F32", shape: [0], data_offsets: [0, 0] };

function nested(levels: number, open: string, close: string): string {
  return open.repeat(levels) + close.repeat(levels);
}

/** With a value of its metadata replaced by JSON that is written as it stands. */
function withJson(bytes: Uint8Array, key: string, json: string): Uint8Array {
  return withHeader(bytes, (header) => {
    header[METADATA][key] = "@";
    return JSON.stringify(header).replace('"@"', () => json);
  });
}

/** Ways to make a checkpoint of a sound one that does harm to who reads it, by what they are called. */
export const HOSTILITIES: Readonly<Record<string, (sound: Uint8Array, random: Random) => Uint8Array>> = {
  "40 KB of foreign metadata": (sound) => withJson(sound, "note", JSON.stringify("x".repeat(40_000))),
  "a little foreign metadata": (sound) => withJson(sound, "note", JSON.stringify("é😀".repeat(1000))),
  "a megabyte of foreign metadata": (sound) => withJson(sound, "note", JSON.stringify("é😀".repeat(170_000))),
  "many foreign keys": (sound, random) =>
    withHeader(sound, (header) => {
      const count = pick(random, [200, 1000, 60_000]);
      for (let i = 0; i < count; i++) header[METADATA][`key ${i}`] = "";
    }),
  "deep JSON": (sound, random) =>
    withJson(sound, pick(random, ["note", "step"]), nested(pick(random, [20, 1000, 100_000]), "[", "]")),
  "deep JSON in a tensor": (sound, random) =>
    withHeader(sound, (header) => {
      header.wte.shape = "@";
      const deep = nested(pick(random, [5, 17, 2000, 80_000]), '{"a":[', "]}").replace("[]", "[1]");
      return JSON.stringify(header).replace('"@"', () => deep);
    }),
  "nothing but brackets": (_sound, random) => fileOf("[".repeat(pick(random, [100, 9000, 1 << 20])), new Uint8Array(8)),
  "a list that does not end": (sound, random) =>
    withHeader(sound, (header) => {
      header.wte.shape = new Array<number>(pick(random, [100, 5000, 300_000])).fill(1);
    }),
  "many tensors": (sound, random) =>
    withHeader(sound, (header) => {
      const count = pick(random, [40, 500, 15_000]);
      for (let i = 0; i < count; i++) header[`foreign ${i}`] = EMPTY;
    }),
  "many layers": (sound, random) =>
    withHeader(sound, (header) => {
      const count = pick(random, [30, 400, 15_000]);
      for (let i = 1; i < count; i++) header[`layers.${i}.wq`] = EMPTY;
    }),
  "too many own words": (sound, random) =>
    withHeader(sound, (header) => {
      header[METADATA].own_words = "a\n".repeat(pick(random, [2, 760, 3000, 400_000]));
    }),
  "an own word without end": (sound, random) =>
    withHeader(sound, (header) => {
      header[METADATA].own_words = `${"a".repeat(pick(random, [1530, 5000, 900_000]))}\n`;
    }),
  "own words of anything": (sound, random) =>
    withHeader(sound, (header) => {
      const word = (): string => pick(random, [...HOSTILE, "zoe", "zoe", "Zoe", "z"]);
      header[METADATA].own_words = Array.from({ length: 1 + random.index(40) }, () => `${word()}\n`).join("");
      header[METADATA].own_share = pick(random, ["", "-1", "2", "NaN", "1e-400", "0.5", "x".repeat(5000)]);
    }),
  "a vocabulary of everything": (sound, random) =>
    withHeader(sound, (header) => {
      const count = pick(random, [255, 2000, 60_000]);
      header[METADATA].vocabulary = String.fromCodePoint(
        ...Array.from({ length: count }, (_, i) => 0x4e00 + (i % 20_000)),
      );
    }),
  "a value of another type": (sound, random) =>
    withHeader(sound, (header) => {
      const entry = header[pick(random, Object.keys(header))];
      entry[pick(random, Object.keys(entry))] = pick<unknown>(random, [
        null,
        7,
        -1,
        1e300,
        true,
        [],
        {},
        [[]],
        "x",
        [1, "2"],
      ]);
    }),
  "an entry of another type": (sound, random) =>
    withHeader(sound, (header) => {
      header[pick(random, Object.keys(header))] = pick<unknown>(random, [null, 7, "x", [], true]) as Entry;
    }),
  "a huge number": (sound, random) =>
    withHeader(sound, (header) => {
      const entry =
        header[
          pick(
            random,
            Object.keys(header).filter((name) => name !== METADATA),
          )
        ];
      entry[pick(random, ["shape", "data_offsets"])] = "@";
      const number = pick(random, ["1e999", "9".repeat(400), "9".repeat(500_000), "9007199254740993", "-0", "1e-999"]);
      return JSON.stringify(header).replace('"@"', () => `[${number},${number}]`);
    }),
  "a huge number in the metadata": (sound, random) =>
    withHeader(sound, (header) => {
      const key = pick(random, Object.keys(header[METADATA]));
      header[METADATA][key] = pick(random, ["1e999", "9".repeat(400), "NaN", "-1", "0x7fffffff", "9".repeat(300_000)]);
    }),
  "a length that is wrong": (sound, random) => {
    const bytes = sound.slice();
    new DataView(bytes.buffer).setBigUint64(
      0,
      pick(random, [0n, 1n, 7n, 1n << 20n, 1n << 32n, (1n << 64n) - 1n]),
      true,
    );
    return bytes;
  },
  "cut off": (sound, random) => sound.slice(0, random.index(sound.length)),
  "not a number": (sound, random) => {
    const bytes = sound.slice();
    const { start } = headerOf(sound);
    bytes.fill(0xff, start + random.index(sound.length - start));
    return bytes;
  },
  noise: (_sound, random) => Uint8Array.from({ length: random.index(9000) }, () => random.index(256)),
  zeros: (_sound, random) => new Uint8Array(random.index(200_000)),
  text: (_sound, random) => text(pick(random, HOSTILE).repeat(1 + random.index(50))),
  altered: (sound, random) => mutated(random, sound),
  "altered with the right checksum": (sound, random) => rewritten(random, sound),
};

function text(content: string): Uint8Array {
  return new TextEncoder().encode(content);
}

/** A settings file of these lines, with the right checksum. */
function settingsOf(lines: string): Uint8Array {
  return text(`${formatChecksum(crc32(text(lines)))}\n${lines}`);
}

/** The same for the settings file. */
export const HOSTILE_SETTINGS: typeof HOSTILITIES = {
  "cut off": (sound, random) => sound.slice(0, 1 + random.index(sound.length - 1)),
  "a megabyte": (_sound, random) => new Uint8Array(1 << 20).fill(pick(random, [0, 10, 0x20, 0x61, 0xff])),
  "512 bytes": (_sound, random) => new Uint8Array(512).fill(pick(random, [0, 10, 0x20, 0x61, 0xff])),
  "deep JSON": (_sound, random) => text(nested(pick(random, [20, 250, 100_000]), "[", "]")),
  JSON: () => text('{"temperature":0.5}'),
  noise: (_sound, random) => Uint8Array.from({ length: 1 + random.index(700) }, () => random.index(256)),
  "a checkpoint's header": () => fileOf({ [METADATA]: { temperature: "1" } }, new Uint8Array(64)),
  "text that does harm": (_sound, random) => settingsOf(`${pick(random, HOSTILE)} ${pick(random, HOSTILE)} 1\n`),
  "a value that cannot be": (_sound, random) => {
    const key = pick(random, ["temperature", "log_every", "save_every", "top_k", "top_p", "own_share", "__proto__"]);
    const value = (): string => pick(random, ["NaN", "-1", "1e999", "9".repeat(300), "true", "[]", "{}", "", "0x10"]);
    return settingsOf(`${key} ${value()} ${value()}\n`);
  },
  "many lines": (_sound, random) => settingsOf("temperature 1 0.8\n".repeat(pick(random, [30, 60_000]))),
  "no line's end": () => settingsOf("temperature 1 0.8"),
  altered: (sound, random) => mutated(random, sound),
};

/** One of some ways; they are taken in turns, so that few tries have all kinds. */
export function hostileFile(
  random: Random,
  sound: Uint8Array,
  run: number,
  ways = HOSTILITIES,
): { readonly kind: string; readonly bytes: Uint8Array } {
  const kinds = Object.keys(ways);
  const kind = kinds[run % kinds.length];
  return { kind, bytes: ways[kind](sound, random) };
}
