import main from "../../examples/rhythm/main";

// Runs the example on Node and on XS, for a short while: see example-rhythm-app.test.ts.

export default function start(): void {
  main({ learn: 200, measure: 100, normal: 20, fault: 50 });
}
