import { z } from "zod";

/** What an operator may write under `nop:` in `exporters`: nothing. */
export const nopConfig = z.strictObject({});
