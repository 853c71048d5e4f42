import {
  type Clock,
  createTrainer,
  Dataset,
  evaluate,
  generate,
  i32Ops,
  type Loss,
  Predictor,
  Random,
  train,
} from "../../src/gpt/index";

/** Trains in i32 and asks the model everything: the same text on every engine. */
export async function libraryAnswer(): Promise<string> {
  const dataset = Dataset.of(["emma", "zoé", "anna lea", "olivia", "mia"]);
  const trainer = createTrainer({ dataset, preset: "tuned", ops: i32Ops, training: { steps: 6, holdout: 50 } });
  const { model, holdout } = trainer;
  let now = 0;
  const clock: Clock = { now: () => (now += 20), schedule: (slice) => void Promise.resolve().then(slice) };
  const losses: Loss[] = [];
  const ending = await train(trainer, { clock, onStep: ({ loss }) => void losses.push(loss) });
  losses.push(trainer.learn("lea"), trainer.learn("zoe\u0301", 0.001));
  const predictor = new Predictor(model);
  const probabilities = [...predictor.probabilities("anna ")];
  const { mean, each } = predictor.negativeLogLikelihood("mila");
  const all = await evaluate(model, dataset, { clock });
  const held = await evaluate(model, dataset, { clock, holdout });
  const random = new Random(3);
  const names = [0, 1, 2].map(() => generate(model, { random, prefix: "m", topK: 5, topP: 0.9 }));
  return JSON.stringify({ ending, losses, probabilities, mean, each: [...each], all, held, names });
}
