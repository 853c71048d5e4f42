import { Commands, type Link } from "../../src/client/commands";
import { InputError } from "../../src/gpt/base/errors";
import { readTagged, sealLine } from "../../src/protocol/lines";
import { PERFECT } from "../support/channel";
import { fileOf, firstWith, Scene } from "../support/scene";

const nothing = (): void => undefined;

describe("commands", () => {
  test("open the protocol, are carried out and acknowledged", async () => {
    const scene = new Scene();
    expect(await scene.open()).toMatchObject({ type: "hello", protocol: 1, place: "ESP32", n: 0 });
    expect(await scene.run(scene.client.run("status"))).toEqual({ ok: true });
    expect(scene.heard.map(({ type }) => type)).toEqual(["hello", "state", "ack", "answer", "ack"]);
    expect(scene.sent.map((line) => readTagged(line)?.id)).toEqual([1, 2]);
  });

  test("that the device refuses reject with its sentence", async () => {
    const scene = new Scene();
    await scene.open();
    await expect(scene.run(scene.client.run("dance"))).rejects.toThrow(new InputError("There is no command dance."));
  });

  test("have numbers that go from 65535 to 1", async () => {
    const scene = new Scene(1, {}, 65534);
    await scene.open();
    for (const command of ["status", "status"]) await scene.run(scene.client.run(command));
    expect(scene.sent.map((line) => readTagged(line)?.id)).toEqual([65534, 65535, 1]);
  });

  test("are as long as a line can be at most", async () => {
    const scene = new Scene();
    await expect(scene.client.run("x".repeat(109))).rejects.toThrow("1 bytes too long");
    expect(scene.sent).toEqual([]);
  });

  test("that are lost are sent again after two seconds of silence, and then given up with a sentence", async () => {
    const scene = new Scene();
    await scene.open();
    scene.quality = { ...PERFECT, lost: 1 };
    const begin = scene.simulation.time;
    await expect(scene.run(scene.client.run("status"))).rejects.toThrow(/^The board does not answer/);
    expect(new Set(scene.sent.slice(1)).size).toBe(1);
    expect(scene.sent).toHaveLength(1 + 6);
    expect(scene.simulation.time - begin).toBeGreaterThanOrEqual(12_000);
    expect(scene.simulation.time - begin).toBeLessThan(14_000);
  });

  test("that are lost are sent again though the device always has something to say", async () => {
    const scene = new Scene();
    await scene.open();
    scene.chatter();
    scene.quality = { ...PERFECT, lost: 1 };
    const status = scene.client.run("status");
    scene.quality = PERFECT;
    await scene.run(status);
    expect(scene.device.done).toEqual(["set log json", "status"]);
    expect(scene.simulation.time).toBeLessThan(6000);
  });

  test("that came are not carried out again when their acknowledgement is lost", async () => {
    const scene = new Scene();
    await scene.open();
    const status = scene.client.run("status");
    scene.simulation.after(4, () => (scene.quality = { ...PERFECT, lost: 1 }));
    scene.simulation.after(1000, () => (scene.quality = PERFECT));
    await scene.run(status);
    expect(scene.device.done).toEqual(["set log json", "status"]);
  });

  test("that the device has forgotten are not sent again", async () => {
    const scene = new Scene();
    await scene.open();
    const work = scene.client.run("status");
    scene.quality = { ...PERFECT, lost: 1 };
    const others = Array.from({ length: 8 }, () => scene.client.run("status"));
    const all = [work, ...others].map((each) => each.catch(nothing));
    await scene.run(Promise.all(all));
    expect(scene.sent.filter((line) => line === scene.sent[1])).toHaveLength(1);
  });

  test("that arrive damaged are sent again at once", async () => {
    const scene = new Scene();
    await scene.open();
    scene.quality = { ...PERFECT, damaged: 1 };
    const status = scene.client.run("status");
    scene.quality = PERFECT;
    await scene.run(status);
    expect(scene.simulation.time).toBeLessThan(1000);
  });

  test("fail when they are cancelled, with the reason", async () => {
    const scene = new Scene();
    await scene.open();
    const status = scene.client.run("status");
    scene.client.cancel(new Error("enough"));
    await expect(status).rejects.toThrow("enough");
  });
});

describe("lines", () => {
  test("that are lost are counted; a hello begins anew", () => {
    const { client, heard } = new Scene();
    const say = (n: number, type = "x"): void => client.receive(sealLine(n, { type }));
    for (const n of [7, 8, 11, 11, 9]) say(n);
    expect([client.lost, heard.map(({ n }) => n)]).toEqual([2, [7, 8, 11]]);
    say(0, "hello");
    for (const n of [1, 3]) say(n);
    expect(client.lost).toBe(3);
  });

  test("that are text are told as text; damaged ones are passed over", () => {
    const { client, heard, texts } = new Scene();
    for (const line of ["step    0/1000: loss = 3.2986", "", "{", '{"n":1,"type":"x","crc":"00000000"}', "ets Jun  8"])
      client.receive(line);
    expect([heard, texts]).toEqual([[], ["step    0/1000: loss = 3.2986", "{", "ets Jun  8"]]);
  });

  test("of a device that was restarted are heard, though its hello was lost", async () => {
    const scene = new Scene();
    await scene.open();
    for (let i = 0; i < 20; i++) await scene.run(scene.client.run("status"));
    scene.device.restart();
    scene.drops = firstWith('"hello"');
    expect(await scene.open()).toMatchObject({ type: "hello" });
  });

  test("of another version are told so", async () => {
    await expect(new Scene(1, { protocol: 2 }).open()).rejects.toThrow(/uses version 2 of .* this program version 1/);
    await expect(new Scene(1, { protocol: undefined }).open()).rejects.toThrow(/does not answer/);
  });
});

describe("a checkpoint", () => {
  test.each([1, 191, 192, 193, 768, 769, 50_000])("of %i bytes comes and goes as it is", async (size) => {
    const scene = new Scene();
    await scene.open();
    scene.device.file = fileOf(size);
    const fetched: number[] = [];
    expect(await scene.run(scene.client.fetch((done) => fetched.push(done)))).toEqual(fileOf(size));
    expect(fetched.at(-1)).toBe(size);
    const other = fileOf(size).reverse();
    const sent: number[] = [];
    await scene.run(scene.client.send(other, (done) => sent.push(done)));
    expect(scene.device.file).toEqual(other);
    expect(sent.at(-1)).toBe(size);
    expect(sent).toEqual(sent.toSorted((a, b) => a - b));
  });

  test("has at most eight lines under way, and no line twice where none is lost", async () => {
    const scene = new Scene();
    await scene.open();
    await scene.run(scene.client.send(fileOf(6000), nothing));
    expect(scene.sent).toHaveLength(1 + 1 + 100 + 1);
  });

  test("of which a line is lost is sent from there on, after what was under way", async () => {
    for (const lost of ["data 600 ", "data 5940 ", '"next":660']) {
      const scene = new Scene();
      await scene.open();
      scene.drops = firstWith(lost);
      await scene.run(scene.client.send(fileOf(6000), nothing));
      expect(scene.device.file).toEqual(fileOf(6000));
      expect(scene.sent.length).toBeLessThanOrEqual(1 + 1 + 100 + 1 + 9);
    }
  });

  test("is given up with a sentence where the device steps back: it waits for another file by then", async () => {
    const scene = new Scene();
    await scene.open();
    const work = scene.client.send(fileOf(6000), nothing);
    scene.simulation.after(60, () => scene.device.receive("receive 6000"));
    await expect(scene.run(work)).rejects.toThrow(/^The board has begun to receive another file/);
  });

  test.each([0, 192, 576, 768, 8832])(
    "of which the chunk at %i is lost is fetched with one more question",
    async (at) => {
      const scene = new Scene();
      await scene.open();
      scene.device.file = fileOf(9000);
      scene.drops = firstWith(`"at":${at},`);
      expect(await scene.run(scene.client.fetch(nothing))).toEqual(fileOf(9000));
      const questions = scene.device.done.filter((line) => line.startsWith("chunk"));
      expect(questions.length).toBeLessThanOrEqual(Math.ceil(9000 / 768) + 1);
    },
  );

  test("of which chunks come twice, or others than were asked for, is the right one", async () => {
    const scene = new Scene();
    await scene.open();
    scene.device.file = fileOf(9000);
    const work = scene.client.fetch(nothing);
    const data = Buffer.from(fileOf(9000).subarray(0, 192)).toString("base64");
    scene.simulation.after(40, () => {
      for (const at of [0, 0, 1, -192, 8832, 9024, 1e300, "0", null])
        scene.device.emit("chunk", { at, size: 9000, data });
      scene.device.emit("chunk", { at: 192, size: 9000, data: "!" });
      scene.device.emit("chunk", { at: 384, size: 9000.5, data });
    });
    expect(await scene.run(work)).toEqual(fileOf(9000));
  });

  test("that changes while it is fetched is no checkpoint", async () => {
    const scene = new Scene();
    await scene.open();
    scene.device.file = fileOf(9000);
    const work = scene.client.fetch(nothing);
    scene.simulation.after(40, () => (scene.device.file = fileOf(9100)));
    await expect(scene.run(work)).rejects.toThrow("changed during the fetch");
  });

  test("that the device refuses is told with its sentence, and it keeps what it has", async () => {
    const scene = new Scene(1, { refuses: () => "It is no checkpoint." });
    await scene.open();
    await expect(scene.run(scene.client.send(fileOf(100), nothing))).rejects.toThrow("It is no checkpoint.");
    expect(scene.device.file).toEqual(fileOf(1000));
  });

  test("is one at a time", async () => {
    const scene = new Scene();
    await scene.open();
    const fetching = scene.client.fetch(nothing);
    await expect(scene.client.send(fileOf(1), nothing)).rejects.toThrow("is being transferred");
    await scene.run(fetching);
    await scene.run(scene.client.send(fileOf(1), nothing));
  });

  test.each(["fetch", "send"])(
    "that is cancelled during %s fails with the reason, and the device is told",
    async (how) => {
      const scene = new Scene();
      await scene.open();
      scene.device.file = fileOf(9000);
      const work: Promise<unknown> =
        how === "fetch" ? scene.client.fetch(nothing) : scene.client.send(fileOf(9000), nothing);
      scene.simulation.after(100, () => scene.client.cancel(new Error("enough")));
      await expect(scene.run(work)).rejects.toThrow("enough");
      await scene.run(scene.client.run("status"));
      expect(scene.device.done.slice(-2)).toEqual([how === "fetch" ? "fetched" : "cancel", "status"]);
      expect(scene.device.file).toEqual(fileOf(9000));
    },
  );

  test("of a device that restarts meanwhile ends with a sentence", async () => {
    for (const how of ["fetch", "send"] as const) {
      const scene = new Scene();
      await scene.open();
      scene.device.file = fileOf(9000);
      const work: Promise<unknown> =
        how === "fetch" ? scene.client.fetch(nothing) : scene.client.send(fileOf(9000), nothing);
      scene.simulation.after(30, () => scene.device.restart());
      await expect(scene.run(work)).rejects.toThrow(InputError);
    }
  });

  test("of a size that no board has is not even begun", async () => {
    const scene = new Scene();
    await scene.open();
    const work = scene.client.fetch(nothing);
    scene.simulation.after(6, () => scene.device.emit("chunk", { at: 0, size: 2 ** 40, data: "" }));
    await expect(scene.run(work)).rejects.toThrow("too large for a checkpoint");
  });
});

describe("commands on a bad line", () => {
  /** How often the second command is sent if none arrives and so many follow it. */
  async function repeats(others: number): Promise<number> {
    const scene = new Scene();
    await scene.open();
    scene.quality = { ...PERFECT, lost: 1 };
    const all = Array.from({ length: 1 + others }, () => scene.client.run("status").catch(nothing));
    await scene.run(Promise.all(all));
    return scene.sent.filter((line) => line === scene.sent[1]).length;
  }

  test("are sent again as long as the device remembers their number", async () => {
    expect(await repeats(7)).toBe(6);
    expect(await repeats(8)).toBe(1);
  });

  test("give up opening a device that talks all the time, and does not hear", async () => {
    const scene = new Scene();
    await scene.open();
    scene.chatter();
    scene.drops = (line) => line.startsWith("@");
    await expect(scene.open()).rejects.toThrow(InputError);
    expect(scene.simulation.time).toBeLessThan(60_000);
  });

  test("leave no timer behind", async () => {
    const timers = new Set<() => void>();
    const link: Link = {
      send: () => undefined,
      now: () => 0,
      after: (_, call) => {
        timers.add(call);
        return () => timers.delete(call);
      },
    };
    const commands = new Commands(link, 7);
    const status = commands.run("status");
    expect(timers.size).toBe(1);
    commands.acknowledged({ n: 1, type: "ack", id: 7, ok: true });
    await status;
    for (const call of [...timers]) {
      timers.delete(call);
      call();
    }
    expect(timers.size).toBe(0);
  });

  test("are acknowledged by nothing but their own, sound acknowledgement", async () => {
    const scene = new Scene();
    await scene.open();
    const status = scene.client.run("status");
    for (const ack of [{ id: 3, ok: true }, { id: "2", ok: true }, { id: 2, ok: 1 }, { id: 2 }])
      scene.device.emit("ack", ack);
    scene.device.emit("ack", { id: 2, ok: true, error: 5, next: -1 });
    expect(await scene.run(status)).toEqual({ ok: true });
  });

  test("show no control character of a version that a board claims", async () => {
    const scene = new Scene(1, { protocol: "\x1b[2J" as unknown as number });
    const message = await scene.open().then(String, String);
    expect(message).toContain("[2J");
    expect(message).not.toContain("\x1b");
  });
});

describe("a file that is fetched", () => {
  test("is asked for once, from front to back", async () => {
    const scene = new Scene();
    await scene.open();
    scene.device.file = fileOf(20_000);
    expect(await scene.run(scene.client.fetch(nothing))).toEqual(fileOf(20_000));
    const asked = scene.device.done.filter((line) => line.startsWith("chunk"));
    const last = Math.floor(20_000 / 768);
    expect(asked).toEqual(Array.from({ length: last + 1 }, (_, i) => `chunk ${i * 768} ${i < last ? 4 : 1}`));
  });

  test("survives a question that is damaged, but not a line that damages all", async () => {
    const scene = new Scene();
    await scene.open();
    scene.device.file = fileOf(9000);
    const work = scene.client.fetch(nothing);
    scene.simulation.after(30, () => scene.device.emit("damaged"));
    expect(await scene.run(work)).toEqual(fileOf(9000));
    const other = scene.client.fetch(nothing);
    scene.simulation.after(30, () => (scene.drops = (line) => line.includes('"chunk"')));
    await expect(scene.run(other)).rejects.toThrow(InputError);
    const questions = scene.sent.length;
    await scene.run(scene.client.run("status"));
    expect(scene.sent).toHaveLength(questions + 1);
  });

  test("is given up when acknowledgements come without chunks", async () => {
    const scene = new Scene();
    await scene.open();
    scene.drops = (line) => line.includes('"chunk"');
    await expect(scene.run(scene.client.fetch(nothing))).rejects.toThrow(InputError);
    expect(scene.device.done.filter((line) => line.startsWith("chunk"))).toHaveLength(21);
  });
});

describe("a file that is sent", () => {
  test("is given up when each of its lines is lost behind the device", async () => {
    const scene = new Scene();
    await scene.open();
    const begin = scene.simulation.time;
    const work = scene.client.send(fileOf(6000), nothing);
    scene.simulation.after(30, () => (scene.drops = (line) => line.startsWith("@")));
    await expect(scene.run(work)).rejects.toThrow(InputError);
    expect(scene.simulation.time - begin).toBeGreaterThanOrEqual(12_000);
    expect(scene.simulation.time - begin).toBeLessThan(14_000);
  });

  test("is given up when the device takes none of its lines, though it acknowledges them", async () => {
    const scene = new Scene();
    await scene.open();
    const work = scene.client.send(fileOf(600), nothing);
    scene.drops = (line) => line.includes(" data 60 ");
    await expect(scene.run(work)).rejects.toThrow(InputError);
    expect(scene.sent.length).toBeLessThan(1300);
  });
});
