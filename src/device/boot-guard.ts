import type { BootMarker } from "../gpt/base/platform";

/** What is read at power-on, each with a count of its own. */
export const BOOT_STAGES = Object.freeze({ storage: 0, settings: 1, checkpoint: 2 });
export type BootStage = keyof typeof BOOT_STAGES;

/** Failures in a row after which a stage is passed over. */
const MAX_FAILURES = 2;
const BITS = 4;
const MASK = (1 << BITS) - 1;

/**
 * Ends a loop of restarts: whatever ends the program while it reads what is stored (memory that is full, a stack, a
 * mistake in C) does so twice, and then that is not read any more. Around each stage a count is raised in memory that
 * a restart keeps; where a place has none, nothing is counted.
 */
export class BootGuard {
  constructor(private readonly marker: BootMarker | undefined) {}

  /** Begins a stage; false when it has ended the program too often, and must be passed over. */
  begin(stage: BootStage): boolean {
    const failures = this.failures(stage);
    if (failures >= MAX_FAILURES) return false;
    this.put(stage, failures + 1);
    return true;
  }

  /** The stage is over, well or with an error that was told. */
  end(stage: BootStage): void {
    if (this.failures(stage) > 0) this.put(stage, 0);
  }

  private failures(stage: BootStage): number {
    return ((this.marker?.get() ?? 0) >> (BITS * BOOT_STAGES[stage])) & MASK;
  }

  private put(stage: BootStage, failures: number): void {
    const shift = BITS * BOOT_STAGES[stage];
    this.marker?.set(((this.marker.get() & ~(MASK << shift)) | (failures << shift)) >>> 0);
  }
}
