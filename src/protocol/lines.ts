import { crc32, formatChecksum } from "../gpt/base/crc32";
import { encodeUtf8 } from "../gpt/base/utf8";
import { isDigits } from "../gpt/base/text";

/*
 * The lines of the device protocol, both ways: PROTOCOL.md describes them.
 */

export const PROTOCOL_VERSION = 1;
/** Bytes of a line to the device, without its end. */
export const MAX_LINE_BYTES = 120;
/** The largest number that a command can be tagged with. */
export const LARGEST_ID = 65535;
/** The device remembers what became of so many tagged commands. */
export const REMEMBERED_IDS = 8;
/** So many commands wait on a device while one runs; more are refused. */
export const MAX_WAITING_COMMANDS = 8;
/** Bytes of a `chunk` line, of a `data` line, and lines of either that may be under way. */
export const CHUNK_BYTES = 192;
export const DATA_BYTES = 60;
export const MAX_CHUNKS = 4;
export const MAX_DATA_LINES = 8;
/** How a device calls a checkpoint that it was sent: it does not know the name of its file. */
export const RECEIVED = "received.safetensors";

/** How the lines begin, or end, that a board says to people when it restarts. */
export const BOOT_LINES = Object.freeze({
  restarting: "Restarting: ",
  resetBy: "; reset by: ",
  before: "Before the reset: ",
  banner: "=== esp32gpt",
});

const SEAL = ',"crc":"';
const DIGITS = 8;

/** A line from the device, taken apart. */
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

/** A line of JSON with its number in front and its checksum behind, without its end. */
export function sealLine(n: number, fields: object): string {
  // A copy: XS does not stringify what lies in flash.
  const body = JSON.stringify({ n, ...fields }).slice(0, -1);
  return `${body}${SEAL}${checksumOf(body)}"}`;
}

/** What a line from the device tells; undefined for what is no such line, or is damaged. */
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

/** A command as a program sends it, without the end of its line. */
export function tagCommand(id: number, command: string): string {
  return `@${id} ${checksumOf(`${id} ${command}`)} ${command}`;
}

/** Whether a line to the device is a tagged command, be it a damaged one. */
export function isTagged(line: string): boolean {
  return line.startsWith("@");
}

/** A tagged command; undefined for a damaged one. */
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
