import { Flag, FrameType, frame } from "../conformance/floods/frames.js";
import { mutate, oneOf, type Random } from "../conformance/mutated-requests.js";
import { type HeaderFields, headerBytes } from "./http2-headers.js";

/** One frame before it is written; `length` is what it claims, if that is not the truth. */
export interface FrameParts {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
  readonly length?: number;
}

const FRAME_BYTES_MAX = 16_384;
const FLAG_PADDED = 8;
const streamIds = [0, 1, 2, 3, 5, 7, 9, 99, 0x7fff_ffff, 0x8000_0001, 0xffff_ffff];
const lengths = [0, 1, 4, 5, 8, 16_384, 16_385, 65_536, 0xff_ffff];
const settingValues = [0, 1, 2, 100, 4_096, 16_383, 16_384, 65_535, 0x7fff_ffff, 0xffff_ffff];

/** What a client says first: the preface of HTTP/2 and empty settings. */
export function preface(): Buffer {
  const text = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  return Buffer.concat([text, frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(0))]);
}

/** The frames of one legal request, cut into pieces as chance wants it. */
export function requestFrames(
  random: Random,
  streamId: number,
  fields: HeaderFields,
  body: Buffer,
): FrameParts[] {
  const frames: FrameParts[] = [];
  const block = headerBytes(random, fields);
  const cut = random() < 0.2 ? Math.floor(random() * block.length) : block.length;
  const isWhole = cut === block.length;
  const head = block.subarray(0, cut);
  const flags = isWhole ? Flag.END_HEADERS : 0;
  frames.push({ type: FrameType.HEADERS, flags, streamId, payload: head });
  if (!isWhole) {
    const rest = { type: FrameType.CONTINUATION, flags: Flag.END_HEADERS, streamId };
    frames.push({ ...rest, payload: block.subarray(cut) });
  }
  const pieceMax = random() < 0.2 ? 1 + Math.floor(random() * 2_000) : FRAME_BYTES_MAX;
  let offset = 0;
  do {
    const payload = body.subarray(offset, offset + pieceMax);
    offset += payload.length;
    const isLast = offset >= body.length;
    const endFlag = isLast ? Flag.END_STREAM : 0;
    frames.push({ type: FrameType.DATA, flags: endFlag, streamId, payload });
  } while (offset < body.length);
  return frames;
}

/** Frames on the wire. */
export function toBytes(frames: readonly FrameParts[]): Buffer {
  return Buffer.concat(
    frames.map(({ flags, length, payload, streamId, type }) => {
      const bytes = frame(type & 0xff, flags & 0xff, streamId >>> 0, payload);
      if (length !== undefined) bytes.writeUIntBE(length, 0, 3);
      return bytes;
    }),
  );
}

type FrameMutation = (random: Random, frames: FrameParts[], at: number) => void;

/** Changes one frame in place. */
const changed =
  (change: (random: Random, each: FrameParts) => Partial<FrameParts>): FrameMutation =>
  (random, frames, at) => {
    const each = frames[at];
    if (each !== undefined) frames[at] = { ...each, ...change(random, each) };
  };

const frameMutations: readonly FrameMutation[] = [
  changed((random) => ({ length: oneOf(random, lengths) })),
  changed((random, { payload }) => {
    const length = payload.length + Math.floor(random() * 7) - 3;
    return { length: Math.max(0, length) };
  }),
  changed((random) => ({ type: Math.floor(random() * 14) })),
  changed((random) => ({ type: Math.floor(random() * 256) })),
  changed((random, { flags }) => ({ flags: flags ^ (1 << Math.floor(random() * 8)) })),
  changed((random) => ({ flags: Math.floor(random() * 256) })),
  changed((random) => ({ streamId: oneOf(random, streamIds) })),
  // HPACK bytes, settings, messages: whatever the frame has.
  changed((random, { payload }) => ({
    payload: payload.length === 0 ? Buffer.of(0) : mutate(random, payload).subarray(0, 65_535),
  })),
  // Padding that may be longer than the frame.
  changed((random, { flags, payload }) => ({
    flags: flags | FLAG_PADDED,
    payload: Buffer.concat([Buffer.of(Math.floor(random() * 256)), payload]),
  })),
  (_random, frames, at) => void frames.splice(at, 1),
  (_random, frames, at) => void frames.splice(at, 0, ...frames.slice(at, at + 1)),
  (random, frames, at) => {
    const to = Math.floor(random() * frames.length);
    frames.splice(to, 0, ...frames.splice(at, 1));
  },
  (random, frames, at) => void frames.splice(at, 0, strayFrame(random)),
  (random, frames, at) => void frames.splice(at, 0, strayFrame(random), strayFrame(random)),
  (_random, frames, at) => void frames.splice(at),
];

/** One to three things wrong with a list of frames. */
export function mutateFrames(random: Random, frames: readonly FrameParts[]): FrameParts[] {
  const copy = [...frames];
  for (let count = 1 + Math.floor(random() * 3); count > 0 && copy.length > 0; count--) {
    oneOf(random, frameMutations)(random, copy, Math.floor(random() * copy.length));
  }
  return copy;
}

/** A frame that nobody asked for. */
function strayFrame(random: Random): FrameParts {
  const type = Math.floor(random() * 11);
  const streamId = random() < 0.5 ? 0 : oneOf(random, streamIds);
  const flags = random() < 0.5 ? 0 : Math.floor(random() * 256);
  const payload = strayPayload(random, type);
  return { type, flags, streamId, payload };
}

function strayPayload(random: Random, type: number): Buffer {
  if (type === FrameType.SETTINGS) {
    const settings = Array.from({ length: Math.floor(random() * 4) }, () => {
      const setting = Buffer.alloc(6);
      setting.writeUInt16BE(Math.floor(random() * 10), 0);
      setting.writeUInt32BE(oneOf(random, settingValues), 2);
      return setting;
    });
    return Buffer.concat(settings);
  }
  const isFour = type === FrameType.WINDOW_UPDATE || type === FrameType.RST_STREAM;
  const payload = Buffer.alloc(isFour ? 4 : oneOf(random, [0, 4, 5, 8, 9, 40]));
  for (let index = 0; index < payload.length; index++) payload[index] = random() * 256;
  return random() < 0.3 ? payload.fill(random() < 0.5 ? 0 : 0xff) : payload;
}
