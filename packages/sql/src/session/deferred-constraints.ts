/**
 * What a transaction owes before its commit: the checks of constraints that wait, and which constraints do, as they were
 * declared or as SET CONSTRAINTS has said since. Both go back with a savepoint.
 */
import { PhantomError } from '@phantom/base';
import type { ConstraintDescriptor, Oid } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { DeferredCheck } from '../storage/writer-context.js';

/** What SET CONSTRAINTS has said. Never changed in place: a savepoint keeps the one of its moment. */
interface ConstraintModes {
  /** ALL; undefined while it was not said. */
  readonly all: boolean | undefined;
  /** By name, since ALL was said. */
  readonly byOid: ReadonlyMap<Oid, boolean>;
}

/** While it has said nothing. */
const AS_DECLARED: ConstraintModes = { all: undefined, byOid: new Map() };

export interface DeferredMark {
  readonly pending: DeferredCheck[];
  readonly count: number;
  readonly modes: ConstraintModes;
}

export class DeferredConstraints {
  /** In order. Only ever appended to: settling makes another array, so that a mark is an array and a length. */
  private pending: DeferredCheck[] = [];
  private modes = AS_DECLARED;

  isDeferred({
    oid,
    deferrable,
    initiallyDeferred,
  }: Pick<ConstraintDescriptor, 'oid' | 'deferrable' | 'initiallyDeferred'>): boolean {
    return deferrable && (this.modes.byOid.get(oid) ?? this.modes.all ?? initiallyDeferred);
  }

  /** Something is owed. */
  get isOwing(): boolean {
    return this.pending.length > 0;
  }

  add(check: DeferredCheck): void {
    this.pending.push(check);
  }

  /**
   * True when something is owed for rows of the table, or triggers wait. Keys are looked at: one that nobody else has is owed nothing, as in
   * PostgreSQL, which notes only what is twice there.
   */
  *isOwedBy(tableOid: Oid): Generator<Yielded, boolean, void> {
    const isOfTable = ({ constraint }: DeferredCheck): boolean => constraint?.tableOid === tableOid;
    const isKey = (kind: string | undefined): boolean =>
      kind === 'primary key' || kind === 'unique' || kind === 'exclusion';
    if (this.pending.some((check) => isOfTable(check) && !isKey(check.constraint?.kind))) return true;
    try {
      yield* this.run(isOfTable);
      return false;
    } catch (error) {
      if (error instanceof PhantomError && (error.code === '23505' || error.code === '23P01')) return true;
      throw error;
    }
  }

  /** Runs everything that is owed, also what comes up meanwhile. */
  *settle(): Generator<Yielded, void, void> {
    while (this.pending.length > 0) yield* this.run(() => true);
  }

  /**
   * Makes constraints wait or not, all deferrable ones or those of the oids; runs what those that no longer wait have owed.
   * When that raises, they wait still.
   */
  *change(deferred: boolean, oids: ReadonlySet<Oid> | undefined): Generator<Yielded, void, void> {
    if (!deferred) yield* this.run(({ constraint }) => constraint !== undefined && (oids?.has(constraint.oid) ?? true));
    if (oids === undefined) {
      this.modes = { all: deferred, byOid: new Map() };
      return;
    }
    const byOid = new Map(this.modes.byOid);
    for (const oid of oids) byOid.set(oid, deferred);
    this.modes = { ...this.modes, byOid };
  }

  mark(): DeferredMark {
    return { pending: this.pending, count: this.pending.length, modes: this.modes };
  }

  /** Back to the mark. What the document model owes stays: it looks again whether that is still there. */
  rollbackTo({ pending, count, modes }: DeferredMark): void {
    const before = new Set(pending.slice(0, count));
    const standing = this.pending.filter((check) => check.constraint === undefined && !before.has(check));
    pending.length = count;
    pending.push(...standing);
    this.pending = pending;
    this.modes = modes;
  }

  private *run(chosen: (check: DeferredCheck) => boolean): Generator<Yielded, void, void> {
    const checks = this.pending;
    for (let i = 0; i < checks.length; i++) {
      const check = checks[i] as DeferredCheck;
      if (chosen(check)) yield* check.run();
    }
    this.pending = checks.filter((check) => !chosen(check));
  }
}
