/** Many changes, one drawing: `soon` runs the work once after a moment, however often it is asked. */
import type { Disposable } from "../protocol/api";

export class Soon implements Disposable {
  private timer: NodeJS.Timeout | undefined;
  private ticking: NodeJS.Timeout | undefined;

  constructor(
    private readonly work: () => void,
    private readonly milliseconds = 100,
  ) {}

  ask(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.work();
    }, this.milliseconds);
  }

  /** From now on every second as well, or no longer: for what shows how long something takes. */
  tick(on: boolean): void {
    if (on) {
      this.ticking ??= setInterval(this.work, 1000);
    } else {
      clearInterval(this.ticking);
      this.ticking = undefined;
    }
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.tick(false);
  }
}
