import { InputError } from "../src/gpt/base/errors";
import { Runner, type Task } from "../src/gpt/base/runner";

/** An event loop that a test turns by hand; looking at the clock takes `tick` milliseconds. */
class Loop {
  tick = 0;
  turns = 0;
  private readonly waiting: (() => void)[] = [];
  private milliseconds = 0;

  now(): number {
    return (this.milliseconds += this.tick);
  }

  schedule(slice: () => void): void {
    this.waiting.push(slice);
  }

  turn(): void {
    this.turns++;
    for (const slice of this.waiting.splice(0)) slice();
  }
}

/** So many bits, and how many are done. */
class Counting implements Task {
  done = 0;
  constructor(
    private readonly bits: number,
    readonly mustFinish = false,
  ) {}

  work(): boolean {
    return ++this.done < this.bits;
  }
}

test("a task runs to its end, in slices of 50 ms", async () => {
  const loop = new Loop();
  loop.tick = 10;
  const runner = new Runner(loop);
  const task = new Counting(12);
  const ending = runner.run(task);
  loop.turn();
  expect(task.done).toBe(5);
  loop.turn();
  loop.turn();
  expect(await ending).toBe("done");
  expect(task.done).toBe(12);
});

test("two tasks take turns, a bit each", async () => {
  const loop = new Loop();
  loop.tick = 10;
  const runner = new Runner(loop);
  const [one, two] = [new Counting(4), new Counting(100)];
  const ending = runner.run(one);
  void runner.run(two);
  loop.turn();
  expect(Math.abs(one.done - two.done)).toBeLessThanOrEqual(1);
  loop.turn();
  expect(await ending).toBe("done");
});

test("two tasks take turns when each bit takes a slice of its own", () => {
  const loop = new Loop();
  loop.tick = 60;
  const runner = new Runner(loop);
  const [one, two] = [new Counting(100), new Counting(100)];
  void runner.run(one);
  void runner.run(two);
  for (let i = 0; i < 10; i++) loop.turn();
  expect([one.done, two.done]).toEqual([5, 5]);
});

test("what a task throws ends that task and no other", async () => {
  const loop = new Loop();
  const runner = new Runner(loop);
  const other = new Counting(3);
  const failing = runner.run({
    work(): boolean {
      throw new InputError("no good");
    },
  });
  const ending = runner.run(other);
  loop.turn();
  loop.turn();
  await expect(failing).rejects.toThrow("no good");
  expect(await ending).toBe("done");
});

test("stop ends tasks after the bit under way, lets a save finish, and begins nothing new", async () => {
  const loop = new Loop();
  loop.tick = 50;
  const runner = new Runner(loop);
  const [training, saving] = [new Counting(100), new Counting(3, true)];
  const endings = [runner.run(training), runner.run(saving)];
  loop.turn();
  loop.turn();
  runner.stop();
  const late = new Counting(5);
  expect(await runner.run(late)).toBe("stopped");
  expect(await endings[0]).toBe("stopped");
  for (let i = 0; i < 5; i++) loop.turn();
  expect(await endings[1]).toBe("done");
  expect([training.done, late.done]).toEqual([1, 0]);
  const lateSave = new Counting(2, true);
  const saved = runner.run(lateSave);
  for (let i = 0; i < 3; i++) loop.turn();
  expect(await saved).toBe("done");
});

test("a task may stop everything from within", async () => {
  const loop = new Loop();
  const runner = new Runner(loop);
  let bits = 0;
  const ending = runner.run({
    work(): boolean {
      if (++bits === 3) runner.stop();
      return true;
    },
  });
  loop.turn();
  expect(await ending).toBe("stopped");
  expect(bits).toBe(3);
});

test("nothing is scheduled when nothing is to do", () => {
  const loop = new Loop();
  const schedule = jest.spyOn(loop, "schedule");
  const runner = new Runner(loop);
  runner.stop();
  loop.turn();
  expect(schedule).not.toHaveBeenCalled();
});
