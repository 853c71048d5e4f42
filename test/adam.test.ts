import { Adam, BETA1, BETA2, EPSILON } from "../src/gpt/training/adam";
import { typescriptOps } from "../src/gpt/model/typescript-ops";

test("has the published constants", () => {
  expect([BETA1, BETA2, EPSILON]).toEqual([0.85, 0.99, 1e-8]);
});

test("moves the parameters as algorithm 1 of Kingma and Ba (2015) says", () => {
  const start = [1, -2, 0.5, 0];
  const steps = [
    { gradients: [0.1, -0.3, 0, 1e-9], alpha: 0.01 },
    { gradients: [-0.2, -0.1, 7, 0], alpha: 0.008 },
    { gradients: [0.4, 0, -3, -1e-9], alpha: 0.005 },
  ];
  const parameters = Float64Array.from(start);
  const gradients = new Float64Array(start.length);
  const adam = new Adam(typescriptOps("f64"), parameters, gradients);

  const theta = [...start];
  const m = start.map(() => 0);
  const v = start.map(() => 0);
  steps.forEach((step, before) => {
    const t = before + 1;
    gradients.set(step.gradients);
    adam.update(before, step.alpha);
    step.gradients.forEach((g, i) => {
      m[i] = 0.85 * m[i] + 0.15 * g;
      v[i] = 0.99 * v[i] + 0.01 * g ** 2;
      const mHat = m[i] / (1 - 0.85 ** t);
      const vHat = v[i] / (1 - 0.99 ** t);
      theta[i] -= (step.alpha * mHat) / (Math.sqrt(vHat) + 1e-8);
      expect(parameters[i]).toBeCloseTo(theta[i], 13);
      expect(adam.m[i]).toBeCloseTo(m[i], 13);
      expect(adam.v[i]).toBeCloseTo(v[i], 13);
    });
  });
});

test("its first step is the learning rate, against the sign of the gradient", () => {
  const parameters = new Float64Array(2);
  new Adam(typescriptOps("f64"), parameters, Float64Array.of(1e3, -1e-3)).update(0, 0.01);
  expect(parameters[0]).toBeCloseTo(-0.01, 6);
  expect(parameters[1]).toBeCloseTo(0.01, 6);
});
