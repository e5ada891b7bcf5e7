import { Flag, FrameType, frame, headerBlock, requestHead } from "./frames.js";

/** One way to make an HTTP/2 server work for nothing. */
export interface FloodCase {
  readonly name: string;
  /** `reason` of the connection that is closed, any of these: who is quicker, nghttp2 or the guard. */
  readonly reasons: readonly string[];
  readonly times: number;
  /** What is sent as the nth part. */
  readonly make: (index: number) => Uint8Array;
}

const { DATA, HEADERS, PING, PRIORITY, RST_STREAM, SETTINGS, WINDOW_UPDATE, CONTINUATION } =
  FrameType;
const nothing = Buffer.alloc(0);
const cancel = uint32(8);
// Newer versions of nghttp2, such as that of Node 24, have a limit of their own for such frames, which
// Node reports like a mistake.
const frameReasons = ["too_many_frames", "protocol_error"];

/** Floods of HTTP/2 frames; `path` is one that the server has. */
export function floodCases(path: string, contentType: string): readonly FloodCase[] {
  const head = requestHead(path, contentType);
  const open = (index: number) => frame(HEADERS, Flag.END_HEADERS, 2 * index + 1, head);
  /** An open request first, then what `rest` makes. */
  const inside = (rest: (index: number) => Uint8Array) => (index: number) =>
    index === 0 ? open(0) : rest(index);
  return [
    {
      name: "rapid reset (CVE-2023-44487)",
      reasons: ["too_many_resets"],
      times: 100_000,
      make: (index) => Buffer.concat([open(index), frame(RST_STREAM, 0, 2 * index + 1, cancel)]),
    },
    {
      name: "rapid reset without an error code",
      reasons: ["too_many_resets"],
      times: 100_000,
      make: (index) => Buffer.concat([open(index), frame(RST_STREAM, 0, 2 * index + 1, uint32(0))]),
    },
    {
      name: "PING",
      reasons: ["flood", "too_many_pings", "too_many_frames"],
      times: 1_000_000,
      make: () => frame(PING, 0, 0, Buffer.alloc(8)),
    },
    {
      name: "answers to PINGs that nobody sent",
      reasons: ["protocol_error"],
      times: 1_000_000,
      make: () => frame(PING, Flag.ACK, 0, Buffer.alloc(8)),
    },
    {
      name: "SETTINGS",
      reasons: ["flood", "too_many_frames"],
      times: 1_000_000,
      make: () => frame(SETTINGS, 0, 0, nothing),
    },
    {
      name: "PRIORITY",
      reasons: frameReasons,
      times: 1_000_000,
      make: (index) => frame(PRIORITY, 0, 2 * (index % 1_000) + 1, Buffer.from([0, 0, 0, 0, 1])),
    },
    {
      name: "WINDOW_UPDATE",
      reasons: ["too_many_frames"],
      times: 1_000_000,
      make: () => frame(WINDOW_UPDATE, 0, 0, uint32(1)),
    },
    {
      name: "frames of an unknown type",
      reasons: frameReasons,
      times: 1_000_000,
      make: () => frame(77, 0, 0, nothing),
    },
    {
      name: "CONTINUATION without end",
      reasons: ["flood"],
      times: 100_000,
      make: (index) =>
        index === 0 ? frame(HEADERS, 0, 1, head) : frame(CONTINUATION, 0, 1, nothing),
    },
    {
      name: "CONTINUATION full of headers",
      reasons: ["flood"],
      times: 10_000,
      make: (index) =>
        index === 0
          ? frame(HEADERS, 0, 1, head)
          : frame(CONTINUATION, 0, 1, headerBlock([[`x${index}`, "y".repeat(8_000)]])),
    },
    {
      name: "empty DATA",
      reasons: ["flood"],
      times: 1_000_000,
      make: inside(() => frame(DATA, 0, 1, nothing)),
    },
    {
      name: "empty HEADERS",
      reasons: ["flood"],
      times: 100_000,
      make: (index) => frame(HEADERS, Flag.END_HEADERS | Flag.END_STREAM, 2 * index + 1, nothing),
    },
    {
      name: "more streams than allowed",
      reasons: ["flood"],
      times: 100_000,
      make: open,
    },
    {
      name: "large headers out of a small table (HPACK bomb)",
      reasons: ["too_many_frames", "protocol_error"],
      times: 20_000,
      make: bomb,
    },
  ];
}

/** A field of 4,000 bytes goes into the table once; every request then names it 2,000 times. */
function bomb(index: number): Buffer {
  const streamId = 2 * index + 1;
  const flags = Flag.END_HEADERS | Flag.END_STREAM;
  if (index > 0) return frame(HEADERS, flags, streamId, Buffer.alloc(2_000, 0x80 | 62));
  const literal = headerBlock([["x", "y".repeat(4_000)]]);
  literal[0] = 0x40;
  return frame(HEADERS, flags, streamId, literal);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
