/**
 * What EXPLAIN ANALYZE counts while a plan runs: rows that each node handed on, how often it was run, when, and what was read and
 * spilled for it. A plan is compiled anew for it, with the counters written into its code; plans that are not measured pay nothing.
 *
 * Operators between two buffers are one function, so time, and what is read and spilled, is known for each task of a program: most are
 * such pipelines. The statement is a program, and so is each subquery, each lateral side, the step of a recursion, and what a Gather
 * runs for each partition.
 *
 *   tasks of a program     0 scan u, build hash   1 subquery, once   2 scan t, probe   3 sort and hand on
 *   of the hash join       [------------------------------------------------------]
 *   of the sort            [--------------------------------------------------------------------------]
 *
 * Invariants:
 *   1. What a task has read and spilled is its own: what programs that ran inside of it did is theirs. So the sum over the tasks of a
 *      node, of those below it and of its subqueries counts nothing twice.
 *   2. Times are from the start of the program to the first and to the last moment of the pipelines through which the node's rows
 *      flow, on average over the program's runs; what ran inside of them is in them.
 */
import type { PhysicalNode } from '../plan/physical/physical.js';
import type { Task, TaskMeasure, Work } from './program.js';
import type { Run } from './run.js';
import type { PartitionWork, SegmentCount } from './runtime.js';
import { counted, type StorageWork } from './storage-work.js';

/** What was read by tasks, and bytes that they have put into scratch files. */
export interface TaskWork {
  cacheHits: number;
  pagesRead: number;
  bytesRead: number;
  spilledBytes: number;
}

/** The same of one task over all runs of its program, with its times. */
export interface TaskTotal extends TaskWork {
  startMs: number;
  endMs: number;
}

/** When a node's first and last rows came, since the start of its program; over all runs of it. */
export interface NodeTimes {
  readonly startMs: number;
  readonly endMs: number;
}

/** Where a step became a task. */
interface Placed {
  readonly task?: number;
}

/** What the tasks of one program came to, over all of its runs. */
export class ProgramMeasure implements TaskMeasure {
  runs = 0;
  readonly tasks: TaskTotal[] = [];
  /** What a Gather runs for each partition, here and in other threads. */
  readonly isPartition: boolean;
  private readonly plan: PlanMeasure;

  constructor(plan: PlanMeasure, isPartition: boolean) {
    this.plan = plan;
    this.isPartition = isPartition;
  }

  *run(tasks: readonly Task[], run: Run): Work {
    const { slice } = run.context;
    const startMs = slice.nowMs();
    this.runs++;
    for (let i = 0; i < tasks.length; i++) {
      const total = (this.tasks[i] ??= newTaskTotal());
      const taskStartMs = slice.nowMs();
      try {
        yield* this.plan.counting((tasks[i] as Task).run(run), run, total);
      } finally {
        total.startMs += taskStartMs - startMs;
        total.endMs += slice.nowMs() - startMs;
      }
    }
  }

  add(tasks: readonly Readonly<TaskTotal>[]): void {
    tasks.forEach((task, i) => addTotal((this.tasks[i] ??= newTaskTotal()), task));
  }
}

export class NodeMeasure {
  /** Rows handed on, over all runs. */
  rows = 0;
  /** How often the node ran, where that is not as often as its program: once for each outer row inside of a lookup. */
  loops = 0;
  readonly program: ProgramMeasure;
  /** Of a scan of a column index, over all runs. */
  segments: SegmentCount | undefined = undefined;
  /** The tasks of the node and of those below it in its program: from the first up to the second, not included. */
  private from = Number.MAX_SAFE_INTEGER;
  private to = 0;
  /** The steps through which its rows flow. */
  private readonly steps: Placed[] = [];

  constructor(program: ProgramMeasure) {
    this.program = program;
  }

  /** Says which tasks were written for it and those below it. */
  spans(from: number, to: number): void {
    this.from = Math.min(this.from, from);
    this.to = Math.max(this.to, to);
  }

  flowsIn(step: Placed): void {
    if (!this.steps.includes(step)) this.steps.push(step);
  }

  /** Of the tasks of its program, those for it and for those below it. */
  tasksOf(tasks: readonly TaskTotal[]): TaskTotal[] {
    const flows = this.flows(tasks);
    return tasks.filter((task, i) => (i >= this.from && i < this.to) || flows.includes(task));
  }

  timesOf(tasks: readonly TaskTotal[]): NodeTimes {
    const flows = this.flows(tasks);
    if (flows.length === 0) return { startMs: 0, endMs: 0 };
    return {
      startMs: Math.min(...flows.map((task) => task.startMs)),
      endMs: Math.max(...flows.map((task) => task.endMs)),
    };
  }

  private flows(tasks: readonly TaskTotal[]): TaskTotal[] {
    const flows: TaskTotal[] = [];
    for (const { task } of this.steps) {
      const total = task === undefined ? undefined : tasks[task];
      if (total !== undefined) flows.push(total);
    }
    return flows;
  }
}

export class PlanMeasure {
  readonly nodes = new Map<PhysicalNode, NodeMeasure>();
  /** That of the statement itself. */
  readonly program = new ProgramMeasure(this, false);
  /** What each of the other threads has done. */
  readonly workers: PartitionWork[] = [];
  /** Pages are counted, too. */
  readonly countsReads: boolean;
  totalMs = 0;
  /** Most working memory in use at a time. */
  peakBytes = 0;
  /** Threads that shared in it. */
  threads = 0;
  /** Set where it was asked for. */
  storage: StorageWork | undefined = undefined;
  private startMs = 0;
  private readonly programs = new Map<PhysicalNode, ProgramMeasure>();
  /** What all tasks have done so far; a task does what is in it at its end and was not at its start. */
  private readonly told: TaskWork = { cacheHits: 0, pagesRead: 0, bytesRead: 0, spilledBytes: 0 };

  constructor(countsReads: boolean) {
    this.countsReads = countsReads;
  }

  /** That of the program that gives the rows of a plan; one plan may be written several times. */
  programOf(plan: PhysicalNode, isPartition: boolean): ProgramMeasure {
    let program = this.programs.get(plan);
    if (program === undefined) {
      program = new ProgramMeasure(this, isPartition);
      this.programs.set(plan, program);
    }
    return program;
  }

  /** The counters of a node, made when it is compiled. */
  of(node: PhysicalNode, program: ProgramMeasure): NodeMeasure {
    let measure = this.nodes.get(node);
    if (measure === undefined) {
      measure = new NodeMeasure(program);
      this.nodes.set(node, measure);
    }
    return measure;
  }

  /** The same of segments. */
  segmentsOf(node: PhysicalNode, program: ProgramMeasure): SegmentCount {
    return (this.of(node, program).segments ??= { read: 0, skipped: 0, markedRows: 0 });
  }

  /** Adds what another thread has done of a node that runs in partitions, and whose nodes below it are in this order from above. */
  addWork(nodes: readonly PhysicalNode[], work: PartitionWork): void {
    const { partitions, rows, segments, tasks } = work;
    nodes.forEach((node, i) => {
      const measure = this.nodes.get(node);
      if (measure === undefined) return;
      measure.rows += rows[i] ?? 0;
      const more = segments[i];
      if (more !== undefined) addSegments(this.segmentsOf(node, measure.program), more);
      if (i > 0) return;
      measure.program.runs += partitions;
      measure.program.add(tasks);
    });
    this.workers.push(work);
  }

  /** What was read and spilled in all threads for nodes: those of a whole branch of the plan, subqueries included. */
  workOf(nodes: Iterable<PhysicalNode>): TaskWork {
    const tasks = new Set<TaskTotal>();
    for (const node of nodes) {
      const measure = this.nodes.get(node);
      for (const task of measure?.tasksOf(measure.program.tasks) ?? []) tasks.add(task);
    }
    return sumOf(tasks);
  }

  /** What was read for the statement by other threads. */
  get readElsewhere(): TaskWork {
    return sumOf(this.workers.flatMap(({ tasks }) => tasks));
  }

  begin(nowMs: number): void {
    this.startMs = nowMs;
  }

  end(nowMs: number): void {
    this.totalMs = nowMs - this.startMs;
  }

  /** The same work of a task; what it does, but for what is told of tasks inside of it, is added to its total. */
  counting(work: Work<unknown>, run: Run, total: TaskTotal): Work<unknown> {
    const { told } = this;
    const now = (): TaskWork => {
      const reads = this.countsReads ? run.context.storageReads() : NO_READS;
      return {
        cacheHits: reads.cacheHits - told.cacheHits,
        pagesRead: reads.pagesRead - told.pagesRead,
        bytesRead: reads.bytesRead - told.bytesRead,
        spilledBytes: run.statement.spilledBytes - told.spilledBytes,
      };
    };
    return counted<keyof TaskWork, unknown>(work, now, (figure, amount) => {
      total[figure] += amount;
      told[figure] += amount;
    });
  }
}

const NO_READS = { cacheHits: 0, pagesRead: 0, bytesRead: 0 };

function newTaskTotal(): TaskTotal {
  return { startMs: 0, endMs: 0, cacheHits: 0, pagesRead: 0, bytesRead: 0, spilledBytes: 0 };
}

function addTotal(to: TaskTotal, from: Readonly<TaskTotal>): void {
  for (const name of Object.keys(to) as (keyof TaskTotal)[]) to[name] += from[name];
}

/** What tasks have read and spilled together. */
export function sumOf(tasks: Iterable<Readonly<TaskTotal>>): TaskWork {
  const sum = newTaskTotal();
  for (const task of tasks) addTotal(sum, task);
  return sum;
}

function addSegments(count: SegmentCount, more: Readonly<SegmentCount>): void {
  count.read += more.read;
  count.skipped += more.skipped;
  count.markedRows += more.markedRows;
}
