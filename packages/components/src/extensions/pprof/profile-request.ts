/** Longest profile that may be asked for. */
export const SECONDS_MAX = 60;

/** As Go's net/http/pprof without `seconds`. */
const SECONDS_DEFAULT = 30;

/** The profiles that are served, by path. */
export const profilePaths = {
  "/debug/pprof/profile": "cpu",
  "/debug/pprof/heap": "heap",
  "/debug/pprof/heapsnapshot": "snapshot",
} as const;

/** What one request asks for, or how it is refused. */
export type ProfileRequest =
  | { readonly kind: "index" }
  | { readonly kind: "cpu" | "heap"; readonly seconds: number }
  | { readonly kind: "snapshot" }
  | { readonly kind: "refused"; readonly status: 400 | 404 | 405; readonly text: string };

/** Understands a request for a profile. */
export function parseProfileRequest(method: string, url: string): ProfileRequest {
  const [path = "", query = ""] = url.split("?", 2);
  if (path !== "/debug/pprof/" && !Object.hasOwn(profilePaths, path)) {
    return { kind: "refused", status: 404, text: "profiles are at /debug/pprof/" };
  }
  if (method !== "GET") return { kind: "refused", status: 405, text: "use GET" };
  if (path === "/debug/pprof/") return { kind: "index" };
  const kind = profilePaths[path as keyof typeof profilePaths];
  if (kind === "snapshot") return { kind };
  const text = new URLSearchParams(query).get("seconds") ?? String(SECONDS_DEFAULT);
  const seconds = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (seconds < 1 || seconds > SECONDS_MAX) {
    const problem = `\`seconds\` is ${JSON.stringify(text.slice(0, 20))}, expected 1 to ${SECONDS_MAX}`;
    return { kind: "refused", status: 400, text: problem };
  }
  return { kind, seconds };
}
