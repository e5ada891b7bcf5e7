import { open } from "node:fs/promises";

/** A file of certificates above this size is a mistake; all public authorities together are 220 KiB. */
export const TLS_FILE_BYTES_MAX = 4_194_304;

/**
 * Reads a file of certificates or of a key.
 *
 * @throws Error of the system, or one that names the size when it is above {@link TLS_FILE_BYTES_MAX}
 */
export async function readTlsFile(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    if (size > TLS_FILE_BYTES_MAX) {
      throw new Error(`it has ${size} bytes, at most ${TLS_FILE_BYTES_MAX} are allowed`);
    }
    return await file.readFile();
  } finally {
    await file.close();
  }
}
