import { PermanentError, RetryableError } from "@inode-gateway/contract";
import { GrpcCode, type GrpcStatusError, NO_CONNECTION } from "@inode-gateway/grpc";
import { connectFailure } from "../../transport/connect-failure.js";
import { isRetryableCode } from "../../transport/status-mapping.js";

/** The names of google.rpc.Code, by number. */
const codeNames: ReadonlyMap<number, string> = new Map(
  Object.entries(GrpcCode).map(([name, code]) => [code, name]),
);

/** How grpc-go, grpc-java and grpc-js begin the message of a request that was too large. */
const tooLargeMessage = /larger than (max|the limit|\d)|exceeds (the )?max/i;

const keys = {
  withoutTls: "set `tls::insecure: true`",
  withTls: "leave out `tls::insecure`",
};

/**
 * What a gRPC status says about the same batch sent again, as OTLP prescribes it.
 *
 * RESOURCE_EXHAUSTED may be retried only with RetryInfo; for size it asks for smaller requests.
 *
 * @param isTls whether the channel encrypts; decides what to advise when it cannot connect
 */
export function failureOfStatus(
  endpoint: string,
  cause: GrpcStatusError,
  isTls: boolean,
): PermanentError | RetryableError {
  const { code, message: said, retryDelayMs } = cause.status;
  if (code === GrpcCode.UNAVAILABLE && said.startsWith(NO_CONNECTION)) {
    const reason = connectFailure(said.slice(NO_CONNECTION.length), { isTls, ...keys });
    const message = `cannot connect to ${endpoint}: ${reason}`;
    return new RetryableError("BACKEND_UNAVAILABLE", message, { cause });
  }
  const message = `${endpoint} answered ${codeNames.get(code) ?? code}: ${said}`;
  const backendStatus = { grpcCode: code, message: said };
  const mayRetry =
    isRetryableCode(code) || (code === GrpcCode.RESOURCE_EXHAUSTED && retryDelayMs !== undefined);
  if (mayRetry) {
    const errorCode =
      code === GrpcCode.DEADLINE_EXCEEDED ? "DEADLINE_EXCEEDED" : "BACKEND_UNAVAILABLE";
    const options = { cause, backendStatus, retryAfterMs: retryDelayMs };
    return new RetryableError(errorCode, message, options);
  }
  const isTooLarge = code === GrpcCode.RESOURCE_EXHAUSTED && tooLargeMessage.test(said);
  const errorCode = isTooLarge ? "BATCH_TOO_LARGE" : "BACKEND_REJECTED";
  return new PermanentError(errorCode, message, { cause, backendStatus });
}
