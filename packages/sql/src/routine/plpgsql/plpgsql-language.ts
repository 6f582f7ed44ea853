/**
 * LANGUAGE plpgsql, after chapter 43 of PostgreSQL's manual and its src/pl/plpgsql.
 *
 *   source ──parse-body──► tree, one for each routine ──compiler──► closures, for each session and signature ──► calls
 *
 * Expressions and statements inside are SQL: parsed with the body, bound when they are first run, with variables as their
 * parameters; plans are shared with other sessions as those of any statement. An expression without a query is computed
 * without a plan. Left out: #option dump, which prints the tree of a body into the server's log.
 */
import { PhantomError } from '@phantom/base';
import { isPolymorphic } from '../../functions/polymorphic-types.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { RoutineBody, RoutineLanguage } from '../routine-language.js';
import { PlpgsqlBody, treeOf } from './plpgsql-body.js';
import { compileTriggerBody } from './trigger-body.js';

export const plpgsqlLanguage: RoutineLanguage = {
  name: 'plpgsql',
  compileTrigger: compileTriggerBody,
  compile(signature, host): RoutineBody {
    if (signature.routine.resultType.oid === TypeOid.trigger)
      throw new PhantomError('0A000', 'trigger functions can only be called as triggers');
    const body = new PlpgsqlBody(signature, host);
    return (args) => body.call(args);
  },
  validate(signature, host) {
    const { routine } = signature;
    const { parameters, resultType } = routine;
    if (resultType.oid === TypeOid.trigger) {
      compileTriggerBody({ routine, rowType: typeRef(TypeOid.record) }, host, true);
      return;
    }
    const types = [...parameters.map(({ type }) => type), resultType];
    // Where types are known with a call alone, the body is read and no more.
    if (types.some(({ oid }) => isPolymorphic(oid))) treeOf(routine);
    else new PlpgsqlBody(signature, host, undefined, true);
  },
};
