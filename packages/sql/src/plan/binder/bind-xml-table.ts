/** XMLTABLE in FROM: a set-returning function whose columns the clause itself defines. */
import type { TypeRef } from '@phantom/catalog';
import type { Binder } from '../../expr/binder.js';
import { XML, xmlOperand } from '../../expr/bind-xml.js';
import { coerce } from '../../expr/coercion.js';
import { type Expression, columnReference } from '../../expr/expression.js';
import type { Scope } from '../../expr/scope.js';
import { resolveTypeName } from '../../expr/type-names.js';
import type { EvaluationContext, SetFunction } from '../../functions/registry.js';
import { type XmlTableColumnSpec, xmlTableRows } from '../../functions/xml/xml-table.js';
import type * as Ast from '../../text/ast.js';
import { TypeOid } from '../../types/type-oids.js';
import { INT4, TEXT, typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import type { SetCall } from '../logical/logical.js';
import { isVolatileThroughout } from '../rules/volatile-plans.js';
import { type BoundFrom, rangeItem, renameColumns } from './range-items.js';

type Column = Ast.XmlTable['columns'][number];

/** Types and names of the columns; 42601 for what may stand there once. */
function columnSpecs(binder: Binder, columns: readonly Column[]): XmlTableColumnSpec[] {
  const { context } = binder;
  const seen = new Set<string>();
  let ordinality = false;
  return columns.map(({ name, type, notNull, position }) => {
    if (seen.has(name.text)) throw context.error('42601', `column name "${name.text}" is not unique`, position);
    seen.add(name.text);
    if (type === undefined) {
      if (ordinality) throw context.error('42601', 'only one FOR ORDINALITY column is allowed', position);
      ordinality = true;
      return { name: name.text, type: undefined, notNull: false };
    }
    const resolved = context.at(type.position, () => resolveTypeName(context.catalog, type));
    return { name: name.text, type: resolved, notNull: notNull === true };
  });
}

function checkNamespaces(binder: Binder, { namespaces }: Ast.XmlTable): void {
  const seen = new Set<string>();
  for (const { name, position } of namespaces) {
    if (name === undefined) throw binder.context.unsupported('DEFAULT namespace', position);
    if (seen.has(name.text)) {
      throw binder.context.error('42601', `namespace name "${name.text}" is not unique`, position);
    }
    seen.add(name.text);
  }
}

function bindDefault(binder: Binder, node: Ast.Expression, type: TypeRef, scope: Scope): Expression {
  const value = coerce(binder.context, binder.bind(node, scope), type, 'assignment', node.position);
  // It is computed once for a document.
  if (isVolatileThroughout(value)) throw binder.context.unsupported('a volatile DEFAULT of XMLTABLE', node.position);
  return value;
}

export function bindXmlTable(binder: Binder, node: Ast.XmlTable, scope: Scope): BoundFrom {
  const { context } = binder;
  const operand = (value: Ast.Expression, target: TypeRef): Expression =>
    xmlOperand(binder, binder.bind(value, scope), target, 'XMLTABLE', value.position);
  checkNamespaces(binder, node);
  const [available, named] = [node.columns.length, node.alias?.columns.length ?? 0];
  if (named > available) {
    const message = `XMLTABLE function has ${available} columns available but ${named} columns specified`;
    throw context.error('42P10', message, undefined);
  }
  const specs = columnSpecs(binder, node.columns);
  const args: Expression[] = [operand(node.document, XML), operand(node.rowPath, TEXT)];
  const place = (expression: Expression): number => args.push(expression) - 1;
  const uris = node.namespaces.map(({ uri, name }) => ({ prefix: name?.text ?? '', at: place(operand(uri, TEXT)) }));
  const paths = node.columns.map(({ path }) => (path === undefined ? undefined : place(operand(path, TEXT))));
  const defaults = node.columns.map(({ otherwise }, i) => {
    const type = specs[i]?.type;
    return otherwise === undefined || type === undefined
      ? undefined
      : place(bindDefault(binder, otherwise, type, scope));
  });
  function rows(...values: unknown[]): Iterable<Value> {
    const [document, rowPath] = values as (string | null)[];
    if (document === null || document === undefined) return [];
    return xmlTableRows(
      specs,
      {
        document,
        rowPath: rowPath ?? null,
        namespaces: uris.map(({ prefix, at }) => ({ prefix, uri: values[at] as string | null })),
        paths: paths.map((at) => (at === undefined ? undefined : (values[at] as string | null))),
        defaults: defaults.map((at) => (at === undefined ? undefined : values[at])),
      },
      values[values.length - 1] as EvaluationContext,
    );
  }
  const columns = specs.map(({ name, type }) => ({ name, type: type ?? INT4 }));
  const made = columns.map((column) => ({ ...column, id: context.newColumn(column.name, column.type) }));
  const definition: SetFunction = {
    kind: 'set',
    oid: 0,
    name: 'xmltable',
    argumentTypes: [],
    resultType: TypeOid.record,
    volatility: 'stable',
    strict: false,
    needsContext: true,
    call: rows as unknown as SetFunction['call'],
    columns: columns.map(({ name, type }) => ({ name, type: type.oid })),
  };
  const call: SetCall = {
    function: definition,
    arguments: args,
    variadicFrom: undefined,
    variadicElement: undefined,
    resultType: typeRef(TypeOid.record),
    recordColumns: undefined,
    columns: made.map((column) => column.id),
    composite: true,
  };
  const name = node.alias?.name.text ?? 'xmltable';
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
