import { readSmallFile } from "./small-file.js";

/** A file of certificates above this size is a mistake; all public authorities together are 220 KiB. */
export const TLS_FILE_BYTES_MAX = 4_194_304;

/** Reads a file of certificates or of a key. @throws Error as {@link readSmallFile} */
export function readTlsFile(path: string): Promise<Buffer> {
  return readSmallFile(path, TLS_FILE_BYTES_MAX);
}
