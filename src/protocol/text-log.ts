import type { SamplingLimits } from "../gpt/model/config";
import type { Event } from "./events";
import type { EvaluatedEvent, Lengths, StartEvent, StepEvent, WrittenNames } from "../gpt/training/events";

/** Formats an event as text: the log as the original prints it, and the output of other commands; "" for none. */
export function formatText(event: Event): string {
  switch (event.type) {
    case "start":
      if (event.isAgain) return trainingLine(event);
      return (
        `=== esp32gpt: microgpt in TypeScript on ${event.place} ===\n` +
        `Model: ${event.parameters} params, ${event.nHead} heads, ${event.nEmbd}-dim embeddings${event.dtype ? `, ${event.dtype}` : ""}\n` +
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
      return `--- Generated names (temperature=${event.temperature}${limits(event, "=")}) ---\n`;
    case "name":
      if (event.isAnswer) return `${event.name}\n`;
      return `${String(event.number).padStart(4)}. ${event.name}${event.isKnown ? " (in the dataset)" : ""}\n`;
    case "word":
    case "answer":
      return `${event.text}\n`;
    case "evaluated": {
      const remark = event.passedOver > 0 ? ` (${event.passedOver} too long, passed over)` : "";
      const names = event.names === 1 ? "1 name" : `${event.names} names`;
      return `Mean loss: ${event.loss.toFixed(4)} over ${names}${remark}\n${evaluationTable(event)}`;
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

/** The sampling limits in use, to follow the temperature. */
function limits({ topK, topP }: Partial<SamplingLimits>, sign: string): string {
  return (topK === undefined ? "" : `, top-k${sign}${topK}`) + (topP === undefined ? "" : `, top-p${sign}${topP}`);
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

function evaluationTable(event: EvaluatedEvent): string {
  const { step, steps, names, tokens, natsPerToken, bitsPerCharacter, written, isOfAnotherList = false } = event;
  return (
    (step === undefined ? "" : row("step", String(step), `of ${steps}`)) +
    row("nats per token", natsPerToken.toFixed(4)) +
    row("bits per character", bitsPerCharacter.toFixed(4)) +
    row("names", String(names)) +
    row("tokens", String(tokens)) +
    (written ? writtenRows(written, isOfAnotherList) : "")
  );
}

function writtenRows(written: WrittenNames, isOfAnotherList: boolean): string {
  const { count, temperature, newShare, emptyShare, duplicateShare, length, dataLength, letterDistance } = written;
  return (
    row("names written", String(count), `temperature ${temperature}${limits(written, " ")}`) +
    (isOfAnotherList ? "" : row("  new", percent(newShare), "not in the dataset")) +
    row("  empty", percent(emptyShare), "without a character") +
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
