/** The part of snappyjs that is used; it comes without types. */
declare module "snappyjs" {
  /** Compresses as one block of the raw format. */
  export function compress(bytes: Uint8Array): Uint8Array;
}
