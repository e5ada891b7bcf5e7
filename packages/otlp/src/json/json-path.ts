/** Characters of one key that a path shows; a longer key is cut. */
const MAX_KEY_CHARACTERS = 64;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const PLAIN_KEY = /^[A-Za-z_$][A-Za-z0-9_$]*$/;

interface Container {
  readonly isList: boolean;
  index: number;
  key: string | undefined;
}

/**
 * The path of the value at a byte offset of a JSON text, such as `resourceSpans[0].scopeSpans[2]`;
 * empty for the whole text.
 *
 * Walks the text from its start, so that reading a valid one need not keep track of where it is.
 * The text must be well-formed up to `offset`; behind it anything may follow.
 */
export function jsonPathAt(json: Uint8Array, offset: number): string {
  const containers: Container[] = [];
  for (let at = 0; at < offset && at < json.length; at++) {
    const innermost = containers.at(-1);
    switch (json[at] as number) {
      case QUOTE: {
        const end = endOfString(json, at, offset);
        if (end > offset) return formatPath(containers);
        if (innermost?.isList === false && innermost.key === undefined) {
          innermost.key = Buffer.from(json.subarray(at + 1, end - 1)).toString("utf8");
        }
        at = end - 1;
        break;
      }
      case 0x7b: // {
        containers.push({ isList: false, index: 0, key: undefined });
        break;
      case 0x5b: // [
        containers.push({ isList: true, index: 0, key: undefined });
        break;
      case 0x7d: // }
      case 0x5d: // ]
        containers.pop();
        break;
      case 0x2c: // ,
        if (innermost !== undefined) {
          innermost.index++;
          innermost.key = undefined;
        }
        break;
      default:
        break;
    }
  }
  return formatPath(containers);
}

// Behind the closing quote, or behind `limit` when there is none before it.
function endOfString(json: Uint8Array, start: number, limit: number): number {
  let at = start + 1;
  while (at < limit && json[at] !== QUOTE) at += json[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function formatPath(containers: readonly Container[]): string {
  let path = "";
  for (const { isList, index, key } of containers) {
    if (isList) path += `[${index}]`;
    else if (key !== undefined) path += formatKey(key, path === "");
  }
  return path;
}

function formatKey(key: string, isFirst: boolean): string {
  const shown = key.length > MAX_KEY_CHARACTERS ? `${key.slice(0, MAX_KEY_CHARACTERS)}...` : key;
  if (!PLAIN_KEY.test(key)) return `["${shown}"]`;
  return isFirst ? shown : `.${shown}`;
}
