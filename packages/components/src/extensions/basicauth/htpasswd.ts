import { type StoredPassword, storedPassword } from "./stored-password.js";

/** Most users of one extension. */
export const USERS_MAX = 10_000;

/**
 * The users of an htpasswd file: `name:password` lines, the password in one of the forms of
 * {@link storedPassword}. Empty lines and those that begin with `#` are left out; of a name that comes
 * twice the later line counts.
 *
 * @throws Error naming the line that cannot be used, never what stands there
 */
export function parseHtpasswd(text: string): ReadonlyMap<string, StoredPassword> {
  const users = new Map<string, StoredPassword>();
  for (const [index, written] of text.split("\n").entries()) {
    const line = written.trim();
    if (line === "" || line.startsWith("#")) continue;
    const colon = line.indexOf(":");
    if (colon < 1) throw new Error(`line ${index + 1} is not \`name:password\``);
    const stored = storedPassword(line.slice(colon + 1));
    if ("problem" in stored) throw new Error(`the password in line ${index + 1} ${stored.problem}`);
    users.set(line.slice(0, colon), stored);
    if (users.size > USERS_MAX) throw new Error(`it has more than ${USERS_MAX} users, the limit`);
  }
  return users;
}
