import { SETTINGS_FILE } from "../src/device/stored-settings";
import { utf8 } from "./helpers";
import { fuzzRandom, fuzzRuns, mutated } from "./support/fuzz";
import { MemoryStorage, PowerCut } from "./support/memory-storage";
import { ALL_LETTERS, finished, TestDevice } from "./support/test-device";

/* Settings that are changed at the console, and what becomes of them when the power goes or the firmware is another. */

/** A device that finds the files of another; what it says first. */
async function rebooted(device: TestDevice, settings = {}): Promise<{ device: TestDevice; said: string }> {
  const again = new TestDevice(settings, device.storage?.reboot(), ALL_LETTERS);
  await again.live();
  return { device: again, said: again.take() };
}

test("what is set holds after the power was off, and set shows what is not the build's", async () => {
  const device = await finished();
  expect(await device.answer("set temperature 1.5")).toBe("temperature 1.5\n");
  expect(await device.answer("set log_every 7")).toBe("log_every 7\n");
  expect(await device.answer("set save_every 0.25")).toBe("save_every 0.25\n");
  expect(await device.answer("set own_share 0.1")).toBe("own_share 0.1\n");
  expect(await device.answer("set top_p 0.9")).toBe("top_p 0.9\n");
  const again = await rebooted(device);
  expect(await again.device.answer("set")).toBe(
    "log text\nlog_every 7\nsave_every 0.25\ntemperature 1.5\ntop_k 0\ntop_p 0.9\nown_share 0.1\n" +
      "The build has log_every 5, save_every 30, temperature 0.8, top_p 1, own_share 0.5: restore with set KEY default.\n",
  );
  expect(await again.device.answer("train 15")).toMatch(/step {4}7\/15[^]*temperature=1\.5, top-p=0\.9/);
});

test("set KEY default goes back to the build's, for ever", async () => {
  const device = await finished();
  for (const line of ["set temperature 1.5", "set log_every 7", "set own_share 0.1"]) await device.answer(line);
  expect(await device.answer("set temperature default")).toBe("temperature 0.8\n");
  expect(await device.answer("set log_every 5")).toBe("log_every 5\n");
  expect(await device.answer("set own_share default")).toBe("own_share 0.5\n");
  for (const settings of [{}, { temperature: 0.3, log_every: 9 }]) {
    const again = await rebooted(device, settings);
    expect(again.said).not.toMatch(/was set to/);
    expect(await again.device.answer("set")).not.toMatch(/The build has/);
  }
});

test("a firmware that was built with another value wins, and says so once", async () => {
  const device = await finished();
  for (const line of ["set temperature 1.5", "set log_every 7"]) await device.answer(line);
  const again = await rebooted(device, { temperature: 0.3 });
  expect(again.said).toMatch(/^temperature was set to 1\.5 and is 0\.3 now, the value of this build\.\n===/);
  expect(await again.device.answer("set")).toMatch(/log_every 7\n[^]*temperature 0\.3\n[^]*The build has log_every 5:/);
  const third = await rebooted(again.device, { temperature: 0.3 });
  expect(third.said).toMatch(/^===/);
  expect(await third.device.answer("set")).toMatch(/log_every 7\n/);
  expect(await (await rebooted(third.device)).device.answer("set")).toMatch(/temperature 0\.8\n/);
});

test("a value that could not be stored is stored when it is set again", async () => {
  for (const value of ["2", "default"]) {
    const device = await finished();
    if (value === "default") await device.answer("set temperature 1.5");
    if (device.storage) device.storage.isReadOnly = true;
    expect(await device.answer(`set temperature ${value}`)).toMatch(/until power-off/);
    if (device.storage) device.storage.isReadOnly = false;
    const said = await device.answer(`set temperature ${value}`);
    expect(said).not.toMatch(/until/);
    expect(await (await rebooted(device)).device.answer("set")).toContain(said);
  }
});

test("a value that cannot be stored holds until the power is off, and that is said", async () => {
  const device = await finished();
  if (device.storage) device.storage.isReadOnly = true;
  expect(await device.answer("set temperature 2")).toMatch(
    /^temperature is 2 until power-off\. Cannot write settings\.txt: .*\n$/,
  );
  expect(await device.answer("set")).toMatch(/temperature 2\n/);
  expect(device.storage?.openFiles).toBe(0);
  const none = new TestDevice({}, null as unknown as undefined, ALL_LETTERS);
  await none.live();
  expect(await none.answer("set temperature 2")).toBe("temperature 2\n");
});

test("the power that goes while it is stored leaves the old or the new", async () => {
  let cuts = 0;
  for (let isCut = true; isCut; cuts++) {
    isCut = false;
    for (const cutAfter of [0, 0.5, 1]) {
      const storage = new MemoryStorage();
      const device = await finished({}, storage);
      await device.answer("set temperature 1.5");
      storage.cutAt = storage.operations + cuts;
      storage.cutAfter = cutAfter;
      try {
        await device.answer("set temperature 0.25");
      } catch (error) {
        if (!(error instanceof PowerCut)) throw error;
        isCut = true;
      }
      const again = await rebooted(device);
      expect(again.said).toMatch(/^===/);
      expect(await again.device.answer("set")).toMatch(/^temperature (?:1\.5|0\.25)$/m);
    }
  }
  expect(cuts).toBeGreaterThan(1);
});

test("a file that is damaged, hostile or of something else holds nothing up: that is said, and set mends it", async () => {
  const random = fuzzRandom();
  const device = await finished();
  for (const line of ["set temperature 1.5", "set log_every 7", "set save_every 9"]) await device.answer(line);
  const sound = device.storage?.file(SETTINGS_FILE) ?? new Uint8Array(0);
  const made = [
    ...["[".repeat(1 << 20), '{"temperature":'.repeat(30), "temperature 1 0.8\n", "\0".repeat(512), "\n", "00000000\n"],
    ...["temperature NaN 0.8", "__proto__ 1 1", "temperature -1 0.8", "log_every 0.5 5", "temperature 1e999 0.8"],
  ].map(utf8);
  let refused = 0;
  for (let run = 0; run < fuzzRuns(200); run++) {
    const bytes = run < made.length ? made[run] : mutated(random, sound);
    const storage = new MemoryStorage({ [SETTINGS_FILE]: bytes });
    const again = new TestDevice({ steps: 1, n_embd: 4 }, storage, ALL_LETTERS);
    await again.live();
    const said = again.take();
    const isRefused = said.startsWith("settings.txt is ignored, as ");
    if (isRefused) refused++;
    expect(said).toMatch(/=== Done ===\n$/);
    const values = await again.answer("set");
    if (isRefused) expect(values).not.toMatch(/The build has/);
    expect(await again.answer("set temperature 3")).toBe("temperature 3\n");
    expect(storage.openFiles).toBe(0);
    expect((await rebooted(again, { steps: 1, n_embd: 4 })).said).not.toMatch(/settings/);
  }
  expect(refused).toBeGreaterThan(fuzzRuns(200) / 2);
}, 600_000);
