import type { AttributeScalar } from "@inode-gateway/otlp";

const routes = ["/cart/{id}", "/checkout", "/products/{id}/reviews", "/healthz"];
const methods = ["GET", "POST", "PUT", "DELETE"];

/**
 * One of the elements, each as likely as the others.
 *
 * @throws RangeError when there is none
 */
export function pick<T>(random: () => number, elements: readonly T[]): T {
  const element = elements[Math.floor(random() * elements.length)];
  if (element === undefined) throw new RangeError("nothing to pick from");
  return element;
}

/** Bytes of an identifier. */
export function randomBytes(random: () => number, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** A time within one hour, in nanoseconds since 1970. */
export function randomTime(random: () => number): bigint {
  return 1_767_225_600_000_000_000n + BigInt(Math.floor(random() * 3_600_000_000)) * 1000n;
}

/** Attributes such as an HTTP instrumentation sets, `count` of them. */
export function httpAttributes(
  random: () => number,
  count: number,
): [key: string, value: AttributeScalar][] {
  const route = pick(random, routes);
  const method = pick(random, methods);
  const number = Math.floor(random() * 1_000_000);
  const known: [string, AttributeScalar][] = [
    ["http.request.method", method],
    ["http.route", route],
    ["http.response.status_code", random() < 0.95 ? 200 : 503],
    ["url.path", `/cart/${number}`],
    ["server.address", "checkout.shop.svc"],
    ["network.protocol.version", "1.1"],
    ["client.address", `10.42.${number % 256}.${number % 199}`],
    ["user_agent.original", "axios/1.13.2 (linux; x64) node/20.20.2 shopui"],
    ["app.order.value", Math.round(random() * 1e6) / 100],
    ["app.is_member", random() < 0.5],
  ];
  for (let index = known.length; index < count; index++) {
    known.push([`app.attribute.number.${index}`, `value ${number} of many`]);
  }
  return known.slice(0, count);
}
