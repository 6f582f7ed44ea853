/** Tells on a terminal how long a statement has been running, once that is long: one line that is written over, and taken away in the end. */

/** Shorter statements say nothing. */
const INTERVAL_MS = 1000;

export class RunningTime {
  private readonly stream: NodeJS.WriteStream;
  private timer: NodeJS.Timeout | undefined;
  private seconds = 0;

  constructor(stream: NodeJS.WriteStream) {
    this.stream = stream;
  }

  begin(): void {
    this.end();
    if (this.stream.isTTY) this.timer = setInterval(() => this.show(), INTERVAL_MS);
  }

  /** Before anything else is written. Safe to call at any time. */
  end(): void {
    if (this.timer === undefined) return;
    clearInterval(this.timer);
    this.timer = undefined;
    if (this.seconds > 0) this.stream.write('\r\u001B[K');
    this.seconds = 0;
  }

  private show(): void {
    this.seconds++;
    this.stream.write(`\rrunning for ${this.seconds} s; Ctrl-C stops it\u001B[K`);
  }
}
