import { PermanentError } from "@inode-gateway/contract";
import { TooManyAttributesError } from "@inode-gateway/otlp";

/**
 * What a sender is told when the attributes of its request cannot be edited.
 *
 * Passing such a request on unedited could reveal what an action is there to delete.
 */
export function editFailure(error: unknown): unknown {
  if (!(error instanceof TooManyAttributesError)) return error;
  return new PermanentError("BATCH_TOO_LARGE", error.message, { cause: error });
}
