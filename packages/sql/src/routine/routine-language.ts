/**
 * The seam between what a routine is (its name, parameters, rights: the catalog's and the binder's affair) and the language
 * that its body is written in.
 *
 *   a call  ->  session/session-routines.ts: depth, rights, settings  ->  compiled body, once for each combination of types
 *           ->  statements of the body, run by the RoutineHost  ->  value or rows
 *
 * A body runs as a generator by the protocol of exec/runtime.ts, so CALL may wait and rest like any statement, and so
 * may calls that a step of a plan makes (ScalarFunction.execute). Where an expression is computed at once (a default, a CHECK, the
 * bound of a scan) the caller drives the generator to its end, and what would have to wait ends the whole statement, which is
 * then run anew (StatementWait).
 */
import type { ErrorFields } from '@phantom/base';
import type { Oid, RoutineDescriptor, TypeRef } from '@phantom/catalog';
import type { SqlRecord } from '@phantom/codec';
import type { NoticeSeverity } from '../ddl/context.js';
import type { Execution, RowSink, Yielded } from '../exec/runtime.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort, RequiredPrivilege } from '../plan/catalog-port.js';
import type { PlanField } from '../plan/prepared-plan.js';
import type { RoutineBinding, WantedResult } from '../plan/routine-binding.js';
import type { Fetch } from '../text/ast-session.js';
import type { Statement } from '../text/ast-statements.js';
import type { TypeLookup, Value } from '../types/type.js';

/** A statement of a body, ready to run; planned anew when the catalog has moved on. */
export interface RoutineStatement {
  /** Its columns, after what it is bound with. */
  readonly fields: readonly PlanField[];
  /** Of CALL: which argument, from 0, takes each column of the row. */
  readonly outputs?: readonly number[];
  /** Of a cursor's query: the table whose rows it shows one by one, each with its reference behind the fields. */
  readonly tableOid?: Oid | undefined;
  /** The relations that its rows come from, where it is a query. */
  readonly reads?: readonly Oid[];
  run(parameters: readonly Value[], sink: RowSink): Execution;
}

/** What a body has done since, as a whole: undone, or kept. */
export interface RoutineSavepoint {
  rollback(): void;
  release(): void;
}

/** A query whose rows a cursor is to show. */
export interface OpenedCursor {
  /** Null: a name that no cursor has is found. */
  readonly name: string | null;
  readonly text: string;
  readonly fields: readonly PlanField[];
  /** As of RoutineStatement. */
  readonly tableOid: Oid | undefined;
  readonly reads: readonly Oid[];
  readonly scroll: boolean | undefined;
  run(sink: RowSink): Execution;
}

export interface FetchedRows {
  readonly rows: readonly (readonly Value[])[];
  readonly fields: readonly PlanField[];
}

/** The session's cursors. */
export interface RoutineCursors {
  /** Answers the name; 42P03 when there is one of the name. */
  open(cursor: OpenedCursor): Generator<Yielded, string, void>;
  /** Keeps one whatever becomes of its transaction, until it is closed. */
  pin(name: string): void;
  /** Moves as FETCH and MOVE say; 34000 when there is none of the name. */
  fetch(node: Fetch): Generator<Yielded, FetchedRows, void>;
  close(name: string): void;
}

/** What a body asks of the session in which it runs. */
export interface RoutineHost {
  readonly cursors: RoutineCursors;
  readonly types: TypeLookup;
  /** The catalog as it is now. */
  readonly catalog: CatalogPort;
  readonly evaluation: EvaluationContext;
  /** Analyses a statement of a body; the errors are the binder's. */
  prepare(node: Statement, text: string, types: readonly TypeRef[], binding: RoutineBinding): RoutineStatement;
  /** As `prepare`, for the rows of a cursor. */
  prepareCursor(node: Statement, text: string, types: readonly TypeRef[], binding: RoutineBinding): RoutineStatement;
  /** Reads a text that a body has put together. */
  parse(text: string): readonly Statement[];
  /** 42501 unless whoever runs the body now has every right. */
  checkPrivileges(required: readonly RequiredPrivilege[]): void;
  notice(severity: NoticeSeverity, code: string, message: string, fields: ErrorFields): void;
  setting(name: string): string;
  /** What one query may keep. */
  readonly memoryLimitBytes: number;
  savepoint(): RoutineSavepoint;
  /** Runs something in which no transaction may end. */
  withinTransaction<T>(run: Generator<Yielded, T, void>): Generator<Yielded, T, void>;
  /** Begins a statement inside the caller's, where the body is volatile; the function returned ends it. */
  beginStatement(text: string): () => void;
  /** Ends the transaction and begins the next one; 2D000 where the call stands inside a transaction block or a function. */
  endTransaction(how: 'commit' | 'rollback', chain: boolean): Generator<Yielded, void, void>;
  /** True when the body has run long enough: it yields, and others get their turn. 57014 when it is asked to stop. */
  isSliceOver(): boolean;
  /** Drives what a body runs where it cannot yield; StatementWait where that would have to wait. */
  driveNow<T>(run: Generator<Yielded, T, void>): T;
}

/** A routine with the types of one kind of call: polymorphic ones are known. */
export interface RoutineSignature {
  readonly routine: RoutineDescriptor;
  /** Of the parameters that go in. */
  readonly parameterTypes: readonly TypeRef[];
  /** Undefined where nothing comes out. */
  readonly wanted: WantedResult | undefined;
}

/** A compiled body: one call of it. The outcome is a value, or the rows of a routine that returns a set. */
export type RoutineBody = (args: readonly Value[]) => Generator<Yielded, Value, void>;

/** One firing of a trigger, as its function is told of it. */
export interface TriggerCall {
  readonly name: string;
  readonly when: 'BEFORE' | 'AFTER' | 'INSTEAD OF';
  readonly level: 'ROW' | 'STATEMENT';
  readonly operation: 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE';
  readonly relationOid: Oid;
  readonly tableName: string;
  readonly schemaName: string;
  /** What EXECUTE FUNCTION gives it. */
  readonly arguments: readonly string[];
  /** Of the type of the relation's rows; null where there is none: for INSERT, DELETE, and statements as wholes. */
  readonly oldRow: SqlRecord | null;
  readonly newRow: SqlRecord | null;
}

/** A function that returns `trigger`, with the type of the rows that it is to work on. */
export interface TriggerSignature {
  readonly routine: RoutineDescriptor;
  readonly rowType: TypeRef;
}

/**
 * A compiled trigger function: one firing. The outcome is the row to go on with; null passes the row over. Only before a row is
 * written, or instead of that, does it count. Transition tables are relations that `RoutineHost.prepare` finds by name.
 */
export type TriggerBody = (call: TriggerCall) => Generator<Yielded, SqlRecord | null, void>;

export interface RoutineLanguage {
  readonly name: string;
  /** Undefined for a language in which no trigger functions are written. */
  compileTrigger?(signature: TriggerSignature, host: RoutineHost): TriggerBody;
  /** Reads the body: what is worth keeping between calls. */
  compile(signature: RoutineSignature, host: RoutineHost): RoutineBody;
  /** Raises what is wrong with a body, at its making. */
  validate(signature: RoutineSignature, host: RoutineHost): void;
}
