/**
 * Faults as a small language (after Pebble's errorfs): an injector is asked before each operation and may answer with the
 * error the operation shall fail with. Injectors compose and print themselves, so that a test script can show its faults.
 */
import type { PhantomError } from '@phantom/base';

export type VfsOperation =
  | 'open'
  | 'lock'
  | 'list'
  | 'exists'
  | 'makeDir'
  | 'rename'
  | 'remove'
  | 'syncDir'
  | 'read'
  | 'write'
  | 'size'
  | 'truncate'
  | 'sync'
  | 'close';

export interface VfsOp {
  readonly operation: VfsOperation;
  readonly path: string;
  readonly offset?: number;
  readonly bytes?: number;
}

/** An error to throw, or how many bytes of a write reach the file before the error is thrown. */
export interface Fault {
  readonly error: PhantomError;
  readonly writtenBytes?: number;
}

export interface Injector {
  maybeFault(op: VfsOp): Fault | undefined;
  toString(): string;
}
