/** How long to wait before a server that ended is started again, and when to leave it to a person. Pure: time is given. */

const DELAYS = [0.3, 1, 3, 10, 30];
/** Seconds after which a server that stays up is thought to be well, and earlier deaths are forgotten. */
const WELL = 60;

export class Patience {
  private deaths = 0;

  /** The server ended after so many seconds of service. Seconds to wait, or undefined: enough. */
  ended(served: number): number | undefined {
    if (served >= WELL) {
      this.deaths = 0;
    }
    const delay = DELAYS[this.deaths];
    this.deaths += 1;
    return delay;
  }

  /** A person has asked for a new start: nothing is held against it. */
  forgive(): void {
    this.deaths = 0;
  }
}
