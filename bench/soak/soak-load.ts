/** What the soak tells its senders. */
export interface SoakLoadRequest {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** Requests a second from now on; 0 sends nothing more, and is answered when all is answered. */
  readonly perSecond: number;
}

/** What was sent so far. */
export interface SoakLoadReply {
  readonly acknowledged: number;
  readonly failed: number;
}

/** Spans of one request. */
export const spansPerRequest = 100;
