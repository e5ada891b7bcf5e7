import type { MappingKey } from "../container-registry.js";
import { isBootId } from "../limits.js";
import { keyOfField } from "../mapping-field.js";
import { RedisLink, type RedisLinkSettings } from "./redis-link.js";

/** Keys named in one publication; with more, listeners look their own up again. */
export const publishedKeysMax = 64;

/** What a message on the channel says of a node. */
export type Publication =
  | { readonly kind: "published"; readonly bootId: string; readonly keys: readonly MappingKey[] }
  /** Too many to list. */
  | { readonly kind: "published_many"; readonly bootId: string }
  /** What was known of the node must not be believed any more. */
  | { readonly kind: "doubted"; readonly bootId: string };

/**
 * Reads a message: the boot ID, then after blanks its fields, `*` or `!`. Undefined for anything
 * else: whoever may publish on the channel must not be able to end the process.
 */
function parsePublication(message: string): Publication | undefined {
  const [bootId = "", ...fields] = message.split(" ", publishedKeysMax + 2);
  if (!isBootId(bootId) || fields.length === 0 || fields.length > publishedKeysMax) {
    return undefined;
  }
  if (fields[0] === "*") return { kind: "published_many", bootId };
  if (fields[0] === "!") return { kind: "doubted", bootId };
  const keys: MappingKey[] = [];
  for (const field of fields) {
    const key = keyOfField(field);
    if (key === undefined) return undefined;
    keys.push(key);
  }
  return { kind: "published", bootId, keys };
}

/** What listens to the channel. */
export interface PublicationHandlers {
  readonly onPublication: (publication: Publication) => void;
  /** The channel is heard (again): what was published before may have been missed. */
  readonly onSubscribed: () => void;
}

/**
 * The subscription to all nodes' publications, on a connection of its own: a RESP2 connection that
 * has subscribed can do nothing else.
 */
export class Publications {
  readonly #link: RedisLink;

  constructor(
    channel: string,
    settings: Omit<RedisLinkSettings, "prepare">,
    handlers: PublicationHandlers,
  ) {
    this.#link = new RedisLink({
      ...settings,
      prepare: async (client) => {
        // Every connection comes with its own stream of messages, the client object stays the same.
        client.removeAllListeners("message");
        client.on("message", (_channel: string, message: string) => {
          const publication = parsePublication(message);
          if (publication !== undefined) handlers.onPublication(publication);
        });
        await client.subscribe(channel);
        handlers.onSubscribed();
      },
    });
  }

  /** Begins to listen. Safe twice. */
  open(): void {
    this.#link.open();
  }

  close(): void {
    this.#link.close();
  }
}
