import type { BootMarker } from "../gpt/base/platform";

/** What the program reads at boot, and the position of each stage's failure count in the boot marker. */
export const BOOT_STAGES = Object.freeze({ storage: 0, settings: 1, checkpoint: 2, dtype: 3 });
export type BootStage = keyof typeof BOOT_STAGES;

/** Consecutive failures after which a stage is skipped. */
const MAX_FAILURES = 2;
const BITS = 4;
const MASK = (1 << BITS) - 1;

/**
 * Breaks reset loops. When reading stored data resets the chip twice (out of memory, a stack overflow, a crash in C),
 * that stage is skipped at the next boot. The count of each stage is incremented before it and cleared after it, in
 * memory that survives a reset. On platforms without such memory nothing is counted.
 */
export class BootGuard {
  constructor(private readonly marker: BootMarker | undefined) {}

  /** Begins a stage. Returns false when it has failed MAX_FAILURES times in a row: skip it. */
  begin(stage: BootStage): boolean {
    const failures = this.failures(stage);
    if (failures >= MAX_FAILURES) return false;
    this.put(stage, failures + 1);
    return true;
  }

  /** Ends a stage that returned, with success or with a reported error: clears its count. */
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
