/**
 * The whole program of the worker threads, as text. The build puts it here, bundled from worker-main.ts (`workerSources` in
 * the shared settings of builds and of tests); sources that are run as they are have none, and work on their own thread.
 */
export const WORKER_SOURCE: string | undefined = undefined;
