/**
 * What EXPLAIN ANALYZE counts while a plan runs: rows that each node handed on, how often it was run, and when. A plan is
 * compiled anew for it, with the counters written into its code; plans that are not measured pay nothing.
 *
 * Operators between two buffers are one function, so time, and what is read and spilled, is known for each such pipeline and shown at
 * every node of it: from the start of the statement to the pipeline's first and to its last moment. Below a Gather it is that from the
 * start of a partition, on average.
 */
import type { PhysicalNode } from '../plan/physical/physical.js';
import { inputsOfPhysical } from '../plan/physical/walk.js';
import type { Task } from './program.js';
import type { Run } from './run.js';
import type { PartitionWork, SegmentCount } from './runtime.js';
import { counted, type StorageWork } from './storage-work.js';

/** How often something ran. */
export interface RunCount {
  runs: number;
  /** It runs once for each partition, and its pipelines are measured as those of partitions. */
  readonly isPartition: boolean;
}

/** What was read for pipelines, and bytes that they have put into scratch files. */
export interface PipelineWork {
  cacheHits: number;
  pagesRead: number;
  bytesRead: number;
  spilledBytes: number;
}

export interface PipelineMeasure extends PipelineWork {
  startMs: number;
  endMs: number;
}

export interface NodeMeasure {
  /** Rows handed on, over all runs. */
  rows: number;
  /** How often the node ran: once for each outer row inside of a lookup, once for each run of a subplan. */
  loops: number;
  /** Runs of the subplan it stands in; undefined outside of one. */
  readonly subplan: RunCount | undefined;
  /** The pipeline of the statement or of its partitions in which its rows flow; -1 inside of subplans. */
  pipeline: number;
  /** Of a scan of a column index, over all runs. */
  segments: SegmentCount | undefined;
}

export class PlanMeasure {
  readonly nodes = new Map<PhysicalNode, NodeMeasure>();
  readonly pipelines: PipelineMeasure[] = [];
  /** Those of a Gather's input, over all partitions, here and in other threads. */
  readonly parts: PipelineMeasure[] = [];
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
  private partStartMs = 0;

  constructor(countsReads: boolean) {
    this.countsReads = countsReads;
  }

  /** The counters of a node, made when it is compiled. */
  of(node: PhysicalNode, subplan: RunCount | undefined): NodeMeasure {
    let measure = this.nodes.get(node);
    if (measure === undefined) {
      measure = { rows: 0, loops: 0, subplan, pipeline: -1, segments: undefined };
      this.nodes.set(node, measure);
    }
    return measure;
  }

  /** The same of segments. */
  segmentsOf(node: PhysicalNode, subplan: RunCount | undefined): SegmentCount {
    return (this.of(node, subplan).segments ??= { read: 0, skipped: 0, markedRows: 0 });
  }

  /** Adds what another thread has done of a node that runs in partitions, and whose nodes below it are in this order from above. */
  addWork(nodes: readonly PhysicalNode[], work: PartitionWork): void {
    const { partitions, rows, segments, pipelines } = work;
    nodes.forEach((node, i) => {
      const measure = this.nodes.get(node);
      if (measure === undefined) return;
      measure.rows += rows[i] ?? 0;
      const more = segments[i];
      if (more !== undefined) addSegments(this.segmentsOf(node, measure.subplan), more);
      if (i === 0 && measure.subplan !== undefined) measure.subplan.runs += partitions;
    });
    pipelines.forEach((pipeline, i) => addMeasure((this.parts[i] ??= newPipelineMeasure()), pipeline));
    this.workers.push(work);
  }

  /** What was read and spilled for a node and those below it, in all threads. */
  workOf(node: PhysicalNode): PipelineMeasure {
    const pipelines = new Set<PipelineMeasure>();
    const visit = (below: PhysicalNode): void => {
      const pipeline = this.pipelineOf(below);
      if (pipeline !== undefined) pipelines.add(pipeline);
      if (below.kind !== 'gather') inputsOfPhysical(below).forEach(visit);
      // The pipeline over it has run this thread's share.
      else for (const worker of this.workers) for (const one of worker.pipelines) pipelines.add(one);
    };
    visit(node);
    const work = newPipelineMeasure();
    for (const pipeline of pipelines) addMeasure(work, pipeline);
    return work;
  }

  /** What was read for the statement by other threads. */
  get readElsewhere(): PipelineWork {
    const sum = newPipelineMeasure();
    for (const { pipelines } of this.workers) for (const pipeline of pipelines) addMeasure(sum, pipeline);
    return sum;
  }

  pipelineOf(node: PhysicalNode): PipelineMeasure | undefined {
    const measure = this.nodes.get(node);
    if (measure === undefined) return undefined;
    return (measure.subplan?.isPartition === true ? this.parts : this.pipelines)[measure.pipeline];
  }

  begin(nowMs: number): void {
    this.startMs = nowMs;
  }

  end(nowMs: number): void {
    this.totalMs = nowMs - this.startMs;
  }

  /** The same tasks of the statement, measured. */
  timed(tasks: readonly Task[]): Task[] {
    return tasks.map((task, i) => this.measured(task, (this.pipelines[i] = newPipelineMeasure()), () => this.startMs));
  }

  /** The same tasks of a program that runs for each partition. */
  timedParts(tasks: readonly Task[]): Task[] {
    const timed = tasks.map((task, i) =>
      this.measured(task, (this.parts[i] = newPipelineMeasure()), () => this.partStartMs),
    );
    const begin = (run: Run): void => {
      this.partStartMs = run.context.slice.nowMs();
    };
    return [
      {
        *run(run) {
          begin(run);
        },
      },
      ...timed,
    ];
  }

  private measured(task: Task, into: PipelineMeasure, startMs: () => number): Task {
    const now = (run: Run): PipelineWork => ({
      ...(this.countsReads ? run.context.storageReads() : NO_READS),
      spilledBytes: run.statement.spilledBytes,
    });
    return {
      *run(run) {
        const { slice } = run.context;
        into.startMs += slice.nowMs() - startMs();
        yield* counted<keyof PipelineWork, unknown>(task.run(run), () => now(run), into);
        into.endMs += slice.nowMs() - startMs();
      },
    };
  }
}

const NO_READS = { cacheHits: 0, pagesRead: 0, bytesRead: 0 };

function newPipelineMeasure(): PipelineMeasure {
  return { startMs: 0, endMs: 0, cacheHits: 0, pagesRead: 0, bytesRead: 0, spilledBytes: 0 };
}

function addMeasure(to: PipelineMeasure, from: PipelineMeasure): void {
  for (const name of Object.keys(to) as (keyof PipelineMeasure)[]) to[name] += from[name];
}

function addSegments(count: SegmentCount, more: Readonly<SegmentCount>): void {
  count.read += more.read;
  count.skipped += more.skipped;
  count.markedRows += more.markedRows;
}
