/** EXPLAIN: shows the plan of a statement without running it. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { Explain } from '../text/ast-statements.js';
import type { Option } from '../text/ast-leaves.js';
import type { SqlSession } from './session.js';
import { type Utility, field, sendRows } from './statement.js';

const TEXT_OID = 25;

export function explainUtility(node: Explain, session: SqlSession, text: string): Utility {
  const options = optionsOf(node.options);
  const inner = { node: node.statement, start: node.statement.position, end: text.length };
  const statement = session.prepare(inner, text);
  if (statement.kind !== 'plan') throw unsupportedError('EXPLAIN of a statement without a plan');
  return {
    fields: [field('QUERY PLAN', TEXT_OID)],
    parameterTypes: statement.plan.parameterTypes,
    transaction: 'any',
    run: (running, _parameters, sink) =>
      sendRows(
        running
          .currentPlan(statement)
          .explain(options)
          .map((line) => [line]),
        1,
        sink,
      ),
  };
}

function optionsOf(options: readonly Option[]): { costs: boolean; verbose: boolean } {
  const chosen = { costs: true, verbose: false };
  for (const option of options) {
    const name = option.name.text;
    const on = isOn(option);
    if (name === 'costs') chosen.costs = on;
    else if (name === 'verbose') chosen.verbose = on;
    else if (name === 'format' && option.value?.kind === 'word' && option.value.name[0]?.text === 'text') continue;
    else if (['analyze', 'buffers', 'wal', 'timing', 'summary', 'settings', 'format'].includes(name)) {
      if (on) throw unsupportedError(`EXPLAIN option ${name.toUpperCase()}`);
    } else throw new PhantomError('42601', `unrecognized EXPLAIN option "${name}"`);
  }
  return chosen;
}

function isOn(option: Option): boolean {
  const { value } = option;
  if (value === undefined) return true;
  if (value.kind === 'boolean') return value.value;
  if (value.kind === 'number') return value.text !== '0';
  if (value.kind === 'word') return value.name[0]?.text !== 'off';
  if (value.kind === 'string') return !['off', 'false', '0', 'no'].includes(value.value.toLowerCase());
  return true;
}
