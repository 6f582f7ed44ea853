/**
 * Gathering: the partitions of a read, each run by whoever claims it first, and their rows handed on in the order of the partitions.
 *
 *   this thread    0  1   2    3  4         claims the next one whenever it is done with one
 *   another         7   6    5              the same from the back, at its own speed; one that is only starting claims nothing
 *   handed on         0 1    2   3  4 5 6 7
 *
 * When all are claimed and others still run theirs, this thread runs the first of those, too, rather than wait: a thread that stands back
 * where processors are short may be long gone with a partition of a millisecond. Whoever is done first has done it.
 *
 * Invariants:
 *   1. What a partition has given is what one thread has made of the whole of it.
 *   2. Rows wait for those of earlier partitions in memory that is counted, or in scratch files.
 *   3. Nothing is waited for, but where this thread is to leave partitions to others: by its setting, or because statements of other
 *      sessions have begun since it took the last one. Those wait for each slice of what is run here.
 */
import { SLICE_MS, MemoryShare } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import { GatheredRows } from './gathered-rows.js';
import type { PhysicalNode } from '../plan/physical/physical.js';
import { Company } from './company.js';
import { Pipeline, type Sink } from './pipelines.js';
import type { PlanMeasure } from './plan-measure.js';
import { type CompiledFunction, newRun, type Program, runProgram, type Work } from './program.js';
import { RowBlockReader } from './row-block.js';
import type { Run, Statement } from './run.js';
import type { Partition, PartitionReads, Yielded } from './runtime.js';

/**
 * Where others are at work on this thread, it takes a share of its own only once other threads have hardly got on for so long: in
 * fewer slices than a tenth of a processor gives them.
 */
const SILENCE_MS = 100;
const SILENT_SLICES_MAX = SILENCE_MS / SLICE_MS / 10;
/** Rows of a piece that are taken at once. */
const RECEIVED_ROWS = 256;

/** A program that reads the partition of its run. */
export interface PartitionProgram {
  readonly program: Program;
  readonly codec: RowCodec;
  /** What a run has given, once it is over. */
  readonly rows: (run: Run) => GatheredRows;
}

export interface GatherPlan extends PartitionProgram {
  readonly partitions: (run: Run) => readonly Partition[];
  /** Where a measured plan counts, and the nodes of the program from above. */
  readonly measured: { readonly measure: PlanMeasure; readonly nodes: readonly PhysicalNode[] } | undefined;
}

/** Runs a program over a partition; everything is in the rows that are returned. */
export function* runPartition(
  { program, rows }: PartitionProgram,
  statement: Statement,
  partition: Partition,
): Work<GatheredRows> {
  const run = newRun(program, statement, []);
  const memory = new MemoryShare(run.memory);
  run.partition = partition;
  run.memory = memory;
  try {
    yield* runProgram(program, run);
    return rows(run);
  } finally {
    // What is left is counted by the statement.
    memory.release();
  }
}

export class GatherPipeline extends Pipeline {
  private readonly plan: GatherPlan;

  constructor(step: CompiledFunction, sink: ((run: Run) => Sink) | undefined, plan: GatherPlan) {
    super(step, sink);
    this.plan = plan;
  }

  *run(run: Run): Work {
    const partitions = this.plan.partitions(run);
    const { measured } = this.plan;
    const others = partitions.length > 1 ? yield* beginOthers(run, partitions, measured !== undefined) : undefined;
    const gathering = new Gathering(this.plan, run, partitions, others);
    let handedOn = 0;
    try {
      // A turn of the event loop tells whether others are at work on this thread.
      if (others !== undefined) yield undefined;
      for (;;) {
        const awaited = gathering.receive();
        for (let rows = gathering.done(handedOn); rows !== undefined; rows = gathering.done(handedOn)) {
          for (const batch of rows.batches()) if (!(yield* this.drive(run, batch, batch.count))) return;
          rows.drop();
          handedOn++;
        }
        if (handedOn === partitions.length) {
          if (measured !== undefined && others !== undefined) yield* addWork(measured, others);
          return;
        }
        const step = gathering.step(handedOn);
        if (step !== WAITS) yield step;
        else if (awaited !== undefined) yield gathering.patiently(awaited);
      }
    } finally {
      gathering.close();
    }
  }
}

function* beginOthers(
  run: Run,
  partitions: readonly Partition[],
  isMeasured: boolean,
): Generator<Yielded, PartitionReads | undefined, void> {
  for (;;) {
    const others = run.context.beginPartitions(partitions, isMeasured);
    if (!(others instanceof Promise)) return others;
    yield others;
  }
}

/** Waits for the others, and adds what they have done. */
function* addWork({ measure, nodes }: NonNullable<GatherPlan['measured']>, others: PartitionReads): Work {
  while (others.isReading) if (others.take() === undefined && others.isReading) yield others.wait();
  measure.threads += others.threads;
  for (const work of others.work) measure.addWork(nodes, work);
}

/** There is nothing to do here before others have done theirs. */
const WAITS = Symbol('waits');

/** The partitions of one execution, and how far they are. */
class Gathering {
  private readonly plan: GatherPlan;
  private readonly run: Run;
  private readonly partitions: readonly Partition[];
  private readonly others: PartitionReads | undefined;
  /** By partition: what it has given. */
  private readonly rows: (GatheredRows | undefined)[] = [];
  private readonly isDone: boolean[] = [];
  private readonly reader: RowBlockReader;
  /** The partition that is run here. */
  private own: { readonly number: number; readonly work: Work<GatheredRows> } | undefined = undefined;
  /** The next one, where nobody else claims any. */
  private next = 0;
  private readonly company: Company;
  /** Others have hardly got on for long: they stand back behind everybody, and this thread takes one partition. */
  private areOthersSilent = false;

  constructor(plan: GatherPlan, run: Run, partitions: readonly Partition[], others: PartitionReads | undefined) {
    this.plan = plan;
    this.run = run;
    this.partitions = partitions;
    this.others = others;
    this.company = new Company(run.context.counters);
    this.reader = new RowBlockReader(plan.codec);
  }

  /** The rows of a partition, if all of them are here. */
  done(number: number): GatheredRows | undefined {
    return this.isDone[number] === true ? this.rows[number] : undefined;
  }

  /** Takes what others have sent; answers whom to wait for, while there is any to come. */
  receive(): PartitionReads | undefined {
    const { others, reader } = this;
    if (others === undefined) return undefined;
    for (let piece = others.take(); piece !== undefined; piece = others.take()) {
      const { partition, isLast } = piece;
      if (this.isDone[partition] === true) continue;
      const rows = (this.rows[partition] ??= new GatheredRows(this.run, this.plan.codec));
      reader.aim(piece.rows);
      while (reader.next(RECEIVED_ROWS)) rows.append(reader);
      if (!isLast) continue;
      this.isDone[partition] = true;
      if (this.own?.number === partition) this.leaveOwn();
    }
    return others.isReading ? others : undefined;
  }

  /** Does a slice of work here; what it yields is to be yielded. `first`: the first partition that has not been handed on. */
  step(first: number): Yielded | typeof WAITS {
    this.own ??= this.begin(first);
    const { own } = this;
    if (own === undefined) return WAITS;
    const step = own.work.next();
    if (step.done !== true) return step.value;
    // What another thread has sent of it so far.
    this.rows[own.number]?.drop();
    this.rows[own.number] = step.value;
    this.isDone[own.number] = true;
    this.own = undefined;
    return undefined;
  }

  /** Waits for the others, as long as they get on: this thread may have to go on in their place. */
  async patiently(others: PartitionReads): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    let { slices } = others;
    const silence = new Promise<void>((resolve) => {
      timer = setInterval(() => {
        const before = slices;
        ({ slices } = others);
        if (slices - before > SILENT_SLICES_MAX) return;
        this.areOthersSilent = true;
        resolve();
      }, SILENCE_MS);
    });
    try {
      await Promise.race([others.wait(), silence]);
    } finally {
      clearInterval(timer);
    }
  }

  close(): void {
    this.leaveOwn();
    this.others?.close();
  }

  private leaveOwn(): void {
    this.own?.work.return(undefined as never);
    this.own = undefined;
  }

  /** `first` has not been handed on, and so is there when all are claimed. */
  private begin(first: number): Gathering['own'] {
    const { others, partitions } = this;
    const isReading = others?.isReading === true;
    const isFree = this.run.context.leaderParticipates && (!this.company.hasCome() || this.areOthersSilent);
    this.areOthersSilent = false;
    if (isReading && !isFree) return undefined;
    const claimed = others === undefined ? this.next++ : others.claim();
    // What is measured is done once.
    if (claimed === undefined && isReading && this.plan.measured !== undefined) return undefined;
    const number = claimed ?? first;
    return { number, work: runPartition(this.plan, this.run.statement, partitions[number] as Partition) };
  }
}
