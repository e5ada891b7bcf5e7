import type { CallerFacts, CallStart } from "../call-admission.js";
import { type Metadata, metadataFromHeaders } from "../metadata.js";
import type { UnaryCall } from "../unary-server.js";

/** The head of a call. Metadata is read off the headers only when somebody asks: most calls go without. */
export class ReceivedHead implements CallStart {
  readonly path: string;
  readonly peer: string;
  readonly #rawHeaders: readonly string[];
  #metadata: Metadata | undefined;

  constructor(path: string, peer: string, rawHeaders: readonly string[]) {
    this.path = path;
    this.peer = peer;
    this.#rawHeaders = rawHeaders;
  }

  get metadata(): Metadata {
    this.#metadata ??= metadataFromHeaders(this.#rawHeaders);
    return this.#metadata;
  }
}

/** A whole call, as its handler gets it. */
export class ReceivedCall implements UnaryCall {
  readonly message: Uint8Array;
  readonly deadlineMs: number;
  readonly auth: CallerFacts | undefined;
  readonly #head: ReceivedHead;

  constructor(
    head: ReceivedHead,
    message: Uint8Array,
    deadlineMs: number,
    auth: CallerFacts | undefined,
  ) {
    this.message = message;
    this.deadlineMs = deadlineMs;
    this.auth = auth;
    this.#head = head;
  }

  get path(): string {
    return this.#head.path;
  }

  get peer(): string {
    return this.#head.peer;
  }

  get metadata(): Metadata {
    return this.#head.metadata;
  }
}
