/**
 * What decides whether a block of a function may become a function of its own, and what that needs to be given.
 *
 * A step is one loop, and the code behind its filters and joins runs for few of its rows. Written in place, that code makes
 * the optimizing compiler work for tens of milliseconds before the loop is fast, and once more whenever it comes to a place
 * that had not run yet when it was compiled. Apart, the loop is small and compiled at once.
 *
 *   loop { ... if (passes) { probe; group } }     ->     function part(row) { probe; group }
 *                                                        loop { ... if (passes) part(row) }
 *
 * Left in place: small blocks, and those that jump out of themselves or set variables around them.
 */
import { unreachable } from '@phantom/base';
import type { Code, Statement } from './ir.js';

/** A block of fewer parts of code stays where it is. */
const PARTS_MIN = 24;

export interface Outline {
  /** Variables around the block that it reads, which become parameters. */
  readonly parameters: readonly number[];
  /** Whether it ends the function around it, then with what is never undefined unless it always does. */
  readonly returns: 'never' | 'perhaps' | 'always';
  readonly generator: boolean;
}

/** How the block becomes a function; undefined when it stays. */
export function outlineOf(block: readonly Statement[]): Outline | undefined {
  const facts = new BlockFacts();
  facts.statements(block);
  if (facts.jumpsOut || facts.parts < PARTS_MIN) return undefined;
  const outer = [...facts.read].filter((id) => !facts.declared.has(id));
  for (const id of facts.assigned) if (!facts.declared.has(id)) return undefined;
  const returns = block[block.length - 1]?.kind === 'return' ? 'always' : facts.returns ? 'perhaps' : 'never';
  return { parameters: outer.sort((a, b) => a - b), returns, generator: facts.generator };
}

/** What a walk over a block finds. */
class BlockFacts {
  readonly read = new Set<number>();
  readonly assigned = new Set<number>();
  readonly declared = new Set<number>();
  private readonly labels = new Set<number>();
  jumpsOut = false;
  returns = false;
  generator = false;
  parts = 0;

  statements(list: readonly Statement[]): void {
    for (const statement of list) this.statement(statement);
  }

  private statement(statement: Statement): void {
    this.parts++;
    switch (statement.kind) {
      case 'let':
        this.declared.add(statement.local.id);
        this.code(statement.value);
        return;
      case 'assign':
        this.assigned.add(statement.local.id);
        this.code(statement.value);
        return;
      case 'set-element':
        this.all([statement.object, statement.index, statement.value]);
        return;
      case 'set-property':
        this.all([statement.object, statement.value]);
        return;
      case 'evaluate':
        this.code(statement.value);
        return;
      case 'if':
        this.code(statement.test);
        this.statements(statement.then);
        this.statements(statement.otherwise);
        return;
      case 'loop':
        this.labels.add(statement.label);
        this.statements(statement.body);
        return;
      case 'break':
      case 'continue':
        this.jumpsOut ||= !this.labels.has(statement.label);
        return;
      case 'return':
        this.returns = true;
        this.code(statement.value);
        return;
      case 'yield':
        this.generator = true;
        this.code(statement.value);
        return;
      case 'delegate':
        this.generator = true;
        this.declared.add(statement.local.id);
        this.code(statement.generator);
        return;
      default:
        unreachable(statement);
    }
  }

  private all(codes: readonly Code[]): void {
    for (const code of codes) this.code(code);
  }

  private code(code: Code): void {
    this.parts++;
    switch (code.kind) {
      case 'local':
        this.read.add(code.id);
        return;
      case 'constant':
      case 'literal':
        return;
      case 'binary':
        this.all([code.left, code.right]);
        return;
      case 'unary':
        this.code(code.operand);
        return;
      case 'conditional':
        this.all([code.test, code.then, code.otherwise]);
        return;
      case 'call':
      case 'inline':
        this.all([code.target, ...code.arguments]);
        return;
      case 'method':
        this.all([code.object, ...code.arguments]);
        return;
      case 'property':
        this.code(code.object);
        return;
      case 'element':
        this.all([code.object, code.index]);
        return;
      case 'array':
        this.all(code.items);
        return;
      case 'read':
        this.all([code.buffer, code.start, code.end]);
        return;
      default:
        unreachable(code);
    }
  }
}
