/**
 * The first back end: a function of the IR as JavaScript text, through `new Function`. See ir.ts, invariant 1. Lines are not
 * indented: a pipeline through fifty joins nests so deep that its text would be mostly blanks.
 */
import { unreachable } from '@phantom/base';
import { columnSource, isNullSource } from '@phantom/codec';
import type { Code, FunctionCode, Statement } from './ir.js';
import { outlineOf } from './outlining.js';

function codeText(code: Code): string {
  switch (code.kind) {
    case 'local':
      return `v${code.id}`;
    case 'constant':
      return `c${code.index}`;
    case 'literal':
      return code.value === undefined ? 'undefined' : Object.is(code.value, -0) ? '-0' : `${code.value}`;
    case 'binary':
      return `(${codeText(code.left)} ${code.operator} ${codeText(code.right)})`;
    case 'unary':
      return `(${code.operator}${codeText(code.operand)})`;
    case 'conditional':
      return `(${codeText(code.test)} ? ${codeText(code.then)} : ${codeText(code.otherwise)})`;
    case 'call':
      return `${codeText(code.target)}(${code.arguments.map(codeText).join(', ')})`;
    case 'method':
      return `${codeText(code.object)}.${code.name}(${code.arguments.map(codeText).join(', ')})`;
    case 'property':
      return `${codeText(code.object)}.${code.name}`;
    case 'element':
      return `${codeText(code.object)}[${codeText(code.index)}]`;
    case 'array':
      return `[${code.items.map(codeText).join(', ')}]`;
    case 'inline':
      return `(${code.write(code.arguments.map(codeText))})`;
    case 'read': {
      const names = {
        buffer: codeText(code.buffer),
        start: codeText(code.start),
        end: codeText(code.end),
        helpers: codeText(code.helpers),
        layout: codeText(code.layoutConstant),
      };
      return code.part === 'is-null' ? isNullSource(code.index, names) : columnSource(code.layout, code.index, names);
    }
    default:
      return unreachable(code);
  }
}

/** Writes one function, and before it those that blocks of it have become. */
class FunctionWriter {
  readonly functions: string[] = [];
  private readonly name: string;
  private parts = 0;

  constructor(name: string) {
    this.name = name;
  }

  function(name: string, parameters: string, generator: boolean, body: readonly Statement[]): void {
    const lines: string[] = [`function${generator ? '*' : ''} ${name}(${parameters}) {`];
    this.statements(body, lines);
    lines.push('}');
    this.functions.push(lines.join('\n'));
  }

  /** Writes a block as a function and a call of it; false when it is to stay where it is. */
  private outline(block: readonly Statement[], lines: string[]): boolean {
    const outline = outlineOf(block);
    if (outline === undefined) return false;
    const parameters = outline.parameters.map((id) => `v${id}`).join(', ');
    const name = `${this.name}${++this.parts}`;
    this.function(name, parameters, outline.generator, block);
    const called = `${outline.generator ? 'yield* ' : ''}${name}(${parameters})`;
    switch (outline.returns) {
      case 'never':
        lines.push(`${called};`);
        return true;
      case 'always':
        lines.push(`return ${called};`);
        return true;
      default:
        lines.push(`const r = ${called};`, 'if (r !== undefined) return r;');
        return true;
    }
  }

  private statements(list: readonly Statement[], lines: string[]): void {
    for (const statement of list) this.statement(statement, lines);
  }

  private statement(statement: Statement, lines: string[]): void {
    switch (statement.kind) {
      case 'let':
        lines.push(`let v${statement.local.id} = ${codeText(statement.value)};`);
        return;
      case 'assign':
        lines.push(`v${statement.local.id} = ${codeText(statement.value)};`);
        return;
      case 'set-element':
        lines.push(`${codeText(statement.object)}[${codeText(statement.index)}] = ${codeText(statement.value)};`);
        return;
      case 'set-property':
        lines.push(`${codeText(statement.object)}.${statement.name} = ${codeText(statement.value)};`);
        return;
      case 'evaluate':
        lines.push(`${codeText(statement.value)};`);
        return;
      case 'if':
        lines.push(`if (${codeText(statement.test)}) {`);
        if (statement.apart !== true || !this.outline(statement.then, lines)) this.statements(statement.then, lines);
        if (statement.otherwise.length > 0) {
          lines.push('} else {');
          this.statements(statement.otherwise, lines);
        }
        lines.push('}');
        return;
      case 'loop':
        lines.push(`l${statement.label}: for (;;) {`);
        this.statements(statement.body, lines);
        lines.push('}');
        return;
      case 'break':
      case 'continue':
        lines.push(`${statement.kind} l${statement.label};`);
        return;
      case 'return':
        lines.push(`return ${codeText(statement.value)};`);
        return;
      case 'yield':
        lines.push(`yield ${codeText(statement.value)};`);
        return;
      case 'delegate':
        lines.push(`let v${statement.local.id} = yield* ${codeText(statement.generator)};`);
        return;
      default:
        unreachable(statement);
    }
  }
}

function usedConstants(text: string): number[] {
  const used = new Set<number>();
  for (const match of text.matchAll(/\bc(\d+)\b/g)) used.add(Number(match[1]));
  return [...used];
}

/** The text of the function, behind that of its parts, for golden tests and for the curious. */
export function functionText(code: FunctionCode): string {
  const parameters = code.parameters.map((parameter) => `v${parameter.id}`).join(', ');
  const writer = new FunctionWriter(code.name);
  writer.function(code.name, parameters, code.generator, code.body);
  return writer.functions.join('\n');
}

/** Compiles a function. Each call makes a new function object, so that the engine specializes it for its constants. */
export function generateFunction(code: FunctionCode, constants: readonly unknown[]): (...args: unknown[]) => unknown {
  const text = functionText(code);
  const bindings = usedConstants(text).map((index) => `c${index} = constants[${index}]`);
  const prelude = bindings.length === 0 ? '' : `const ${bindings.join(', ')};\n`;
  const make = new Function(
    'constants',
    `'use strict';\n${prelude}${text}
return ${code.name};`,
  ) as (constants: readonly unknown[]) => (...args: unknown[]) => unknown;
  return make(constants);
}
