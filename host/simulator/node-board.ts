import { join } from "node:path";
import type { Board, BoardOptions } from "./board";
import { Desk } from "../../src/program/desk";
import { Device } from "../../src/program/device";
import type { NewFile, Platform } from "../../src/platform";
import type { Port } from "../../src/program/serial";
import { readSettings } from "../../src/program/settings";
import { Station } from "../../src/program/station";
import { LIST, readRegular } from "../inputs";
import { provideOps } from "../node-place";
import { nodeStorage } from "../node-storage";

/** The device program in this process, where there is no XS. */
export class NodeBoard implements Board {
  private arrived: Uint8Array[] = [];
  private timer: NodeJS.Timeout | undefined;
  /** How often it was switched on or off: what belongs to an earlier time is dead. */
  private power = 0;
  private end: () => void = () => undefined;
  private fail: (error: unknown) => void = () => undefined;
  /** Files that are being written. */
  private readonly unfinished = new Set<NewFile>();

  constructor(private readonly options: BoardOptions) {}

  live(): Promise<void> {
    return new Promise((end, fail) => {
      this.end = end;
      this.fail = fail;
      this.powerOn();
    });
  }

  input(bytes: Uint8Array): void {
    this.arrived.push(bytes);
  }

  switchOff(): void {
    this.powerOff();
    this.end();
  }

  private powerOff(): void {
    this.power++;
    this.arrived = [];
    clearInterval(this.timer);
    for (const file of this.unfinished) file.abort();
    this.unfinished.clear();
  }

  private powerOn(): void {
    const platform = this.platform();
    const repeat = (callback: () => void, every: number): void => void (this.timer = setInterval(callback, every));
    const station = new Station(this.port(), repeat);
    station
      .begin(() => {
        const device = new Device({
          platform,
          settings: readSettings(this.options.settings),
          provideOps,
          write: station.write,
          hasRoom: station.hasRoom,
          reboot: () => {
            this.powerOff();
            this.powerOn();
          },
        });
        return { controls: new Desk(device), log: device.log, run: () => device.run() };
      })
      .catch(this.fail);
  }

  private platform(): Platform {
    const { namesFile, namesName, folder } = this.options;
    const { power } = this;
    const path = (name: string): string => join(folder, name);
    return {
      place: "Node",
      names: readRegular(namesFile, LIST),
      namesFile: namesName,
      storage: {
        open: (name) => nodeStorage.open(path(name)),
        create: (name) => this.create(path(name)),
        move: (from, to) => nodeStorage.move(path(from), path(to)),
      },
      now: () => performance.now(),
      schedule: (slice) => void setImmediate(() => power === this.power && slice()),
      room: () => undefined,
    };
  }

  private async create(path: string): Promise<NewFile> {
    const file = await nodeStorage.create(path);
    this.unfinished.add(file);
    const end = (): void => void this.unfinished.delete(file);
    return {
      write: (bytes) => file.write(bytes),
      commit: () => file.commit().finally(end),
      abort() {
        end();
        file.abort();
      },
    };
  }

  private port(): Port {
    const { output } = this.options;
    return {
      read: (bytes) => {
        const next = this.arrived.shift() ?? new Uint8Array(0);
        bytes.set(next.subarray(0, bytes.length));
        if (next.length > bytes.length) this.arrived.unshift(next.subarray(bytes.length));
        return Math.min(next.length, bytes.length);
      },
      write(bytes, from, to) {
        output(bytes.slice(from, to));
        return to - from;
      },
      flush: () => true,
    };
  }
}
