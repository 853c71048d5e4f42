// Shared code of the kill tests: starts the program and finds processes that it left running.
import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../bin/esp32gpt.js", import.meta.url));
/** A short dataset, which loads quickly. */
export const NAMES = fileURLToPath(new URL("../test/data/names-short.txt", import.meta.url));

/**
 * Starts the command line with pipes as its streams.
 * @param {readonly string[]} options
 */
export function startProgram(options) {
  return spawn(process.execPath, [PROGRAM, ...options]);
}

/**
 * Number of processes whose command line contains a text.
 * @param {string} text
 */
export function processesWith(text) {
  let count = 0;
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      if (Number(pid) !== process.pid && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(text)) count++;
    } catch {
      // The process has just ended.
    }
  }
  return count;
}
