import { z } from "zod";
import { parseListenEndpoint } from "./endpoint.js";

/** The schema of an `endpoint` to listen on; its default and description are the component's own. */
export function listenEndpoint() {
  return z.string().superRefine((endpoint, context) => {
    const parsed = parseListenEndpoint(endpoint);
    if ("problem" in parsed) context.addIssue({ code: "custom", message: parsed.problem });
  });
}
