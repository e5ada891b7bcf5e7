import { z } from "zod";

/** What an operator may write under `forward:` in a configuration file: nothing. */
export const forwardConfig = z.strictObject({});
