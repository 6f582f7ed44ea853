/**
 * Recorded answers of PostgreSQL 15, one JSON array a line: [kind, name, arguments, answer]. An argument is `type:text`
 * (NULL for null) or a bare literal; an answer is text, `null`, or E and a SQLSTATE. The session's zone was America/Los_Angeles.
 */
import { readFileSync } from 'node:fs';
import { isPhantomError } from '@phantom/base';
import { testContext } from '../context.js';
import { callFunction, callOperator, castLiteral } from './evaluate.js';

type Recorded = readonly [kind: 'fn' | 'op' | 'cast' | 'input', name: string, args: readonly string[], answer: string];

const context = testContext({ timeZone: 'America/Los_Angeles' });

function answer([kind, name, args]: Recorded): string {
  try {
    switch (kind) {
      case 'fn':
        return callFunction(name, args, context) ?? 'null';
      case 'op':
        return (
          (args.length === 1
            ? callOperator(name, undefined, args[0] as string, context)
            : callOperator(name, args[0], args[1] as string, context)) ?? 'null'
        );
      default:
        return castLiteral(args[0] as string, name, -1, context) ?? 'null';
    }
  } catch (error) {
    return isPhantomError(error) ? `E${(error as unknown as { code: string }).code}` : String(error);
  }
}

/** Doubles may differ in the last place between mathematical libraries. */
function same(expected: string, actual: string): boolean {
  if (expected === actual) return true;
  const x = Number(expected);
  const y = Number(actual);
  return (
    /[.e]/.test(expected) &&
    Number.isFinite(x) &&
    Number.isFinite(y) &&
    Math.abs(x - y) <= 1e-14 * Math.max(Math.abs(x), Math.abs(y))
  );
}

/** The recorded calls of a file that answer otherwise here, as texts. */
export function differences(file: URL): string[] {
  const found: string[] = [];
  for (const line of readFileSync(file, 'utf8').trim().split('\n')) {
    const recorded = JSON.parse(line) as Recorded;
    const actual = answer(recorded);
    if (!same(recorded[3], actual)) found.push(`${line} but ${actual}`);
  }
  return found;
}
