/**
 * The events of one run, from the first on and without a gap, however they come: pages that are asked for, events that
 * are told, both at once, some twice, some never. It does not know where pages come from.
 */
import type { Disposable } from "../protocol/api";
import type { Envelope, EventPage } from "../protocol/generated";

export interface Reader {
  /** The next events, in order; the first call continues where the reader said it was. */
  events(batch: readonly Envelope[]): void;
  /** Everything that the server had has been told. Again after each reconnection. */
  settled?(): void;
  /** History could not be read; it is tried again when the server is back. */
  failed?(error: unknown): void;
}

export type ReadPage = (after: number, limit: number) => Promise<EventPage>;

const PAGE = 2000;

export class Log {
  private readonly known: Envelope[] = [];
  private readonly readers = new Set<{ reader: Reader; at: number }>();
  /** The highest number that was heard of. */
  private heard = 0;
  private loading: Promise<void> | undefined;
  private complete = false;

  constructor(private readonly readPage: ReadPage) {}

  get events(): readonly Envelope[] {
    return this.known;
  }

  get idle(): boolean {
    return this.readers.size === 0;
  }

  /** Tells the reader everything after `after`, now as far as it is known and later as it comes. */
  add(reader: Reader, after: number): Disposable {
    const place = { reader, at: after };
    this.readers.add(place);
    if (this.complete && this.heard <= this.known.length) {
      this.tellOne(place);
      reader.settled?.();
    } else {
      this.tellOne(place);
      void this.load();
    }
    return { dispose: () => void this.readers.delete(place) };
  }

  /** One event as it is told. What is already known is ignored, and a gap is filled by asking. */
  told(envelope: Envelope): void {
    this.heard = Math.max(this.heard, envelope.seq);
    if (this.loading !== undefined) {
      return;
    }
    if (envelope.seq === this.known.length + 1) {
      this.known.push(envelope);
      this.tellAll();
    } else if (envelope.seq > this.known.length) {
      void this.load();
    }
  }

  /** Asks for what is missing. Calls that come while it works share its end. */
  load(): Promise<void> {
    this.loading ??= this.loadAll().finally(() => {
      this.loading = undefined;
    });
    return this.loading;
  }

  private async loadAll(): Promise<void> {
    try {
      do {
        const page = await this.readPage(this.known.length, PAGE);
        const fresh = page.events.filter((envelope, index) => envelope.seq === this.known.length + 1 + index);
        this.known.push(...fresh);
        this.heard = Math.max(this.heard, page.last);
        this.tellAll();
        if (fresh.length === 0) {
          break;
        }
      } while (this.known.length < this.heard);
      this.complete = true;
      for (const { reader } of [...this.readers]) {
        reader.settled?.();
      }
    } catch (error) {
      for (const { reader } of [...this.readers]) {
        reader.failed?.(error);
      }
    }
  }

  private tellAll(): void {
    for (const place of [...this.readers]) {
      this.tellOne(place);
    }
  }

  private tellOne(place: { reader: Reader; at: number }): void {
    if (place.at < this.known.length) {
      const batch = this.known.slice(place.at);
      place.at = this.known.length;
      place.reader.events(batch);
    }
  }
}
