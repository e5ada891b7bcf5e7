import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  CACHED_RESOURCE_BYTES_MAX,
  ENTRY_OVERHEAD_BYTES,
  ResourceCache,
  type ResourceCacheLimits,
} from "./resource-cache.js";

const boundless = { maxEntries: 1_000_000, maxBytes: 1_000_000_000 };

/** A cache of texts, to be read by. */
class TextCache {
  readonly cache: ResourceCache<string>;

  constructor(limits: Partial<ResourceCacheLimits> = {}) {
    this.cache = new ResourceCache({ ...boundless, ...limits }, 0.5);
  }

  put(text: string, value: string, dependency?: { bootId: string; inode: number }): void {
    const bytes = Buffer.from(`##${text}#`);
    const replacement = Buffer.from(value);
    const resource = { replacement, value, expiresAtMs: 0 };
    this.cache.put(bytes, 2, bytes.length - 1, resource, dependency);
  }

  get(text: string): string | undefined {
    const bytes = Buffer.from(`-${text}---`);
    return this.cache.find(bytes, 1, 1 + text.length)?.value;
  }
}

suite("ResourceCache", () => {
  test("finds the same bytes in another buffer at another place, and no others", () => {
    const texts = new TextCache();
    texts.put("resource", "first");
    assert.equal(texts.get("resource"), "first");
    assert.equal(texts.get("resourcf"), undefined);
    assert.equal(texts.get("resourc"), undefined);
    assert.equal(texts.get(""), undefined);
    texts.put("", "empty");
    assert.equal(texts.get(""), "empty");
  });

  test("replaces the entry of the same bytes", () => {
    const texts = new TextCache();
    texts.put("resource", "first");
    texts.put("resource", "second");
    assert.equal(texts.get("resource"), "second");
    assert.equal(texts.cache.entries, 1);
    assert.equal(texts.cache.bytes, 8 + 6 + ENTRY_OVERHEAD_BYTES);
  });

  test("keeps copies of its own, whatever becomes of the caller's bytes", () => {
    const cache = new ResourceCache<string>(boundless, 0.5);
    const bytes = Buffer.from("resource");
    const replacement = Buffer.from("result");
    cache.put(bytes, 0, 8, { replacement, value: "", expiresAtMs: 0 }, undefined);
    replacement.fill(0);
    const same = Buffer.from(bytes);
    bytes.fill(0);
    const found = cache.find(same, 0, 8)?.replacement;
    assert.equal(Buffer.from(found ?? []).toString(), "result");
    assert.equal(found?.buffer.byteLength, 6, "no larger buffer is kept alive");
  });

  test("holds maxEntries entries; the next one pushes out one that was not used", () => {
    const texts = new TextCache({ maxEntries: 3 });
    for (const text of ["a", "b", "c"]) texts.put(text, text);
    assert.deepEqual(
      ["a", "b", "c"].map((text) => texts.get(text)),
      ["a", "b", "c"],
    );
    texts.put("d", "d");
    // All were used: the second chance of each is gone, and the oldest went.
    assert.equal(texts.cache.entries, 3);
    assert.equal(texts.get("a"), undefined);
    assert.equal(texts.get("b"), "b");
    texts.put("e", "e");
    assert.equal(texts.get("b"), "b", "used since, and so it stays");
    assert.equal(texts.get("c"), undefined);
  });

  test("holds maxBytes bytes; one less and an entry has to go", () => {
    const each = 1 + 1 + ENTRY_OVERHEAD_BYTES;
    for (const [maxBytes, entries] of [
      [2 * each, 2],
      [2 * each - 1, 1],
    ] as const) {
      const texts = new TextCache({ maxBytes });
      texts.put("a", "a");
      texts.put("b", "b");
      assert.equal(texts.cache.entries, entries);
      assert.equal(texts.get("b"), "b");
      assert.ok(texts.cache.bytes <= maxBytes);
    }
  });

  test("remembers a Resource of 64 KiB and not one of a byte more, nor anything with no room", () => {
    const texts = new TextCache();
    texts.put("x".repeat(CACHED_RESOURCE_BYTES_MAX), "last");
    texts.put("y".repeat(CACHED_RESOURCE_BYTES_MAX + 1), "first too large");
    assert.equal(texts.get("x".repeat(CACHED_RESOURCE_BYTES_MAX)), "last");
    assert.equal(texts.get("y".repeat(CACHED_RESOURCE_BYTES_MAX + 1)), undefined);
    const none = new TextCache({ maxEntries: 0 });
    none.put("a", "a");
    assert.equal(none.get("a"), undefined);
  });

  test("tells Resources apart that differ in one byte only, wherever it is", () => {
    const texts = new TextCache();
    for (const length of [5, 64, 777, 5_000]) {
      const base = "r".repeat(length);
      for (let at = 0; at < length; at++)
        texts.put(`${base.slice(0, at)}X${base.slice(at + 1)}`, `${at}`);
      const found = Array.from({ length }, (_, at) =>
        texts.get(`${base.slice(0, at)}X${base.slice(at + 1)}`),
      );
      // Beyond 1 KiB not every byte is hashed: entries may push each other out, never be mixed up.
      found.forEach((value, at) => {
        assert.ok(value === `${at}` || (length > 1_024 && value === undefined), `${length}: ${at}`);
      });
    }
  });

  test("forgets what depends on a published mapping, and only that", () => {
    const texts = new TextCache();
    texts.put("a", "a", { bootId: "one", inode: 5 });
    texts.put("b", "b", { bootId: "one", inode: 6 });
    texts.put("c", "c", { bootId: "two", inode: 5 });
    texts.put("d", "d");
    texts.cache.forgetPublished({ bootId: "one", keys: [{ inode: 5 }, { inode: 7 }] });
    assert.deepEqual(
      ["a", "b", "c", "d"].map((text) => texts.get(text)),
      [undefined, "b", "c", "d"],
    );
    texts.cache.forgetPublished({ bootId: "one", keys: undefined });
    assert.deepEqual(
      ["b", "c", "d"].map((text) => texts.get(text)),
      [undefined, "c", "d"],
    );
    assert.equal(texts.cache.entries, 2);
  });

  test("agrees with a plain Map through thousands of random changes, within its limits", () => {
    const texts = new TextCache({ maxEntries: 50, maxBytes: 50 * (ENTRY_OVERHEAD_BYTES + 16) });
    const latest = new Map<string, string>();
    let state = 7;
    const random = (below: number) => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
      return state % below;
    };
    for (let round = 0; round < 5_000; round++) {
      const text = `resource ${random(120)}`;
      const action = random(10);
      if (action < 6) {
        const value = `value ${round}`;
        texts.put(text, value, { bootId: "boot", inode: random(40) });
        latest.set(text, value);
      } else if (action < 7) {
        texts.cache.forgetPublished({ bootId: "boot", keys: [{ inode: random(40) }] });
      } else {
        const found = texts.get(text);
        assert.ok(found === undefined || found === latest.get(text));
      }
      assert.ok(texts.cache.entries <= 50);
      assert.ok(texts.cache.bytes <= 50 * (ENTRY_OVERHEAD_BYTES + 16));
    }
    assert.ok(texts.cache.entries > 10);
  });
});
