/**
 * A plan that is ready to run: immutable, free of any session, shared by all executions and sessions that see the same
 * catalog version. Making one costs the binder, the rules and (once it has earned it) code generation; running one costs
 * none of them.
 */
import type { Oid, TypeRef } from '@phantom/catalog';
import type { MvccTransaction } from '@phantom/mvcc';
import type { SendRows } from '../exec/compiled-statement.js';
import type {
  Execution,
  ExecutionContext,
  Partition,
  PartitionWork,
  ReadSource,
  RowSink,
  Yielded,
} from '../exec/runtime.js';
import type { PlanMeasure } from '../exec/plan-measure.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { ModificationTarget } from '../storage/triggers/statement-triggers.js';
import type { Value } from '../types/type.js';
import type { CatalogPort, RequiredPrivilege } from './catalog-port.js';
import type { DirectCall } from './direct-call.js';

/** An output column. `tableOid` and `column` are 0 where it is not a plain column of a table. */
export interface PlanField {
  readonly name: string;
  readonly type: TypeRef;
  readonly tableOid: Oid;
  readonly column: number;
}

export type CommandKind = 'select' | 'insert' | 'update' | 'delete' | 'merge' | 'values';

/** The plan is stale when this object no longer has this schema version. */
export interface PlanDependency {
  readonly oid: Oid;
  readonly schemaVersion: number;
}

/** Says how a statement is to be run, for the session. */
export interface PlanTraits {
  /** False: it reads only, and may run on a bare view without a transaction. */
  readonly writes: boolean;
  /** It takes row locks (SELECT ... FOR UPDATE) or calls a function that may wait: needs a transaction, though it writes nothing. */
  readonly locks: boolean;
  /** It calls a volatile function. */
  readonly volatile: boolean;
  /** It asks for what only this process or this session knows, so another thread could not answer. */
  readonly local: boolean;
  /** Estimated cost in row visits, and rows that come out. */
  readonly cost: number;
  readonly rows: number;
}

/**
 * The straight road for a SELECT of at most one row by its whole key: no generator, no batch, no pinned view. Writes the
 * output row into `into` (one entry for each field) and returns whether there is one.
 */
export interface PointLookup {
  run(read: ReadSource, parameters: readonly Value[], evaluation: EvaluationContext, into: Value[]): boolean;
}

/**
 * The same for a SELECT ... FOR UPDATE and its kin: reads and locks inside a transaction. Throws StatementRestart where the row
 * is held by somebody else or has changed since the snapshot: the ordinary road then waits.
 */
export interface PointLock {
  run(
    transaction: MvccTransaction,
    parameters: readonly Value[],
    evaluation: EvaluationContext,
    into: Value[],
  ): boolean;
}

/** The straight road for INSERT, UPDATE or DELETE of one row by key. Rows written; a promise must be awaited and the call repeated. */
export interface PointWrite {
  run(context: ExecutionContext): number | Promise<void>;
}

/** The part of a plan that runs partition by partition. */
export interface PartitionedPlan {
  /** Equal for plans that may share the partitions of one read. */
  readonly shape: string;
  readonly types: readonly TypeRef[];
  /** Runs partitions until `claim` has no more. */
  execute(
    context: ExecutionContext,
    partitions: readonly Partition[],
    claim: () => number | undefined,
    send: SendRows,
    isMeasured: boolean,
  ): Generator<Yielded, PartitionWork | undefined, void>;
}

export interface PreparedPlan {
  readonly commandKind: CommandKind;
  /** Inferred or given; $1 first. */
  readonly parameterTypes: readonly TypeRef[];
  /** Empty for a statement that returns no rows. */
  readonly fields: readonly PlanField[];
  /** CatalogPort.version at planning, or since when nothing that the plan rests on had changed: equal means nothing to check. */
  catalogVersion: number;
  /** CatalogPort.schemaVersion and statisticsVersion at planning. */
  readonly schemaVersion: number;
  readonly statisticsVersion: number;
  /** CatalogPort.securityKey at planning where row-level security had a say: the plan is for sessions with the same alone. */
  readonly securityKey: string | undefined;
  readonly dependencies: readonly PlanDependency[];
  readonly privileges: readonly RequiredPrivilege[];
  readonly traits: PlanTraits;
  /** The tables with triggers that it writes to, and how. */
  readonly targets: readonly ModificationTarget[];
  /** It writes one row, and may do so over commits that are not durable yet, if what it returns is shown once it has committed. */
  readonly readsAhead: boolean;
  /** It inserts many rows and does nothing else: their index entries may wait until it ends. */
  readonly insertsMany: boolean;
  /** Present when the statement is of that simple kind. */
  readonly pointLookup: PointLookup | undefined;
  readonly pointLock: PointLock | undefined;
  readonly pointWrite: PointWrite | undefined;
  /** Present when the statement is one call of a function, which the session makes itself, so that its body may wait. */
  readonly directCall: DirectCall | undefined;
  /** What other threads run of it: partitions of its Gather, where it has one. */
  readonly partitioned: PartitionedPlan | undefined;
  /** It counts what it does (`measured`). */
  readonly isMeasured: boolean;
  /** Starts an execution; nothing happens before the first `next()`. See exec/runtime.ts for the protocol. */
  execute(context: ExecutionContext, sink: RowSink): Execution;
  /** EXPLAIN's lines. */
  explain(options?: ExplainOptions): string[];
  /** A copy to be executed once, and what it has counted when that is over; pages among it where that is asked for. */
  measured(countsReads: boolean): { readonly plan: PreparedPlan; readonly measure: PlanMeasure };
}

export interface ExplainOptions {
  readonly costs?: boolean;
  /** What each other thread has done is shown with the counts. Default false. */
  readonly verbose?: boolean;
  /** What an execution has counted. */
  readonly measure?: PlanMeasure | undefined;
  /** Times are shown with the counts. Default true. */
  readonly timing?: boolean;
  /** Pages read, and bytes for the log, are shown with the counts. Default false. */
  readonly buffers?: boolean;
  readonly wal?: boolean;
  readonly format?: 'text' | 'json';
  /** Settings that plans depend on and that are not at their defaults, where they are asked for. */
  readonly settings?: Readonly<Record<string, string>> | undefined;
  /** Whether the statement's plan was there already, and the threads that it would run in beside this one, where that is asked for. */
  readonly summary?: { readonly isCached: boolean } | undefined;
  /** Threads that it would run in beside this one. */
  readonly workers?: number;
}

type PlanCatalog = Pick<CatalogPort, 'version' | 'schemaVersion' | 'statisticsVersionOf' | 'securityKey'>;

/**
 * Whether a plan made earlier still is what planning would give now. Statistics of other tables than its own do not matter: code that
 * has been compiled for it goes on.
 */
export function isCurrent(plan: PreparedPlan, catalog: PlanCatalog): boolean {
  if (plan.catalogVersion !== catalog.version) {
    if (plan.schemaVersion !== catalog.schemaVersion) return false;
    for (const { oid } of plan.dependencies)
      if (catalog.statisticsVersionOf(oid) > plan.statisticsVersion) return false;
    plan.catalogVersion = catalog.version;
  }
  return plan.securityKey === undefined || plan.securityKey === catalog.securityKey;
}

/**
 * The new plan of a statement, to be run by what the plan before it has compiled, where both do the same: then only estimates have changed
 * with the statistics, and code that the engine has made fast would be made anew for nothing. A plan stays right whatever statistics
 * say, so what is compared decides how well it runs and no more.
 */
export function takingOver(plan: PreparedPlan, before: PreparedPlan): PreparedPlan {
  if (plan.schemaVersion !== before.schemaVersion || plan.securityKey !== before.securityKey) return plan;
  if (shapeOf(plan) !== shapeOf(before)) return plan;
  const { pointLookup, pointLock, pointWrite, directCall, partitioned, execute } = before;
  return { ...plan, pointLookup, pointLock, pointWrite, directCall, partitioned, execute };
}

const shapeOf = (plan: PreparedPlan): string => plan.explain({ costs: false }).join('\n');

/** Whether results of both have the same columns. */
export function sameFields(a: PreparedPlan, b: PreparedPlan): boolean {
  return (
    a.fields.length === b.fields.length &&
    a.fields.every((f, i) => f.type.oid === b.fields[i]?.type.oid && f.name === b.fields[i]?.name)
  );
}
