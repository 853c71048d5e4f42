import { STORED } from "../../src/device/checkpoint-files";
import { InputError } from "../../src/gpt/base/errors";
import { encodeBase64 } from "../../src/protocol/base64";
import type { Progress } from "../../src/client/fetching";
import { tagCommand } from "../../src/protocol/lines";
import { DeviceScene } from "../support/device-scene";
import { finished } from "../support/test-device";

/* What PROTOCOL.md promises with a number. */

const LONG = { n_embd: 4, n_head: 1, steps: 10_000, save_every: 1, samples: 0, log_every: 1000 };

async function opened(): Promise<DeviceScene> {
  const scene = new DeviceScene(1, LONG);
  await scene.live(500);
  await scene.open();
  return scene;
}

/** What a command is refused with. */
async function refusalOf(scene: DeviceScene, command: string): Promise<string> {
  try {
    await scene.run(scene.client.run(command));
  } catch (error) {
    if (error instanceof InputError) return error.message;
    throw error;
  }
  return "";
}

test("the last eight tagged commands are remembered, and no more", async () => {
  const device = await finished();
  await device.answer("set log json");
  const answerTo = async (id: number): Promise<unknown[]> => {
    device.type(`${tagCommand(id, "version")}\n`);
    await device.live();
    return device.takeLines().map((line) => (line.type === "ack" ? line.id : line.type));
  };
  for (let id = 1; id <= 9; id++) expect(await answerTo(id)).toEqual(["answer", id]);
  for (let id = 2; id <= 9; id++) expect(await answerTo(id)).toEqual([id]);
  // Another command may have this number by now.
  expect(await answerTo(1)).toEqual(["answer", 1]);
});

test("a fetch lasts 30 seconds without chunk: until then nothing is saved, afterwards it is forgotten", async () => {
  const scene = await opened();
  await scene.run(scene.client.run("fetch"));
  const fetched = scene.storage.file(STORED);
  for (let i = 0; i < 2; i++) {
    await scene.live(29_700);
    expect(await refusalOf(scene, "chunk 0 1")).toBe("");
    expect(scene.storage.file(STORED)).toBe(fetched);
  }
  await scene.live(30_000);
  expect(await refusalOf(scene, "chunk 0 1")).toMatch(/^Nothing is being fetched/);
  await scene.live(2000);
  expect(scene.storage.file(STORED)).not.toBe(fetched);
});

test("a checkpoint that is sent is forgotten 30 seconds after the last data", async () => {
  const scene = await opened();
  const data = (at: number): string => `data ${at} ${encodeBase64(new Uint8Array(3))}`;
  await scene.run(scene.client.run("receive 1000"));
  for (const at of [0, 3]) {
    await scene.live(29_700);
    expect(await refusalOf(scene, data(at))).toBe("");
  }
  await scene.live(30_000);
  expect(await refusalOf(scene, data(6))).toMatch(/^Nothing is being received/);
  // A save may be under way, which is short.
  for (let i = 0; i < 10 && scene.storage.openFiles > 0; i++) await scene.live(500);
  expect(scene.storage.openFiles).toBe(0);
});

describe("behind a command that takes minutes", () => {
  /** A device that measures for longer than a client has patience with what is silent, and than a transfer lasts. */
  async function busy(): Promise<{ readonly scene: DeviceScene; readonly work: Promise<unknown> }> {
    const scene = await opened();
    await scene.run(scene.client.run("pause"));
    await scene.run(scene.client.run("save"));
    return { scene, work: scene.client.run("step 3000") };
  }

  test("another one, which is short by itself, is carried out once", async () => {
    const { scene, work } = await busy();
    const added = scene.client.run("add anna");
    await scene.run(work);
    expect(scene.simulation.time).toBeGreaterThan(60_000);
    await scene.run(added);
    expect(scene.device.device.trainer.dataset.own?.text).toBe("anna\n");
  });

  test("a checkpoint is fetched", async () => {
    const { scene, work } = await busy();
    const fetched = scene.client.fetch(() => undefined);
    await scene.run(work);
    expect(await scene.run(fetched)).toEqual(scene.storage.file(STORED));
  });

  test("a checkpoint is sent", async () => {
    const { scene, work } = await busy();
    const sent = scene.client.send(scene.storage.file(STORED), () => undefined);
    await scene.run(work);
    await scene.run(sent);
    expect(scene.storage.openFiles).toBe(0);
  });
});

describe("a transfer that the device has forgotten is told so to the program that carries it:", () => {
  /** What a transfer ends with when this is typed in its middle. */
  async function endOf(
    begin: (scene: DeviceScene, progress: Progress) => Promise<unknown>,
    line: string,
  ): Promise<string> {
    const scene = await opened();
    await scene.run(scene.client.run("pause"));
    await scene.run(scene.client.run("save"));
    let isTyped = false;
    const work = begin(scene, (done, total) => {
      if (isTyped || done < total / 2) return;
      isTyped = true;
      scene.client.run(line).catch(() => undefined);
    });
    return scene.run(work.then(() => "done", String));
  }

  const sending = ({ client, storage }: DeviceScene, progress: Progress): Promise<unknown> =>
    client.send(storage.file(STORED), progress);
  const fetching = ({ client }: DeviceScene, progress: Progress): Promise<unknown> => client.fetch(progress);

  test.each([
    ["receive 100000", "InputError: The board has begun to receive another file: send this one again."],
    ["cancel", "InputError: Nothing is being received: it was not started or has timed out; send it again."],
  ])("%s", async (line, sentence) => expect(await endOf(sending, line)).toBe(sentence));

  test.each(["fetch", "fetched"])("%s", async (line) =>
    expect(await endOf(fetching, line)).toBe(
      "InputError: Nothing is being fetched: it was not started or has timed out; fetch it again.",
    ),
  );
});
