import { createTrainer, DocumentRing, Predictor, Random, Vocabulary } from "esp32gpt";
import { opsFor, print } from "esp32gpt/platform";
import { bigram, frequency } from "./counts.js";
import { COMMANDS, commandsOf } from "./user.js";

/** Commands that the model looks back on; a window has one more, which it learns to predict. */
const CONTEXT = 8;
const COUNT = 3000;

/** The place of the command that came in a list of all, the most probable first: 1 is the best. */
function rankOf(scores, command) {
  let rank = 1;
  for (let i = 0; i < scores.length; i++) if (scores[i] > scores[command]) rank++;
  return rank;
}

export default function main() {
  const vocabulary = Vocabulary.ofSymbols(COMMANDS, { addBos: false, addEos: false });
  const ring = new DocumentRing(vocabulary, { documents: 128, length: CONTEXT + 1 });
  const model = { nEmbd: 16, blockSize: CONTEXT };
  const training = { schedule: "constant", learningRate: 0.005 };
  const trainer = createTrainer({
    dataset: ring,
    preset: "tuned",
    model,
    training: { ...training, batchSize: 4 },
    ops: opsFor("i32"),
  });
  const predictor = new Predictor(trainer.model);
  const guessers = [
    // Element 0 of the probabilities is BOS.
    { name: "esp32gpt", scores: (before) => predictor.probabilities(before).subarray(1), learn: () => undefined },
    frequency(COMMANDS.length),
    bigram(COMMANDS.length),
  ];
  const ranks = guessers.map(() => 0);
  const hits = guessers.map(() => 0);

  const commands = commandsOf(new Random(7), COUNT);
  for (let i = CONTEXT; i < COUNT; i++) {
    const before = commands.subarray(i - CONTEXT, i);
    guessers.forEach((guesser, g) => {
      const rank = rankOf(guesser.scores(before), commands[i]);
      ranks[g] += rank;
      hits[g] += rank === 1 ? 1 : 0;
      guesser.learn(before, commands[i]);
    });
    ring.add(commands.subarray(i - CONTEXT, i + 1));
    trainer.step();
    if (i % 500 > 0 && i < COUNT - 1) continue;
    const done = i - CONTEXT + 1;
    const words = guessers.map(
      ({ name }, g) => `${name} ${(ranks[g] / done).toFixed(2)} (${Math.round((100 * hits[g]) / done)} %)`,
    );
    print(`after ${i} commands, mean rank of the next one (first in the list): ${words.join(", ")}`);
  }

  const context = commands.subarray(COUNT - CONTEXT);
  const next = [...predictor.probabilities(context)]
    .map((p, token) => ({ p, token }))
    .sort((a, b) => b.p - a.p)
    .slice(0, 3);
  print(`${Array.from(context, (command) => COMMANDS[command]).join(" ")} ...`);
  print(next.map(({ p, token }) => `${vocabulary.characterOf(token)} ${Math.round(100 * p)} %`).join(", "));
}
