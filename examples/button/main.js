import { createTrainer, Dataset, generate, Random, train } from "esp32gpt";
import { clock, opsFor } from "esp32gpt/platform";
import { watchButton } from "./button.js";
import { show } from "./screen.js";

const WORDS = `amber beryl coral garnet jasper jet malachite marble mica onyx opal pearl quartz ruby
  sapphire spinel topaz turquoise zircon agate azurite flint galena gold granite gypsum halite`.split(/\s+/);
/** A press that is longer keeps the word. */
const LONG_MS = 600;
/** How often a word that is kept is learnt, and how fast. */
const TIMES = 5;
const LEARNING_RATE = 0.003;

export default async function main() {
  const dataset = Dataset.of(WORDS);
  const trainer = createTrainer({ dataset, ops: opsFor("i32"), training: { steps: 300 } });
  const { model } = trainer;
  show("learning", `${dataset.count} words`);
  await train(trainer, { clock });

  const random = new Random(5);
  const kept = [];
  let word = "";
  const next = () => {
    do word = generate(model, { random });
    while (word === "");
    show(word, "keep it? press longer");
  };
  next();
  watchButton((milliseconds) => {
    if (milliseconds < LONG_MS) return next();
    for (let i = 0; i < TIMES; i++) trainer.learn(word, LEARNING_RATE);
    kept.push(word);
    show(word, `kept: ${kept.length}`);
  });
}
