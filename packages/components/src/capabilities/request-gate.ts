import type { Extension, Host, RetryableError } from "@inode-gateway/contract";

/** An extension that may close the door for a while: what `middlewares` of a receiver names. */
export interface RequestGate extends Extension {
  /** Why no request may come in now, counted as a refusal; undefined when it may. Cheap: asked for every request before it is read. */
  requestRefusal(): RetryableError | undefined;
}

/** The gate of a running extension. @throws Error when it does not run or is no gate */
export function requestGateOf(host: Host, extensionId: string): RequestGate {
  const extension = host.extension(extensionId);
  if (extension === undefined) {
    throw new Error(
      `\`middlewares\` names the extension "${extensionId}", which does not run: ` +
        "list it under `service::extensions`",
    );
  }
  if (!isRequestGate(extension)) {
    throw new Error(
      `\`middlewares\` names the extension "${extensionId}", which is no middleware: ` +
        "use a `memory_limiter`",
    );
  }
  return extension;
}

function isRequestGate(extension: Extension): extension is RequestGate {
  return "requestRefusal" in extension;
}
