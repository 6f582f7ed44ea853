/** json_agg, jsonb_agg and the object aggregates. */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { type DocumentValue, Json, Jsonb, SqlArray, SqlRecord } from '@phantom/codec';
import { quoteJson } from '../../types/json-text.js';
import { TypeOid } from '../../types/type-oids.js';
import type { Value } from '../../types/type.js';
import { type Implementations, aggregate } from '../implementation.js';
import type { CallTypes, EvaluationContext } from '../registry.js';
import { jsonKey, jsonNode, jsonText } from './json-values.js';

interface ListState<T> {
  readonly parts: T[];
  readonly context: EvaluationContext;
  readonly first: Oid;
  readonly second: Oid;
  rows: number;
}

function fresh<T>(context: EvaluationContext, types: CallTypes): ListState<T> {
  return {
    parts: [],
    context,
    first: types.arguments[0]?.oid ?? TypeOid.text,
    second: types.arguments[1]?.oid ?? TypeOid.text,
    rows: 0,
  };
}

function requireKey(key: Value): void {
  if (key === null) throw new PhantomError('22023', 'field name must not be null');
}

export const jsonAggregates: Implementations = {
  'json_agg:anyelement': aggregate<ListState<string>, [Value]>({
    init: fresh<string>,
    strict: false,
    keepsInput: true,
    step: (state, value) => {
      // Arrays and rows stand on lines of their own, but for the first.
      const lead = value instanceof SqlArray || value instanceof SqlRecord ? ', \n ' : ', ';
      state.parts.push((state.parts.length === 0 ? '' : lead) + jsonText(value, state.first, state.context));
      return state;
    },
    final: (state) => (state.parts.length === 0 ? null : new Json(`[${state.parts.join('')}]`)),
  }),
  'jsonb_agg:anyelement': aggregate<ListState<DocumentValue>, [Value]>({
    init: fresh<DocumentValue>,
    strict: false,
    keepsInput: true,
    step: (state, value) => {
      state.parts.push(jsonNode(value, state.first, state.context));
      return state;
    },
    final: (state) => (state.parts.length === 0 ? null : Jsonb.of(state.parts)),
  }),
  'json_object_agg:any,any': aggregate<ListState<string>, [Value, Value]>({
    init: fresh<string>,
    strict: false,
    keepsInput: true,
    step: (state, key, value) => {
      requireKey(key);
      const name = quoteJson(jsonKey(key, state.first, state.context));
      state.parts.push(`${name} : ${jsonText(value, state.second, state.context)}`);
      return state;
    },
    final: (state) => (state.parts.length === 0 ? null : new Json(`{ ${state.parts.join(', ')} }`)),
  }),
  'jsonb_object_agg:any,any': aggregate<ListState<readonly [string, DocumentValue]>, [Value, Value]>({
    init: fresh<readonly [string, DocumentValue]>,
    strict: false,
    keepsInput: true,
    step: (state, key, value) => {
      requireKey(key);
      state.parts.push([jsonKey(key, state.first, state.context), jsonNode(value, state.second, state.context)]);
      return state;
    },
    final: (state) => (state.parts.length === 0 ? null : Jsonb.of(new Map(state.parts))),
  }),
};
