import { parentPort } from "node:worker_threads";
import { matches, type StoredPassword } from "./stored-password.js";

/** One password to check. */
export interface VerifyRequest {
  readonly password: string;
  readonly stored: StoredPassword;
}

parentPort?.on("message", ({ password, stored }: VerifyRequest) => {
  parentPort?.postMessage(matches(password, stored));
});
