/** A component could not be started; the message names it, the cause says why. */
export class StartError extends Error {
  override readonly name = "StartError";
}
