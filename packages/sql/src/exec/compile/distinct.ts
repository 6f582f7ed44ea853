/** DISTINCT: the first row of each key passes, by hash; DISTINCT ON: the first of each run of equal keys in sorted input. */
import { columnReference } from '../../expr/expression.js';
import type { Distinct } from '../../plan/physical/physical.js';
import { binary, element, literal, or, property, type Code } from '../code/ir.js';
import { addKeyTables, hashKeyOf, lastTable, typesOf } from './key-tables.js';
import { Passes } from './overflow.js';
import { stateOf } from './program-builder.js';
import type { Consume, PlanCompiler } from './step.js';

export function produceDistinct(compiler: PlanCompiler, node: Distinct, consume: Consume): void {
  if (node.on === undefined) produceHashed(compiler, node, consume);
  else produceRuns(compiler, node, consume);
}

function produceHashed(compiler: PlanCompiler, node: Distinct, consume: Consume): void {
  const { builder } = compiler;
  const { pool } = compiler.planner.context;
  const keys = node.columns.map((column) => columnReference(column, pool.get(column).type));
  const passes = new Passes(compiler, node.columns);
  const tables = addKeyTables(builder, typesOf(keys), passes.memoryOf);
  passes.close();
  const seen = builder.addSlot(() => ({ any: false }));
  const last = lastTable(tables);
  const pass: Consume = (context) => {
    const { emitter, run, expressions } = context;
    if (last === undefined) {
      // No columns at all: every row is like every other.
      const state = stateOf(emitter, run, seen);
      emitter.if({ kind: 'unary', operator: '!', operand: property(state, 'any') }, () => {
        emitter.setProperty(state, 'any', literal(true));
        consume(context);
      });
      return;
    }
    const codes = keys.map((key) => hashKeyOf(builder, emitter, key.type, expressions.value(key)));
    const before = emitter.let(property(stateOf(emitter, run, last), 'size'));
    passes.emitNumber(context, tables, codes, (number) => {
      emitter.if(binary('===', number, before), () => {
        passes.emitGrew(context);
        consume(context);
      });
    });
  };
  compiler.produce(node.input, pass);
  if (last !== undefined) passes.addTask(pass);
}

interface RunState {
  started: boolean;
  keys: unknown[];
}

function produceRuns(compiler: PlanCompiler, node: Distinct, consume: Consume): void {
  const { builder } = compiler;
  const on = node.on ?? [];
  const slot = builder.addSlot((): RunState => ({ started: false, keys: [] }));
  compiler.produce(node.input, (context) => {
    const { emitter, run, expressions } = context;
    const state = stateOf(emitter, run, slot);
    const codes = on.map((key) => hashKeyOf(builder, emitter, key.type, expressions.value(key)));
    const previous = emitter.let(property(state, 'keys'));
    let differs: Code = { kind: 'unary', operator: '!', operand: property(state, 'started') };
    codes.forEach((code, i) => {
      differs = or(differs, binary('!==', code, element(previous, literal(i))));
    });
    emitter.if(differs, () => {
      emitter.setProperty(state, 'started', literal(true));
      emitter.setProperty(state, 'keys', { kind: 'array', items: codes });
      consume(context);
    });
  });
}
