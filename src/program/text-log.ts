import type { EvaluatedEvent, Event, Lengths, StartEvent, StepEvent, WrittenNames } from "./events";

/** The log as the original prints it, and what the other commands print: the lines for an event, or "". */
export function formatText(event: Event): string {
  switch (event.type) {
    case "start":
      if (event.isAgain) return trainingLine(event);
      return (
        `=== esp32gpt: microgpt in TypeScript on ${event.place} ===\n` +
        `Model: ${event.parameters} params, ${event.nHead} heads, ${event.nEmbd}-dim embeddings\n` +
        `Dataset: ${event.names} names loaded from flash\n` +
        (event.characters === undefined ? "" : `Vocabulary: ${event.characters} characters\n`) +
        trainingLine(event)
      );
    case "step":
      return event.isLogged ? stepLine(event) : "";
    case "trained":
      return event.ending === "stopped" ? `Stopped after ${event.stepsDone} of ${event.steps} steps.\n` : "";
    case "saved":
      return event.isEarly ? `Saved to ${event.file}.\n` : "";
    case "names":
      return `--- Generated names (temperature=${event.temperature}) ---\n`;
    case "name":
      if (event.isAnswer) return `${event.name}\n`;
      return `${String(event.number).padStart(4)}. ${event.name}${event.isKnown ? " (in the dataset)" : ""}\n`;
    case "word":
    case "answer":
      return `${event.text}\n`;
    case "evaluated": {
      const remark = event.passedOver > 0 ? ` (${event.passedOver} too long, passed over)` : "";
      return `Mean loss: ${event.loss.toFixed(4)} over ${event.names} names${remark}\n${evaluationTable(event)}`;
    }
    case "done":
      return event.job === "train" && event.outcome === "done" ? "=== Done ===\n" : "";
    case "progress":
    case "remark":
    case "error":
    case "hello":
    case "state":
    case "ack":
    case "chunk":
      return "";
    case "damaged":
      return "That tagged line is damaged: send it again.\n";
  }
}

function trainingLine({ steps, batchSize, from }: StartEvent): string {
  if (from === steps) return "";
  const names = batchSize > 1 ? ` of ${batchSize} names` : "";
  return `Training for ${steps} steps${names}...\n${from === undefined ? "" : `Going on with step ${from}.\n`}`;
}

function stepLine({ step, steps, loss, validationLoss }: StepEvent): string {
  const result = typeof loss === "number" ? `loss = ${loss.toFixed(4)}` : `name too long, passed over`;
  const validation = validationLoss === undefined ? "" : `, validation loss = ${validationLoss.toFixed(4)}`;
  return `step ${String(step).padStart(4)}/${steps}: ${result}${validation}\n`;
}

function evaluationTable({ names, tokens, natsPerToken, bitsPerCharacter, written }: EvaluatedEvent): string {
  return (
    row("nats per token", natsPerToken.toFixed(4)) +
    row("bits per character", bitsPerCharacter.toFixed(4)) +
    row("names", String(names)) +
    row("tokens", String(tokens)) +
    (written ? writtenRows(written) : "")
  );
}

function writtenRows(written: WrittenNames): string {
  const { count, temperature, newShare, duplicateShare, length, dataLength, letterDistance } = written;
  return (
    row("names written", String(count), `temperature ${temperature}`) +
    row("  new", percent(newShare), "not in the dataset") +
    row("  duplicates", percent(duplicateShare), "written before") +
    row("  length", lengths(length), `characters; in the dataset ${lengths(dataLength)}`) +
    row("  letters", letterDistance.toFixed(4), "distance from the dataset's: 0 the same, 1 none in common")
  );
}

function row(name: string, value: string, remark = ""): string {
  return `${name.padEnd(20)}${value.padStart(14)}${remark && `  ${remark}`}\n`;
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function lengths({ mean, deviation }: Lengths): string {
  return `${mean.toFixed(2)} ± ${deviation.toFixed(2)}`;
}
