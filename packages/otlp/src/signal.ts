/** The four OTLP signals. */
export type Signal = "traces" | "metrics" | "logs" | "profiles";

/** All signals, in the order in which documentation lists them. */
export const signals: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];
