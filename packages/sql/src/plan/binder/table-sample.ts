/**
 * TABLESAMPLE: a filter over a table's rows. BERNOULLI takes each row by itself; so does SYSTEM here, since rows of one page
 * have nothing in common that a reader could want. With REPEATABLE a row is taken by a hash of its key and the seed, so the
 * same rows come again while the table stays as it is; without, each row has a seed of its own.
 */
import { PhantomError } from '@phantom/base';
import type { Binder } from '../../expr/binder.js';
import { callNamed } from '../../expr/calls.js';
import { coerce } from '../../expr/coercion.js';
import { columnReference, type ColumnId, type Expression } from '../../expr/expression.js';
import { Scope } from '../../expr/scope.js';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, typeRef } from '../../types/type-refs.js';
import type { ScalarFunction } from '../../functions/registry.js';
import type { RowReference } from '../../storage/table-writer.js';
import type * as Ast from '../../text/ast.js';

const FLOAT8 = typeRef(TypeOid.float8);

/** FNV-1a over the row's key, begun with the seed: 32 bits. */
function hashKey(key: Uint8Array, seed: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, seed);
  let hash = 0x811c9dc5;
  for (let i = 0; i < 8; i++) hash = Math.imul(hash ^ bits.getUint8(i), 0x01000193);
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ (key[i] as number), 0x01000193);
  // The last steps spread what the last bytes changed over all bits.
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  return (hash ^ (hash >>> 13)) >>> 0;
}

function isTaken(row: RowReference, percent: number | null, seed: number | null): boolean {
  if (percent === null) throw new PhantomError('2202H', 'TABLESAMPLE parameter cannot be null');
  if (!(percent >= 0 && percent <= 100)) {
    throw new PhantomError('2202H', 'sample percentage must be between 0 and 100');
  }
  if (seed === null) throw new PhantomError('2202G', 'TABLESAMPLE REPEATABLE parameter cannot be null');
  return hashKey(row.key, seed) / 2 ** 32 < percent / 100;
}

const SAMPLE: ScalarFunction = {
  kind: 'scalar',
  oid: 0,
  name: 'sample_row',
  argumentTypes: [TypeOid.void, TypeOid.float8, TypeOid.float8],
  resultType: TypeOid.bool,
  volatility: 'volatile',
  strict: false,
  call: isTaken as ScalarFunction['call'],
};

/** The condition that a row of the table is in the sample. */
export function sampleCondition(binder: Binder, node: Ast.TableSample, rowReference: ColumnId): Expression {
  const { context } = binder;
  const method = node.method[node.method.length - 1]?.text ?? '';
  if (method !== 'bernoulli' && method !== 'system') {
    const at = node.method[node.method.length - 1]?.position ?? node.position;
    throw context.error('42704', `tablesample method ${method} does not exist`, at);
  }
  const [argument] = node.arguments;
  if (argument === undefined || node.arguments.length > 1) {
    const message = `tablesample method ${method} requires 1 argument, not ${node.arguments.length}`;
    throw context.error('2202H', message, node.position);
  }
  const scope = new Scope(context, undefined);
  scope.clause = 'FROM';
  const percent = coerce(context, binder.bind(argument, scope), FLOAT8, 'assignment', argument.position);
  const seed =
    node.repeatable === undefined
      ? callNamed(context, 'random', [], node.position)
      : coerce(context, binder.bind(node.repeatable, scope), FLOAT8, 'assignment', node.repeatable.position);
  return {
    kind: 'call',
    function: SAMPLE,
    operator: undefined,
    arguments: [columnReference(rowReference, typeRef(TypeOid.void)), percent, seed],
    variadicFrom: undefined,
    variadicElement: undefined,
    type: BOOL,
  };
}
