import { isDeliveryError, type LogFields } from "@inode-gateway/contract";

/**
 * Fields of a log line about a failed delivery: the reason in words, for what a destination or the
 * network did; the whole error with its stack, for what can only be a bug.
 */
export function failureFields(error: unknown): LogFields {
  return isDeliveryError(error) ? { reason: error.message, code: error.code } : { error };
}
