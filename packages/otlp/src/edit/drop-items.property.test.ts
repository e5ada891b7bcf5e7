import assert from "node:assert/strict";
import { test } from "node:test";
import { arbitraryRequest, buildRequest, decodeRequest } from "@inode-gateway/testkit";
import fc from "fast-check";
import { checkRequest } from "../check/check-request.js";
import { countItems } from "../count/count-items.js";
import { type DropDecider, dropItems } from "./drop-items.js";

// The part of decoded requests that is filtered here; everything else is compared as it is.
type Decoded = Record<string, unknown>;

const groups = { traces: "resource_spans", metrics: "resource_metrics", logs: "resource_logs" };
const scopes = { traces: "scope_spans", metrics: "scope_metrics", logs: "scope_logs" };
const items = { traces: "spans", metrics: "metrics", logs: "log_records" };
const data = ["gauge", "sum", "histogram", "exponential_histogram", "summary"];

type FilteredSignal = keyof typeof groups;

/** Decides by a fixed sequence of answers for each kind, in the order in which it is asked. */
class Answers implements DropDecider {
  readonly dropsChild?: () => boolean;
  readonly #answers: readonly boolean[];
  #asked = 0;

  constructor(answers: readonly boolean[], hasChildren: boolean) {
    this.#answers = answers;
    if (hasChildren) this.dropsChild = () => this.next();
  }

  next(): boolean {
    return this.#answers[this.#asked++ % this.#answers.length] === true;
  }

  dropsResource(): boolean {
    return this.next();
  }

  dropsScope(): boolean {
    return this.next();
  }

  dropsItem(): boolean {
    return this.next();
  }
}

/** What is left of a list; `filter` returns false for an element that goes. */
function filterList(holder: Decoded, key: string, filter: (element: Decoded) => boolean): number {
  const list = holder[key] as Decoded[] | undefined;
  if (list === undefined) return 0;
  const kept = list.filter(filter);
  if (kept.length === 0) delete holder[key];
  else holder[key] = kept;
  return list.length - kept.length;
}

function filterDecoded(signal: FilteredSignal, request: Decoded, answers: Answers): void {
  filterList(request, groups[signal], (group) => {
    if (answers.next()) return false;
    const goneScopes = filterList(group, scopes[signal], (scope) => {
      if (answers.next()) return false;
      const goneItems = filterList(scope, items[signal], (item) => {
        if (answers.next()) return false;
        return answers.dropsChild === undefined || filterChildren(signal, item, answers);
      });
      return goneItems === 0 || scope[items[signal]] !== undefined;
    });
    return goneScopes === 0 || group[scopes[signal]] !== undefined;
  });
}

function filterChildren(signal: FilteredSignal, item: Decoded, answers: Answers): boolean {
  if (signal === "traces") filterList(item, "events", () => !answers.next());
  if (signal !== "metrics") return true;
  let gone = 0;
  for (const type of data) {
    const holder = item[type] as Decoded | undefined;
    if (holder === undefined) continue;
    const points = filterList(holder, "data_points", () => !answers.next());
    if (points > 0 && holder["data_points"] === undefined) delete item[type];
    gone += points;
  }
  return gone === 0 || data.some((type) => item[type] !== undefined);
}

function plain(signal: FilteredSignal, bytes: Uint8Array): Decoded {
  return decodeRequest(signal, bytes) as unknown as Decoded;
}

// Guarantees: what is left on the wire is what is left when the request is decoded, filtered and encoded
// again; the result is well framed, and the dropped items are counted.
for (const signal of ["traces", "metrics", "logs"] as const) {
  test(`${signal}: dropping on the wire equals dropping from the decoded request`, () => {
    const built = fc
      .record({
        seed: fc.nat(1_000),
        resources: fc.integer({ min: 1, max: 3 }),
        scopesPerResource: fc.integer({ min: 1, max: 3 }),
        itemsPerScope: fc.integer({ min: 0, max: 4 }),
      })
      .map((shape) => buildRequest(signal, shape));
    const request = fc.oneof(built, arbitraryRequest(signal));
    const answers = fc.array(fc.boolean(), { minLength: 1, maxLength: 24 });
    fc.assert(
      fc.property(request, answers, fc.boolean(), (bytes, sequence, hasChildren) => {
        const remaining = dropItems(signal, bytes, new Answers(sequence, hasChildren));
        const expected = plain(signal, bytes);
        filterDecoded(signal, expected, new Answers(sequence, hasChildren));
        const left = remaining === undefined ? bytes : Buffer.concat(remaining.chunks);
        checkRequest(signal, left);
        assert.deepEqual(plain(signal, left), expected);
        const before = countItems(signal, bytes);
        assert.equal(before - countItems(signal, left), remaining?.droppedItems ?? 0);
      }),
      { numRuns: 300 },
    );
  });
}
