import { crc32, formatChecksum } from "../gpt/base/crc32";
import { encodeUtf8 } from "../gpt/base/utf8";
import { isDigits } from "../gpt/base/text";

/*
 * The lines of the device protocol, in both directions: PROTOCOL.md describes them.
 */

export const PROTOCOL_VERSION = 1;
/** Maximum length of a line to the device in bytes, without its end. */
export const MAX_LINE_BYTES = 120;
/** The largest id of a tagged command; the smallest is 1. */
export const LARGEST_ID = 65535;
/** Number of ended tagged commands whose acknowledgements the device remembers. */
export const REMEMBERED_IDS = 8;
/** Length of the device's command queue; further commands are refused. */
export const MAX_WAITING_COMMANDS = 8;
/** Bytes in a `chunk` and a `data` line, and the maximum number of either in progress. */
export const CHUNK_BYTES = 192;
export const DATA_BYTES = 60;
export const MAX_CHUNKS = 4;
export const MAX_DATA_LINES = 8;
/** The device's name for a checkpoint that was sent to it: the client's file name is not transmitted. */
export const RECEIVED = "received.safetensors";

/** Fixed parts of the lines of text that a board prints around a restart. */
export const BOOT_LINES = Object.freeze({
  restarting: "Restarting: ",
  resetBy: "; reset by: ",
  before: "Before the reset: ",
  banner: "=== esp32gpt",
});

const SEAL = ',"crc":"';
const DIGITS = 8;

/** A parsed line from the device; n is its sequence number. */
export interface DeviceLine {
  readonly n: number;
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A tagged command. */
interface TaggedCommand {
  readonly id: number;
  readonly command: string;
}

/** Formats a JSON line: sequence number first, checksum (CRC-32 of the text before it) last; without its end. */
export function sealLine(n: number, fields: object): string {
  // A copy: XS cannot stringify objects in flash.
  const body = JSON.stringify({ n, ...fields }).slice(0, -1);
  return `${body}${SEAL}${checksumOf(body)}"}`;
}

/** Parses a line from the device; undefined when it is not a protocol line, or damaged. */
export function openLine(line: string): DeviceLine | undefined {
  if (!line.startsWith("{")) return undefined;
  const end = line.length - 2 - DIGITS;
  const body = line.slice(0, end - SEAL.length);
  if (line.slice(body.length) !== `${SEAL}${checksumOf(body)}"}`) return undefined;
  try {
    const fields = JSON.parse(`${body}}`) as Partial<DeviceLine>;
    return Number.isSafeInteger(fields.n) && typeof fields.type === "string" ? (fields as DeviceLine) : undefined;
  } catch {
    return undefined;
  }
}

/** Formats a tagged command: id, checksum (CRC-32 of id and command), command; without its end. */
export function tagCommand(id: number, command: string): string {
  return `@${id} ${checksumOf(`${id} ${command}`)} ${command}`;
}

/** Whether a line to the device is a tagged command, damaged or not. */
export function isTagged(line: string): boolean {
  return line.startsWith("@");
}

/** Parses a tagged command; undefined when it is damaged. */
export function readTagged(line: string): TaggedCommand | undefined {
  const behindId = line.indexOf(" ");
  const behindChecksum = behindId + 1 + DIGITS;
  const id = line.slice(1, behindId);
  const checksum = line.slice(behindId + 1, behindChecksum);
  const command = line.slice(behindChecksum + 1);
  if (!isTagged(line) || !isDigits(id) || id.startsWith("0") || Number(id) > LARGEST_ID) return undefined;
  if (line[behindChecksum] !== " " || command === "") return undefined;
  return checksumOf(`${id} ${command}`) === checksum ? { id: Number(id), command } : undefined;
}

function checksumOf(text: string): string {
  return formatChecksum(crc32(encodeUtf8(text)));
}
