/**
 * Aggregation of rows that come with equal keys one after another (exec/sorted-groups.ts): a row's key is compared with that of
 * the row before, and the results go on while rows are still being read.
 *
 * A step that meets a further group returns to its driver without having done anything with the row, and meets it again. So
 * the rows come straight from a scan: inside a join's loop there is no such place to return to.
 */
import type { AggregateNode } from '../../plan/physical/physical.js';
import { and, binary, element, literal, method, property, type Code } from '../code/ir.js';
import { assert } from '@phantom/base';
import type { Task, Work } from '../program.js';
import { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import { SortedGroups } from '../sorted-groups.js';
import type { MemoryOf } from '../spill/overflow.js';
import { accumulatorsFor } from './accumulators.js';
import { emitNewGroup, produceGroups, type Groups } from './aggregate.js';
import { stateOf } from './program-builder.js';
import type { Consume, PlanCompiler } from './step.js';

export function produceSortedAggregate(compiler: PlanCompiler, node: AggregateNode, consume: Consume): void {
  const { builder } = compiler;
  const results: Task[] = [];
  const statesFrom = builder.slots.length + 1;
  let statesTo = statesFrom;
  function* handOn(run: Run): Work<boolean> {
    let wantsMore = true;
    for (const task of results) wantsMore = (yield* task.run(run)) !== false;
    memoryOf(run).release();
    for (let slot = statesFrom; slot < statesTo; slot++) run.state[slot] = builder.slots[slot]?.(run);
    return wantsMore;
  }
  const slot = builder.addSlot((run) => new SortedGroups(run, () => handOn(run)));
  const groupsOf = (run: Run): SortedGroups => run.state[slot] as SortedGroups;
  const memoryOf: MemoryOf = (run) => groupsOf(run).memory;
  const groups: Groups = {
    keys: node.keys.map((_, i) => i),
    values: builder.addSlot((run) => new RowBuffer(node.keys.length, memoryOf(run))),
    accumulators: accumulatorsFor(compiler, node.calls, memoryOf),
    groups: slot,
  };
  statesTo = builder.slots.length;
  compiler.produce(node.input, (context) => {
    const { emitter, run, expressions, state } = context;
    const { index } = state;
    assert(index !== undefined, 'sorted rows come from a scan');
    state.sink = groupsOf;
    const keys = node.keys.map((key) => expressions.value(key.expression));
    const own = stateOf(emitter, run, slot);
    const last = emitter.hoist(`last${slot}`, property(own, 'last'));
    const count = (): Code => property(own, 'count');
    const same = keys
      .map((key, i) => binary('===', key.code, element(last, literal(i))))
      .reduce(and, binary('>', count(), literal(0)));
    emitter.if({ kind: 'unary', operator: '!', operand: same }, () => {
      emitter.if(binary('>=', count(), property(own, 'limit')), () => {
        emitter.setProperty(own, 'waits', literal(true));
        emitter.return(index);
      });
      keys.forEach((key, i) => emitter.setElement(last, literal(i), key.code));
      emitNewGroup(context, groups, keys);
      emitter.evaluate(method(own, 'grew'));
    });
    const number = emitter.let(binary('-', count(), literal(1)));
    for (const accumulator of groups.accumulators) accumulator.step(context, number);
  });
  const resultsAt = builder.tasks.length;
  produceGroups(compiler, node, groups, consume);
  results.push(...builder.tasks.splice(resultsAt));
  builder.addTask({ run: (run) => groupsOf(run).flush() });
}
