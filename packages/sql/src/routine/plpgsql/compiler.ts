/** Statements by their kind to the functions that compile them. */
import { unreachable } from '@phantom/base';
import { compileBlock } from './compile-blocks.js';
import { compileAssign, compileCase, compileExit, compileIf } from './compile-control.js';
import { compileClose, compileFetch, compileForCursor, compileOpen } from './compile-cursors.js';
import { compileForEach, compileForInteger, compileForQuery, compileLoop, compileWhile } from './compile-loops.js';
import { compileDynamic, compilePerform, compileSql } from './compile-queries.js';
import { compileAssert, compileDiagnostics, compileRaise } from './compile-raise.js';
import { compileReturn, compileReturnNext, compileReturnQuery } from './compile-return.js';
import type { Compilation } from './compilation.js';
import { compileCall, compileEndTransaction } from './compile-transactions.js';
import { type Step, action, sequence } from './steps.js';
import type { Node } from './syntax.js';
import type { BodyPlace } from './variables.js';

/** A label in reach, of a block or a loop. */
interface Label {
  readonly name: string | undefined;
  readonly isLoop: boolean;
}

export class Compiler {
  readonly compilation: Compilation;
  private readonly labels: Label[] = [];

  constructor(compilation: Compilation) {
    this.compilation = compilation;
  }

  list(nodes: readonly Node[]): Step {
    return sequence(nodes.map((node) => ({ step: this.statement(node), place: placeOf(node) })));
  }

  /** Runs `f` with a label in reach. */
  labelled<T>(name: string | undefined, isLoop: boolean, f: () => T): T {
    this.labels.push({ name, isLoop });
    try {
      return f();
    } finally {
      this.labels.pop();
    }
  }

  /** The innermost one of the name, or the innermost loop. */
  label(name: string | undefined): Label | undefined {
    return this.labels.findLast((label) => (name === undefined ? label.isLoop : label.name === name));
  }

  private statement(node: Node): Step {
    switch (node.kind) {
      case 'block':
        return compileBlock(this, node);
      case 'assign':
        return compileAssign(this.compilation, node);
      case 'if':
        return compileIf(this, node);
      case 'case':
        return compileCase(this, node);
      case 'loop':
        return compileLoop(this, node);
      case 'while':
        return compileWhile(this, node);
      case 'for-integer':
        return compileForInteger(this, node);
      case 'for-query':
        return compileForQuery(this, node);
      case 'for-cursor':
        return compileForCursor(this, node);
      case 'for-each':
        return compileForEach(this, node);
      case 'exit':
        return compileExit(this, node);
      case 'return':
        return compileReturn(this.compilation, node);
      case 'return-next':
        return compileReturnNext(this.compilation, node);
      case 'return-query':
        return compileReturnQuery(this.compilation, node);
      case 'raise':
        return compileRaise(this.compilation, node);
      case 'assert':
        return compileAssert(this.compilation, node);
      case 'sql':
        return compileSql(this.compilation, node);
      case 'perform':
        return compilePerform(this.compilation, node);
      case 'call':
        return compileCall(this.compilation, node);
      case 'execute':
        return compileDynamic(this.compilation, node);
      case 'diagnostics':
        return compileDiagnostics(this.compilation, node);
      case 'open':
        return compileOpen(this.compilation, node);
      case 'fetch':
        return compileFetch(this.compilation, node);
      case 'close':
        return compileClose(this.compilation, node);
      case 'commit':
      case 'rollback':
        return compileEndTransaction(this.compilation, node);
      case 'null':
        return action(() => undefined);
      default:
        return unreachable(node);
    }
  }
}

const NAMES: Readonly<Record<Exclude<Node['kind'], 'for-query' | 'exit' | 'diagnostics' | 'fetch'>, string>> = {
  block: 'statement block',
  assign: 'assignment',
  if: 'IF',
  case: 'CASE',
  loop: 'LOOP',
  while: 'WHILE',
  'for-integer': 'FOR with integer loop variable',
  'for-cursor': 'FOR over cursor',
  'for-each': 'FOREACH over array',
  return: 'RETURN',
  'return-next': 'RETURN NEXT',
  'return-query': 'RETURN QUERY',
  raise: 'RAISE',
  assert: 'ASSERT',
  sql: 'SQL statement',
  perform: 'PERFORM',
  call: 'CALL',
  execute: 'EXECUTE',
  open: 'OPEN',
  close: 'CLOSE',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  null: 'NULL',
};

/** How PostgreSQL calls a statement where it says what went wrong where. */
function nameOf(node: Node): string {
  switch (node.kind) {
    case 'for-query':
      return node.query.kind === 'dynamic' ? 'FOR over EXECUTE statement' : 'FOR over SELECT rows';
    case 'exit':
      return node.continues ? 'CONTINUE' : 'EXIT';
    case 'diagnostics':
      return node.stacked ? 'GET STACKED DIAGNOSTICS' : 'GET DIAGNOSTICS';
    case 'fetch':
      return node.moves ? 'MOVE' : 'FETCH';
    default:
      return NAMES[node.kind];
  }
}

function placeOf(node: Node): BodyPlace {
  return { line: node.line, what: `at ${nameOf(node)}` };
}
