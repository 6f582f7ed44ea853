/** Statements of PL/pgSQL by their first word: control flow here, what works with rows and errors in parse-commands.ts. */
import type { BodyReader } from './body-reader.js';
import { CommandParser } from './parse-commands.js';
import {
  type BlockNode,
  CASE_FIELD,
  type CaseNode,
  type ExpressionFragment,
  type IfNode,
  type Node,
  type TargetNode,
} from './syntax.js';

type Branch = IfNode['branches'][number];

export class StatementParser extends CommandParser {
  private readonly block: (label?: string) => BlockNode;
  private cases = 0;

  constructor(reader: BodyReader, block: (label?: string) => BlockNode) {
    super(reader);
    this.block = block;
  }

  /** Statements up to one of the words, which is left to be read. */
  list(...ends: readonly string[]): readonly Node[] {
    const { reader } = this;
    const nodes: Node[] = [];
    while (!ends.some((end) => reader.isWord(end))) nodes.push(reader.nested(() => this.statement()));
    return nodes;
  }

  /** `<<label>>`, if there is one. */
  optionalLabel(): string | undefined {
    const { reader } = this;
    if (!reader.acceptSymbol('<<')) return undefined;
    const label = reader.name();
    reader.expectSymbol('>>');
    return label;
  }

  /** The label behind END, which must be the one in front. */
  endLabel(label: string | undefined): void {
    const { reader } = this;
    if (!reader.isName()) return;
    const { at } = reader;
    const end = reader.name();
    if (label === undefined) throw reader.error('42601', `end label "${end}" specified for unlabeled block`, at);
    if (label !== end) throw reader.error('42601', `end label "${end}" differs from block's label "${label}"`, at);
  }

  private statement(): Node {
    const { reader } = this;
    const label = this.optionalLabel();
    const labelled = this.labelled(label);
    if (labelled !== undefined) return labelled;
    if (label !== undefined) reader.fail();
    if (this.isAssignment()) return this.assignment();
    return this.control() ?? this.command();
  }

  private labelled(label: string | undefined): Node | undefined {
    const { reader } = this;
    switch (this.isAssignment() ? undefined : reader.word) {
      case 'declare':
      case 'begin': {
        const block = this.block(label);
        reader.expectSymbol(';');
        return block;
      }
      case 'loop': {
        const { at, line } = reader;
        return { kind: 'loop', at, line, label, body: this.loopBody(label) };
      }
      case 'while': {
        const { at, line } = reader;
        reader.advance();
        const condition = reader.expression('loop');
        return { kind: 'while', at, line, label, condition, body: this.loopBody(label) };
      }
      case 'for':
        return this.forLoop(label);
      case 'foreach':
        return this.forEach(label);
      default:
        return undefined;
    }
  }

  private control(): Node | undefined {
    const { reader } = this;
    const { at, line } = reader;
    switch (reader.word) {
      case 'if':
        return this.ifStatement();
      case 'case':
        return this.caseStatement();
      case 'exit':
      case 'continue':
        return this.exit();
      case 'null':
        reader.advance();
        reader.expectSymbol(';');
        return { kind: 'null', at, line };
      default:
        return undefined;
    }
  }

  private loopBody(label: string | undefined): readonly Node[] {
    const { reader } = this;
    reader.expectWord('loop');
    const body = this.list('end');
    reader.expectWord('end');
    reader.expectWord('loop');
    this.endLabel(label);
    reader.expectSymbol(';');
    return body;
  }

  private ifStatement(): IfNode {
    const { reader } = this;
    const { at, line } = reader;
    const branches: Branch[] = [];
    do {
      reader.advance();
      const condition = reader.expression('then');
      reader.expectWord('then');
      branches.push({ condition, body: this.list('elsif', 'elseif', 'else', 'end') });
    } while (reader.isWord('elsif') || reader.isWord('elseif'));
    const otherwise = reader.acceptWord('else') ? this.list('end') : undefined;
    reader.expectWord('end');
    reader.expectWord('if');
    reader.expectSymbol(';');
    return { kind: 'if', at, line, branches, otherwise };
  }

  private caseStatement(): CaseNode {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const value = reader.isWord('when') ? undefined : reader.expression('when');
    const operand = value === undefined ? undefined : { value, variable: `__Case__Variable_${++this.cases}__` };
    const branches: Branch[] = [];
    while (reader.acceptWord('when')) {
      const { first, end } = reader.skipTo(['then']);
      const condition =
        operand === undefined
          ? reader.expressionOf(first, end)
          : reader.expressionOf(first, end, {
              before: `"${operand.variable}".${CASE_FIELD} IN (`,
              path: [operand.variable, CASE_FIELD],
            });
      reader.expectWord('then');
      branches.push({ condition, body: this.list('when', 'else', 'end') });
    }
    if (branches.length === 0) reader.fail();
    const otherwise = reader.acceptWord('else') ? this.list('end') : undefined;
    reader.expectWord('end');
    reader.expectWord('case');
    reader.expectSymbol(';');
    return { kind: 'case', at, line, operand, branches, otherwise };
  }

  private exit(): Node {
    const { reader } = this;
    const { at, line } = reader;
    const continues = reader.advance().value === 'continue';
    const label = reader.isName() && !reader.isWord('when') ? reader.name() : undefined;
    const when = reader.acceptWord('when') ? reader.expression(';') : undefined;
    reader.expectSymbol(';');
    return { kind: 'exit', at, line, continues, label, when };
  }

  /** FOR i IN [REVERSE] a..b, FOR row IN query, FOR row IN EXECUTE text, FOR row IN cursor. */
  private forLoop(label: string | undefined): Node {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const targets = this.targets();
    reader.expectWord('in');
    const base = { at, line, label };
    if (reader.acceptWord('execute')) {
      const query = this.dynamic('loop');
      return { ...base, kind: 'for-query', targets, query, body: this.loopBody(label) };
    }
    const reverse = reader.isWord('reverse') && !reader.isSymbol('..', 1) && reader.acceptWord('reverse');
    const { first, end } = reader.skipTo(['..', 'loop']);
    if (!reader.isSymbol('..')) {
      const cursor = this.cursorOf(first, end, targets);
      if (cursor !== undefined) return { ...base, ...cursor, kind: 'for-cursor', body: this.loopBody(label) };
      const query = reader.statementOf(first, end);
      return { ...base, kind: 'for-query', targets, query, body: this.loopBody(label) };
    }
    const lower = reader.expressionOf(first, end);
    reader.advance();
    const upper = reader.expression('loop', 'by');
    const step = reader.acceptWord('by') ? reader.expression('loop') : undefined;
    const variable = this.plainVariable(targets, 'integer FOR loop must have only one target variable');
    return { ...base, kind: 'for-integer', variable, reverse, lower, upper, step, body: this.loopBody(label) };
  }

  /** A cursor and its arguments, where that is all that is between IN and LOOP. */
  private cursorOf(first: number, end: number, targets: readonly TargetNode[]): CursorLoop | undefined {
    const { reader } = this;
    const isName = end - first === 1 || reader.tokenAt(first + 1)?.tokenType.name === '(';
    const token = reader.tokenAt(first);
    if (!isName || token === undefined || !reader.mayBeName(first) || reader.isQueryAt(first)) return undefined;
    const cursor = { path: [token.value], at: token.startOffset };
    const variable = this.plainVariable(targets, 'cursor FOR loop must have only one target variable');
    return { variable, cursor, arguments: end - first === 1 ? [] : this.cursorArguments(first + 1) };
  }

  private plainVariable(targets: readonly TargetNode[], message: string): string {
    const [only] = targets;
    if (targets.length !== 1 || only === undefined) throw this.reader.error('42601', message);
    return only.path[0] as string;
  }

  private forEach(label: string | undefined): Node {
    const { reader } = this;
    const { at, line } = reader;
    reader.advance();
    const targets = this.targets();
    const slice = reader.acceptWord('slice') ? Number(reader.advance().value) : 0;
    reader.expectWord('in');
    reader.expectWord('array');
    const array: ExpressionFragment = reader.expression('loop');
    return { kind: 'for-each', at, line, label, targets, slice, array, body: this.loopBody(label) };
  }
}

type CursorLoop = Pick<Extract<Node, { kind: 'for-cursor' }>, 'variable' | 'cursor' | 'arguments'>;
