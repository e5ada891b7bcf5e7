import { readStatus } from "../conformance/otlp/http-client.js";
import type { ResponseReader } from "./response-reader.js";

/** Statuses that an OTLP/HTTP receiver gives to requests that may be broken. */
export const legalHttpStatuses: ReadonlySet<number> = new Set([
  200, 400, 404, 405, 408, 413, 415, 417, 431,
]);

/** What is wrong with one OTLP/HTTP answer; undefined when nothing is. */
export function httpProblem(
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer,
): string | undefined {
  if (!legalHttpStatuses.has(status)) return `HTTP status ${status}`;
  const contentType = headers["content-type"];
  if (contentType !== "application/x-protobuf" && contentType !== "application/json") {
    return `HTTP ${status} with content-type ${contentType}`;
  }
  if (status === 200) {
    const expected = contentType === "application/json" ? "{}" : "";
    return body.toString("latin1") === expected ? undefined : `HTTP 200 with ${body.length} bytes`;
  }
  try {
    const { code, message } = readStatus({ status, headers, body });
    return code > 0 && message !== "" ? undefined : `HTTP ${status} with an empty Status`;
  } catch (error) {
    return `HTTP ${status} without a Status: ${String(error)}`;
  }
}

/** Reads HTTP/1.1 answers, one behind the other. */
export class Http1Reader implements ResponseReader {
  readonly outcomes: string[] = [];
  readonly #problems: string[] = [];
  readonly #expected: number;
  #received: Buffer = Buffer.alloc(0);

  /** @param expected answers after which nothing more will come */
  constructor(expected: number) {
    this.#expected = expected;
  }

  get isComplete(): boolean {
    return this.outcomes.length >= this.#expected;
  }

  take(chunk: Buffer): undefined {
    this.#received = Buffer.concat([this.#received, chunk]);
    while (this.#problems.length === 0 && this.#readOne());
  }

  problems(wasReset: boolean): string[] {
    if (this.#problems.length > 0 || this.#received.length === 0 || wasReset) {
      return this.#problems;
    }
    return [`half an answer: ${JSON.stringify(this.#received.toString("latin1", 0, 300))}`];
  }

  #readOne(): boolean {
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return false;
    const [statusLine = "", ...lines] = this.#received.toString("latin1", 0, headEnd).split("\r\n");
    const status = Number(/^HTTP\/1\.1 ([1-5]\d\d) [\x20-\x7e]*$/.exec(statusLine)?.[1]);
    if (Number.isNaN(status)) return this.#fail(`status line ${JSON.stringify(statusLine)}`);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const [, name, value] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ([\x20-\x7e\t]*)$/.exec(line) ?? [];
      if (name === undefined) return this.#fail(`header line ${JSON.stringify(line)}`);
      headers[name.toLowerCase()] = value ?? "";
    }
    if (status === 100) {
      this.#received = this.#received.subarray(headEnd + 4);
      return true;
    }
    const length = Number(headers["content-length"] ?? Number.NaN);
    if (!Number.isSafeInteger(length)) {
      return this.#fail(`HTTP ${status} without content-length: ${lines.join(", ")}`);
    }
    const bodyEnd = headEnd + 4 + length;
    if (this.#received.length < bodyEnd) return false;
    const problem = httpProblem(status, headers, this.#received.subarray(headEnd + 4, bodyEnd));
    this.#received = this.#received.subarray(bodyEnd);
    this.outcomes.push(`http ${status}`);
    return problem === undefined || this.#fail(problem);
  }

  #fail(problem: string): false {
    this.#problems.push(problem);
    return false;
  }
}
