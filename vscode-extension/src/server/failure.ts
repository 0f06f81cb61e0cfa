/** Why the server cannot start: a sentence that says what to do, and what a message offers as buttons. */
import type { Remedy } from "../protocol/api";

export class StartFailed extends Error {
  constructor(
    message: string,
    readonly remedies: readonly Remedy[] = ["retry"],
  ) {
    super(message);
    this.name = "StartFailed";
  }
}
