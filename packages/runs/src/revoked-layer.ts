/** What is left of a view whose files were taken from it: every question is answered with the reason. */
import { PhantomError, SqlState } from '@phantom/base';
import type { Layer } from './layer.js';

export class RevokedLayer implements Layer {
  private readonly error: Error;

  constructor(error: Error) {
    this.error = error;
  }

  getHashed(): never {
    throw this.error;
  }

  get(): never {
    throw this.error;
  }

  cursor(): never {
    throw this.error;
  }

  rangeTombstones(): never {
    throw this.error;
  }

  estimate(): never {
    throw this.error;
  }
}

/** 72000: views pinned so many bytes of files that nothing else needs, and this one, held by `reader`, was the oldest. */
export function viewTooOldError(pinnedBytes: number, pinnedBytesMax: number, reader?: string): PhantomError {
  const held = reader === undefined ? '' : ` The oldest is held by ${reader}.`;
  return new PhantomError(SqlState.SnapshotTooOld, 'the view is too old: its files were taken back', {
    detail: `Views pinned ${pinnedBytes} bytes that nothing else needs, of ${pinnedBytesMax} there may be.${held}`,
    hint: 'Read for a shorter time, or raise pinnedBytesMax.',
    data: { pinnedBytes, pinnedBytesMax, ...(reader === undefined ? {} : { reader }) },
  });
}
