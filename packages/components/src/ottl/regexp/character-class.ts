import { type CharacterSet, PatternError } from "./pattern-node.js";

const LAST = 0x10_ffff;

/** Classes of one letter, and those with names in brackets, which are ASCII as in RE2. */
const letters: Readonly<Record<string, readonly number[]>> = {
  d: [0x30, 0x39],
  w: [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a],
  s: [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20],
};

const named: Readonly<Record<string, readonly number[]>> = {
  alnum: [0x30, 0x39, 0x41, 0x5a, 0x61, 0x7a],
  alpha: [0x41, 0x5a, 0x61, 0x7a],
  ascii: [0, 0x7f],
  blank: [0x09, 0x09, 0x20, 0x20],
  cntrl: [0, 0x1f, 0x7f, 0x7f],
  digit: [0x30, 0x39],
  graph: [0x21, 0x7e],
  lower: [0x61, 0x7a],
  print: [0x20, 0x7e],
  punct: [0x21, 0x2f, 0x3a, 0x40, 0x5b, 0x60, 0x7b, 0x7e],
  space: [0x09, 0x0d, 0x20, 0x20],
  upper: [0x41, 0x5a],
  word: [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a],
  xdigit: [0x30, 0x39, 0x41, 0x46, 0x61, 0x66],
};

/** The ranges of `\d`, `\w`, `\s` and, complemented, `\D`, `\W`, `\S`; undefined for other letters. */
export function classOfLetter(letter: string): readonly number[] | undefined {
  const ranges = letters[letter.toLowerCase()];
  if (ranges === undefined || !/[dwsDWS]/.test(letter)) return undefined;
  return letter === letter.toLowerCase() ? ranges : complement(ranges);
}

/** The ranges of a class such as `[:alpha:]` or `[:^alpha:]`, by what stands between the colons. */
export function classNamed(name: string): readonly number[] {
  const isNegated = name.startsWith("^");
  const ranges = named[isNegated ? name.slice(1) : name];
  if (ranges === undefined) throw new PatternError(`unknown class \`[:${name}:]\``);
  return isNegated ? complement(ranges) : ranges;
}

/** A Unicode property such as `L` or `Greek`, as JavaScript writes it. */
export function propertyNamed(name: string, isNegated: boolean): string {
  const letter = isNegated ? "P" : "p";
  for (const source of [`\\${letter}{${name}}`, `\\${letter}{Script=${name}}`]) {
    try {
      new RegExp(source, "u");
      return source;
    } catch {
      // Not a general category; next a script.
    }
  }
  throw new PatternError(`unknown Unicode class \`\\p{${name}}\``);
}

/** All code points that are in no range; the ranges must be ascending. */
function complement(ranges: readonly number[]): number[] {
  const others: number[] = [];
  let next = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    const first = ranges[index] ?? 0;
    if (first > next) others.push(next, first - 1);
    next = (ranges[index + 1] ?? 0) + 1;
  }
  if (next <= LAST) others.push(next, LAST);
  return others;
}

/** A predicate for code points. */
export function membershipOf(
  set: CharacterSet,
  isCaseIgnored: boolean,
): (codePoint: number) => boolean {
  const test = new RegExp(`^${sourceOf(set)}$`, isCaseIgnored ? "ui" : "u");
  const ascii = new Uint8Array(128);
  for (let code = 0; code < 128; code++) ascii[code] = test.test(String.fromCharCode(code)) ? 1 : 0;
  return (codePoint) =>
    codePoint < 128 ? ascii[codePoint] === 1 : test.test(String.fromCodePoint(codePoint));
}

/** The set as JavaScript writes it, with the `u` flag. */
export function sourceOf({ ranges, properties, isNegated }: CharacterSet): string {
  let source = "";
  for (let index = 0; index < ranges.length; index += 2) {
    source += `${escaped(ranges[index] ?? 0)}-${escaped(ranges[index + 1] ?? 0)}`;
  }
  return `[${isNegated ? "^" : ""}${source}${properties.join("")}]`;
}

function escaped(codePoint: number): string {
  return `\\u{${codePoint.toString(16)}}`;
}
