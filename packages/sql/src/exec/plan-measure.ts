/**
 * What EXPLAIN ANALYZE counts while a plan runs: rows that each node handed on, how often it was run, and when. A plan is
 * compiled anew for it, with the counters written into its code; plans that are not measured pay nothing.
 *
 * Operators between two buffers are one function, so time is known for each such pipeline and shown at every node of it:
 * from the start of the statement to the pipeline's first and to its last moment.
 */
import type { PhysicalNode } from '../plan/physical/physical.js';
import type { Task } from './program.js';
import type { PartitionWork } from './runtime.js';
import type { StorageWork } from './storage-work.js';

/** How often something ran. */
export interface RunCount {
  runs: number;
}

export interface NodeMeasure {
  /** Rows handed on, over all runs. */
  rows: number;
  /** How often the node ran: once for each outer row inside of a lookup, once for each run of a subplan. */
  loops: number;
  /** Runs of the subplan it stands in; undefined outside of one. */
  readonly subplan: RunCount | undefined;
  /** The pipeline in which its rows flow; -1 inside of subplans. */
  pipeline: number;
}

interface PipelineTime {
  startMs: number;
  endMs: number;
}

export class PlanMeasure {
  readonly nodes = new Map<PhysicalNode, NodeMeasure>();
  readonly pipelines: PipelineTime[] = [];
  totalMs = 0;
  /** Most working memory in use at a time. */
  peakBytes = 0;
  /** Threads that shared in it. */
  threads = 0;
  /** Set where it was asked for. */
  storage: StorageWork | undefined = undefined;
  private startMs = 0;

  /** The counters of a node, made when it is compiled. */
  of(node: PhysicalNode, subplan: RunCount | undefined): NodeMeasure {
    let measure = this.nodes.get(node);
    if (measure === undefined) {
      measure = { rows: 0, loops: 0, subplan, pipeline: -1 };
      this.nodes.set(node, measure);
    }
    return measure;
  }

  /** Adds what another thread has done of a node that runs in partitions, and whose nodes below it are in this order from above. */
  addWork(nodes: readonly PhysicalNode[], { partitions, rows }: PartitionWork): void {
    nodes.forEach((node, i) => {
      const measure = this.nodes.get(node);
      if (measure === undefined) return;
      measure.rows += rows[i] ?? 0;
      if (i === 0 && measure.subplan !== undefined) measure.subplan.runs += partitions;
    });
  }

  begin(nowMs: number): void {
    this.startMs = nowMs;
  }

  end(nowMs: number): void {
    this.totalMs = nowMs - this.startMs;
  }

  /** The same task with its times taken. */
  timed(task: Task, pipeline: number): Task {
    const times: PipelineTime = { startMs: 0, endMs: 0 };
    this.pipelines[pipeline] = times;
    const startMs = (): number => this.startMs;
    return {
      *run(run) {
        const { slice } = run.context;
        times.startMs = slice.nowMs() - startMs();
        yield* task.run(run);
        times.endMs = slice.nowMs() - startMs();
      },
    };
  }
}
