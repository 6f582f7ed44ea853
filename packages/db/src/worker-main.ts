/** What the threads that read run. */
import { ThreadPriority, standBack } from '@phantom/base';
import { serveTasks } from '@phantom/runs';
import type { RemoteOutcome, RemoteRead } from '@phantom/sql';
import { ReadingThread, type ReadingPlace } from './reading-thread.js';

export interface ReadInput {
  readonly place: ReadingPlace;
  readonly read: RemoteRead;
  /** Descriptor of a view of the store. */
  readonly view: unknown;
}

let thread: ReadingThread | undefined;

standBack(ThreadPriority.Idle);

serveTasks({
  read: ({ place, read, view }: ReadInput, checksums, send): Generator<undefined, RemoteOutcome> => {
    thread ??= new ReadingThread(place, checksums);
    return thread.run(read, view, send);
  },
});
