import type { DataFileOptions, RecordSpace, WriteGroup } from "./data-file.js";

/** What the writing thread is told when it is made. */
export type WriterData = DataFileOptions;

/** What the writing thread is told: something to write, or to close the file and end. */
export type WriterRequest = WriteGroup | "close";

/** What the writing thread says. */
export type WriterAnswer =
  | { readonly kind: "opened"; readonly pageBytes: number }
  | { readonly kind: "failed"; readonly reason: string }
  | {
      readonly kind: "written";
      readonly removed: RecordSpace;
      /** Why nothing was appended. */
      readonly appendFailure?: string | undefined;
      /** Why nothing was removed. */
      readonly removeFailure?: string | undefined;
      readonly durationMs: number;
    };
