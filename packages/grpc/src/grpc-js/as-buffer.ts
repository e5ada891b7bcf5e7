/**
 * Views bytes as the Buffer that Node and grpc-js want, without a copy.
 *
 * @throws TypeError when a caller outside of TypeScript hands over something else
 */
export function asBuffer(bytes: Uint8Array): Buffer {
  if (Buffer.isBuffer(bytes)) return bytes;
  if (!(bytes instanceof Uint8Array))
    throw new TypeError(`a message is ${typeof bytes}, not bytes`);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
