import { Adam } from "../src/gpt/training/adam";
import type { ModelConfig } from "../src/gpt/model/config";
import { Dataset } from "../src/gpt/data/dataset";
import { Checkpoint } from "../src/gpt/checkpoint/reader";
import { LoadingTask } from "../src/gpt/checkpoint/loading";
import { Model } from "../src/gpt/model/model";
import { saveCheckpoint } from "../src/gpt/checkpoint/saving";
import { typescriptOps } from "../src/gpt/model/typescript-ops";
import { rewritten } from "./support/altered-checkpoints";
import { stateOf, trained } from "./support/checkpoints";
import { checkSentence, fuzzRandom, fuzzRuns, HOSTILE, mutated, pick } from "./support/fuzz";
import { MemoryStorage } from "./support/memory-storage";
import { realRunner } from "./support/runner";

/*
 * Files that something or somebody has altered: each is taken, or refused with a sentence. Set
 * ESP32GPT_FUZZ_RUNS for more of them, ESP32GPT_FUZZ_SEED to repeat a run.
 */

const SMALL: ModelConfig = { preset: "esp32gpt", nLayer: 2, nEmbd: 2, nHead: 2, blockSize: 3, vocabularySize: 27 };

test("an altered checkpoint is loaded, or refused with a sentence", async () => {
  const random = fuzzRandom();
  const trainer = trained(SMALL, "f32");
  const storage = new MemoryStorage();
  const names = ["m", "m\x1b[2J\n", "\u202e".repeat(300)];
  await saveCheckpoint(realRunner(), storage, "m", { model: trainer.model, step: 5, training: stateOf(trainer) });
  const sound = storage.file("m");
  const outcomes = { loaded: 0, refused: 0 };
  for (let run = 0; run < fuzzRuns(2000); run++) {
    const isSealed = run % 2 === 0;
    const name = pick(random, names);
    const file = new MemoryStorage({ [name]: isSealed ? rewritten(random, sound) : mutated(random, sound) });
    const model = new Model(SMALL, typescriptOps("f32"));
    let isLoaded = false;
    let checkpoint: Checkpoint | undefined;
    try {
      checkpoint = await Checkpoint.open(file, name);
      const loading = new LoadingTask(checkpoint, new Model(checkpoint.modelConfig({}), model.ops));
      while (loading.work());
      checkpoint.record();
      const restoring = new LoadingTask(checkpoint, model, new Adam(model.ops, model.parameters, model.parameters));
      while (restoring.work());
      isLoaded = true;
    } catch (error) {
      checkSentence(error);
    } finally {
      checkpoint?.close();
    }
    if (!model.parameters.every(isLoaded ? Number.isFinite : (value) => value === 0))
      throw new Error("A file that was refused has changed the model.");
    if (file.openFiles !== 0) throw new Error("A file is still open.");
    outcomes[isLoaded ? "loaded" : "refused"]++;
  }
  // The seal is right: a good part of what was rewritten is taken.
  expect(outcomes.loaded).toBeGreaterThan(fuzzRuns(2000) / 20);
  expect(outcomes.refused).toBeGreaterThan(fuzzRuns(2000) / 2);
});

test("an altered file of names is read, or refused with a sentence", () => {
  const random = fuzzRandom();
  const sound = new TextEncoder().encode("emma\nolivia\r\nava\n\nisabella\n");
  for (let run = 0; run < fuzzRuns(2000); run++) {
    try {
      const dataset = new Dataset(mutated(random, sound), pick(random, HOSTILE));
      const tokens = new Uint8Array(5000);
      for (let i = 0; i < dataset.count; i++) {
        const length = dataset.tokens(i, tokens);
        if (!tokens.subarray(1, length - 1).every((token) => token >= 1 && token <= 26)) throw new Error("No letters.");
      }
    } catch (error) {
      checkSentence(error);
    }
  }
});
