/** JSON_TABLE in FROM: a set-returning function whose columns the clause itself defines. */
import { isPhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { Jsonb } from '@phantom/codec';
import { bindPassing, jsonDocument } from '../../expr/bind-json.js';
import type { Binder } from '../../expr/binder.js';
import { coerce } from '../../expr/coercion.js';
import { columnReference } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import { resolveTypeName } from '../../expr/type-names.js';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, INT4, TEXT, typeRef } from '../../types/type-refs.js';
import { type JsonTableColumnSpec, type JsonTableLevel, jsonTableRows } from '../../functions/json/json-table.js';
import type { JsonOutcome } from '../../functions/json/sql-json.js';
import type { EvaluationContext, SetFunction } from '../../functions/registry.js';
import type * as Ast from '../../text/ast.js';
import type { Value } from '../../types/type.js';
import type { SetCall } from '../logical/logical.js';
import { type BoundFrom, rangeItem, renameColumns } from './range-items.js';

interface Column {
  readonly name: string;
  readonly type: TypeRef;
}

/** Where a column's name is the key of the same name. */
function keyPath(name: string): string {
  return `$.${JSON.stringify(name)}`;
}

/** Actions without a value; DEFAULT would have to be computed for each row. */
function outcome(binder: Binder, behavior: Ast.JsonBehavior | undefined, fallback: string): JsonOutcome {
  if (behavior?.action === 'default') {
    throw binder.context.unsupported('DEFAULT in a column of JSON_TABLE', behavior.position);
  }
  return { action: behavior?.action ?? fallback, value: null };
}

class Columns {
  readonly all: Column[] = [];
  private readonly binder: Binder;
  private readonly onError: string;

  constructor(binder: Binder, onError: string) {
    this.binder = binder;
    this.onError = onError;
  }

  level(path: string, nodes: readonly Ast.JsonTableColumn[]): JsonTableLevel {
    const columns: JsonTableColumnSpec[] = [];
    const nested: JsonTableLevel[] = [];
    for (const node of nodes) {
      if (node.kind === 'nested') nested.push(this.level(node.path ?? '$', node.columns));
      else columns.push(this.column(node));
    }
    return { path, columns, nested };
  }

  private column(node: Ast.JsonTableColumn): JsonTableColumnSpec {
    const { context } = this.binder;
    const name = node.name?.text ?? '';
    if (this.all.some((column) => column.name === name)) {
      throw context.error('42712', `duplicate JSON_TABLE column or path name: ${name}`, node.position);
    }
    const { type: typeName } = node;
    const type =
      node.kind === 'ordinality' || typeName === undefined
        ? INT4
        : context.at(typeName.position, () => resolveTypeName(context.catalog, typeName));
    const at = this.all.push({ name, type }) - 1;
    const onEmpty = outcome(this.binder, node.onEmpty, 'null');
    const onError = outcome(this.binder, node.onError, node.kind === 'exists' ? 'false' : this.onError);
    if (node.kind === 'ordinality') return { at, query: undefined, onEmpty, onError };
    if (node.kind === 'exists' && type.oid !== TypeOid.bool) {
      throw context.unsupported('an EXISTS column of another type than boolean', node.position);
    }
    const path = node.path ?? keyPath(name);
    const known = context.catalog.types.byOid(type.oid);
    const isDocument = type.oid === TypeOid.json || type.oid === TypeOid.jsonb;
    const isQuery = node.formatJson || node.wrapper !== undefined || isDocument || known?.kind === 'array';
    const spec = {
      function: node.kind === 'exists' ? ('exists' as const) : isQuery ? ('query' as const) : ('value' as const),
      wrapper: node.wrapper ?? ('without' as const),
      omitQuotes: node.quotes === 'omit',
      type: node.kind === 'exists' ? BOOL : type,
    };
    return { at, query: { spec, path }, onEmpty, onError };
  }
}

export function bindJsonTable(binder: Binder, node: Ast.JsonTable, scope: Scope): BoundFrom {
  const { context } = binder;
  const document = jsonDocument(binder, node.context, scope);
  const path = coerce(context, binder.bind(node.path, scope), TEXT, 'implicit', node.path.position);
  if (path.kind !== 'constant' || typeof path.value !== 'string') {
    throw context.error(
      '42601',
      'only string constants are supported in JSON_TABLE path specification',
      node.path.position,
    );
  }
  const passing = bindPassing(binder, node.passing, scope);
  const raises = node.onError?.action === 'error';
  const columns = new Columns(binder, raises ? 'error' : 'null');
  const level = columns.level(path.value, node.columns);
  const width = columns.all.length;
  function* rows(subject: Jsonb | null, ...rest: unknown[]): Generator<Value, void, void> {
    if (subject === null) return;
    const evaluation = rest[rest.length - 1] as EvaluationContext;
    const variables = passing.variables(rest, evaluation);
    try {
      yield* jsonTableRows(level, subject.value(), width, variables, evaluation);
    } catch (error) {
      // By default a document that the path does not fit has no rows.
      if (raises || !isPhantomError(error) || error.data?.['jsonpath'] !== true) throw error;
    }
  }
  const definition: SetFunction = {
    kind: 'set',
    oid: 0,
    name: 'json_table',
    argumentTypes: [],
    resultType: TypeOid.record,
    volatility: 'stable',
    strict: false,
    needsContext: true,
    call: rows as unknown as SetFunction['call'],
    columns: columns.all.map((column) => ({ name: column.name, type: column.type.oid })),
  };
  const made = columns.all.map((column) => ({ ...column, id: context.newColumn(column.name, column.type) }));
  const call: SetCall = {
    function: definition,
    arguments: [document, ...passing.values],
    variadicFrom: undefined,
    variadicElement: undefined,
    resultType: typeRef(TypeOid.record),
    recordColumns: undefined,
    columns: made.map((column) => column.id),
    composite: true,
  };
  const name = node.alias?.name.text ?? 'json_table';
  const visible = made.map((column) => ({
    name: column.name,
    expression: columnReference(column.id, column.type),
    type: column.type,
  }));
  return {
    plan: {
      kind: 'function-scan',
      calls: [call],
      ordinality: undefined,
      alias: name,
      columns: made.map((column) => column.id),
    },
    items: [rangeItem(name, renameColumns(binder, visible, node.alias))],
  };
}
