/**
 * SELECT ... FOR UPDATE: each row's key is locked before the row passes on. Where it waited, or a newer commit changed the row,
 * the statement is run anew from the start (read committed), so that it never shows what it did not lock.
 */
import { PhantomError } from '@phantom/base';
import { LockStrength } from '@phantom/mvcc';
import { lockingWords, type LockTarget } from '../../plan/logical/logical.js';
import type { LockRowsNode } from '../../plan/physical/physical.js';
import type { RowReference } from '../../storage/table-writer.js';
import { binary, call, isNotNull, literal } from '../code/ir.js';
import type { Run } from '../run.js';
import { StatementRestart, type Yielded } from '../runtime.js';
import type { Consume, PlanCompiler, StepContext } from './step.js';

/** Strengths of row locks by what a query calls them. */
export const LOCK_STRENGTHS = {
  update: LockStrength.Update,
  'no-key-update': LockStrength.NoKeyUpdate,
  share: LockStrength.Share,
  'key-share': LockStrength.KeyShare,
} as const;

const WAITS = { block: 'wait', nowait: 'nowait', 'skip-locked': 'skip' } as const;

/** Locks one row; the result is false when it is to be skipped. */
function lockRow(target: LockTarget): (run: Run, row: RowReference) => Generator<Yielded, boolean, void> {
  const strength = LOCK_STRENGTHS[target.strength];
  const wait = WAITS[target.wait];
  return function* (run, row) {
    const { transaction } = run.context;
    if (transaction === undefined) throw new PhantomError('25000', 'row locks need a transaction');
    if (run.context.readOnly) {
      throw new PhantomError('25006', `cannot execute SELECT ${lockingWords(target)} in a read-only transaction`);
    }
    const { key } = row;
    const waiting = transaction.lock(key, 0, key.length, strength, wait);
    if (waiting === false) return false;
    if (waiting !== undefined) yield waiting;
    if (!transaction.changedSinceSnapshot(key, 0, key.length)) return true;
    if (transaction.isolation === 'read committed') throw StatementRestart.instance;
    throw transaction.lostRace(key, 0, key.length);
  };
}

export function produceLockRows(compiler: PlanCompiler, node: LockRowsNode, consume: Consume): void {
  compiler.produce(node.input, (context) => lockEach(context, node.targets, () => consume(context)));
}

function lockEach(context: StepContext, targets: readonly LockTarget[], then: () => void): void {
  const [target, ...rest] = targets;
  if (target === undefined) {
    then();
    return;
  }
  const { emitter, run, expressions } = context;
  const row = expressions.column(target.rowReference);
  const locked = emitter.let(literal(true));
  emitter.if(isNotNull(row.code), () => {
    const result = emitter.delegate(call(emitter.constant(lockRow(target)), run, row.code));
    emitter.assign(locked, result);
  });
  emitter.if(binary('===', locked, literal(true)), () => lockEach(context, rest, then));
}
