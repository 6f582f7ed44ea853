/** Writes the statements of one function, block by block. */
import { assert } from '@phantom/base';
import { isAtom, type Code, type FunctionCode, type Local, type Statement } from './ir.js';

/** An open or closed block of statements; values computed in it are visible while it is open. */
export interface Block {
  readonly statements: Statement[];
  /** The body of a loop, whose statements run many times for one run of the block around it. */
  readonly isLoop: boolean;
  open: boolean;
}

/** Stands for -0 among the keys of a Map, which takes it for 0. */
const MINUS_ZERO = Symbol('-0');

/** Constants of a program, each held once. */
export class ConstantTable {
  readonly values: unknown[] = [];
  private readonly indexes = new Map<unknown, number>();

  add(value: unknown): Code {
    const key = Object.is(value, -0) ? MINUS_ZERO : value;
    let index = this.indexes.get(key);
    if (index === undefined) {
      index = this.values.length;
      this.values.push(value);
      this.indexes.set(key, index);
    }
    return { kind: 'constant', index };
  }
}

export class Emitter {
  readonly constants: ConstantTable;
  private readonly blocks: Block[] = [];
  private locals = 0;
  private labels = 0;
  private yields = false;
  private parameterCount = 0;

  /** Statements at the function's head: what is the same for all rows. */
  private readonly head: Statement[] = [];
  private readonly hoisted = new Map<string, Local>();
  private readonly atHead = new Set<Code>();

  constructor(constants: ConstantTable) {
    this.constants = constants;
    this.blocks.push({ statements: [], isLoop: false, open: true });
  }

  constant(value: unknown): Code {
    return this.constants.add(value);
  }

  newLocal(): Local {
    return { kind: 'local', id: this.locals++ };
  }

  get block(): Block {
    const block = this.blocks[this.blocks.length - 1];
    assert(block !== undefined, 'a function has a block');
    return block;
  }

  add(statement: Statement): void {
    if (statement.kind === 'yield' || statement.kind === 'delegate') this.yields = true;
    this.block.statements.push(statement);
  }

  /** A new variable with this value. */
  let(value: Code): Local {
    const local = this.newLocal();
    this.add({ kind: 'let', local, value });
    return local;
  }

  /** The block around the outermost loop that is being written within another block; undefined where there is no loop. */
  aroundLoops(within: Block): Block | undefined {
    const at = this.blocks.indexOf(within);
    if (at < 0) return undefined;
    for (let i = at + 1; i < this.blocks.length; i++) {
      if (this.blocks[i]?.isLoop === true) return this.blocks[i - 1];
    }
    return undefined;
  }

  /** A new variable in a block that is still open, undefined to begin with. */
  letIn({ statements }: Block): Local {
    const local = this.newLocal();
    statements.push({ kind: 'let', local, value: { kind: 'literal', value: undefined } });
    return local;
  }

  /** The value as something that may be repeated. */
  atom(value: Code): Code {
    return isAtom(value) ? value : this.let(value);
  }

  /** The value computed once at the head of the function; the name tells equal ones apart from others. */
  hoist(name: string, value: Code): Local {
    let local = this.hoisted.get(name);
    if (local === undefined) {
      local = this.newLocal();
      this.head.push({ kind: 'let', local, value });
      this.hoisted.set(name, local);
      this.atHead.add(local);
    }
    return local;
  }

  /** As `hoist`, for what no other place can share. */
  hoistAnew(value: Code): Local {
    return this.hoist(`own${this.locals}`, value);
  }

  /** True when the variable is set at the head of the function (a parameter or a hoisted value). */
  isHoisted(code: Code): boolean {
    return code.kind === 'local' && (code.id < this.parameterCount || this.atHead.has(code));
  }

  /** Variables for the function's parameters; to be asked for before any other. */
  parameters(count: number): Local[] {
    this.parameterCount = count;
    return Array.from({ length: count }, () => this.newLocal());
  }

  assign(local: Local, value: Code): void {
    this.add({ kind: 'assign', local, value });
  }

  evaluate(value: Code): void {
    this.add({ kind: 'evaluate', value });
  }

  setElement(object: Code, index: Code, value: Code): void {
    this.add({ kind: 'set-element', object, index, value });
  }

  setProperty(object: Code, name: string, value: Code): void {
    this.add({ kind: 'set-property', object, name, value });
  }

  if(test: Code, then: () => void, otherwise?: () => void): void {
    if (test.kind === 'literal') {
      if (test.value === true) then();
      else otherwise?.();
      return;
    }
    const thenStatements = this.inBlock(then);
    const otherwiseStatements = otherwise === undefined ? [] : this.inBlock(otherwise);
    this.add({ kind: 'if', test, then: thenStatements, otherwise: otherwiseStatements });
  }

  /** As `if`, around what may be written as a function of its own (outlining.ts). */
  ifApart(test: Code, then: () => void): void {
    this.if(test, then);
    const { statements } = this.block;
    const last = statements[statements.length - 1];
    if (last?.kind === 'if' && last.test === test) statements[statements.length - 1] = { ...last, apart: true };
  }

  /** A loop; the body gets its label for break and continue. */
  loop(body: (label: number) => void): void {
    const label = this.labels++;
    const statements = this.inBlock(() => body(label), true);
    this.add({ kind: 'loop', label, body: statements });
  }

  break(label: number): void {
    this.add({ kind: 'break', label });
  }

  continue(label: number): void {
    this.add({ kind: 'continue', label });
  }

  return(value: Code): void {
    this.add({ kind: 'return', value });
  }

  /** Runs a generator inside this one; the function becomes a generator. */
  delegate(generator: Code): Local {
    const local = this.newLocal();
    this.add({ kind: 'delegate', local, generator });
    return local;
  }

  yield(value: Code): void {
    this.add({ kind: 'yield', value });
  }

  /** Statements written by `f`, kept apart. */
  inBlock(f: () => void, isLoop = false): readonly Statement[] {
    const block: Block = { statements: [], isLoop, open: true };
    this.blocks.push(block);
    f();
    block.open = false;
    this.blocks.pop();
    return block.statements;
  }

  /** Adds statements that `inBlock` kept apart. */
  addAll(statements: readonly Statement[]): void {
    for (const statement of statements) this.add(statement);
  }

  finish(name: string, parameters: readonly Local[]): FunctionCode {
    const [block] = this.blocks;
    assert(this.blocks.length === 1 && block !== undefined, 'every block is closed');
    return {
      name,
      parameters,
      body: [...this.head, ...block.statements],
      generator: this.yields,
      localCount: this.locals,
    };
  }
}
