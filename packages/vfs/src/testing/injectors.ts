/**
 * The words of the fault language: each is an injector, most take another one, and each prints itself as it was written.
 *
 * ```
 *   onOperation(['write', 'sync'], pathMatch(/\.wal$/, failAt(3, 'ENOSPC')))
 *   anyOf(failAt(0, 'EIO'), failFrom(7, 'short-write'))
 * ```
 */
import { type PhantomError, ioError } from '@phantom/base';
import type { Fault, Injector, VfsOp, VfsOperation } from '../injector.js';

/** `short-write`: half of a write arrives before the disk is full; as ENOSPC for everything else. */
export type FaultKind = 'EIO' | 'ENOSPC' | 'EMFILE' | 'short-write' | PhantomError;

/** An injector that counts what it is asked, and says whether it ever answered with a fault. */
export interface CountingInjector extends Injector {
  readonly count: number;
  readonly fired: boolean;
}

function faultOf(kind: FaultKind, op: VfsOp): Fault {
  if (typeof kind !== 'string') return { error: kind };
  const code = kind === 'short-write' ? 'ENOSPC' : kind;
  const error = ioError(op.operation, op.path, Object.assign(new Error(`${code}: injected`), { code }));
  return kind === 'short-write' ? { error, writtenBytes: (op.bytes ?? 0) >> 1 } : { error };
}

function printed(kind: FaultKind): string {
  return typeof kind === 'string' ? kind : kind.code;
}

class Countdown implements CountingInjector {
  count = 0;
  fired = false;
  private readonly at: number;
  private readonly kind: FaultKind;
  private readonly forever: boolean;

  constructor(at: number, kind: FaultKind, forever: boolean) {
    this.at = at;
    this.kind = kind;
    this.forever = forever;
  }

  maybeFault(op: VfsOp): Fault | undefined {
    const index = this.count++;
    if (index !== this.at && !(this.forever && index > this.at)) return undefined;
    this.fired = true;
    return faultOf(this.kind, op);
  }

  toString(): string {
    return `${this.forever ? 'failFrom' : 'failAt'}(${this.at}, ${printed(this.kind)})`;
  }
}

/** Fails the operation of that index among those it is asked about, counted from 0, and no other. */
export function failAt(index: number, kind: FaultKind): CountingInjector {
  return new Countdown(index, kind, false);
}

/** Fails that operation and every later one: a disk that stays full or broken. */
export function failFrom(index: number, kind: FaultKind): CountingInjector {
  return new Countdown(index, kind, true);
}

/** Asks the inner injector about operations of these kinds only. */
export function onOperation(operations: VfsOperation | readonly VfsOperation[], inner: Injector): Injector {
  const wanted = new Set<VfsOperation>(typeof operations === 'string' ? [operations] : operations);
  return {
    maybeFault: (op) => (wanted.has(op.operation) ? inner.maybeFault(op) : undefined),
    toString: () => `onOperation(${[...wanted].join('|')}, ${inner.toString()})`,
  };
}

/** Asks the inner injector about operations on matching paths only. */
export function pathMatch(pattern: RegExp | string, inner: Injector): Injector {
  const matches = (path: string): boolean =>
    typeof pattern === 'string' ? path.includes(pattern) : pattern.test(path);
  return {
    maybeFault: (op) => (matches(op.path) ? inner.maybeFault(op) : undefined),
    toString: () => `pathMatch(${String(pattern)}, ${inner.toString()})`,
  };
}

/** Asks each in turn, all of them, and takes the first fault. */
export function anyOf(...injectors: readonly Injector[]): Injector {
  return {
    maybeFault(op) {
      let first: Fault | undefined;
      for (const injector of injectors) {
        const fault = injector.maybeFault(op);
        first ??= fault;
      }
      return first;
    },
    toString: () => `anyOf(${injectors.map(String).join(', ')})`,
  };
}

/** Never fails; counts. With `record`, calls it with each operation. */
export function counting(record?: (op: VfsOp) => void): CountingInjector {
  return {
    count: 0,
    fired: false,
    maybeFault(op) {
      (this as { count: number }).count++;
      record?.(op);
      return undefined;
    },
    toString: () => 'counting()',
  };
}
