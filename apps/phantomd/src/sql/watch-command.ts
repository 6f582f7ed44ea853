/** `\watch [SECONDS] [i=SECONDS] [c=TIMES]`: runs a statement again and again, until it fails, is stopped, or has run so often. */

const SECONDS = 2;

export interface WatchCommand {
  readonly intervalMs: number;
  /** Infinity: until it is stopped. */
  readonly times: number;
}

/** Takes apart what follows `\watch`. */
export function parseWatchCommand(text: string): WatchCommand {
  let seconds = SECONDS;
  let times = Infinity;
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    const [, name, digits] = /^(?:([ic])=)?(\d+(?:\.\d+)?)$/.exec(word) ?? [];
    const value = Number(digits);
    if (digits === undefined || (name === 'c' && !(Number.isInteger(value) && value > 0)))
      throw new Error(`\\watch takes seconds, i=SECONDS and c=TIMES, not "${word}"`);
    if (name === 'c') times = value;
    else seconds = value;
  }
  return { intervalMs: seconds * 1000, times };
}

/** Runs `once` until it gives false, the signal comes, or it has run often enough; false when it gave that. */
export async function watch(
  { intervalMs, times }: WatchCommand,
  stop: AbortSignal,
  once: () => Promise<boolean>,
): Promise<boolean> {
  for (let run = 1; ; run++) {
    if (!(await once())) return stop.aborted;
    if (run >= times || stop.aborted) return true;
    await rested(intervalMs, stop);
    if (stop.aborted) return true;
  }
}

/** Resolves after so long, or when the signal comes. */
function rested(forMs: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      stop.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, forMs);
    stop.addEventListener('abort', end);
  });
}
