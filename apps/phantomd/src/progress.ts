/** How far a long piece of work has come: one line that is written over, on a terminal; nothing elsewhere. */

const INTERVAL_MS = 100;
const BAR_CHARACTERS = 24;

export class Progress {
  private readonly stream: NodeJS.WriteStream;
  private readonly bytesTotal: number | undefined;
  private readonly startMs = performance.now();
  private shownMs = 0;
  private isShown = false;
  bytes = 0;
  rows = 0;

  /** `bytesTotal` is undefined where nobody knows. */
  constructor(stream: NodeJS.WriteStream, bytesTotal: number | undefined) {
    this.stream = stream;
    this.bytesTotal = bytesTotal;
  }

  get elapsedMs(): number {
    return performance.now() - this.startMs;
  }

  /** Shows where it stands, ten times a second at most. */
  show(): void {
    if (!this.stream.isTTY) return;
    const nowMs = performance.now();
    if (nowMs - this.shownMs < INTERVAL_MS) return;
    this.shownMs = nowMs;
    this.isShown = true;
    this.stream.write(`\r${this.text()}\u001B[K`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.isShown) this.stream.write('\r\u001B[K');
  }

  /** `[########                ]  33 %  120,000 rows  85,000 rows/s` */
  text(): string {
    const rate = Math.round(this.rows / Math.max(0.001, this.elapsedMs / 1000));
    const counts = `${this.rows.toLocaleString('en')} rows  ${rate.toLocaleString('en')} rows/s`;
    if (this.bytesTotal === undefined || this.bytesTotal === 0) return counts;
    const part = Math.min(1, this.bytes / this.bytesTotal);
    const bar = '#'.repeat(Math.round(part * BAR_CHARACTERS)).padEnd(BAR_CHARACTERS);
    return `[${bar}] ${String(Math.floor(part * 100)).padStart(3)} %  ${counts}`;
  }
}
