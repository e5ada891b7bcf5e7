import { open } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { SOURCE_BYTES_MAX } from "./yaml-source.js";

/**
 * The text of a file.
 *
 * @throws Error saying what is wrong with the file, without its name: the caller knows who named it
 */
export async function readSourceFile(path: string): Promise<string> {
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > SOURCE_BYTES_MAX) throw new Error(tooLarge(size));
      // A device or a pipe has no size: what it gives is bounded here.
      const buffer = Buffer.alloc(SOURCE_BYTES_MAX + 1);
      let length = 0;
      while (length < buffer.byteLength) {
        const { bytesRead } = await file.read(buffer, length);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
      if (length > SOURCE_BYTES_MAX) throw new Error(tooLarge(length));
      return buffer.toString("utf8", 0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new Error(reasonOf(error, path), { cause: error });
  }
}

function tooLarge(size: number): string {
  return `it has ${size} bytes or more, at most ${SOURCE_BYTES_MAX} are allowed`;
}

function reasonOf(error: unknown, path: string): string {
  switch (error instanceof Error && "code" in error ? error.code : undefined) {
    case "ENOENT":
      // Whoever wrote a relative path may not know what it is relative to.
      return isAbsolute(path) ? "there is no such file" : `there is no file ${resolve(path)}`;
    case "EACCES":
    case "EPERM":
      return "this process has no permission to read it";
    case "EISDIR":
      return "it is a directory";
    default:
      return error instanceof Error ? error.message : String(error);
  }
}
