import assert from "node:assert/strict";
import { test } from "node:test";
import { loadDefinitions, seededRandom } from "@inode-gateway/testkit";
import { RETRY_DELAY_MS_MAX, RETRY_INFO_TYPE, type Status } from "./status.js";
import { decodeStatus, encodeStatus, STATUS_BYTES_MAX } from "./status-bytes.js";

const definitions = loadDefinitions(["google/rpc/status.proto", "google/rpc/error_details.proto"]);
const statusType = definitions.lookupType("google.rpc.Status");
const retryInfoType = definitions.lookupType("google.rpc.RetryInfo");
const badRequestType = definitions.lookupType("google.rpc.BadRequest");

/** A Status as protobufjs encodes it. */
function peerEncode(code: number, message: string, details: readonly object[] = []): Uint8Array {
  return statusType.encode({ code, message, details }).finish();
}

function retryInfo(seconds: number, nanos: number, type = RETRY_INFO_TYPE): object {
  const value = retryInfoType.encode({ retry_delay: { seconds, nanos } }).finish();
  return { type_url: type, value };
}

test("writes what protobufjs reads", () => {
  for (const status of statuses) {
    const decoded = statusType.decode(encodeStatus(status));
    const plain = statusType.toObject(decoded, { defaults: true, longs: Number });
    assert.equal(plain["code"], status.code);
    assert.equal(plain["message"], status.message);
    if (status.retryDelayMs === undefined) {
      assert.deepEqual(plain["details"], []);
      continue;
    }
    const [detail] = plain["details"] as { type_url: string; value: Uint8Array }[];
    assert.equal(detail?.type_url, RETRY_INFO_TYPE);
    const info = retryInfoType.decode(detail?.value ?? assert.fail());
    const { retry_delay: delay } = retryInfoType.toObject(info, { defaults: true, longs: Number });
    assert.equal(delay.seconds * 1000 + delay.nanos / 1e6, status.retryDelayMs);
    assert.ok(delay.nanos >= 0 && delay.nanos < 1e9);
  }
});

test("reads what protobufjs and itself write", () => {
  for (const status of statuses) {
    const { code, message, retryDelayMs } = status;
    assert.deepEqual(decodeStatus(encodeStatus(status)), status);
    const seconds = Math.floor((retryDelayMs ?? 0) / 1000);
    const nanos = Math.round(((retryDelayMs ?? 0) - seconds * 1000) * 1e6);
    const details = retryDelayMs === undefined ? [] : [retryInfo(seconds, nanos)];
    assert.deepEqual(decodeStatus(peerEncode(code, message, details)), status);
  }
  assert.deepEqual(decodeStatus(new Uint8Array()), { code: 0, message: "" });
});

test("finds the delay beside other details, and takes the first of two", () => {
  const violations = { field_violations: [{ field: "x", description: "y" }] };
  const badRequest = {
    type_url: "type.googleapis.com/google.rpc.BadRequest",
    value: badRequestType.encode(violations).finish(),
  };
  const broken = { type_url: RETRY_INFO_TYPE, value: Uint8Array.of(0x0a, 0x7f) };
  const negative = retryInfo(-3, 0);
  const elsewhere = retryInfo(1, 500_000_000, "example.com/x/google.rpc.RetryInfo");
  const details = [badRequest, broken, negative, { type_url: "" }, elsewhere, retryInfo(9, 0)];
  assert.deepEqual(decodeStatus(peerEncode(14, "full", details)), {
    code: 14,
    message: "full",
    retryDelayMs: 1_500,
  });
  const others = [badRequest, broken, negative, retryInfo(1, 0, "google.rpc.RetryInfos")];
  assert.deepEqual(decodeStatus(peerEncode(3, "bad", others)), { code: 3, message: "bad" });
});

test("skips fields it does not know, of every wire type but groups", () => {
  const unknown = [0x20, 0x05, 0x29, 1, 2, 3, 4, 5, 6, 7, 8, 0x32, 1, 0x41, 0x3d, 1, 2, 3, 4];
  const bytes = Uint8Array.of(...unknown, ...peerEncode(5, "gone"), ...unknown);
  assert.deepEqual(decodeStatus(bytes), { code: 5, message: "gone" });
});

test("names the byte where the framing breaks", () => {
  const broken: readonly [readonly number[], RegExp][] = [
    [[0x08], /no varint at byte 1, 0 bytes left/],
    [[0x08, ...Array.from({ length: 10 }, () => 0x80), 0], /no varint at byte 1/],
    [[0x08, 1, 0x12, 3, 0x61, 0x62], /length 3 at byte 4, 2 left/],
    [[0x12, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], /length \d+ at byte 11/],
    [[0x00, 0x01], /field number 0 at byte 0/],
    [[0x08, 1, 0x0b], /wire type 3 at byte 2/],
    [[0x0f], /wire type 7 at byte 0/],
    [[0x2d, 1, 2, 3], /length 4 at byte 1, 3 left/],
    [[0x29, 1], /length 8 at byte 1, 1 left/],
  ];
  for (const [bytes, message] of broken) {
    assert.throws(() => decodeStatus(Uint8Array.from(bytes)), { name: "RangeError", message });
  }
});

test("takes a status of the size limit, and not one byte more", () => {
  const room = STATUS_BYTES_MAX - encodeStatus({ code: 14, message: "x".repeat(40_000) }).length;
  const longest = encodeStatus({ code: 14, message: "x".repeat(40_000 + room) });
  assert.equal(longest.length, STATUS_BYTES_MAX);
  assert.equal(decodeStatus(longest).code, 14);
  const tooLong = Uint8Array.of(...longest, 0);
  assert.throws(() => decodeStatus(tooLong), { name: "RangeError", message: /65537.*65536/ });
});

test("encodes the longest delay and refuses a longer, a negative and none", () => {
  assert.equal(decodeStatus(encodeStatus({ ...full, retryDelayMs: 0 })).retryDelayMs, 0);
  const longest = { ...full, retryDelayMs: RETRY_DELAY_MS_MAX };
  assert.deepEqual(decodeStatus(encodeStatus(longest)), longest);
  for (const retryDelayMs of [RETRY_DELAY_MS_MAX + 1, -0.001, Number.NaN, Infinity]) {
    assert.throws(() => encodeStatus({ ...full, retryDelayMs }), RangeError);
  }
});

// Guarantees: any change to a valid status is read or refused with RangeError, as protobufjs would
// read it where both do.
test("reads or refuses 2,000 mutated statuses, seed 1", () => {
  const random = seededRandom(1);
  for (let run = 0; run < 2_000; run++) {
    const source = statuses[run % statuses.length] ?? full;
    const bytes = Uint8Array.from(encodeStatus(source));
    if (bytes.length === 0) continue;
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256);
    const cut = bytes.subarray(0, random() < 0.3 ? Math.floor(random() * bytes.length) : undefined);
    let status: Status;
    try {
      status = decodeStatus(cut);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
      continue;
    }
    assert.equal(typeof status.message, "string");
    assert.ok(Number.isInteger(status.code));
    assert.ok((status.retryDelayMs ?? 0) >= 0);
  }
});

const full: Status = { code: 14, message: "queue is full" };

const statuses: readonly Status[] = [
  { code: 0, message: "" },
  { code: 3, message: "größer, 日本, 😀" },
  { code: 16, message: "x".repeat(20_000) },
  { code: -1, message: "negative" },
  { code: 2_147_483_647, message: "" },
  { ...full, retryDelayMs: 0 },
  { ...full, retryDelayMs: 1 },
  { ...full, retryDelayMs: 1_500 },
  { ...full, retryDelayMs: 999.999999 },
  { ...full, retryDelayMs: 86_400_000 },
];
