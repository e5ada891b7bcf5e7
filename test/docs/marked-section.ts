/**
 * Replaces what stands between `<!-- name:begin -->` and `<!-- name:end -->`.
 *
 * @param where name of the document, for the error
 * @throws Error when the two marks are not there, once each and in this order
 */
export function withSection(where: string, text: string, name: string, content: string): string {
  const { from, until } = bounds(where, text, name);
  return `${text.slice(0, from)}\n\n${content}\n\n${text.slice(until)}`;
}

/** What stands between the two marks. @throws Error as {@link withSection} does */
export function sectionOf(where: string, text: string, name: string): string {
  const { from, until } = bounds(where, text, name);
  return text.slice(from, until).trim();
}

function bounds(where: string, text: string, name: string) {
  const begin = `<!-- ${name}:begin -->`;
  const end = `<!-- ${name}:end -->`;
  const start = text.indexOf(begin);
  const until = text.indexOf(end);
  if (start === -1 || until < start || text.indexOf(begin, start + 1) !== -1) {
    throw new Error(`${where} must have ${begin} once, and ${end} after it`);
  }
  return { from: start + begin.length, until };
}
