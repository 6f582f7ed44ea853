import type { TypeDescriptor } from '@phantom/catalog';
import { describe, expect, it } from 'vitest';
import { builtinFunctions } from './builtin-functions.js';
import { allCasts } from '../../src/functions/casts.js';
import { allFunctions, allOperators, functionByOid } from '../../src/functions/definitions.js';
import { functionRegistry } from '../../src/functions/function-registry.js';
import { implementations } from '../../src/functions/implementations.js';
import { TypeCatalog, builtinTypeCatalog } from '../../src/types/type-catalog.js';
import { TypeOid } from '../../src/types/type-oids.js';
import { testContext } from '../context.js';
import { callFunction, callOperator } from './evaluate.js';

const { int4, int8, int2, text, varchar, unknown, numeric, float8, date, timestamp, timestamptz, interval, bpchar } =
  TypeOid;
const int4Array = TypeOid.int4Array;
const textArray = TypeOid.textArray;

const mood: TypeDescriptor = {
  kind: 'type',
  oid: 20000,
  name: 'mood',
  databaseOid: 1,
  schemaOid: 2200,
  ownerOid: 10,
  arrayOid: 20001,
  definition: {
    kind: 'enum',
    labels: [
      { oid: 20010, label: 'sad', order: 1 },
      { oid: 20011, label: 'ok', order: 2 },
      { oid: 20012, label: 'happy', order: 3 },
    ],
  },
};
const posint: TypeDescriptor = {
  kind: 'type',
  oid: 20002,
  name: 'posint',
  databaseOid: 1,
  schemaOid: 2200,
  ownerOid: 10,
  arrayOid: 20003,
  definition: { kind: 'domain', base: { oid: int4, typmod: -1 }, notNull: false, checks: [] },
};
const pair: TypeDescriptor = {
  kind: 'type',
  oid: 20004,
  name: 'pair',
  databaseOid: 1,
  schemaOid: 2200,
  ownerOid: 10,
  arrayOid: 20005,
  definition: {
    kind: 'composite',
    fields: [
      { name: 'a', type: { oid: int4, typmod: -1 } },
      { name: 'b', type: { oid: text, typmod: -1 } },
    ],
  },
};
const descriptors = [mood, posint, pair];
const types = new TypeCatalog((oid) => descriptors.find((one) => one.oid === oid || one.arrayOid === oid));
const registry = functionRegistry(types);

function operatorTypes(name: string, left: number, right: number): string {
  const found = registry.resolveOperator(name, left, right);
  return typeof found === 'string' ? found : `${found.leftType} ${found.rightType} ${found.resultType}`;
}

function functionTypes(name: string, args: readonly number[]): string {
  const found = registry.resolveFunction(name, args);
  return typeof found === 'string' ? found : `${found.argumentTypes.join()} ${found.resultType}`;
}

describe('function registry', () => {
  it('joins every fact with an implementation, and uses every implementation', () => {
    const keys = new Set(Object.keys(implementations));
    const seen = [...allFunctions()];
    expect(seen.length).toBeGreaterThan(1000);
    expect(new Set(seen.map((one) => one.oid)).size).toBe(seen.length);
    expect([...allOperators()].length).toBeGreaterThan(400);
    for (const cast of allCasts()) {
      expect(cast.functionOid === 0 || functionByOid(cast.functionOid) !== undefined).toBe(true);
    }
    expect(keys.size).toBeGreaterThan(800);
  });

  it('resolves operators as chapter 10.2 says', () => {
    expect(operatorTypes('+', int4, int4)).toBe('23 23 23');
    expect(operatorTypes('+', int4, int8)).toBe('23 20 20');
    expect(operatorTypes('+', int4, unknown)).toBe('23 23 23');
    expect(operatorTypes('+', int4, numeric)).toBe('1700 1700 1700');
    expect(operatorTypes('+', int2, float8)).toBe('701 701 701');
    expect(operatorTypes('||', unknown, unknown)).toBe('25 25 25');
    expect(operatorTypes('||', text, int4)).toBe('25 23 25');
    expect(operatorTypes('||', int4Array, int4)).toBe('1007 23 1007');
    expect(operatorTypes('=', varchar, unknown)).toBe('25 25 16');
    expect(operatorTypes('=', bpchar, unknown)).toBe('1042 1042 16');
    expect(operatorTypes('-', timestamp, timestamp)).toBe('1114 1114 1186');
    expect(operatorTypes('+', date, unknown)).toBe('ambiguous');
    expect(operatorTypes('<', date, timestamptz)).toBe('1082 1184 16');
    expect(operatorTypes('@', 0, int4)).toBe('0 23 23');
    expect(operatorTypes('+', TypeOid.bool, TypeOid.bool)).toBe('undefined');
    expect(operatorTypes('nosuch', int4, int4)).toBe('undefined');
    expect(operatorTypes('~~', unknown, unknown)).toBe('25 25 16');
  });

  it('resolves functions as chapter 10.3 says', () => {
    expect(functionTypes('round', [int4])).toBe('701 701');
    expect(functionTypes('round', [numeric, int4])).toBe('1700,23 1700');
    expect(functionTypes('abs', [unknown])).toBe('701 701');
    expect(functionTypes('substr', [unknown, unknown])).toBe('25,23 25');
    expect(functionTypes('length', [varchar])).toBe('25 23');
    expect(functionTypes('array_append', [int4Array, int4])).toBe('1007,23 1007');
    expect(functionTypes('array_append', [int4Array, unknown])).toBe('1007,23 1007');
    expect(functionTypes('unnest', [textArray])).toBe('1009 25');
    expect(functionTypes('array_agg', [int4])).toBe('23 1007');
    expect(functionTypes('array_agg', [int4Array])).toBe('1007 1007');
    expect(functionTypes('generate_series', [int4, int8])).toBe('20,20 20');
    expect(functionTypes('date_trunc', [unknown, timestamp])).toBe('25,1114 1114');
    expect(functionTypes('age', [timestamp, interval])).toBe('undefined');
    expect(functionTypes('sum', [int2])).toBe('21 20');
    expect(functionTypes('count', [])).toBe(' 20');
  });

  it('spreads VARIADIC, collects it, and takes names and defaults', () => {
    expect(callFunction('concat', ['a', 'int4:5', 'bool:t'])).toBe('a5t');
    expect(callFunction('concat', ['text[]:{a,b}'], testContext(), { variadicArray: true })).toBe('ab');
    expect(callFunction('concat_ws', ['-', 'text[]:{a,NULL,b}'], testContext(), { variadicArray: true })).toBe('a-b');
    expect(callFunction('jsonb_extract_path_text', ['jsonb:{"a":{"b":5}}', 'a', 'b'])).toBe('5');
    expect(callFunction('make_interval', ['int4:3'], testContext(), { names: ['days'] })).toBe('3 days');
    expect(callFunction('make_interval', ['int4:1', 'int4:2'], testContext(), { names: [undefined, 'mins'] })).toBe(
      '1 year 00:02:00',
    );
    expect(registry.resolveFunction('make_interval', [int4], { argumentNames: ['nosuch'] })).toBe('undefined');
    expect(registry.resolveFunction('make_interval', [int4, int4], { argumentNames: ['days', 'days'] })).toBe(
      'undefined',
    );
    expect(registry.resolveFunction('abs', [int4Array], { variadicArray: true })).toBe('undefined');
  });

  it('lets enums, domains and composites take part', () => {
    expect(operatorTypes('<', mood.oid, mood.oid)).toBe('20000 20000 16');
    expect(operatorTypes('=', mood.oid, unknown)).toBe('20000 20000 16');
    expect(operatorTypes('=', mood.oid, text)).toBe('undefined');
    expect(operatorTypes('+', posint.oid, int4)).toBe('23 23 23');
    expect(functionTypes('enum_first', [int4])).toBe('undefined');
    expect(functionTypes('array_agg', [mood.oid])).toBe('20000 20001');
    expect(functionTypes('abs', [posint.oid])).toBe('23 23');
    expect(operatorTypes('=', pair.oid, pair.oid)).toBe('2249 2249 16');
    const toEnum = registry.findCast(text, mood.oid, 'explicit');
    expect(toEnum?.context).toBe('explicit');
    expect(registry.findCast(mood.oid, text, 'assignment')).toBeDefined();
    expect(registry.findCast(mood.oid, text, 'implicit')).toBeUndefined();
    expect(registry.findCast(posint.oid, int8, 'implicit')).toBeDefined();
    expect(registry.findCast(20001, textArray, 'assignment')).toBeDefined();
    expect(registry.findCast(TypeOid.record, pair.oid, 'implicit')).toBeDefined();
    expect(registry.findCast(int4, posint.oid, 'explicit')).toBeDefined();
    const context = testContext({ types });
    expect(callOperator('=', 'int4:1', 'int4:1', context, registry)).toBe('t');
  });

  it('raises 42804 when the arguments leave a polymorphic type open', () => {
    expect(() => registry.resolveFunction('array_ndims', [unknown])).toThrow(
      expect.objectContaining({ code: '42804' }),
    );
  });

  it('finds the common type of chapter 10.5', () => {
    const common = (...oids: number[]): number | undefined => registry.commonType(oids);
    expect(common()).toBe(text);
    expect(common(unknown, unknown)).toBe(text);
    expect(common(int4, unknown)).toBe(int4);
    expect(common(int4, numeric)).toBe(numeric);
    expect(common(int4, float8, int2)).toBe(float8);
    expect(common(int4, text)).toBeUndefined();
    expect(common(date, timestamptz)).toBe(timestamptz);
    expect(common(posint.oid, int8)).toBe(int8);
    expect(common(varchar, text)).toBe(varchar);
    expect(common(text, varchar)).toBe(text);
  });

  it('casts in the contexts that pg_cast allows', () => {
    const way = (from: number, to: number): string | undefined =>
      builtinFunctions.findCast(from, to, 'explicit')?.context;
    expect(way(int4, int8)).toBe('implicit');
    expect(way(int8, int4)).toBe('assignment');
    expect(way(int4, TypeOid.bool)).toBe('explicit');
    expect(way(text, int4)).toBe('explicit');
    expect(way(int4, text)).toBe('assignment');
    expect(way(int4Array, TypeOid.int8Array)).toBe('implicit');
    expect(way(TypeOid.bool, date)).toBeUndefined();
    expect(builtinTypeCatalog.byOid(999999)).toBeUndefined();
  });
});
