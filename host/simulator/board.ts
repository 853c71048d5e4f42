import { once } from "node:events";
import { join } from "node:path";
import { Desk } from "../../src/program/desk";
import { Device } from "../../src/program/device";
import type { Platform } from "../../src/platform";
import { Station } from "../../src/program/station";
import { readSettings, type Settings } from "../../src/program/settings";
import { LIST, readRegular } from "../inputs";
import { provideOps } from "../node-place";
import { nodeStorage } from "../node-storage";
import { failureOf, roomOf, startXs, type XsOptions } from "../xs/engine";
import { type BoardRequest, EXIT_REBOOT } from "../xs/protocol";

/** What a simulated board is to be. */
export interface BoardOptions {
  readonly settings: Settings;
  /** The list in its flash, and what messages call it. */
  readonly namesFile: string;
  readonly namesName: string;
  /** The folder of its files. */
  readonly folder: string;
  /** What it sends. */
  readonly output: (bytes: Uint8Array) => void;
  /** Gets what it cost, as JSON, when it is switched off; XS only. */
  readonly usage: (json: string) => void;
}

/** A board that is none: what is typed goes in, and its life until it is switched off. */
export interface Board {
  readonly input: (bytes: Uint8Array) => void;
  readonly switchOff: () => void;
  readonly life: Promise<void>;
}

/** The device program on the real engine, with the memory of the device. */
export function startXsBoard(options: BoardOptions, xs: XsOptions): Board {
  const { settings, namesFile, namesName, folder, output, usage } = options;
  const request: BoardRequest = { settings, namesFile: namesName, folder, room: roomOf(xs) };
  let isOn = true;
  let child: ReturnType<typeof startXs>;
  const live = async (): Promise<void> => {
    for (let exitCode: unknown = EXIT_REBOOT; isOn && exitCode === EXIT_REBOOT;) {
      child = startXs("board", request, namesFile, xs);
      let complaint = "";
      child.stdin.on("error", () => undefined); // It may have been switched off.
      child.stdout.on("data", output);
      child.stderr.setEncoding("utf8").on("data", (text: string) => (complaint += text));
      [exitCode] = (await once(child, "close")) as [number | null];
      if (exitCode === 0) usage(complaint);
      else if (isOn && exitCode !== EXIT_REBOOT) throw await failureOf("board", exitCode as number | null, complaint);
    }
  };
  const life = live();
  return {
    life,
    input: (bytes) => void child.stdin.write(bytes),
    switchOff() {
      isOn = false;
      child.stdin.end();
    },
  };
}

/** The device program in this process, where there is no XS. */
export function startNodeBoard({ settings, namesFile, namesName, folder, output }: BoardOptions): Board {
  let arrived: Uint8Array[] = [];
  let timer: NodeJS.Timeout | undefined;
  let switchOff = (): void => undefined;
  const start = (fail: (error: unknown) => void): void => {
    let isOn = true;
    switchOff = () => {
      isOn = false;
      clearInterval(timer);
    };
    const path = (name: string): string => join(folder, name);
    const platform: Platform = {
      place: "Node",
      names: readRegular(namesFile, LIST),
      namesFile: namesName,
      storage: {
        open: (name) => nodeStorage.open(path(name)),
        create: (name) => nodeStorage.create(path(name)),
        move: (from, to) => nodeStorage.move(path(from), path(to)),
      },
      now: () => performance.now(),
      schedule: (slice) => void setImmediate(() => isOn && slice()),
      room: () => undefined,
    };
    const port = {
      read(bytes: Uint8Array) {
        const next = arrived.shift() ?? new Uint8Array(0);
        bytes.set(next.subarray(0, bytes.length));
        if (next.length > bytes.length) arrived.unshift(next.subarray(bytes.length));
        return Math.min(next.length, bytes.length);
      },
      write(bytes: Uint8Array, from: number, to: number) {
        output(bytes.slice(from, to));
        return to - from;
      },
      flush: () => true,
    };
    const station = new Station(port, (callback, every) => (timer = setInterval(callback, every)));
    station
      .begin(() => {
        const device = new Device({
          platform,
          settings: readSettings(settings),
          provideOps,
          write: station.write,
          reboot() {
            switchOff();
            arrived = [];
            start(fail);
          },
        });
        return { controls: new Desk(device), log: device.log, run: () => device.run() };
      })
      .catch(fail);
  };
  let end: () => void = () => undefined;
  const life = new Promise<void>((resolve, reject) => {
    end = resolve;
    start(reject);
  });
  return {
    life,
    input: (bytes) => void arrived.push(bytes),
    switchOff() {
      switchOff();
      end();
    },
  };
}
