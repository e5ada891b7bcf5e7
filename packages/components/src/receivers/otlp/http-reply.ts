import type { Signal } from "@inode-gateway/contract";
import { encodeStatus, GrpcCode, type Status, statusToJson } from "@inode-gateway/grpc";
import { encodeResponse, encodeResponseJson } from "@inode-gateway/otlp";
import { jsonMediaType, protobufMediaType } from "../../transport/otlp-names.js";
import type { FailureAnswer } from "../../transport/status-mapping.js";
import type { Encoding } from "./http-headers.js";

/** An HTTP answer before it is written to any connection. */
export interface HttpReply {
  readonly httpStatus: number;
  readonly contentType: string;
  readonly body: Buffer;
  readonly retryAfterSeconds?: number | undefined;
  /** Methods for `Allow`, on 405 only. */
  readonly allow?: string | undefined;
  /** Value of `WWW-Authenticate`, on 401 only. */
  readonly challenge?: string | undefined;
}

/** 200 without partial_success: nothing was rejected, so the field must be left unset. */
export function successReply(signal: Signal, encoding: Encoding): HttpReply {
  return encoding === "protobuf"
    ? { httpStatus: 200, contentType: protobufMediaType, body: asBuffer(encodeResponse(signal)) }
    : { httpStatus: 200, contentType: jsonMediaType, body: asBuffer(encodeResponseJson(signal)) };
}

/** Every 4xx and 5xx carries a google.rpc.Status in the request's own encoding, JSON if unknown. */
export function failureReply(answer: FailureAnswer, encoding: Encoding | undefined): HttpReply {
  const { challenge, httpStatus, retryAfterSeconds } = answer;
  return { ...statusReply(httpStatus, answer.status, encoding), challenge, retryAfterSeconds };
}

/** The answer to a request that HTTP alone tells to be wrong. */
export function requestErrorReply(
  httpStatus: number,
  message: string,
  encoding: Encoding | undefined,
): HttpReply {
  const code = requestErrorCodes.get(httpStatus) ?? GrpcCode.INVALID_ARGUMENT;
  return statusReply(httpStatus, { code, message }, encoding);
}

const requestErrorCodes: ReadonlyMap<number, number> = new Map([
  [404, GrpcCode.UNIMPLEMENTED],
  [405, GrpcCode.UNIMPLEMENTED],
  [408, GrpcCode.DEADLINE_EXCEEDED],
]);

function statusReply(
  httpStatus: number,
  status: Status,
  encoding: Encoding | undefined,
): HttpReply {
  return encoding === "protobuf"
    ? { httpStatus, contentType: protobufMediaType, body: asBuffer(encodeStatus(status)) }
    : { httpStatus, contentType: jsonMediaType, body: Buffer.from(statusToJson(status)) };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
