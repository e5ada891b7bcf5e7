import { createSecureContext } from "node:tls";

/** Names of Go's `tls.CurveID` as the Collector writes them, with OpenSSL's. */
const opensslCurveNames: ReadonlyMap<string, string> = new Map([
  ["X25519", "X25519"],
  ["P256", "P-256"],
  ["P384", "P-384"],
  ["P521", "P-521"],
  ["X25519MLKEM768", "X25519MLKEM768"],
]);

/** The curves `curve_preferences` may name in this process; the post-quantum one needs OpenSSL 3.5. */
export function supportedCurves(): readonly string[] {
  return [...opensslCurveNames.keys()].filter(isSupported);
}

/** The `ecdhCurve` of node:tls for a list of names out of {@link supportedCurves}. */
export function curveString(names: readonly string[]): string {
  return names.map((name) => opensslCurveNames.get(name) ?? name).join(":");
}

function isSupported(name: string): boolean {
  try {
    createSecureContext({ ecdhCurve: curveString([name]) });
    return true;
  } catch {
    // OpenSSL says only that it could not; which of them it knows depends on its version.
    return false;
  }
}
