/** What a command writes while it runs in this process. */
export interface Captured<T> {
  readonly value: T;
  readonly out: string;
  readonly err: string;
}

type Write = typeof process.stdout.write;

/** Runs something with stdout and stderr taken away; `live` sees them as they grow. */
export async function capture<T>(run: (live: { out: string; err: string }) => Promise<T>): Promise<Captured<T>> {
  const live = { out: '', err: '' };
  const { stdout, stderr } = process;
  const [writeOut, writeErr] = [stdout.write, stderr.write];
  stdout.write = ((text: string | Uint8Array) => {
    live.out += String(text);
    return true;
  }) as Write;
  stderr.write = ((text: string | Uint8Array) => {
    live.err += String(text);
    return true;
  }) as Write;
  try {
    return { value: await run(live), ...live };
  } finally {
    stdout.write = writeOut;
    stderr.write = writeErr;
  }
}
