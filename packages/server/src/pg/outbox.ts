/**
 * What connections have to send, until the event loop has handed out all that had come. A write costs most where it wakes a
 * client that sleeps: answers that leave one after the other wake it once. A client alone loses nothing by that, since its
 * answer goes out in the same turn of the loop.
 */

/** Whoever waits in the line. */
export interface Sender {
  /** Sends what there is now. */
  flush(): void;
}

/** Senders that wait while others are still being answered. */
const WAITING_MAX = 16;

export class Outbox {
  /** Filled anew each time: to cut an array down costs more than to overwrite it. */
  private readonly waiting: (Sender | undefined)[] = [];
  private count = 0;
  private isDue = false;

  /** Lines up a sender; it does so once, and is flushed in this turn of the event loop. */
  add(sender: Sender): void {
    this.waiting[this.count++] = sender;
    if (this.count >= WAITING_MAX) {
      this.send();
    } else if (!this.isDue) {
      this.isDue = true;
      setImmediate(this.turned);
    }
  }

  private readonly turned = (): void => {
    this.isDue = false;
    this.send();
  };

  private send(): void {
    const { waiting } = this;
    for (let i = 0; i < this.count; i++) {
      waiting[i]?.flush();
      waiting[i] = undefined;
    }
    this.count = 0;
  }
}
