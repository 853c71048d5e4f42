/**
 * What a name cost: its mean cross-entropy in nats; "passed over" when it was too long, "diverged" when it is
 * no finite number.
 */
export type Loss = number | "passed over" | "diverged";
