/**
 * A statement a session has analysed: either a plan (queries and data modification) or a utility statement (everything
 * else). Plans are shared with other sessions through the engine's cache and made anew when the catalog moved on.
 */
import type { Oid, TypeRef } from '@phantom/catalog';
import { type Execution, PAUSE, type RowSink } from '../exec/runtime.js';
import type { PlanField, PreparedPlan } from '../plan/prepared-plan.js';
import type { RoutineBinding } from '../plan/routine-binding.js';
import type { Statement } from '../text/ast-statements.js';
import type { Value } from '../types/type.js';
import type { SqlSession } from './session.js';
import type { CachedStatement } from './statement-cache.js';
import type { Literals } from './statement-shapes.js';
import type { CountedUse } from './statement-uses.js';

export interface PlanStatement {
  readonly kind: 'plan';
  readonly text: string;
  readonly node: Statement;
  /** Types the client declared; 0 where it left them open. */
  readonly declaredTypes: readonly Oid[];
  /** Its text's literals, where its shape may be shared (statement-shapes.ts). */
  readonly literals: Literals | undefined;
  /** Of a routine's body: what it is bound with. */
  readonly routine?: RoutineBinding;
  /** Where it was read from; undefined within a routine's body, where nothing is counted. */
  readonly parsed?: CachedStatement | undefined;
  /** Where its calls are counted (statement-uses.ts). */
  use?: CountedUse | undefined;
  /** Replaced when the catalog moved on; every execution asks the session for the current one. */
  plan: PreparedPlan;
}

export interface UtilityStatement {
  readonly kind: 'utility';
  readonly text: string;
  readonly node: Statement;
  readonly parsed?: CachedStatement | undefined;
  use?: CountedUse | undefined;
  readonly utility: Utility;
}

/** An empty query string: nothing is done, and the protocol has an answer of its own for it. */
export interface EmptyStatement {
  readonly kind: 'empty';
  readonly text: string;
}

export type SessionStatement = PlanStatement | UtilityStatement | EmptyStatement;

/** How one kind of utility statement is described and run. */
export interface Utility {
  /** Output columns; empty for none. */
  readonly fields: readonly PlanField[];
  readonly parameterTypes: readonly TypeRef[];
  /** May run in a failed transaction (COMMIT, ROLLBACK, ROLLBACK TO). */
  readonly allowedWhenFailed?: boolean;
  /** `own`: it manages the transaction itself; `any`: needs none; `required`: runs inside one, begun if need be. */
  readonly transaction: 'own' | 'any' | 'required';
  /** Sets the tag when it is not the kind's usual one. */
  run(session: SqlSession, parameters: readonly Value[], sink: RowSink, setTag: (tag: string) => void): Execution;
}

/** An output column of a computed result. */
export function field(name: string, typeOid: Oid): PlanField {
  return { name, type: { oid: typeOid, typmod: -1 }, tableOid: 0, column: 0 };
}

/** Sends rows, given row by row, to a sink in one batch. */
export function* sendRows(rows: readonly (readonly Value[])[], width: number, sink: RowSink): Execution {
  let sent = 0;
  while (sent < rows.length) {
    const slice = rows.slice(sent, sent + Math.max(1, sink.batchRowsMax));
    const columns = Array.from({ length: width }, (_, c) => slice.map((row) => row[c]));
    sent += slice.length;
    if (sink.rows({ columns, count: slice.length })) yield PAUSE;
  }
  return rows.length;
}
