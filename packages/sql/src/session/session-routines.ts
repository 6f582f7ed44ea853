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
 *   2. A body that has to wait where its caller cannot ends the whole statement, which is run anew.
 */
import { PhantomError } from '@phantom/base';
import type { Oid, RoutineDescriptor, TableDescriptor, TriggerDescriptor, TypeRef } from '@phantom/catalog';
import type { SqlRecord } from '@phantom/codec';
import { REST, StatementWait, type Yielded } from '../exec/runtime.js';
import type { CallTypes, RoutineCaller } from '../functions/registry.js';
import { languageNamed } from '../routine/languages.js';
import type { RoutineBody, TriggerBody, TriggerCall } from '../routine/routine-language.js';
import { signatureKey, signatureOf } from '../routine/routine-signature.js';
import { compileAction } from '../routine/trigger-action.js';
import type { TransitionRows } from '../storage/triggers/table-events.js';
import type { Value } from '../types/type.js';
import { type FunctionCallStatement, prepareFunctionCall } from './function-call.js';
import { hostOf, transitionTables } from './routine-host.js';
import { SessionRoutineCursors } from './routine-cursors.js';
import type { SqlSession } from './session.js';
import { defaultModes, shownModes } from './transaction-modes.js';
import { commitHere } from './transaction-statements.js';

/** Calls inside calls: each takes some dozen frames of the stack. */
const ROUTINE_DEPTH_MAX = 100;

/** Calls between two looks at the clock. */
const CALLS_A_LOOK = 32;

/** A trigger's function or action, compiled for the rows of its table. */
interface CompiledTrigger {
  readonly routine: RoutineDescriptor | undefined;
  readonly table: TableDescriptor;
  readonly body: TriggerBody;
  /** What its transition tables show in the firing that runs. */
  readonly rows: { current: TransitionRows | undefined };
}

/** What an action may do: all that a volatile function may. */
const ACTION = { volatility: 'volatile' } as const;

export class SessionRoutines implements RoutineCaller {
  private readonly session: SqlSession;
  private readonly bodies = new WeakMap<RoutineDescriptor, Map<string, RoutineBody>>();
  private calls = 0;
  private readonly triggers = new WeakMap<TriggerDescriptor, CompiledTrigger>();
  /** Cursors of bodies. */
  readonly cursors: SessionRoutineCursors;
  private depth = 0;
  /** Runs that cannot wait, one in another. */
  private driven = 0;
  triggerDepth = 0;
  /** The procedure that runs may end the transaction. */
  private endsTransactions = false;

  constructor(session: SqlSession) {
    this.session = session;
    this.cursors = new SessionRoutineCursors(session);
  }

  /** A routine runs, and with it a statement around what it does. */
  get isRunning(): boolean {
    return this.depth > 0;
  }

  /** What runs now cannot wait: whatever would has the statement run anew. */
  get isDrivenNow(): boolean {
    return this.driven > 0;
  }

  call(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Value {
    return this.driveNow(this.execute(routine, args, types));
  }

  rows(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Iterable<Value> {
    return this.driveNow(this.execute(routine, args, types)) as readonly Value[];
  }

  /** One call, by the protocol of exec/runtime.ts. */
  *execute(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Generator<Yielded, Value, void> {
    this.refuseDepth();
    const endedBefore = this.endsTransactions;
    this.endsTransactions = this.mayEndTransaction(routine);
    this.depth++;
    const leave = this.enter(routine);
    try {
      if (++this.calls % CALLS_A_LOOK === 0) yield* this.rest();
      return yield* this.bodyOf(routine, types)(args);
    } finally {
      leave();
      this.depth--;
      this.endsTransactions = endedBefore;
    }
  }

  /** Fires a trigger for a row of a table or for a statement; the outcome is the function's. */
  *fire(
    trigger: TriggerDescriptor,
    call: TriggerCall,
    table: TableDescriptor,
    transitions: TransitionRows | undefined,
  ): Generator<Yielded, SqlRecord | null, void> {
    this.refuseDepth();
    const compiled = this.triggerBody(trigger, table);
    const before = compiled.rows.current;
    compiled.rows.current = transitions;
    const endedBefore = this.endsTransactions;
    this.endsTransactions = false;
    this.depth++;
    this.triggerDepth++;
    const leave = compiled.routine === undefined ? undefined : this.enter(compiled.routine);
    try {
      return yield* compiled.body(call);
    } finally {
      leave?.();
      this.depth--;
      this.triggerDepth--;
      this.endsTransactions = endedBefore;
      compiled.rows.current = before;
    }
  }

  private triggerBody(trigger: TriggerDescriptor, table: TableDescriptor): CompiledTrigger {
    const { session } = this;
    const object = session.picture.functions.functionByOid(trigger.functionOid);
    const routine = object?.routine;
    const known = this.triggers.get(trigger);
    if (known !== undefined && known.routine === routine && known.table === table) return known;
    const rowType: TypeRef = { oid: table.rowTypeOid, typmod: -1 };
    const rows: CompiledTrigger['rows'] = { current: undefined };
    const relations = transitionTables(trigger, table, rows);
    const compile = (): TriggerBody => {
      if (routine === undefined) return compileAction(trigger, rowType, hostOf(session, ACTION, relations));
      const body = compileBody(routine, () =>
        languageNamed(routine.language).compileTrigger?.({ routine, rowType }, hostOf(session, routine, relations)),
      );
      if (body !== undefined) return body;
      throw new PhantomError('0A000', `trigger functions in language ${routine.language} are not supported`);
    };
    const compiled: CompiledTrigger = { routine, table, rows, body: compile() };
    this.triggers.set(trigger, compiled);
    return compiled;
  }

  /** Gives way where the time slice is over: calls may follow each other, or nest, without a loop that would. */
  private *rest(): Generator<Yielded, void, void> {
    this.session.interrupts.checkNow();
    if (this.session.slice.due()) yield undefined;
  }

  private refuseDepth(): void {
    if (this.depth < ROUTINE_DEPTH_MAX) return;
    throw new PhantomError('54001', 'stack depth limit exceeded', {
      hint: `Calls of functions and procedures, and triggers, may be nested ${ROUTINE_DEPTH_MAX} deep.`,
      family: 'limit',
    });
  }

  /** A procedure that CALL runs outside of a transaction block, or that such a procedure calls. */
  private mayEndTransaction({ routine, securityDefiner, settings }: RoutineDescriptor): boolean {
    if (routine !== 'procedure' || securityDefiner || settings !== undefined) return false;
    return this.depth === 0 ? this.session.transaction?.explicit !== true : this.endsTransactions;
  }

  /** Runs a part of the body that runs, in which no transaction may end. */
  *withinTransaction<T>(run: Generator<Yielded, T, void>): Generator<Yielded, T, void> {
    const endedBefore = this.endsTransactions;
    this.endsTransactions = false;
    try {
      return yield* run;
    } finally {
      this.endsTransactions = endedBefore;
    }
  }

  /** COMMIT or ROLLBACK of the procedure that runs. */
  *endTransaction(how: 'commit' | 'rollback', chain: boolean): Generator<Yielded, void, void> {
    const { session } = this;
    if (!this.endsTransactions) throw new PhantomError('2D000', 'invalid transaction termination');
    if (session.transaction?.hasSavepoints === true) {
      const message = `cannot ${how === 'commit' ? 'commit' : 'roll back'} while a subtransaction is active`;
      throw new PhantomError('2D000', message);
    }
    const modes = chain ? shownModes(session.settings) : defaultModes(session.settings);
    if (how === 'rollback') session.rollback();
    else yield* commitHere(session);
    session.openTransaction(false, modes);
  }

  /** A call by the function's number, as prepareFunctionCall tells of it. */
  prepareCall(oid: Oid): FunctionCallStatement {
    return prepareFunctionCall(this.session, oid);
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
      body = compileBody(routine, () => languageNamed(routine.language).compile(signature, hostOf(session, routine)));
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
    this.driven++;
    try {
      for (let step = run.next(); ; step = run.next()) {
        if (step.done === true) return step.value;
        if (step.value instanceof Promise && step.value !== REST) {
          run.return(undefined as T);
          throw new StatementWait(step.value.then(() => undefined));
        }
        session.interrupts.checkNow();
        session.restartSlice();
      }
    } finally {
      this.driven--;
    }
  }
}

/** A body compiled for a call: places in it are none of the statement that calls it. A block of DO is that statement's own. */
function compileBody<T>({ oid }: RoutineDescriptor, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw error instanceof PhantomError && oid !== 0 ? error.with({ position: undefined }) : error;
  }
}
