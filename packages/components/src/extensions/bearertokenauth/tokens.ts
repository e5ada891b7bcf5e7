/** Most tokens of one extension; each request is compared with all of them. */
export const TOKENS_MAX = 100;

/** Longest token, in characters: headers of 16 KiB in all are what servers take. */
export const TOKEN_LENGTH_MAX = 8_192;

/** What is wrong with a token, without repeating it; undefined when it may stand in a header. */
export function problemOfToken(token: string): string | undefined {
  if (token.length > TOKEN_LENGTH_MAX) {
    return `has ${token.length} characters, the limit is ${TOKEN_LENGTH_MAX}`;
  }
  if (!/^[\x20-\x7e]+$/.test(token)) {
    return "must be printable ASCII (is there a line break at the end?)";
  }
  return undefined;
}

/**
 * The tokens of a file, one a line, without the white space around them. Empty lines are left out: an
 * empty token would let everybody in.
 *
 * @throws Error naming the line that cannot be used, never what stands there
 */
export function parseTokens(text: string): readonly string[] {
  const tokens: string[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const token = line.trim();
    if (token === "") continue;
    const problem = problemOfToken(token);
    if (problem !== undefined) throw new Error(`the token in line ${index + 1} ${problem}`);
    tokens.push(token);
    if (tokens.length > TOKENS_MAX) {
      throw new Error(`it has more than ${TOKENS_MAX} tokens, the limit`);
    }
  }
  if (tokens.length === 0) throw new Error("it holds no token");
  return tokens;
}
