/**
 * The layers of a view on their way to another thread: runs by name, deltas as copies in shared memory.
 *
 *      view of this thread     active delta | frozen deltas | runs
 *                                    copy         copy        path      one message
 *      view of the other        deltas read in place        | runs, opened anew
 *
 * A delta is copied though it is active: freezing it would have it written as a run of its own, and reads would make small
 * runs without end. What the other thread must not see of it is of later seqs than its view.
 */
import { assert } from '@phantom/base';
import { Delta, type DeltaDescriptor } from './delta.js';
import { DeltaCopies } from './delta-copies.js';
import type { Wait } from './job.js';
import type { Layer } from './layer.js';
import { Run, type RunDescriptor, type RunOptions } from './run-reader.js';

/** A layer as plain data and shared memory. */
export type LayerDescriptor =
  | { readonly kind: 'delta'; readonly delta: DeltaDescriptor }
  | { readonly kind: 'run'; readonly run: RunDescriptor };

/** The layers of a view, described. */
export interface SharedLayers {
  readonly layers: readonly LayerDescriptor[];
  /** Nobody reads by them any more. Call it once. */
  release(): void;
}

/** What threads that read are given, of all stores of the process. */
const copies = new DeltaCopies();

/** Describes layers, which whoever reads by that needs pinned by their view until it is done. */
export async function shareLayers(layers: readonly Layer[]): Promise<SharedLayers> {
  const buffers: SharedArrayBuffer[] = [];
  const release = (): void => {
    for (const buffer of buffers) copies.giveBack(buffer);
  };
  const describe = async (layer: Layer): Promise<LayerDescriptor> => {
    if (layer instanceof Run) return { kind: 'run', run: layer.descriptor() };
    assert(layer instanceof Delta, 'a layer is a delta or a run');
    const { descriptor, buffer } = await awaited(copies.make(layer.descriptor()));
    buffers.push(buffer);
    return { kind: 'delta', delta: descriptor };
  };
  try {
    // All of them begin in this turn, in which no batch is applied.
    return { layers: await Promise.all(layers.map(describe)), release };
  } catch (error) {
    release();
    throw error;
  }
}

async function awaited<R>(steps: Generator<Wait, R>): Promise<R> {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    await step.value.sync(0);
  }
}

/** The runs that a thread reads for another one. Those of a view stay open for the next one, which mostly has them, too. */
export class AttachedRuns {
  private readonly options: Omit<RunOptions, 'path'>;
  /** By path. */
  private readonly kept = new Map<string, Run>();
  private readonly used = new Set<string>();

  /** `options` are those of every run. */
  constructor(options: Omit<RunOptions, 'path'>) {
    this.options = options;
  }

  /** A run, held for the caller. */
  open(descriptor: RunDescriptor): Run {
    const { path } = descriptor;
    let run = this.kept.get(path);
    if (run === undefined) {
      run = new Run({ ...this.options, ...descriptor });
      this.kept.set(path, run);
    }
    this.used.add(path);
    run.retain();
    return run;
  }

  /** The layers of a view, runs among them held for the caller. */
  layers(descriptors: readonly LayerDescriptor[]): Layer[] {
    return descriptors.map((one) => (one.kind === 'run' ? this.open(one.run) : Delta.attach(one.delta)));
  }

  /** A view has been opened: what it did not ask for goes. */
  settle(): void {
    for (const [path, run] of this.kept) if (!this.used.has(path)) this.drop(path, run);
    this.used.clear();
  }

  /** Closes every run that no view holds: nobody is about to ask for one, and files may have been removed. */
  rest(): void {
    for (const [path, run] of this.kept) this.drop(path, run);
  }

  private drop(path: string, run: Run): void {
    this.kept.delete(path);
    run.release();
  }
}
