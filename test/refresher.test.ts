import { Refresher } from "../web/inside/refresher";

const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

test("work is never done twice at a time, and the last who asks is served", async () => {
  let asked = 0;
  let served = 0;
  let atATime = 0;
  let most = 0;
  let times = 0;
  const refresher = new Refresher(async () => {
    most = Math.max(most, ++atATime);
    const wanted = asked;
    await pause(5);
    served = wanted;
    atATime--;
    times++;
  }, 20);
  for (let i = 0; i < 20; i++) {
    asked++;
    refresher.ask();
    await pause(5);
  }
  await pause(60);
  expect(most).toBe(1);
  expect(served).toBe(asked);
  // 100 ms and more, a turn at least every 20.
  expect(times).toBeLessThan(15);
  expect(times).toBeGreaterThan(1);
  const before = times;
  await pause(50);
  expect(times).toBe(before);
});

test("nothing is done after the end, though it was asked for before", async () => {
  let times = 0;
  const refresher = new Refresher(() => Promise.resolve(void times++), 10);
  refresher.ask();
  refresher.ask();
  refresher.end();
  await pause(40);
  refresher.ask();
  await pause(20);
  expect(times).toBe(1);
});
