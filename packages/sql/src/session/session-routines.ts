/**
 * Calls of routines in a session: compiled bodies, whose rights and settings hold, how deep calls may nest, and by which
 * snapshot their statements read.
 *
 *   volatile             each statement is one of its own inside the caller's: a new snapshot at read committed, and it sees
 *                        what the caller's statement and the body have written so far
 *   stable, immutable    statements read by the caller's snapshot, and write nothing
 *
 * Invariants:
 *   1. However a call ends, rights, settings and the caller's snapshot are afterwards what they were before.
 *   2. A body that has to wait in the middle of an expression ends the whole statement, which is run anew.
 */
import { PhantomError } from '@phantom/base';
import type { RoutineDescriptor, TypeRef } from '@phantom/catalog';
import { TableLockMode } from '@phantom/mvcc';
import { type Execution, type RowSink, StatementWait, type Yielded } from '../exec/runtime.js';
import type { CallTypes, RoutineCaller } from '../functions/registry.js';
import type { RoutineBinding } from '../plan/routine-binding.js';
import { languageNamed } from '../routine/languages.js';
import type { RoutineBody, RoutineHost, RoutineSavepoint, RoutineStatement } from '../routine/routine-language.js';
import { signatureKey, signatureOf } from '../routine/routine-signature.js';
import type { Statement } from '../text/ast-statements.js';
import type { Value } from '../types/type.js';
import { callUtility } from './call-statement.js';
import { commandTag } from './command-tag.js';
import { runWithin, shareTables } from './run-plan.js';
import type { SqlSession } from './session.js';
import type { PlanStatement } from './statement.js';
import { utilityOf } from './utility.js';

/** Calls inside calls: each takes some dozen frames of the stack. */
const ROUTINE_DEPTH_MAX = 100;

export class SessionRoutines implements RoutineCaller {
  private readonly session: SqlSession;
  private readonly bodies = new WeakMap<RoutineDescriptor, Map<string, RoutineBody>>();
  private depth = 0;

  constructor(session: SqlSession) {
    this.session = session;
  }

  call(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Value {
    return this.driveNow(this.execute(routine, args, types));
  }

  rows(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Iterable<Value> {
    return this.driveNow(this.execute(routine, args, types)) as readonly Value[];
  }

  /** One call, by the protocol of exec/runtime.ts. */
  *execute(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Generator<Yielded, Value, void> {
    if (this.depth >= ROUTINE_DEPTH_MAX) {
      throw new PhantomError('54001', 'stack depth limit exceeded', {
        hint: `Calls of functions and procedures may be nested ${ROUTINE_DEPTH_MAX} deep.`,
        family: 'limit',
      });
    }
    this.depth++;
    const leave = this.enter(routine);
    try {
      return yield* this.bodyOf(routine, types)(args);
    } finally {
      leave();
      this.depth--;
    }
  }

  /** Raises what is wrong with the body of a routine that is being made. */
  validate(routine: RoutineDescriptor): void {
    const language = languageNamed(routine.language);
    const leave = this.enter(routine);
    try {
      const types: CallTypes = { arguments: routine.parameters.map(({ type }) => type), result: routine.resultType };
      language.validate(signatureOf(routine, types, this.session.picture), hostOf(this.session, routine));
    } finally {
      leave();
    }
  }

  private bodyOf(routine: RoutineDescriptor, types: CallTypes): RoutineBody {
    let bySignature = this.bodies.get(routine);
    if (bySignature === undefined) this.bodies.set(routine, (bySignature = new Map()));
    const key = signatureKey(routine, types);
    let body = bySignature.get(key);
    if (body === undefined) {
      const { session } = this;
      const signature = signatureOf(routine, types, session.picture);
      body = languageNamed(routine.language).compile(signature, hostOf(session, routine));
      bySignature.set(key, body);
    }
    return body;
  }

  /** Rights and settings of the routine hold until the returned function is called. */
  private enter({ settings: wanted, securityDefiner, ownerOid }: RoutineDescriptor): () => void {
    const { settings, roles } = this.session;
    const mark = settings.mark();
    for (const [name, value] of Object.entries(wanted ?? {}))
      settings.set(name, value, { local: true, inTransaction: true });
    const leaveRole = securityDefiner ? roles.become(ownerOid) : undefined;
    return () => {
      leaveRole?.();
      if (wanted !== undefined) settings.rollbackTo(mark);
    };
  }

  /** Drives what an expression runs, which cannot yield. */
  driveNow<T>(run: Generator<Yielded, T, void>): T {
    const { session } = this;
    for (let step = run.next(); ; step = run.next()) {
      if (step.done === true) return step.value;
      if (step.value instanceof Promise) {
        const wait = step.value.then(() => undefined);
        run.return(undefined as T);
        throw new StatementWait(wait);
      }
      session.interrupts.check();
      session.restartSlice();
    }
  }
}

function notAllowed(what: string, where: string): PhantomError {
  return new PhantomError('0A000', `${what} is not allowed in ${where}`);
}

/** What the body of a routine asks of the session. */
function hostOf(session: SqlSession, { volatility }: RoutineDescriptor): RoutineHost {
  const isReadOnly = volatility !== 'volatile';
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
    savepoint: () => savepointOf(session),
    isSliceOver: () => session.slice.due(),
    driveNow: (run) => session.routines.driveNow(run),
    prepare: (node, text, types, binding) =>
      preparedPlan(session, node, text, types, binding, isReadOnly) ??
      preparedUtility(session, node, text, types, binding, isReadOnly),
  };
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
  const utility =
    node.kind === 'call-statement'
      ? callUtility(node, session, { text, declaredTypes: types.map(({ oid }) => oid), routine })
      : utilityOf(node, session, text);
  return {
    fields: utility.fields,
    *run(parameters, sink) {
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
