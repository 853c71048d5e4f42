/*
 * A stand-in for an ESP32 whose ROM loader, and then the flasher stub that is loaded into its RAM, answers
 * on a serial line: Espressif's "Serial Protocol". It has a flash that can be looked at, refuses what the
 * real ones refuse, and does not run what it is given: once a stub has been loaded and started it behaves
 * as the stub does.
 */
import { createHash } from "node:crypto";
import { constants, inflateSync } from "node:zlib";
import type { FarSide, Signals } from "./far-side";

interface Kind {
  /** In the register that tells chips apart; undefined where the ROM says its number itself. */
  readonly magic: number | undefined;
  readonly id: number;
  /** Of the SPI controller of the flash. */
  readonly spi: { readonly command: number; readonly user2: number; readonly data: number };
  readonly registers: Readonly<Partial<Record<number, number>>>;
}

const KINDS = {
  esp32: {
    magic: 0x00f01d83,
    id: 0,
    spi: { command: 0x3ff42000, user2: 0x3ff42024, data: 0x3ff42080 },
    // A MAC address, and the divider of the UART for a crystal of 40 MHz.
    registers: { 0x3ff5a004: 0x33445566, 0x3ff5a008: 0x1122, 0x3ff40014: 0x15b },
  },
  esp32c3: {
    magic: undefined,
    id: 5,
    spi: { command: 0x60002000, user2: 0x60002020, data: 0x60002058 },
    registers: { 0x60008844: 0x33445566, 0x60008848: 0x1122 },
  },
} satisfies Record<string, Kind>;

const MAGIC_REGISTER = 0x40001000;
const SECTOR = 0x1000;
/** The flash says its maker and size: the last byte is the power of two. */
const FLASH_MAKER = 0x40ef;

const COMMANDS = {
  flashBegin: 0x02,
  flashData: 0x03,
  flashEnd: 0x04,
  memBegin: 0x05,
  memEnd: 0x06,
  memData: 0x07,
  sync: 0x08,
  writeRegister: 0x09,
  readRegister: 0x0a,
  spiSetParameters: 0x0b,
  spiAttach: 0x0d,
  changeBaudRate: 0x0f,
  deflateBegin: 0x10,
  deflateData: 0x11,
  deflateEnd: 0x12,
  flashMd5: 0x13,
  securityInfo: 0x14,
  eraseFlash: 0xd0,
  eraseRegion: 0xd1,
  readFlash: 0xd2,
} as const;

/** Which download a block belongs to. */
const KIND_OF_DATA = new Map<number, Download["kind"]>([
  [COMMANDS.memData, "ram"],
  [COMMANDS.flashData, "flash"],
  [COMMANDS.deflateData, "deflate"],
]);

const ONLY_STUB: readonly number[] = [COMMANDS.eraseFlash, COMMANDS.eraseRegion, COMMANDS.readFlash];

/** What goes wrong, as the ROM and the stub number it. */
const ERRORS = {
  parameter: { rom: 0x01, stub: 0xc2 },
  format: { rom: 0x05, stub: 0xc0 },
  failed: { rom: 0x06, stub: 0xc9 },
  checksum: { rom: 0x07, stub: 0xc1 },
  inflate: { rom: 0x0b, stub: 0xc8 },
  unknown: { rom: 0x05, stub: 0xff },
} as const;

class Refused extends Error {
  constructor(readonly reason: keyof typeof ERRORS) {
    super(reason);
  }
}

/** Data that is being received, into RAM or flash. */
interface Download {
  readonly kind: "ram" | "flash" | "deflate";
  readonly size: number;
  readonly blocks: number;
  readonly blockSize: number;
  readonly offset: number;
  sequence: number;
  written: number;
  /** Compressed bytes so far. */
  packed: Buffer;
}

export interface RomLoaderOptions {
  readonly chip?: keyof typeof KINDS;
  readonly flashSize?: number;
  /** Whether RTS and DTR reach EN and IO0: boards without that circuit have buttons. */
  readonly hasAutoReset?: boolean;
  /** Baud beyond which nothing comes through. */
  readonly fastest?: number;
  /** Whether it is in its ROM loader from the start. */
  readonly isInLoader?: boolean;
  /** What runs while the ROM loader does not; it says nothing where there is none. */
  readonly application?: FarSide;
}

export class RomLoader implements FarSide {
  readonly flash: Buffer;
  /** How often the application has been started. */
  starts = 0;
  /** Commands that were carried out, or refused. */
  readonly log: string[] = [];
  /** Called with every block that has been written into the flash. */
  onBlock: (sequence: number) => void = () => undefined;
  send: (bytes: Buffer) => void = () => undefined;

  private readonly kind: Kind;
  private readonly hasAutoReset: boolean;
  private readonly fastest: number;
  private readonly application: FarSide | undefined;
  private running: "application" | "rom" | "stub";
  private readonly registers = new Map<number, number>();
  private readonly ram: { from: number; to: number }[] = [];
  private isAttached = false;
  private download: Download | undefined;
  private reading: { at: number; end: number; acknowledged: number; packet: number; ahead: number } | undefined;
  private readonly signals = { dataTerminalReady: false, requestToSend: false };
  private packet: number[] | undefined;
  private isEscaped = false;
  /** Baud: of the computer's side, and of the chip's, where the ROM takes what the first packet has. */
  private speeds: { host: number | undefined; chip: number | undefined } = { host: undefined, chip: undefined };

  constructor({
    chip = "esp32",
    flashSize = 4 << 20,
    hasAutoReset = true,
    fastest = Infinity,
    isInLoader = false,
    application,
  }: RomLoaderOptions = {}) {
    this.kind = KINDS[chip];
    this.flash = Buffer.alloc(flashSize, 0xff);
    this.hasAutoReset = hasAutoReset;
    this.fastest = fastest;
    this.running = isInLoader ? "rom" : "application";
    this.application = application;
    if (application)
      application.send = (bytes) => {
        if (this.running === "application") this.send(bytes);
      };
  }

  open(speed: number): Promise<void> | undefined {
    this.speeds.host = speed;
    return this.application?.open(speed);
  }

  close(): void {
    this.application?.close();
  }

  /** As most boards have it: RTS alone pulls EN, DTR alone pulls IO0, and both together nothing. */
  setSignals(signals: Signals): void {
    const isReset = (): boolean => this.signals.requestToSend && !this.signals.dataTerminalReady;
    const wasReset = isReset();
    Object.assign(this.signals, signals);
    if (!this.hasAutoReset || !wasReset || isReset()) return;
    // EN has a capacitor: IO0 is looked at a little later.
    setTimeout(() => {
      if (!isReset()) this.boot(this.signals.dataTerminalReady && !this.signals.requestToSend);
    }, 5);
  }

  /** Both buttons: EN is pressed while BOOT is held, or EN alone. */
  boot(isLoader: boolean): void {
    this.running = isLoader ? "rom" : "application";
    this.speeds.chip = undefined;
    this.isAttached = false;
    this.download = this.reading = this.packet = undefined;
    this.ram.length = 0;
    this.registers.clear();
    if (!isLoader) this.starts++;
    const mode = isLoader ? "0x3 (DOWNLOAD_BOOT)\r\nwaiting for download\r\n" : "0x13 (SPI_FAST_FLASH_BOOT)\r\n";
    this.send(Buffer.from(`ets Jul 29 2019 12:21:46\r\n\r\nrst:0x1 (POWERON_RESET),boot:${mode}`));
  }

  receive(bytes: Buffer): void {
    if (this.running === "application") {
      this.application?.receive(bytes);
      return;
    }
    this.speeds.chip ??= this.speeds.host;
    const { host, chip = 0 } = this.speeds;
    if (host !== undefined && (host !== chip || host > this.fastest)) return;
    for (const byte of bytes) {
      if (byte === 0xc0) {
        const packet = this.packet;
        this.packet = [];
        if (packet && packet.length > 0) {
          this.packet = undefined;
          this.handle(Buffer.from(packet));
        }
      } else if (this.packet) {
        if (byte === 0xdb) this.isEscaped = true;
        else {
          this.packet.push(this.isEscaped ? (byte === 0xdc ? 0xc0 : 0xdb) : byte);
          this.isEscaped = false;
        }
      }
    }
  }

  private handle(packet: Buffer): void {
    if (this.reading) {
      this.acknowledge(packet);
      return;
    }
    if (packet.length < 8 || packet[0] !== 0) return;
    const command = packet[1];
    const name = Object.entries(COMMANDS).find(([, number]) => number === command)?.[0] ?? `0x${command.toString(16)}`;
    const data = packet.subarray(8);
    try {
      if (data.length !== packet.readUInt16LE(2)) throw new Refused("format");
      this.execute(command, data, packet.readUInt32LE(4));
      this.log.push(name);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.log.push(`${name} refused: ${error.reason}`);
      const isStub = this.running === "stub";
      const status = [1, ERRORS[error.reason][isStub ? "stub" : "rom"]];
      // The ROM does not say which command it does not know, but says so eight times.
      const isUnknown = error.reason === "unknown" && !isStub;
      for (let i = 0; i < (isUnknown ? 8 : 1); i++) this.answer(isUnknown ? 0 : command, Buffer.alloc(0), 0, status);
    }
  }

  /** @throws {Refused} */
  private execute(command: number, data: Buffer, sum: number): void {
    const isStub = this.running === "stub";
    const isKnown = Object.values(COMMANDS).some((known) => known === command);
    const hasSecurityInfo = this.kind.magic === undefined;
    if (!isKnown || (!isStub && ONLY_STUB.includes(command)) || (command === COMMANDS.securityInfo && !hasSecurityInfo))
      throw new Refused("unknown");
    /** The data as words. */
    const word = (i: number): number => {
      if (4 * i + 4 > data.length) throw new Refused("format");
      return data.readUInt32LE(4 * i);
    };
    switch (command) {
      case COMMANDS.sync:
        if (data.readUInt32LE(0) !== 0x20120707) throw new Refused("format");
        // The ROM answers eight times, with something in the value; the stub once.
        for (let i = 0; i < (isStub ? 1 : 8); i++) this.answer(command, Buffer.alloc(0), isStub ? 0 : 0x20120707);
        return;
      case COMMANDS.readRegister:
        this.answer(command, Buffer.alloc(0), this.readRegister(word(0)));
        return;
      case COMMANDS.writeRegister:
        if (data.length % 16 !== 0) throw new Refused("format");
        for (let i = 0; i < data.length / 4; i += 4) this.writeRegister(word(i), word(i + 1), word(i + 2));
        break;
      case COMMANDS.securityInfo: {
        const info = Buffer.alloc(20);
        info.writeUInt32LE(this.kind.id, 12);
        this.answer(command, info);
        return;
      }
      case COMMANDS.spiAttach:
        this.isAttached = true;
        break;
      case COMMANDS.spiSetParameters:
        if (word(1) > this.flash.length) throw new Refused("parameter");
        break;
      case COMMANDS.changeBaudRate:
        if (isStub ? word(1) === 0 : word(1) !== 0) throw new Refused("parameter");
        this.answer(command);
        // Where there is no speed, as through a socket, there is none to change.
        if (this.speeds.chip !== undefined) this.speeds.chip = word(0);
        return;
      case COMMANDS.memBegin:
        this.begin("ram", word(0), word(1), word(2), word(3));
        break;
      case COMMANDS.flashBegin:
      case COMMANDS.deflateBegin:
        this.begin(command === COMMANDS.flashBegin ? "flash" : "deflate", word(0), word(1), word(2), word(3));
        break;
      case COMMANDS.memData:
      case COMMANDS.flashData:
      case COMMANDS.deflateData: {
        const sequence = word(1);
        this.take(command, word(0), sequence, data.subarray(16), sum);
        this.answer(command);
        if (command !== COMMANDS.memData) this.onBlock(sequence);
        return;
      }
      case COMMANDS.memEnd:
        this.answer(command);
        if (word(0) === 0) this.run(word(1));
        return;
      case COMMANDS.flashEnd:
      case COMMANDS.deflateEnd:
        this.end();
        this.answer(command);
        if (word(0) === 0) this.boot(false);
        return;
      case COMMANDS.flashMd5: {
        const md5 = createHash("md5")
          .update(this.region(word(0), word(1)))
          .digest();
        this.answer(command, isStub ? md5 : Buffer.from(md5.toString("hex")));
        return;
      }
      case COMMANDS.eraseFlash:
        this.flash.fill(0xff);
        break;
      case COMMANDS.eraseRegion:
        if (word(0) % SECTOR !== 0 || word(1) % SECTOR !== 0) throw new Refused("parameter");
        this.region(word(0), word(1)).fill(0xff);
        break;
      case COMMANDS.readFlash: {
        const [at, size, packet, ahead] = [word(0), word(1), word(2), word(3)];
        this.region(at, size);
        this.answer(command);
        this.reading = { at, end: at + size, acknowledged: 0, packet, ahead };
        this.read(at);
        return;
      }
    }
    this.answer(command);
  }

  private begin(kind: Download["kind"], size: number, blocks: number, blockSize: number, offset: number): void {
    if (blockSize === 0 || blockSize > SECTOR * 4) throw new Refused("parameter");
    if (kind !== "deflate" && blocks !== Math.ceil(size / blockSize)) throw new Refused("parameter");
    if (kind === "ram") this.ram.push({ from: offset, to: offset + size });
    else {
      if (offset % SECTOR !== 0) throw new Refused("parameter");
      this.region(offset, Math.ceil(size / SECTOR) * SECTOR).fill(0xff);
    }
    this.download = { kind, size, blocks, blockSize, offset, sequence: 0, written: 0, packed: Buffer.alloc(0) };
  }

  private take(command: number, length: number, sequence: number, data: Buffer, sum: number): void {
    const download = this.download;
    if (!download || download.kind !== KIND_OF_DATA.get(command)) throw new Refused("failed");
    if (length !== data.length || length > download.blockSize) throw new Refused("format");
    if (data.reduce((xor, byte) => xor ^ byte, 0xef) !== (sum & 0xff)) throw new Refused("checksum");
    if (sequence !== download.sequence || sequence >= download.blocks) throw new Refused("failed");
    download.sequence++;
    if (download.kind === "flash") this.program(download, data);
    if (download.kind !== "deflate") return;
    download.packed = Buffer.concat([download.packed, data]);
    try {
      // What can be unpacked so far.
      const whole = inflateSync(download.packed, { finishFlush: constants.Z_SYNC_FLUSH });
      this.program(download, whole.subarray(download.written));
    } catch (error) {
      throw error instanceof Refused ? error : new Refused("inflate");
    }
  }

  /** Writing can only make zeros of ones. */
  private program(download: Download, data: Buffer): void {
    // The last block of what is not compressed is filled up.
    const size = download.kind === "flash" ? download.blocks * download.blockSize : download.size;
    if (download.written + data.length > size) throw new Refused("failed");
    const region = this.region(download.offset + download.written, data.length);
    data.forEach((byte, i) => (region[i] &= byte));
    download.written += data.length;
  }

  private end(): void {
    if (this.download && this.download.written < this.download.size) throw new Refused("failed");
    this.download = undefined;
  }

  /** Starts what has been loaded, which is taken for the stub. */
  private run(entry: number): void {
    const isLoaded = this.ram.some(({ from, to }) => entry >= from && entry < to);
    if (isLoaded) {
      this.running = "stub";
      this.sendPacket(Buffer.from("OHAI"));
    } else this.boot(false);
  }

  /** A part of the flash, once it can be reached. */
  private region(at: number, size: number): Buffer {
    if (!this.isAttached && this.running === "rom") throw new Refused("failed");
    if (at + size > this.flash.length) throw new Refused("parameter");
    return this.flash.subarray(at, at + size);
  }

  private read(from: number): void {
    const { reading } = this;
    if (!reading) return;
    const { at, end, packet, ahead, acknowledged } = reading;
    let next = from;
    while (next < end && next - at < acknowledged + packet * ahead) {
      this.sendPacket(this.flash.subarray(next, Math.min(next + packet, end)));
      next += packet;
    }
    if (acknowledged < end - at) return;
    this.reading = undefined;
    this.sendPacket(createHash("md5").update(this.flash.subarray(at, end)).digest());
  }

  private acknowledge(packet: Buffer): void {
    const { reading } = this;
    if (!reading || packet.length !== 4) return;
    const sent = Math.min(reading.at + reading.acknowledged + reading.packet * reading.ahead, reading.end);
    reading.acknowledged = packet.readUInt32LE(0);
    this.read(sent);
  }

  private readRegister(address: number): number {
    if (address === MAGIC_REGISTER) return this.kind.magic ?? 0;
    return this.registers.get(address) ?? this.kind.registers[address] ?? 0;
  }

  private writeRegister(address: number, value: number, mask: number): void {
    const { command, user2, data } = this.kind.spi;
    const written = ((this.readRegister(address) & ~mask) | (value & mask)) >>> 0;
    // The command of the user's own is done at once; the flash knows one, that for its identity.
    if (address === command && (written & (1 << 18)) !== 0) {
      const isIdentity = (this.readRegister(user2) & 0xff) === 0x9f;
      this.registers.set(data, isIdentity ? (Math.log2(this.flash.length) << 16) | FLASH_MAKER : 0);
      this.registers.set(command, 0);
    } else this.registers.set(address, written);
  }

  private answer(command: number, data: Buffer = Buffer.alloc(0), value = 0, status: readonly number[] = [0, 0]): void {
    // The ROM has two bytes more, which mean nothing.
    const trailer = this.running === "stub" ? status : [...status, 0, 0];
    const header = Buffer.alloc(8);
    header.set([1, command]);
    header.writeUInt16LE(data.length + trailer.length, 2);
    header.writeUInt32LE(value >>> 0, 4);
    this.sendPacket(Buffer.concat([header, data, Buffer.from(trailer)]));
  }

  private sendPacket(packet: Buffer): void {
    const escaped = Array.from(packet, (byte) => (byte === 0xc0 ? [0xdb, 0xdc] : byte === 0xdb ? [0xdb, 0xdd] : byte));
    this.send(Buffer.from([0xc0, ...escaped.flat(), 0xc0]));
  }
}
