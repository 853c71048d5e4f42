import { ASIDE, STORED } from "../src/device/checkpoint-files";
import { encodeBase64 } from "../src/protocol/base64";
import { DATA_BYTES } from "../src/protocol/lines";
import { rewritten } from "./support/altered-checkpoints";
import { fuzzRandom, fuzzRuns, mutated } from "./support/fuzz";
import { MemoryStorage } from "./support/memory-storage";
import { TestDevice } from "./support/test-device";

/* Altered checkpoints that a device finds when it starts, goes back to, or gets over the cable. See fuzz.ts. */

const SETTINGS = { n_layer: 2, n_embd: 2, n_head: 2, block_size: 3, steps: 3, samples: 0, save_every: 0 };
const REFUSED =
  / is not a sound safetensors file| cannot be used| holds a model with|was trained on another dataset|is of a build with|but no training state|not in the model's vocabulary|of your words|too long|at least one character|There is no room/;

function start(storage: MemoryStorage): TestDevice {
  return new TestDevice(SETTINGS, storage, { names: ["al", "bo"] });
}

/** Sends a checkpoint as PROTOCOL.md has it, and returns what the device says to it in the end. */
async function send(device: TestDevice, bytes: Uint8Array): Promise<string> {
  await device.answer(`receive ${bytes.length}`);
  for (let at = 0; at < bytes.length; at += DATA_BYTES)
    device.type(`data ${at} ${encodeBase64(bytes.subarray(at, at + DATA_BYTES))}\n`);
  return device.answer("received");
}

function checkFinite(device: TestDevice): void {
  const { model, adam } = device.device.trainer;
  for (const floats of [model.parameters, adam.m, adam.v])
    if (!floats.every(Number.isFinite)) throw new Error("A number is not finite.");
}

test("each is taken, or refused with a sentence, and then nothing is changed", async () => {
  const random = fuzzRandom();
  const first = start(new MemoryStorage());
  await first.live();
  const fresh = first.state;
  const sound = first.storage?.file(STORED) ?? new Uint8Array(0);
  const count = { started: 0, afresh: 0, loaded: 0, notLoaded: 0, received: 0, notReceived: 0 };
  for (let run = 0; run < fuzzRuns(500); run++) {
    const altered = run % 2 === 0 ? rewritten(random, sound) : mutated(random, sound);
    if (altered.length === 0) continue;

    const storage = new MemoryStorage({ [STORED]: altered });
    const device = start(storage);
    await device.live();
    const beginning = device.take();
    if (storage.files.has(ASIDE[0])) {
      expect(beginning).toMatch(/^[^\n]*It is kept as unused-1\.safetensors\. Training starts afresh\.\n===/);
      expect(beginning.split("\n")[0]).toMatch(REFUSED);
      // What is sound of its own words is taken over on purpose: here their share.
      device.device.trainer.dataset.own = undefined;
      if (storage.file(ASIDE[0]) !== altered || device.state !== fresh) throw new Error("It has changed something.");
      count.afresh++;
    } else {
      expect(beginning).toMatch(/Going on with step|Training for|trained already/);
      count.started++;
    }
    checkFinite(device);

    storage.files.set(STORED, sound);
    expect(await device.answer("load")).toMatch(/^Loaded: /);
    const before = device.state;
    storage.files.set(STORED, altered);
    const loading = await device.answer("load");
    if (/^Loaded: /m.test(loading)) count.loaded++;
    else {
      expect(loading).toMatch(REFUSED);
      if (device.state !== before) throw new Error(`It was not loaded, and has changed something: ${loading}`);
      count.notLoaded++;
    }
    checkFinite(device);

    storage.files.set(STORED, sound);
    await device.answer("load");
    const receiving = await send(device, altered);
    if (REFUSED.test(receiving)) {
      if (device.state !== before || storage.file(STORED) !== sound) throw new Error("It has changed something.");
      count.notReceived++;
    } else {
      if (storage.file(STORED) === sound) throw new Error(`It was not stored: ${receiving}`);
      count.received++;
    }
    checkFinite(device);
    for (const line of ["generate 2", "eval", "words"]) await device.answer(line);
    if (storage.openFiles !== 0) throw new Error("A file is still open.");
  }
  console.info(JSON.stringify(count));
  for (const times of Object.values(count)) expect(times).toBeGreaterThan(fuzzRuns(500) / 100);
}, 1_800_000);
