import { buildRequest } from "@inode-gateway/testkit";

/** Resource attributes by name. */
export type Attributes = Readonly<Record<string, string | number>>;

/** What a request was answered, and after how long. */
export interface TimedAnswer {
  readonly status: number;
  readonly tookMs: number;
}

/** An export request of `count` spans of one Resource, as protobuf. */
export function spansOf(sender: string, attributes: Attributes, count = 1): Uint8Array {
  return buildRequest("traces", {
    itemsPerScope: count,
    resourceAttributes: () => ({ "e2e.sender": sender, ...attributes }),
  });
}

/** Sends spans over plain OTLP/HTTP to `host:port`; rejects when there is no answer. */
export async function sendSpans(
  address: string,
  sender: string,
  attributes: Attributes,
  count = 1,
): Promise<TimedAnswer> {
  const body = spansOf(sender, attributes, count);
  const startMs = performance.now();
  const response = await fetch(`http://${address}/v1/traces`, {
    method: "POST",
    headers: { "content-type": "application/x-protobuf" },
    body,
  });
  await response.arrayBuffer();
  return { status: response.status, tookMs: performance.now() - startMs };
}
