/** A place to listen at, without an editor: the smallest event emitter that the models need. */
import type { Disposable } from "../protocol/api";

export class Signal<T> {
  private readonly listeners = new Set<(value: T) => void>();

  /** A listener that is added while one is told is not told this time. */
  on(listener: (value: T) => void): Disposable {
    const own = (value: T): void => listener(value);
    this.listeners.add(own);
    return { dispose: () => this.listeners.delete(own) };
  }

  tell(value: T): void {
    for (const listener of [...this.listeners]) {
      listener(value);
    }
  }
}
