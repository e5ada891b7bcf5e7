import type { IncomingMessage, ServerResponse } from "node:http";
import { BlockList, isIPv6 } from "node:net";
import type { Reloader, ReloadReport } from "./reloader.js";

/** Where the configuration is loaded again by a POST. */
export const reloadPath = "/-/reload";

const STATUS: Readonly<Record<ReloadReport["outcome"], number>> = {
  applied: 200,
  unchanged: 200,
  invalid: 400,
  superseded: 409,
  rolled_back: 500,
  failed: 500,
  stopped: 503,
};

/**
 * Answers `POST /-/reload` when the reload is over: 200 when the configuration is in force, 400 with all
 * its problems, 500 when a component of it failed, 503 while the gateway starts or stops.
 *
 * Reloading is for whoever is on this machine: on a listener that other machines reach the page is
 * not there. Nor is it for a web page that a browser on this machine happens to show.
 *
 * @param isOnLoopback whether the listener is bound to a loopback address
 */
export function answerReload(
  request: IncomingMessage,
  response: ServerResponse,
  { isOnLoopback, reloader }: { readonly isOnLoopback: boolean; readonly reloader: Reloader },
): void {
  request.resume();
  if (!isOnLoopback) {
    answer(response, 404, "reloading over HTTP is served on a loopback address only; send SIGHUP");
  } else if (request.method !== "POST") {
    response.setHeader("allow", "POST");
    answer(response, 405, "use POST");
  } else if (request.headers.origin !== undefined) {
    answer(response, 403, "not for web pages");
  } else {
    const { remoteAddress, remotePort } = request.socket;
    void reloader
      .reload(`POST ${reloadPath} from ${remoteAddress}:${remotePort}`)
      .then(({ outcome, text }) => answer(response, STATUS[outcome], text));
  }
}

const loopback = new BlockList();
loopback.addSubnet("127.0.0.0", 8, "ipv4");
loopback.addAddress("::1", "ipv6");

/** @param endpoint `host:port` as bound, an IPv6 host in brackets */
export function isLoopback(endpoint: string): boolean {
  const host = endpoint.slice(0, endpoint.lastIndexOf(":")).replace(/^\[(.*)\]$/, "$1");
  return loopback.check(host, isIPv6(host) ? "ipv6" : "ipv4");
}

function answer(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "content-type": "text/plain; charset=utf-8" }).end(`${text}\n`);
}
