// A runner of Jest's for npm run test:mutants. Without a mutant it runs all files, and notes which tests they have and
// what they take. With one it runs only files that have the tests that are asked for, those that take least first, until
// one fails or the time is over: the rest would not change what becomes of a mutant, but would take most of the time.
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import TestRunner from "jest-runner";

/** Time of the processor after which no further file is begun, in milliseconds. */
export const LONGEST_MS = 10_000;
/** Time that a file takes before its first test, in milliseconds. */
const START_MS = 150;

/** @typedef {Record<string, readonly (readonly [name: string, milliseconds: number])[]>} Tests by file */

export default class FirstFailure extends TestRunner {
  /** @type {Tests} */
  #tests = {};
  #isFailed = false;

  /**
   * @override
   * @param {Parameters<TestRunner["runTests"]>[0]} tests
   * @param {Parameters<TestRunner["runTests"]>[1]} watcher
   * @param {Parameters<TestRunner["runTests"]>[2]} options
   */
  async runTests(tests, watcher, options) {
    const notes = process.env.MUTANTS_NOTES ?? join(tmpdir(), "mutants.json");
    const pattern = this._globalConfig.testNamePattern ?? "";
    this.on("test-file-failure", () => {
      this.#isFailed = true;
    });
    this.on("test-file-success", ([{ path }, { testResults, numFailingTests }]) => {
      this.#isFailed ||= numFailingTests > 0;
      this.#tests[path] = testResults.map(({ fullName, duration }) => [fullName, duration ?? 0]);
    });
    if (process.env.__STRYKER_ACTIVE_MUTANT__ === undefined) {
      await super.runTests(tests, watcher, options);
      writeFileSync(notes, JSON.stringify(this.#tests));
      return;
    }
    /** @type {Tests} */
    const known = JSON.parse(readFileSync(notes, "utf8"));
    const names = new RegExp(pattern, "i");
    const costs = tests.map((test) => {
      const meant = (known[test.path] ?? []).filter(([name]) => names.test(name));
      return { test, cost: meant.reduce((sum, [, duration]) => sum + duration, meant.length > 0 ? START_MS : 0) };
    });
    const begin = process.cpuUsage();
    const used = () => {
      const { user, system } = process.cpuUsage(begin);
      return (user + system) / 1000;
    };
    for (const { test } of costs.filter(({ cost }) => cost > 0).sort((a, b) => a.cost - b.cost)) {
      if (this.#isFailed || used() > LONGEST_MS) break;
      await super.runTests([test], watcher, options);
    }
  }
}
