/** What a session gives to its definitions. */
import { unsupportedError } from '@phantom/base';
import type { DdlContext, DdlExecution } from '../ddl/context.js';
import {
  type Oid,
  type RoutineDescriptor,
  type TableDescriptor,
  type TriggerDescriptor,
  type ViewDescriptor,
  goesIn,
} from '@phantom/catalog';
import { definitionHandler } from '../ddl/definitions.js';
import { parameterNames } from '../expr/context.js';
import type { Execution, RowSink } from '../exec/runtime.js';
import { describePolicy, describeQuery, describeStatement, planStored } from '../plan/stored-query.js';
import type { BodyStatement, QueryToStore } from '../plan/stored-query.js';
import type { PlanOptions } from '../plan/plan-statement.js';
import type { PreparedPlan } from '../plan/prepared-plan.js';
import { withRelations } from '../plan/routine-binding.js';
import { describeRule } from '../rewrite/stored-rule.js';
import { parseStatement } from '../text/parse.js';
import type { Query } from '../text/ast.js';
import type { Statement } from '../text/ast-statements.js';
import type { Value } from '../types/type.js';
import { commandTag } from './command-tag.js';
import { preparedQuery } from './prepared-statements.js';
import { transitionTables } from './routine-host.js';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';

/** What a query within a definition is bound with: the names and types around it, and the parameters' values. */
export interface Given {
  readonly options: PlanOptions;
  readonly parameters: readonly Value[];
}

export const NOTHING_GIVEN: Given = { options: {}, parameters: [] };

/** The context of a definition in the transaction, which has begun its statement. `silent`: its notices reach nobody. */
export function ddlContextOf(
  session: SqlSession,
  transaction: SessionTransaction,
  silent: boolean,
  given: Given = NOTHING_GIVEN,
): DdlContext {
  const { engine } = session;
  return {
    describe: (query) => {
      const plan = planInner(session, query, given.options);
      return { fields: plan.fields, relations: plan.dependencies.map((dependency) => dependency.oid) };
    },
    define: (statement, schema) => defineIn(session, statement, schema, transaction),
    query: (query, sink) => innerQuery(session, query, sink, transaction, given),
    queryRestricted: (query, sink) =>
      restricted(session, session.currentRoleOid, () => innerQuery(session, query, sink, transaction, NOTHING_GIVEN)),
    transaction: transaction.storage,
    objects: transaction.objects,
    catalog: engine.catalog,
    storage: engine.storage,
    provider: engine.provider,
    statistics: engine.statistics,
    databaseOid: session.databaseOid,
    roleOid: session.currentRoleOid,
    sessionRoleOid: session.roles.sessionRoleOid,
    evaluation: session.evaluation,
    maintenanceBytes: session.settings.integer('maintenance_work_mem') * 1024,
    get picture() {
      return session.picture;
    },
    prepared: (node) => preparedQuery(session, node, transaction),
    describeStored: (query) => describeQuery(query, session.picture, ''),
    describeRoutine: (routine, statement, text) => describeBody(session, routine, statement, text),
    describeAction: (relation, tables, rows, text) => describeAction(session, relation, tables, rows, text),
    describeRule: (part, ruled) => describeRule(part, ruled, session.picture),
    validateRoutine: (routine) => session.routines.validate(routine),
    describePolicy: (query) => describePolicy(query, session.picture, ''),
    runStored: (stored, ownerOid, sink) =>
      restricted(session, ownerOid, () => {
        const plan = planStored(stored, ownerOid, session.picture);
        session.checkPrivileges(plan.privileges);
        return plan.execute(session.executionContext([], transaction.storage, transaction), sink);
      }),
    temporarySchema: () => {
      session.roles.refuseRestricted('create temporary table');
      return session.temporary.schema(transaction.objects);
    },
    onCommit: (table) => session.temporary.onCommit(table),
    execution: () => session.executionContext([], transaction.storage, transaction),
    triggers: transaction.writersOf(session).triggers,
    writerContext: () => transaction.writersOf(session),
    tableRewritten: (oid) => {
      engine.catalog.filled.fillBy(transaction.storage, oid);
      transaction.storage.onEnd(() => engine.columns.forget(oid));
    },
    isInUse: (oid) => transaction.isInUse(oid) || session.cursors.isReading(oid),
    hasPendingChecks: (tableOid) => transaction.deferred.isOwedBy(tableOid),
    inTransactionBlock: transaction.explicit || transaction.statements > 1 || session.routines.isRunning,
    synchronous: session.synchronous,
    databaseInUse: (oid) => [...engine.allSessions()].some((other) => other.databaseOid === oid),
    notice: (severity, code, message, fields) => {
      if (!silent) session.notice(severity, code, message, fields);
    },
    onEnd: (listener) => transaction.storage.onEnd((seq) => listener(seq !== undefined)),
  };
}

function describeBody(session: SqlSession, routine: RoutineDescriptor, node: Statement, text: string): QueryToStore {
  const inputs = routine.parameters.filter(goesIn);
  return describeStatement(node as BodyStatement, session.picture, text, {
    types: inputs.map(({ type }) => type),
    names: parameterNames(
      routine.name,
      inputs.map(({ name }) => name),
    ),
  });
}

function describeAction(
  session: SqlSession,
  relation: TableDescriptor | ViewDescriptor,
  tables: Pick<TriggerDescriptor, 'oldTable' | 'newTable'>,
  names: readonly string[],
  text: string,
): QueryToStore {
  const relations = relation.kind === 'table' ? transitionTables(tables, relation, { current: undefined }) : undefined;
  const type = { oid: relation.rowTypeOid, typmod: -1 };
  return describeStatement(parseStatement(text) as BodyStatement, withRelations(session.picture, relations), text, {
    types: names.map(() => type),
    names: parameterNames('', names),
  });
}

/** A definition inside CREATE SCHEMA: unqualified names mean the new schema first. */
function* defineIn(
  session: SqlSession,
  statement: Statement,
  schema: string,
  transaction: SessionTransaction,
): DdlExecution {
  const handler = definitionHandler(statement);
  if (handler === undefined) throw unsupportedError(`${commandTag(statement, 0)} inside CREATE SCHEMA`);
  const { settings } = session;
  const mark = settings.mark();
  const path = settings.get('search_path');
  settings.set('search_path', `"${schema.replaceAll('"', '""')}", ${path}`, { local: true, inTransaction: true });
  try {
    return yield* handler(ddlContextOf(session, transaction, false));
  } finally {
    settings.rollbackTo(mark);
  }
}

/** Whoever refreshes a view may have more rights than its owner, and the functions in it are the owner's choice. */
function* restricted(session: SqlSession, roleOid: Oid, run: () => Execution): Execution {
  const leave = session.roles.restrictTo(roleOid);
  try {
    return yield* run();
  } finally {
    leave();
  }
}

function planInner(
  session: SqlSession,
  query: Query,
  { declaredTypes = [], text, routine }: PlanOptions,
): PreparedPlan {
  return session.engine.statements.planUncached(session.picture, query, declaredTypes, text, routine);
}

function* innerQuery(
  session: SqlSession,
  query: Query,
  sink: RowSink,
  transaction: SessionTransaction,
  { options, parameters }: Given,
): Execution {
  const plan = planInner(session, query, options);
  session.checkPrivileges(plan.privileges);
  return yield* plan.execute(session.executionContext(parameters, transaction.storage, transaction), sink);
}
