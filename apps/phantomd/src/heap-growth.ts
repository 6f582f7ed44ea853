/**
 * How far the heap may grow between two collections of all of it. V8 chooses a factor from 1.1 to 4 by how fast it collects: with a heap
 * of 30 MB that changes little it chooses the smallest, and then collects after each 8 MB that grow beside it, which buffers of pages
 * and of the log do several times a second. Each time its helpers, as many as four, take processors from short statements for 50 ms.
 * A server takes V8's largest factor instead: four times what is alive, and never more than the heap's limit, as ever.
 */
import { setFlagsFromString } from 'node:v8';

const FLAG = '--heap-growing-percent';
/** 300 percent more than what is alive. */
const GROWTH_PERCENT = 300;

/** To be called before much is allocated. Whoever started Node with a growth of their own keeps it. */
export function letHeapGrow(
  nodeArguments: readonly string[] = process.execArgv,
  setFlags: (flags: string) => void = setFlagsFromString,
): void {
  if (nodeArguments.some((argument) => argument.replaceAll('_', '-').startsWith(FLAG))) return;
  setFlags(`${FLAG}=${GROWTH_PERCENT}`);
}
