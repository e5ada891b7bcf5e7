import fc from "fast-check";

/** A change to bytes that knows nothing of what they mean; the result is a copy. */
export type Mutation = (bytes: Uint8Array) => Uint8Array;

/**
 * One to four changes: a bit turned over, a byte set, bytes cut off, left out, doubled or inserted.
 *
 * Positions are fractions of the length, so that a mutation fits any bytes.
 */
export function arbitraryMutation(): fc.Arbitrary<Mutation> {
  const position = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const at = (bytes: Uint8Array, where: number): number => Math.floor(where * bytes.length);
  const one: fc.Arbitrary<Mutation> = fc.oneof(
    fc.tuple(position, fc.nat({ max: 7 })).map(
      ([where, bit]): Mutation =>
        (bytes) => {
          const copy = Uint8Array.from(bytes);
          const offset = at(bytes, where);
          if (offset < copy.length) copy[offset] = (copy[offset] ?? 0) ^ (1 << bit);
          return copy;
        },
    ),
    fc.tuple(position, fc.constantFrom(0, 1, 0x0a, 0x7f, 0x80, 0xc0, 0xff)).map(
      ([where, value]): Mutation =>
        (bytes) => {
          const copy = Uint8Array.from(bytes);
          if (copy.length > 0) copy[at(bytes, where)] = value;
          return copy;
        },
    ),
    position.map(
      (where): Mutation =>
        (bytes) =>
          bytes.slice(0, at(bytes, where)),
    ),
    fc.tuple(position, fc.integer({ min: 1, max: 9 })).map(
      ([where, count]): Mutation =>
        (bytes) => {
          const offset = at(bytes, where);
          return Buffer.concat([bytes.subarray(0, offset), bytes.subarray(offset + count)]);
        },
    ),
    fc.tuple(position, fc.integer({ min: 1, max: 9 })).map(
      ([where, count]): Mutation =>
        (bytes) => {
          const offset = at(bytes, where);
          return Buffer.concat([bytes.subarray(0, offset + count), bytes.subarray(offset)]);
        },
    ),
    fc.tuple(position, fc.uint8Array({ minLength: 1, maxLength: 9 })).map(
      ([where, inserted]): Mutation =>
        (bytes) => {
          const offset = at(bytes, where);
          return Buffer.concat([bytes.subarray(0, offset), inserted, bytes.subarray(offset)]);
        },
    ),
  );
  return fc.array(one, { minLength: 1, maxLength: 4 }).map(
    (mutations): Mutation =>
      (bytes) =>
        mutations.reduce((done, next) => next(done), bytes),
  );
}
