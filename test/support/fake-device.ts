import { decodeBase64, encodeBase64 } from "../../src/protocol/base64";
import { CHUNK_BYTES, isTagged, readTagged, REMEMBERED_IDS, sealLine } from "../../src/protocol/lines";

type Answer = Readonly<Record<string, unknown>>;

/** How a device that is none behaves. */
export interface Behaviour {
  /** The version it says; undefined is a firmware from before the protocol. */
  readonly protocol: number | undefined;
  /** Why it refuses a file that was sent, if it does. */
  readonly refuses: (file: Uint8Array) => string | undefined;
}

const USUAL: Behaviour = { protocol: 1, refuses: () => undefined };

/** A device as PROTOCOL.md has it, with a file for a model. */
export class FakeDevice {
  /** The commands that it has carried out, each once. */
  readonly done: string[] = [];
  isJson = false;
  private n = 0;
  private readonly remembered = new Map<number, Answer>();
  private incoming: { readonly bytes: Uint8Array; length: number } | undefined;
  private readonly behaviour: Behaviour;

  /** @param say gets a line, without its end */
  constructor(
    private readonly say: (line: string) => void,
    public file: Uint8Array,
    behaviour: Partial<Behaviour> = {},
  ) {
    this.behaviour = { ...USUAL, ...behaviour };
  }

  /** Says a line for programs, or nothing in text. */
  emit(type: string, fields: Answer = {}): void {
    if (this.isJson) this.say(sealLine(this.n++, { type, ...fields }));
  }

  /** Takes a line, without its end. */
  receive(line: string): void {
    if (this.behaviour.protocol === undefined) {
      this.say("Commands: status; generate [n] [temperature] [prefix]");
      return;
    }
    if (!isTagged(line)) {
      this.carryOut(line);
      if (line === "set log text") this.isJson = false;
      return;
    }
    const tagged = readTagged(line);
    if (tagged === undefined) {
      this.emit("damaged");
      return;
    }
    const { id, command } = tagged;
    const known = this.remembered.get(id);
    if (known === undefined) this.remember(id, this.carryOut(command));
    this.emit("ack", { id, ...(this.remembered.get(id) ?? {}) });
    if (command === "set log text") this.isJson = false;
  }

  /** What a reset does to it. */
  restart(): void {
    this.isJson = false;
    this.incoming = undefined;
    this.remembered.clear();
  }

  private remember(id: number, answer: Answer): void {
    this.remembered.set(id, answer);
    for (const old of this.remembered.keys()) if (this.remembered.size > REMEMBERED_IDS) this.remembered.delete(old);
  }

  private carryOut(line: string): Answer {
    this.done.push(line);
    const [command, ...words] = line.split(" ");
    const [first, second] = words.map(Number);
    if (line === "set log json") return this.greet();
    if (line === "set log text" || line === "fetch" || line === "fetched") return { ok: true };
    if (command === "chunk") return this.chunks(first, second);
    if (command === "receive") {
      this.incoming = { bytes: new Uint8Array(first), length: 0 };
      return { ok: true };
    }
    if (command === "data") return this.take(first, decodeBase64(words[1]) ?? new Uint8Array(0));
    if (command === "received") return this.finish();
    if (command === "cancel") {
      this.incoming = undefined;
      return { ok: true };
    }
    if (command === "generate") {
      for (let number = 1; number <= first; number++) this.emit("name", { number, name: `name${number}` });
      return { ok: true };
    }
    if (command === "status") {
      if (this.isJson) this.emit("answer", { text: "Step 7 of 1000." });
      else this.say("Step 7 of 1000.");
      return { ok: true };
    }
    if (!this.isJson) this.say(`I do not know ${line}`);
    return { ok: false, error: `There is no command ${command}.` };
  }

  private greet(): Answer {
    this.isJson = true;
    this.n = 0;
    this.emit("hello", { protocol: this.behaviour.protocol, version: "1.2.3", place: "ESP32" });
    this.emit("state", { state: "training", step: 7, steps: 1000, updates: 7, words: 0, seed: 42, loss: 2.5 });
    return { ok: true };
  }

  private chunks(at: number, count: number): Answer {
    const size = this.file.length;
    for (let i = 0; i < count && at < size; i++, at += CHUNK_BYTES)
      this.emit("chunk", { at, size, data: encodeBase64(this.file.subarray(at, at + CHUNK_BYTES)) });
    return { ok: true };
  }

  private take(at: number, bytes: Uint8Array): Answer {
    const { incoming } = this;
    if (incoming === undefined) return { ok: false, error: "No file is being sent: begin with receive." };
    if (at === incoming.length && at + bytes.length <= incoming.bytes.length) {
      incoming.bytes.set(bytes, at);
      incoming.length += bytes.length;
    }
    return { ok: true, next: incoming.length };
  }

  private finish(): Answer {
    const { incoming } = this;
    if (incoming?.length !== incoming?.bytes.length || incoming === undefined)
      return { ok: false, error: "The file is not whole." };
    this.incoming = undefined;
    const error = this.behaviour.refuses(incoming.bytes);
    if (error !== undefined) return { ok: false, error };
    this.file = incoming.bytes;
    return { ok: true };
  }
}
