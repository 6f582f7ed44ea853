/** The suite that abstract-level publishes for its implementations: plain JavaScript without declarations. */
import { createRequire } from 'node:module';
import { type TapeTest, tapeRunner } from './tape.js';

type Suite = (options: {
  readonly test: (name: string, body: (test: TapeTest) => unknown) => void;
  readonly factory: (options?: object) => unknown;
}) => void;

const suite = createRequire(import.meta.url)('abstract-level/test/index.js') as Suite;

/** Registers the whole suite with `it`. The factory makes a new database in a place of its own for each call. */
export function levelSuite(
  it: (name: string, body: () => Promise<void>) => void,
  factory: (options?: object) => unknown,
): void {
  suite({ test: tapeRunner(it), factory });
}
