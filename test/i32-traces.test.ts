import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_TRAINING, type ModelConfig } from "../src/gpt/model/config";
import { Model } from "../src/gpt/model/model";
import { Random } from "../src/gpt/model/random";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { Trainer } from "../src/gpt/training/trainer";
import { datasetOf } from "./helpers";
import { fnv1a } from "./support/fnv1a";
import { skipUnlessReference } from "./support/skipping";

/*
 * i32 against what an independent prototype in C computed: after each step, hashes of all weights and moments, and
 * the losses in units of 2^-16 log2.
 */

interface Trace {
  /** n_embd, n_head, block_size, MLP units, vocabulary, layers, and 1 for a bias by distance. */
  readonly c: readonly [number, number, number, number, number, number, number];
  readonly w: readonly number[];
  readonly steps: readonly {
    readonly n: readonly {
      readonly t: readonly number[];
      readonly wm: number;
      readonly e: number;
      readonly l: number;
    }[];
    readonly rate: number;
    readonly hw: number;
    readonly hs: number;
  }[];
}

const folder = process.env.ESP32GPT_REFERENCE ?? "";

skipUnlessReference("the traces of i32").describe("replays", () => {
  test.each(["d0", "d1", "d2", "d3"])("trace %s", (name) => {
    const trace = JSON.parse(readFileSync(join(folder, "integers", `${name}.json`), "utf8")) as Trace;
    const [nEmbd, nHead, blockSize, mlpWidth, vocabularySize, nLayer, bias] = trace.c;
    const config: ModelConfig = {
      ...{ preset: "esp32gpt", nEmbd, nHead, blockSize, mlpWidth, vocabularySize, nLayer },
      relativeBias: bias === 1,
    };
    const ops = typescriptOps("i32");
    const model = new Model(config, ops);
    model.parameters.set(trace.w);
    const batchSize = bias === 1 ? 8 : 1;
    const trainer = new Trainer(model, datasetOf("emma"), new Random(1), { ...DEFAULT_TRAINING, batchSize });
    for (const { n, rate, hw, hs } of trace.steps) {
      n.forEach(({ t, wm, e, l }, i) => {
        const rows = t.length - 1;
        const loss = trainer.computeGradients(Uint8Array.from(t), rows, wm * 2 ** (e - 31), i > 0);
        // Each row was rounded down.
        expect(Math.abs((loss * rows * 65536) / Math.LN2 - l)).toBeLessThan(rows + 1);
      });
      // So late that the bias corrections are 1.
      trainer.adam.update(1e6, rate / 2 ** 32);
      expect([fnv1a(model.parameters), fnv1a(trainer.adam.m)]).toEqual([hw, hs]);
    }
  });
});
