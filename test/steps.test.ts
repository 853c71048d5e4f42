import type { Event } from "../src/protocol/events";
import { TestDevice, ALL_LETTERS, underWay } from "./support/test-device";

/* Steps that are asked for one by one, and who listens in the same program. */

const PAUSED = /^Paused: Step 0 of/;

async function paused(settings = {}): Promise<TestDevice> {
  const device = new TestDevice({ steps: 500, save_every: 0, log_every: 1000, ...settings }, undefined, ALL_LETTERS);
  device.device.pause();
  await device.live();
  device.take();
  return device;
}

test("a device that was paused at its beginning waits with fresh weights", async () => {
  const device = new TestDevice({}, undefined, ALL_LETTERS);
  device.device.pause();
  await device.live();
  expect([device.device.state, device.device.trainer.stepsDone]).toEqual(["paused", 0]);
  expect(device.take()).not.toMatch(PAUSED);
});

test.each([{}, { batch_size: 3 }, { holdout: 30, log_every: 1 }])(
  "step does one, step 7 seven: %j",
  async (settings) => {
    const device = await paused(settings);
    expect(await device.answer("step")).toMatch(/Step 1 of 500, loss \d\.\d{4}; paused\.\n$/);
    expect(await device.answer("step 7")).toMatch(/Step 8 of 500, loss \d\.\d{4}; paused\.\n$/);
    const straight = new TestDevice(
      { steps: 500, save_every: 0, log_every: 1000, ...settings },
      undefined,
      ALL_LETTERS,
    );
    void straight.device.step(8);
    await straight.live();
    expect(straight.state).toBe(device.state);
  },
);

test("the last steps end the training as ever", async () => {
  const device = await paused({ steps: 3 });
  expect(await device.answer("step 10")).toMatch(/=== Done ===\n/);
  expect(await device.answer("step")).toBe("The training is over: train N adds N steps.\n");
});

test("steps asked for while it trains are its last for now", async () => {
  const device = await underWay();
  const { trainer } = device.device;
  const before = trainer.stepsDone;
  device.type("step 5\n");
  await device.live();
  expect(device.device.state).toBe("paused");
  expect(trainer.stepsDone).toBeGreaterThanOrEqual(before + 5);
  expect(trainer.stepsDone).toBeLessThanOrEqual(before + 6);
});

test("other commands come between; pause and train end them", async () => {
  const device = await underWay();
  const { trainer } = device.device;
  const before = trainer.stepsDone;
  device.type("step 200\n");
  await device.live(3);
  device.type("save\n");
  await device.live();
  expect(trainer.stepsDone).toBeGreaterThanOrEqual(before + 200);
  expect(device.device.state).toBe("paused");
  device.take();
  device.type("step 400\n");
  await device.live(3);
  expect(await device.answer("pause")).toMatch(/^Paused: Step \d+ of 5000.*\nStep \d+ of 5000, .*; paused\.\n/);
  device.type("step 400\n");
  await device.live(3);
  await device.answer("resume");
  expect(device.device.state).toBe("idle");
});

test("a training that goes step by step is saved as often as one that runs", async () => {
  const device = await paused({ save_every: 1 });
  let saves = 0;
  let lastSaved: Uint8Array | undefined;
  for (let i = 0; i < 40; i++) {
    for (let looks = 0; looks < 10; looks++) device.platform.now();
    await device.answer("step");
    const saved = device.storage?.files.get("checkpoint.safetensors");
    if (saved !== lastSaved) saves++;
    lastSaved = saved;
  }
  expect(device.device.trainer.stepsDone).toBe(40);
  expect(saves).toBeGreaterThan(2);
  expect(saves).toBeLessThan(20);
});

test("a training takes as long as it trains, however long it is paused", async () => {
  const device = await paused({ steps: 20 });
  let told = "";
  device.type("set log json\n");
  for (let i = 0; i < 1000; i++) device.platform.now();
  device.type("resume\n");
  await device.live();
  told += device.take();
  const { milliseconds } = JSON.parse(/^.*"type":"trained".*$/m.exec(told)?.[0] ?? "{}") as { milliseconds?: number };
  // A look at the clock takes 10 milliseconds.
  expect(milliseconds).toBeGreaterThan(20 * 10);
  expect(milliseconds).toBeLessThan(100 * 10);
});

test.each(["step 0", "step x", "step 1 2", "step -1"])("%s is refused", async (line) => {
  const device = await paused();
  expect(await device.answer(line)).toMatch(/^[A-Z].*\.\n$/);
  expect(device.device.trainer.stepsDone).toBe(0);
});

test("who listens in the same program is not sent to a console", async () => {
  const said: string[] = [];
  const onEvent = (event: Event): void => {
    if (event.type === "answer") said.push(event.text);
    if (event.type === "error") said.push(event.message);
  };
  const first = new TestDevice({}, undefined, { ...ALL_LETTERS, onEvent });
  await first.live();
  await new TestDevice({}, first.storage, { ...ALL_LETTERS, onEvent }).live();
  await new TestDevice({ learning_rate: 10, steps: 1000 }, undefined, { ...ALL_LETTERS, onEvent }).live();
  expect(said).toEqual([
    "It is trained already, 20 steps.",
    expect.stringMatching(/^Training has diverged: .* Try a learning rate below 10 \(it was \S+ there\)\.$/),
  ]);
});

test("who listens in the same program hears every step, and all that is said", async () => {
  const steps: number[] = [];
  const types = new Set<Event["type"]>();
  const onEvent = (event: Event): void => {
    types.add(event.type);
    if (event.type === "step") steps.push(event.step);
  };
  const device = new TestDevice({ steps: 20 }, undefined, { ...ALL_LETTERS, onEvent });
  await device.live();
  expect(steps).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect([...types]).toEqual(expect.arrayContaining(["start", "state", "step", "trained", "saved", "name", "done"]));
  expect(device.take().match(/^step /gm)).toHaveLength(5);
});
