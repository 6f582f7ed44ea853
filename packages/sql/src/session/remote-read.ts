/**
 * A read that one thread asks of another: what a session is, and what it asks, as plain data. The other thread parses, binds and
 * plans the text anew against the catalog that its view of the same moment shows, so nothing of a plan has to be written
 * down, and there is one planner. Its session has the same role, settings and clock, and no transaction.
 */
import { PhantomError, readU32, writeU32 } from '@phantom/base';
import type { Oid, TypeRef } from '@phantom/catalog';
import type { RowCodec } from '@phantom/codec';
import { RowBlockReader, RowBlockSink } from '../exec/row-block.js';
import type { GatheredRows } from '../exec/gathered-rows.js';
import {
  type ExecutionContext,
  type Partition,
  type PartitionPiece,
  type PartitionWork,
  type ReadSource,
  type WorkCounters,
  newWorkCounters,
} from '../exec/runtime.js';
import { spillCodec } from '../exec/spill/spill-codec.js';
import type { PartitionedPlan, PreparedPlan } from '../plan/prepared-plan.js';
import type { TypeLookup, Value } from '../types/type.js';
import type { SqlEngine } from './engine.js';
import type { SqlSession } from './session.js';
import type { ActingRoles } from './session-roles.js';

export interface RemoteRead {
  /** Equal for reads between which no definition and no statistics have changed. */
  readonly catalogKey: string;
  readonly database: string;
  readonly roles: ActingRoles;
  readonly settings: Readonly<Record<string, string>>;
  readonly text: string;
  /** Which of the text's statements it is. */
  readonly index: number;
  readonly declaredTypes: readonly Oid[];
  /** A block of one row. */
  readonly parameters: Uint8Array;
  /** Clock of the statement and of its transaction, in microseconds since 2000. */
  readonly statementMicros: number;
  readonly transactionMicros: number;
  /** Not the whole of it, but partitions of its plan's Gather, shared with other threads. */
  readonly partitions?: SharedPartitions;
}

export interface SharedPartitions {
  /** PartitionedPlan.shape of whoever divided the read. */
  readonly shape: string;
  readonly all: readonly Partition[];
  readonly isMeasured: boolean;
  /** One word of shared memory: how many have been begun from the front, and from the back in its upper half. */
  readonly begun: Int32Array;
}

const FROM_BACK = 0x1_0000;

/**
 * Begins a partition that nobody has begun; undefined when all are begun. Who divided the read takes them from the front, others from
 * the back: so each mostly has those again that it had the last time, and keeps their pages.
 */
export function claimPartition({ all, begun }: SharedPartitions, isFromBack: boolean): number | undefined {
  for (;;) {
    const before = Atomics.load(begun, 0);
    const [front, back] = [before % FROM_BACK, Math.trunc(before / FROM_BACK)];
    if (front + back >= all.length) return undefined;
    const after = before + (isFromBack ? FROM_BACK : 1);
    if (Atomics.compareExchange(begun, 0, before, after) === before) return isFromBack ? all.length - 1 - back : front;
  }
}

const PIECE_HEAD_BYTES = 8;

/** A piece of a partition as it travels: u32 partition, u32 1 for the last one, a block of rows. */
function encodePiece(partition: number, isLast: boolean, rows: Uint8Array | undefined): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(PIECE_HEAD_BYTES + (rows?.length ?? 0));
  writeU32(bytes, 0, partition);
  writeU32(bytes, 4, isLast ? 1 : 0);
  if (rows !== undefined) bytes.set(rows, PIECE_HEAD_BYTES);
  return bytes;
}

export function decodePiece(bytes: Uint8Array): PartitionPiece {
  return { partition: readU32(bytes, 0), isLast: readU32(bytes, 4) === 1, rows: bytes.subarray(PIECE_HEAD_BYTES) };
}

/** What there is to say of a read that has ended well. */
export interface RemoteOutcome {
  readonly rows: number;
  readonly counters: WorkCounters;
  /** Of partitions that were measured. */
  readonly work: PartitionWork | undefined;
}

/** How rows of a plan travel; undefined when values are among them that have no bytes. */
export function resultCodec(plan: PreparedPlan, types: TypeLookup): RowCodec | undefined {
  return spillCodec(
    plan.fields.map(({ type }) => type),
    types,
  );
}

/** Parameters as a block; undefined when values are among them that have no bytes. */
export function encodeParameters(
  parameters: readonly Value[],
  types: readonly TypeRef[],
  lookup: TypeLookup,
): Uint8Array | undefined {
  const codec = spillCodec(types, lookup);
  if (codec === undefined) return undefined;
  const sink = new RowBlockSink(codec);
  sink.rows({ columns: parameters.map((value) => [value]), count: 1 });
  return sink.take();
}

function decodeParameters(block: Uint8Array, types: readonly TypeRef[], lookup: TypeLookup): readonly Value[] {
  const codec = spillCodec(types, lookup);
  if (codec === undefined) throw new PhantomError('XX000', 'parameters have no bytes');
  const reader = new RowBlockReader(codec);
  reader.aim(block);
  reader.next(1);
  return reader.columns.map(([value]) => value);
}

/**
 * Runs a read that another thread asks for, on an engine over the view: yields at the end of each slice of time and returns how it
 * ended. Blocks of rows are handed to `send`, whose they are from then on.
 */
export function* executeRemotely(
  engine: SqlEngine,
  read: RemoteRead,
  view: ReadSource,
  send: (block: Uint8Array<ArrayBuffer>) => void,
): Generator<undefined, RemoteOutcome> {
  const before = { ...engine.counters };
  const session = sessionFor(engine, read);
  try {
    const statement = session.prepare(session.parse(read.text)[read.index], read.text, read.declaredTypes);
    if (statement.kind !== 'plan') throw new PhantomError('XX000', 'only a read is asked of another thread');
    const plan = session.currentPlan(statement);
    const { types } = session.picture;
    if (read.partitions !== undefined) {
      const parameters = decodeParameters(read.parameters, plan.parameterTypes, types);
      const context = session.executionContext(parameters, view, undefined);
      const work = yield* executePartitions(session, plan.partitioned, read.partitions, context, send);
      return { rows: 0, counters: workSince(before, engine.counters), work };
    }
    const codec = resultCodec(plan, types);
    if (codec === undefined) throw new PhantomError('XX000', 'a result has no bytes');
    const sink = new RowBlockSink(codec);
    const sendBlock = (): void => {
      const block = sink.take();
      if (block !== undefined) send(block);
    };
    const parameters = decodeParameters(read.parameters, plan.parameterTypes, types);
    const execution = plan.execute(session.executionContext(parameters, view, undefined), sink);
    try {
      for (;;) {
        session.restartSlice();
        const step = execution.next();
        sendBlock();
        if (step.done === true)
          return { rows: step.value, counters: workSince(before, engine.counters), work: undefined };
        yield undefined;
      }
    } finally {
      execution.return(0);
    }
  } finally {
    session.close();
  }
}

/** Claims and runs partitions as long as there are any. A plan of another shape than that of whoever asks is none to share. */
function* executePartitions(
  session: SqlSession,
  plan: PartitionedPlan | undefined,
  shared: SharedPartitions,
  context: ExecutionContext,
  send: (block: Uint8Array<ArrayBuffer>) => void,
): Generator<undefined, PartitionWork | undefined> {
  const codec = plan === undefined ? undefined : spillCodec(plan.types, session.picture.types);
  if (plan === undefined || codec === undefined || plan.shape !== shared.shape) return undefined;
  const sink = new RowBlockSink(codec);
  function* sendRows(partition: number, rows: GatheredRows): Generator<undefined, void> {
    for (const batch of rows.batches()) {
      if (!sink.rows(batch)) continue;
      send(encodePiece(partition, false, sink.take()));
      yield undefined;
    }
    send(encodePiece(partition, true, sink.take()));
  }
  const claim = (): number | undefined => claimPartition(shared, true);
  const execution = plan.execute(context, shared.all, claim, sendRows, shared.isMeasured);
  try {
    for (;;) {
      session.restartSlice();
      const step = execution.next();
      if (step.done === true) return step.value;
      yield undefined;
    }
  } finally {
    execution.return(undefined);
  }
}

function sessionFor(engine: SqlEngine, read: RemoteRead): SqlSession {
  const { database, roles, settings, statementMicros, transactionMicros } = read;
  const session = engine.createSession({ database, user: roles.loginName, settings });
  session.roles.adopt(roles);
  session.evaluation.continueStatement(statementMicros, transactionMicros);
  return session;
}

function workSince(before: WorkCounters, now: WorkCounters): WorkCounters {
  const work = newWorkCounters();
  for (const name of Object.keys(work) as (keyof WorkCounters)[]) work[name] = now[name] - before[name];
  return work;
}
