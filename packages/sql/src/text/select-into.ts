/** SELECT ... INTO: the older spelling of CREATE TABLE AS. */
import type { Query, QueryBody, Select } from './ast.js';
import type { CreateTableAs } from './ast-schema.js';

/** The CREATE TABLE AS that the query means; undefined when it has no INTO. Only the first SELECT of a query may have one. */
export function selectInto(query: Query, end: number): CreateTableAs | undefined {
  const first = firstSelect(query);
  if (first?.into === undefined) return undefined;
  const { into } = first;
  return {
    kind: 'create-table-as',
    materializedView: false,
    name: into.table,
    columns: [],
    persistence: into.persistence,
    ifNotExists: false,
    accessMethod: undefined,
    options: [],
    onCommit: undefined,
    tablespace: undefined,
    source: { ...query, body: withoutInto(query.body) },
    sourceSpan: { start: query.position, end },
    withData: true,
    position: query.position,
  };
}

function firstSelect(body: QueryBody): Select | undefined {
  switch (body.kind) {
    case 'select':
      return body;
    case 'query':
      return firstSelect(body.body);
    case 'set-operation':
      return firstSelect(body.first);
    default:
      return undefined;
  }
}

function withoutInto(body: QueryBody): QueryBody {
  switch (body.kind) {
    case 'select':
      return { ...body, into: undefined };
    case 'query':
      return { ...body, body: withoutInto(body.body) };
    case 'set-operation':
      return { ...body, first: withoutInto(body.first) };
    default:
      return body;
  }
}
