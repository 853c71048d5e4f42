/** What jest defines tests with. */
interface Blocks {
  readonly test: jest.It;
  readonly describe: jest.Describe;
}

/**
 * What defines tests that need something of the machine. All skips go through here: where the condition does not
 * hold they are skipped, and a line says why; with ESP32GPT_NO_SKIPS=1, as in CI, the test file fails instead.
 * @param why what is not tested, and what it needs
 * @throws Error with that reason where nothing may be skipped
 */
export function skipUnless(condition: boolean, why: string): Blocks {
  if (condition) return { test, describe };
  if (process.env.ESP32GPT_NO_SKIPS === "1") throw new Error(`ESP32GPT_NO_SKIPS is set, but this is skipped: ${why}`);
  return skipped(why);
}

/** The same for the whole traces, which are not part of the project: only a line says that these tests are skipped. */
export function skipUnlessReference(what: string): Blocks {
  if (process.env.ESP32GPT_REFERENCE) return { test, describe };
  return skipped(`${what}: ESP32GPT_REFERENCE does not name the folder of these traces`);
}

function skipped(why: string): Blocks {
  console.warn(`Skipped: ${why}`);
  const { skip: skippedTest } = test;
  const { skip: skippedDescribe } = describe;
  return { test: skippedTest, describe: skippedDescribe };
}
