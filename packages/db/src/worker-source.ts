/**
 * The whole program of the threads that read, as text. The build puts it here, bundled from worker-main.ts (`workerSources` in the
 * shared settings of builds and of tests), compressed, and in a chunk of its own: most processes never need it. Sources that are
 * run as they are have none, and read in their own thread.
 */
export const WORKER_SOURCE: string | undefined = undefined;
