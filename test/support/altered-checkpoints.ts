import type { Random } from "../../src/gpt/model/random";
import { HOSTILE, pick } from "./fuzz";
import { fileOf, headerOf } from "./safetensors-file";

type Entry = Record<string, unknown>;

/** CRC-32 bit by bit, by its polynomial. */
function crc32(bytes: Iterable<number>): string {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (~crc >>> 0).toString(16).padStart(8, "0");
}

/** A header and its data with the checksum made right, as far as they still have the sense to have one. */
function sealed(header: Record<string, unknown>, data: Uint8Array): Uint8Array {
  const metadata = header.__metadata__;
  if (typeof metadata === "object" && metadata !== null) {
    const values = metadata as Record<string, string>;
    const keys = [
      ...["preset", "n_layer", "n_embd", "n_head", "block_size", "step", "format_version", "vocabulary"],
      ...["schedule_step", "steps", "batch_size", "learning_rate", "sampling", "holdout", "seed", "random", "spare"],
      ...["next_name", "dataset", "own_words", "own_share", "build"],
    ];
    const lines = keys.filter((key) => Object.hasOwn(values, key)).map((key) => `${key}=${values[key]}\n`);
    const layers = Array.from({ length: 70 }, (_, i) =>
      ["wq", "wk", "wv", "wo", "w1", "w2"].map((w) => `layers.${i}.${w}`),
    );
    const pieces = ["wte", "wpe", ...layers.flat(), "wout", "adam.m", "adam.v"].flatMap((name) => {
      const offsets = (header[name] as Entry | undefined)?.data_offsets;
      return Array.isArray(offsets) ? [...data.subarray(Number(offsets[0]), Number(offsets[1]))] : [];
    });
    values.crc32 = crc32([...new TextEncoder().encode(lines.join("")), ...pieces]);
  }
  return fileOf(header, data);
}

/** A checkpoint with some of its metadata changed, and its checksum right again. */
export function withMetadata(bytes: Uint8Array, changes: Readonly<Record<string, string>>): Uint8Array {
  const { header, data } = partsOf(bytes);
  Object.assign(header.__metadata__ as Entry, changes);
  return sealed(header, data);
}

function partsOf(bytes: Uint8Array): { readonly header: Record<string, unknown>; readonly data: Uint8Array } {
  const { start } = headerOf(bytes);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Record<string, unknown>;
  return { header, data: bytes.slice(start) };
}

/** Alters the header of a checkpoint, and now and then the data, of a file that is sound; its checksum is right again. */
export function rewritten(random: Random, bytes: Uint8Array): Uint8Array {
  const { header, data: present } = partsOf(bytes);
  let data = present;
  for (let n = random.index(4); n > 0; n--) {
    const names = Object.keys(header);
    const name = pick(random, names);
    const entry = header[name] as Entry;
    const key = pick(random, Object.keys(entry));
    const size = pick(random, [0, 1, 2, 3, 4, 8, 27, 28, 54, 2 ** 31, 2 ** 53, -1, 0.5]);
    switch (random.index(8)) {
      case 0: // another name
        header[random.index(2) === 0 ? pick(random, HOSTILE) : pick(random, names).replace(/\d/, "1")] = entry;
        if (name !== "__metadata__") Reflect.deleteProperty(header, name);
        break;
      case 1: // another value, or one more
        entry[random.index(2) === 0 ? key : pick(random, HOSTILE)] = pick<unknown>(random, [
          ...HOSTILE,
          null,
          7,
          [],
          {},
        ]);
        break;
      case 2:
        entry.dtype = pick(random, ["F16", "BF16", "F32", "F64", "I64", ...HOSTILE]);
        break;
      case 3:
        entry.shape = Array.from({ length: random.index(4) }, () => size);
        break;
      case 4: // a tensor of somebody else behind the others
        header[pick(random, HOSTILE)] = { dtype: "U8", shape: [3], data_offsets: [data.length, data.length + 3] };
        data = Uint8Array.of(...data, 1, 2, 3);
        break;
      case 5:
        Reflect.deleteProperty(entry, key);
        break;
      case 6: // a number that is none
        new DataView(data.buffer).setUint32(
          4 * random.index(data.length >> 2),
          pick(random, [0x7f800000, 0x7fc00000, 1]),
          true,
        );
        break;
      case 7:
        if (name === "__metadata__") entry[key] = String(size);
    }
  }
  return sealed(header, data);
}
