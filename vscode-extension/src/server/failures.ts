/** Errors of the wire as the one error that the extension knows. */
import { type FailureCode, RequestFailed } from "../protocol/api";

const CANCELLED = -32800;
const CODES = new Map<number, FailureCode>([
  [-32602, "invalidParams"],
  [CANCELLED, "cancelled"],
]);

interface WireError {
  readonly message: string;
  readonly code?: number;
  readonly data?: { readonly code?: string };
}

export function failureOf(error: unknown): RequestFailed {
  if (error instanceof RequestFailed) {
    return error;
  }
  if (!isWireError(error)) {
    return new RequestFailed(String(error), "internal");
  }
  if (error.name === "Canceled" || error.code === CANCELLED) {
    return new RequestFailed("It was cancelled.", "cancelled");
  }
  const code = error.data?.code ?? CODES.get(error.code ?? 0);
  if (code === undefined) {
    return new RequestFailed("The server ended before it answered: this may or may not have happened.", "lost");
  }
  return new RequestFailed(error.message, code);
}

function isWireError(error: unknown): error is WireError & { name?: string } {
  return typeof error === "object" && error !== null && "message" in error && typeof error.message === "string";
}
