import { createTrainer, Dataset, generate, Random, train } from "esp32gpt";
import { clock, opsFor, print } from "esp32gpt/platform";

const WORDS = `luna lena lara nora mara mira mila nila nina lina lea mia maya
  leon noel milo nilo emil emma anna hanna alma elma nela`.split(/\s+/);

export default async function main() {
  const dataset = Dataset.of(WORDS);
  const training = { steps: 400 };
  const trainer = createTrainer({ dataset, ops: opsFor("i32"), training });

  await train(trainer, {
    clock,
    onStep({ step, loss }) {
      if (step % 100 === 0) print(`step ${step}: loss ${Number(loss).toFixed(2)}`);
    },
  });

  const random = new Random(1);
  for (let i = 0; i < 10; i++) print(generate(trainer.model, { random }));
}
