import { InputError } from "../src/gpt/base/errors";
import { checkSettings, readSettings } from "../src/device/settings";
import { STORED } from "../src/device/checkpoint-files";
import { MemoryStorage } from "./support/memory-storage";
import { underWay } from "./support/test-device";

/* Settings that are changed while a device trains count from then on. */

/** The steps of the lines that the log has. */
function stepsIn(text: string): number[] {
  return Array.from(text.matchAll(/^step +(\d+)\//gm), ([, step]) => Number(step));
}

test("log_every", async () => {
  const device = await underWay({ log_every: 1_000_000 });
  device.type("set log_every 7\n");
  await device.live(20);
  const steps = stepsIn(device.take());
  expect(steps.length).toBeGreaterThan(2);
  expect(steps.map((step) => step % 7)).toEqual(steps.map(() => 0));
  device.type("set log_every 5000\n");
  await device.live(3);
  device.take();
  await device.live(20);
  expect(stepsIn(device.take())).toEqual([]);
});

test("save_every: the next save comes when it is due, not when the former setting had it", async () => {
  const storage = new MemoryStorage();
  const device = await underWay({ save_every: 10_000 }, storage);
  await device.live(50);
  expect(storage.files.has(STORED)).toBe(false);
  device.type("set save_every 1\n");
  await device.live(150);
  expect(storage.files.has(STORED)).toBe(true);
});

test("train goes on with a training that is paused, and pause keeps it where it is", async () => {
  const device = await underWay();
  await device.answer("pause", 5);
  const { stepsDone } = device.device.trainer;
  await device.live(20);
  expect(device.device.trainer.stepsDone).toBe(stepsDone);
  expect(await device.answer("train", 10)).not.toContain("pause first");
  expect(device.device.trainer.stepsDone).toBeGreaterThan(stepsDone);
});

test("a build's text has at most 60 characters, and its switches are on or off", () => {
  expect(() => checkSettings({ version: "x".repeat(60) })).not.toThrow();
  expect(() => checkSettings({ version: "x".repeat(61) })).toThrow(InputError);
  expect(readSettings({ relative_bias: "on" }).model.relativeBias).toBe(true);
  expect(readSettings({ relative_bias: "off" }).model.relativeBias).toBe(false);
  expect(() => checkSettings({ relative_bias: "maybe" })).toThrow(InputError);
});
