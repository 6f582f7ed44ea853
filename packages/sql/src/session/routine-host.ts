/** What bodies of routines and triggers ask of their session: statements analysed and run in their place. */
import { PhantomError } from '@phantom/base';
import type { RoutineDescriptor, TableDescriptor, TriggerDescriptor, TypeRef } from '@phantom/catalog';
import { TableLockMode } from '@phantom/mvcc';
import type { Execution, RowSink } from '../exec/runtime.js';
import type { VirtualRelation } from '../plan/catalog-port.js';
import type { RoutineBinding } from '../plan/routine-binding.js';
import type { RoutineHost, RoutineSavepoint, RoutineStatement } from '../routine/routine-language.js';
import type { TransitionRows } from '../storage/triggers/table-events.js';
import type { Statement } from '../text/ast-statements.js';
import type { Value } from '../types/type.js';
import { callUtility } from './call-statement.js';
import { commandTag } from './command-tag.js';
import { withRowReference } from './cursors.js';
import { runWithin, shareTables } from './run-plan.js';
import type { SqlSession } from './session.js';
import type { PlanStatement } from './statement.js';
import { utilityOf } from './utility.js';

function notAllowed(what: string, where: string): PhantomError {
  return new PhantomError('0A000', `${what} is not allowed in ${where}`);
}

/** What the body of a routine asks of the session. */
export function hostOf(
  session: SqlSession,
  { volatility }: Pick<RoutineDescriptor, 'volatility'>,
  relations?: RoutineBinding['relations'],
): RoutineHost {
  const isReadOnly = volatility !== 'volatile';
  const prepare: RoutineHost['prepare'] = (node, text, types, binding) => {
    const bound = relations === undefined ? binding : { ...binding, relations };
    return (
      preparedPlan(session, node, text, types, bound, isReadOnly) ??
      preparedUtility(session, node, text, types, bound, isReadOnly)
    );
  };
  return {
    types: session.evaluation.types,
    get catalog() {
      return session.picture;
    },
    evaluation: session.evaluation,
    parse: (text) => session.parse(text).map(({ node }) => node),
    checkPrivileges: (required) => session.checkPrivileges(required),
    notice: (severity, code, message, fields) => session.notice(severity, code, message, fields),
    setting: (name) => session.settings.get(name),
    cursors: session.routines.cursors,
    memoryLimitBytes: session.engine.memoryLimitBytes,
    savepoint: () => savepointOf(session),
    withinTransaction: (run) => session.routines.withinTransaction(run),
    beginStatement: (text) => (isReadOnly ? () => undefined : beginStatement(session, text)),
    endTransaction: (how, chain) => session.routines.endTransaction(how, chain),
    isSliceOver() {
      session.interrupts.checkNow();
      return session.slice.due();
    },
    driveNow: (run) => session.routines.driveNow(run),
    prepare,
    prepareCursor: (node, text, types, binding) => {
      const referenced =
        node.kind === 'query' ? withRowReference(node, (query) => prepare(query, text, types, binding)) : undefined;
      return referenced === undefined ? prepare(node, text, types, binding) : withoutReference(referenced);
    },
  };
}

/** The statement without its last field, the row's reference, which its rows keep. */
function withoutReference(statement: RoutineStatement): RoutineStatement {
  return {
    get fields() {
      return statement.fields.slice(0, -1);
    },
    get tableOid() {
      return statement.fields.at(-1)?.tableOid;
    },
    get reads() {
      return statement.reads ?? [];
    },
    run: (parameters, sink) => statement.run(parameters, sink),
  };
}

function beginStatement(session: SqlSession, text: string): () => void {
  const transaction = session.ensureTransaction();
  transaction.statements++;
  const leave = transaction.nestStatement();
  transaction.storage.beginStatement(text);
  return leave;
}

function savepointOf(session: SqlSession): RoutineSavepoint {
  const transaction = session.ensureTransaction();
  const mark = transaction.savepoint(undefined, session.cursors.names());
  return {
    rollback() {
      if (session.transaction !== transaction || transaction.storage.status !== 'active') return;
      session.cursors.rolledBackTo(transaction.rollbackTo(mark));
      transaction.release(mark);
    },
    release: () => transaction.release(mark),
  };
}

/** A trigger's transition tables as relations: the table's columns, the rows of the firing that runs. */
export function transitionTables(
  { oldTable, newTable }: Pick<TriggerDescriptor, 'oldTable' | 'newTable'>,
  table: TableDescriptor,
  shown: { readonly current: TransitionRows | undefined },
): ReadonlyMap<string, VirtualRelation> {
  const live = table.columns.map((column, i) => ({ column, i })).filter(({ column }) => !column.dropped);
  const relation = (name: string, rowsOf: (rows: TransitionRows) => TransitionRows['oldRows']): VirtualRelation => ({
    kind: 'virtual',
    oid: 0,
    name,
    schemaOid: table.schemaOid,
    columns: live.map(({ column }) => ({ name: column.name, type: column.type })),
    rowsEstimate: 100,
    *rows() {
      if (shown.current === undefined) return;
      for (const row of rowsOf(shown.current)) yield live.map(({ i }) => row[i]);
    },
  });
  const relations = new Map<string, VirtualRelation>();
  if (oldTable !== undefined)
    relations.set(
      oldTable,
      relation(oldTable, (rows) => rows.oldRows),
    );
  if (newTable !== undefined)
    relations.set(
      newTable,
      relation(newTable, (rows) => rows.newRows),
    );
  return relations;
}

function preparedPlan(
  session: SqlSession,
  node: Statement,
  text: string,
  types: readonly TypeRef[],
  routine: RoutineBinding,
  isReadOnly: boolean,
): RoutineStatement | undefined {
  switch (node.kind) {
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      break;
    default:
      return undefined;
  }
  const declaredTypes = types.map(({ oid }) => oid);
  const parts = { kind: 'plan', text, node, declaredTypes, literals: undefined, routine } as const;
  const plan = session.engine.statements.plan(
    session.picture,
    { ...parts, plan: undefined as never },
    session.evaluation,
  );
  const statement: PlanStatement = { ...parts, plan };
  const run = isReadOnly ? runReading : runNested;
  return {
    get fields() {
      return session.currentPlan(statement).fields;
    },
    get reads() {
      return session.currentPlan(statement).dependencies.map(({ oid }) => oid);
    },
    run: (parameters, sink) => run(session, statement, parameters, sink),
  };
}

/** A statement of a body that writes nothing: it reads as the caller's statement does. */
function* runReading(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  sink: RowSink,
): Execution {
  session.engine.counters.executions++;
  const transaction = session.ensureTransaction();
  transaction.statements++;
  yield* shareTables(session.currentPlan(statement), transaction, TableLockMode.AccessShare);
  const plan = session.currentPlan(statement);
  if (plan.traits.writes) throw notAllowed(plan.commandKind.toUpperCase(), 'a non-volatile function');
  session.checkPrivileges(plan.privileges);
  return yield* plan.execute(session.executionContext(parameters, transaction.storage, transaction), sink);
}

function* runNested(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  sink: RowSink,
): Execution {
  session.engine.counters.executions++;
  const transaction = session.ensureTransaction();
  transaction.statements++;
  const leave = transaction.nestStatement();
  try {
    session.checkPrivileges(session.currentPlan(statement).privileges);
    return yield* runWithin(session, statement, parameters, sink, transaction);
  } finally {
    leave();
  }
}

function preparedUtility(
  session: SqlSession,
  node: Statement,
  text: string,
  types: readonly TypeRef[],
  routine: RoutineBinding,
  isReadOnly: boolean,
): RoutineStatement {
  const options = { text, declaredTypes: types.map(({ oid }) => oid), routine };
  const call = node.kind === 'call-statement' ? callUtility(node, session, options) : undefined;
  const utility = call ?? utilityOf(node, session, options);
  return {
    ...(call === undefined ? {} : { outputs: call.outputs }),
    fields: utility.fields,
    *run(parameters, sink) {
      if (node.kind === 'set-transaction') return yield* utility.run(session, parameters, sink, () => undefined);
      if (utility.transaction === 'own') throw notAllowed(commandTag(node, 0), 'an SQL function');
      if (isReadOnly && node.kind !== 'show') throw notAllowed(commandTag(node, 0), 'a non-volatile function');
      const leave = session.ensureTransaction().nestStatement();
      try {
        return yield* utility.run(session, parameters, sink, () => undefined);
      } finally {
        leave();
      }
    },
  };
}
