/** Bodies of routines in SQL, read: strings, and SQL that was kept with what its names meant. */
import type { RoutineDescriptor } from '@phantom/catalog';
import type { RoutineBinding } from '../plan/routine-binding.js';
import type { Statement } from '../text/ast-statements.js';
import { parseScript, parseStatement } from '../text/parse.js';

export interface BodyStatement {
  readonly node: Statement;
  readonly text: string;
  readonly stored: RoutineBinding['stored'];
}

/** Syntax trees of bodies: shared by all sessions, since plans hang on them. */
const parsed = new WeakMap<RoutineDescriptor, readonly BodyStatement[]>();

/** The statements of a body; 42601 and kin for one that cannot be read. */
export function statementsOf(routine: RoutineDescriptor): readonly BodyStatement[] {
  let statements = parsed.get(routine);
  if (statements === undefined) parsed.set(routine, (statements = readBody(routine)));
  return statements;
}

function readBody({ body, source }: RoutineDescriptor): BodyStatement[] {
  if (body === undefined) return parseScript(source).map(({ node }) => ({ node, text: source, stored: undefined }));
  return body.statements.map((stored) => ({ node: parseStatement(stored.querySql), text: stored.querySql, stored }));
}
