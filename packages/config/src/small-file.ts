import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * Reads a regular file that is small, such as one of certificates or credentials.
 *
 * @throws Error of the system, or one that says that it is no file or names the size when it is above
 *   `bytesMax`; {@link fileProblem} puts both into words
 */
export async function readSmallFile(path: string, bytesMax: number): Promise<Buffer> {
  // Without O_NONBLOCK a named pipe would keep a thread until somebody writes.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw new Error("it is a directory");
    if (!stats.isFile()) throw new Error("it is no file");
    refuseLarge(stats.size, bytesMax);
    const bytes = await file.readFile();
    // It may have grown meanwhile.
    refuseLarge(bytes.byteLength, bytesMax);
    return bytes;
  } finally {
    await file.close();
  }
}

/** Why a file cannot be read, in words. */
export function fileProblem(error: unknown): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
      return "there is no such file";
    case "EACCES":
    case "EPERM":
      return "this process has no permission";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}

function refuseLarge(bytes: number, bytesMax: number): void {
  if (bytes > bytesMax) throw new Error(`it has ${bytes} bytes, the limit is ${bytesMax}`);
}
