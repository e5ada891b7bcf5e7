/**
 * The lines of a text that comes in pieces, without their line feeds.
 *
 * @param pieces such as a readable stream with an encoding
 * @param lengthMax longest line that is kept, in characters
 * @param onTooLong called with the number, from 1, of a line that is longer; must throw
 */
export async function* readLines(
  pieces: AsyncIterable<string>,
  lengthMax: number,
  onTooLong: (line: number) => never,
): AsyncGenerator<string> {
  let rest = "";
  let line = 1;
  for await (const piece of pieces) {
    const text = rest + piece;
    let start = 0;
    for (let end = text.indexOf("\n"); end !== -1; end = text.indexOf("\n", start)) {
      if (end - start > lengthMax) onTooLong(line);
      yield text.slice(start, end);
      start = end + 1;
      line++;
    }
    rest = text.slice(start);
    // Checked at every piece: a text without line feeds must not be collected first.
    if (rest.length > lengthMax) onTooLong(line);
  }
  if (rest !== "") yield rest;
}
