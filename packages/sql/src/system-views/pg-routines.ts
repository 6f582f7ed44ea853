/** pg_proc and pg_language: functions and procedures, built in and of users, and what they are written in. */
import type { RoutineDescriptor, RoutineParameter } from '@phantom/catalog';
import { goesIn } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { IN_INFORMATION_SCHEMA, allFunctions } from '../functions/definitions.js';
import type { FunctionDefinition } from '../functions/registry.js';
import { TypeOid } from '../types/type-oids.js';
import { aclItems } from './acl-text.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import { BOOTSTRAP_ROLE_OID, LANGUAGE_OIDS } from './oids.js';
import { routinesOf } from './pg-objects.js';
import { routineTexts } from './routine-text.js';
import { INFORMATION_SCHEMA_OID, PG_CATALOG_OID, type SystemView, type SystemViewSource } from './system-view.js';

const VOLATILITY = { immutable: 'i', stable: 's', volatile: 'v' } as const;

function procedureKind({ kind }: FunctionDefinition): string {
  return kind === 'aggregate' ? 'a' : kind === 'window' ? 'w' : 'f';
}

function* builtInRows(): Iterable<CatalogRow> {
  for (const definition of allFunctions()) {
    const { argumentNames } = definition;
    yield {
      oid: definition.oid,
      proname: definition.name,
      pronamespace: IN_INFORMATION_SCHEMA.has(definition.name) ? INFORMATION_SCHEMA_OID : PG_CATALOG_OID,
      proowner: BOOTSTRAP_ROLE_OID,
      prolang: LANGUAGE_OIDS.internal,
      procost: 1,
      prorows: definition.kind === 'set' ? 1000 : 0,
      provariadic: definition.variadic ?? 0,
      prokind: procedureKind(definition),
      proisstrict: 'strict' in definition && definition.strict,
      proretset: definition.kind === 'set',
      provolatile: VOLATILITY[definition.volatility],
      proparallel: 's',
      pronargs: definition.argumentTypes.length,
      prorettype: definition.resultType,
      proargtypes: vectorOf(definition.argumentTypes),
      prosrc: definition.name,
      ...(argumentNames === undefined ? {} : { proargnames: SqlArray.of(TypeOid.text, argumentNames) }),
    };
  }
}

function vectorOf(oids: readonly number[]): SqlArray {
  return new SqlArray(TypeOid.oid, oids.length === 0 ? [] : [oids.length], oids.length === 0 ? [] : [0], oids);
}

const MODE_LETTERS: Readonly<Record<RoutineParameter['mode'], string>> = {
  in: 'i',
  out: 'o',
  inout: 'b',
  variadic: 'v',
  table: 't',
};
const ROUTINE_LETTERS: Readonly<Record<RoutineDescriptor['routine'], string>> = {
  function: 'f',
  procedure: 'p',
  aggregate: 'a',
};
const PARALLEL = { safe: 's', restricted: 'r', unsafe: 'u' } as const;

function* routineRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const routine of routinesOf(source)) yield routineRow(source, routine);
}

function routineRow(source: SystemViewSource, routine: RoutineDescriptor): CatalogRow {
  const { parameters, settings } = routine;
  const inputs = parameters.filter(goesIn);
  const defaults = inputs.filter(({ defaultSql }) => defaultSql !== undefined).length;
  const variadic = parameters.find(({ mode }) => mode === 'variadic');
  const hasOutputs = parameters.length > inputs.length || parameters.some(({ mode }) => mode !== 'in');
  return {
    oid: routine.oid,
    proname: routine.name,
    pronamespace: routine.schemaOid,
    proowner: routine.ownerOid,
    prolang: LANGUAGE_OIDS[routine.language] ?? 0,
    procost: routine.cost,
    prorows: routine.rows,
    provariadic: variadic === undefined ? 0 : (source.types.byOid(variadic.type.oid)?.elementOid ?? 0),
    prokind: ROUTINE_LETTERS[routine.routine],
    prosecdef: routine.securityDefiner,
    proleakproof: routine.leakproof,
    proisstrict: routine.strict,
    proretset: routine.returnsSet,
    provolatile: VOLATILITY[routine.volatility],
    proparallel: PARALLEL[routine.parallel],
    pronargs: inputs.length,
    pronargdefaults: defaults,
    prorettype: routine.resultType.oid,
    proargtypes: vectorOf(inputs.map(({ type }) => type.oid)),
    proallargtypes: hasOutputs
      ? SqlArray.of(
          TypeOid.oid,
          parameters.map(({ type }) => type.oid),
        )
      : null,
    proargmodes: hasOutputs
      ? SqlArray.of(
          TypeOid.char,
          parameters.map(({ mode }) => MODE_LETTERS[mode]),
        )
      : null,
    proargnames: parameters.every(({ name }) => name === '')
      ? null
      : SqlArray.of(
          TypeOid.text,
          parameters.map(({ name }) => name),
        ),
    prosrc: routine.source,
    prosqlbody: routineTexts.sqlBodyText(routine),
    proconfig:
      settings === undefined
        ? null
        : SqlArray.of(
            TypeOid.text,
            Object.entries(settings).map(([name, value]) => `${name}=${value}`),
          ),
    proacl: aclItems(source, routine.acl),
  };
}

const TRUSTED: ReadonlySet<string> = new Set(['sql', 'plpgsql']);

/** What PostgreSQL calls of a language: for its functions, for DO, and to see whether a body can stand. */
const LANGUAGE_FUNCTIONS: Readonly<Record<string, CatalogRow>> = {
  internal: { lanvalidator: 2246 },
  c: { lanvalidator: 2247 },
  sql: { lanvalidator: 2248 },
  plpgsql: { lanplcallfoid: 13560, laninline: 13561, lanvalidator: 13562 },
};

function languageRows(): CatalogRow[] {
  return Object.entries(LANGUAGE_OIDS).map(([lanname, oid]) => ({
    oid,
    lanname,
    lanowner: BOOTSTRAP_ROLE_OID,
    lanispl: oid > 14,
    lanpltrusted: TRUSTED.has(lanname),
    ...LANGUAGE_FUNCTIONS[lanname],
  }));
}

/** Those of users: how the built-in ones count is nobody's to read. */
function* aggregateRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, aggregate } of routinesOf(source)) {
    if (aggregate === undefined) continue;
    const { moving } = aggregate;
    yield {
      aggfnoid: oid,
      aggkind: 'n',
      aggnumdirectargs: 0,
      aggtransfn: aggregate.stepOid,
      aggfinalfn: aggregate.finalOid ?? 0,
      aggcombinefn: aggregate.combineOid ?? 0,
      aggserialfn: 0,
      aggdeserialfn: 0,
      aggmtransfn: moving?.stepOid ?? 0,
      aggminvtransfn: moving?.inverseOid ?? 0,
      aggmfinalfn: moving?.finalOid ?? 0,
      aggfinalextra: aggregate.finalHasArguments,
      aggmfinalextra: moving?.finalHasArguments ?? false,
      aggfinalmodify: 'r',
      aggmfinalmodify: 'r',
      aggsortop: 0,
      aggtranstype: aggregate.stateType.oid,
      aggtransspace: 0,
      aggmtranstype: moving?.stateType.oid ?? 0,
      aggmtransspace: 0,
      agginitval: aggregate.initialText ?? null,
      aggminitval: moving?.initialText ?? null,
    };
  }
}

export const ROUTINE_VIEWS: readonly SystemView[] = [
  catalogView('pg_proc', function* (source) {
    yield* builtInRows();
    yield* routineRows(source);
  }),
  catalogView('pg_aggregate', aggregateRows),
  catalogView('pg_language', languageRows),
];
