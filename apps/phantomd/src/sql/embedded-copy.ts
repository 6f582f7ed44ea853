/** COPY of a session in this process: its data is handed over with the statement, its rows as they come. */
import { PhantomError } from '@phantom/base';
import type { CopyChannel } from '@phantom/db/session';
import { type CopyEnds, NO_DATA } from './target.js';

const encoder = new TextEncoder();

export class EmbeddedCopy implements CopyChannel {
  /** Those of the statement that runs. */
  ends: CopyEnds = {};
  piece: Uint8Array | undefined;
  private input: Iterator<Uint8Array> | undefined;
  private wait: Promise<void> | undefined;

  startIn(): void {
    if (this.ends.input === undefined) throw new PhantomError('57014', `COPY from stdin failed: ${NO_DATA}`);
    this.input = this.ends.input[Symbol.iterator]();
  }

  advance(): undefined {
    const step = this.input?.next();
    this.piece = step === undefined || step.done === true ? undefined : step.value;
    return undefined;
  }

  startOut(): void {
    this.wait = undefined;
  }

  write(data: string | Uint8Array): void {
    this.wait = this.ends.output?.(typeof data === 'string' ? encoder.encode(data) : data) ?? this.wait;
  }

  relieve(): Promise<void> | undefined {
    const { wait } = this;
    this.wait = undefined;
    return wait;
  }

  endOut(): void {
    this.wait = undefined;
  }
}
