/**
 * One opened pane at the server: frames in order, credit for what was read, and opening again after whatever happened.
 *
 *     idle --open--> opening --answer--> live --gap--> opening
 *                       |  \--no pane yet, no server--> waiting --wake--> opening
 *     any --close--> closed
 *
 * Frames are counted by `seq`, which goes on from the answer to `open`; one that is missing makes the pane be opened
 * again, which gives a whole screen. Knows neither VS Code nor how output is drawn.
 */

export interface Opened {
  readonly columns: number;
  readonly rows: number;
  readonly snapshot: string;
  readonly seq: number;
}

export interface Frame {
  readonly seq: number;
  readonly data: string;
  readonly reset?: boolean;
}

/** What the server does for one pane. */
export interface PaneWire {
  open(credit: number): Promise<Opened>;
  close(): Promise<void>;
  takeOver(on: boolean): Promise<void>;
  input(data: string): Promise<void>;
  credit(bytes: number): void;
  /** It could not be opened: for the log. */
  refused(error: unknown): void;
}

/** Where output goes. `read` must be called when it has been dealt with: only then is more asked for. */
export interface Screen {
  reset(data: string, size: { columns: number; rows: number }, read: () => void): void;
  feed(data: string, read: () => void): void;
}

export type LinkState = "idle" | "opening" | "live" | "waiting" | "closed";

export const WINDOW = 256 * 1024;
const PAY_AT = WINDOW / 4;

export class PaneLink {
  state: LinkState = "idle";
  taken = false;
  private size = { columns: 160, rows: 50 };
  private last = 0;
  private unpaid = 0;
  private generation = 0;
  private early: Frame[] = [];
  private typing: Promise<void> = Promise.resolve();

  constructor(
    private readonly wire: PaneWire,
    private readonly screen: Screen,
    private readonly changed: () => void,
  ) {}

  /** Open, or open again: after a restart of the server, a new pane of the same role, a frame that is missing. */
  async open(): Promise<void> {
    if (this.state === "closed") return;
    const generation = ++this.generation;
    this.set("opening");
    this.early = [];
    this.unpaid = 0;
    const wanted = this.taken;
    let opened: Opened;
    try {
      opened = await this.wire.open(WINDOW);
    } catch (error) {
      // No pane yet, or no server: whoever knows of either wakes this link again.
      this.wire.refused(error);
      if (generation === this.generation) this.set("waiting");
      return;
    }
    if (generation !== this.generation) return;
    this.size = { columns: opened.columns, rows: opened.rows };
    this.last = opened.seq;
    this.screen.reset(opened.snapshot, this.size, () => undefined);
    this.set("live");
    const early = this.early;
    this.early = [];
    for (const frame of early) if (frame.seq > opened.seq) this.frame(frame);
    if (wanted) await this.takeOver(true).catch(() => undefined);
  }

  /** A pane or a server has come that was not there before. */
  wake(): void {
    if (this.state === "waiting" || this.state === "idle") void this.open();
  }

  /** The server is gone, and all that was opened there. */
  lost(): void {
    if (this.state === "closed") return;
    this.generation++;
    this.set("waiting");
  }

  frame(frame: Frame): void {
    if (this.state === "opening") {
      this.early.push(frame);
      return;
    }
    if (this.state !== "live" || frame.seq <= this.last) return;
    if (frame.seq !== this.last + 1) {
      void this.open();
      return;
    }
    this.last = frame.seq;
    const generation = this.generation;
    const cost = Buffer.byteLength(frame.data);
    const read = () => this.pay(generation, cost);
    if (frame.reset === true) this.screen.reset(frame.data, this.size, read);
    else this.screen.feed(frame.data, read);
  }

  private pay(generation: number, cost: number): void {
    if (generation !== this.generation || this.state !== "live") return;
    this.unpaid += cost;
    if (this.unpaid < PAY_AT) return;
    this.wire.credit(this.unpaid);
    this.unpaid = 0;
  }

  /** Raises what the server says, for example that somebody else types there. */
  async takeOver(on: boolean): Promise<void> {
    await this.wire.takeOver(on);
    this.taken = on;
    this.changed();
  }

  /** Keys of the reader, in the order in which they were pressed; false when the pane is not taken over. */
  type(data: string, failed: (error: unknown) => void): boolean {
    if (!this.taken || this.state !== "live") return false;
    this.typing = this.typing.then(() => this.wire.input(data)).catch(failed);
    return true;
  }

  /** Let go of the pane. The server may be gone already. */
  async close(): Promise<void> {
    const open = this.state === "live" || this.state === "opening";
    this.generation++;
    this.set("closed");
    this.taken = false;
    if (open) await this.wire.close().catch(() => undefined);
  }

  private set(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.changed();
  }
}
