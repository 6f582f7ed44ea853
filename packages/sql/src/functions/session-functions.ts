/** Functions that ask the session: settings, names, sequences. */
import { isPhantomError } from '@phantom/base';
import { SqlArray } from '@phantom/codec';
import { formatType } from '../types/format-type.js';
import {
  type ObjectFinder,
  findCollation,
  findFunction,
  findOperator,
  findOperatorWithTypes,
  findProcedure,
  findRole,
  findSchema,
} from '../types/reg-object-types.js';
import { catalogOf, findRegclass, regclassNamed } from '../types/reg-types.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { type Implementations, type ScalarCode, contextual, scalar, setOf } from './implementation.js';
import type { CallTypes, EvaluationContext } from './registry.js';

/** NULL where the name names nothing. */
function lenient(find: ObjectFinder): ScalarCode {
  return contextual((name: string, context: EvaluationContext) => {
    try {
      return find(name, context) ?? null;
    } catch (error) {
      if (isPhantomError(error) && (error.code === '42704' || error.code === '3F000' || error.code === '42725'))
        return null;
      throw error;
    }
  });
}

export const sessionFunctions: Implementations = {
  nextval_oid: contextual((sequence: number, context: EvaluationContext) => context.sequence('nextval', sequence)),
  currval_oid: contextual((sequence: number, context: EvaluationContext) => context.sequence('currval', sequence)),
  setval_oid: contextual((sequence: number, value: number | bigint, context: EvaluationContext) =>
    context.sequence('setval', sequence, value, true),
  ),
  setval3_oid: contextual((sequence: number, value: number | bigint, called: boolean, context: EvaluationContext) =>
    context.sequence('setval', sequence, value, called),
  ),
  lastval: contextual((context: EvaluationContext) => context.sequence('lastval', 0)),
  show_config_by_name: contextual((name: string, context: EvaluationContext) => context.setting(name, false)),
  show_config_by_name_missing_ok: contextual((name: string, missingOk: boolean, context: EvaluationContext) =>
    context.setting(name, missingOk),
  ),
  set_config_by_name: contextual(
    (name: string | null, value: string | null, local: boolean | null, context: EvaluationContext) =>
      name === null ? null : context.setSetting(name, value ?? '', local ?? false),
  ),
  current_database: contextual((context: EvaluationContext) => context.currentDatabase),
  current_schema: contextual((context: EvaluationContext) => context.currentSchema ?? null),
  current_schemas: contextual((implicit: boolean, context: EvaluationContext) =>
    SqlArray.of(
      TypeOid.name,
      context.searchPath.filter((schema) => implicit || schema !== 'pg_catalog'),
    ),
  ),
  current_user: contextual((context: EvaluationContext) => context.currentUser),
  session_user: contextual((context: EvaluationContext) => context.sessionUser),
  pgsql_version: contextual(
    (context: EvaluationContext) => `PostgreSQL ${context.setting('server_version', false) ?? ''}`,
  ),
  text_regclass: contextual((name: string, context: EvaluationContext) => regclassNamed(name, context)),
  format_type: contextual((oid: number | null, typmod: number | null, context: EvaluationContext) => {
    if (oid === null) return null;
    const type = context.types.byOid(oid);
    return type === undefined ? '???' : formatType(type, typmod ?? -1);
  }),
  pg_trigger_depth: contextual((context: EvaluationContext) => context.routines.triggerDepth),
  pg_notify: contextual((channel: string | null, payload: string | null, context: EvaluationContext) => {
    context.notifier.notify(channel ?? '', payload ?? '');
    return '';
  }),
  pg_listening_channels: setOf((context: EvaluationContext) => context.notifier.listening(), { context: true }),
  pg_notification_queue_usage: () => 0,
  pg_typeof: scalar((_value: Value, types: CallTypes) => types.arguments[0]?.oid ?? TypeOid.unknown, { types: true }),
  to_regproc: lenient(findFunction),
  to_regprocedure: lenient(findProcedure),
  to_regoper: lenient(findOperator),
  to_regoperator: lenient(findOperatorWithTypes),
  to_regnamespace: lenient(findSchema),
  to_regrole: lenient(findRole),
  to_regcollation: lenient(findCollation),
  to_regtype: lenient((name, context) => catalogOf(context)?.typeOfText(name).oid),
  to_regclass: contextual((name: string, context: EvaluationContext) => findRegclass(name, context) ?? null),
};
