/** DO: a body that is run once and has no name, no parameters and no result. */
import { PhantomError } from '@phantom/base';
import type { RoutineDescriptor } from '@phantom/catalog';
import type { Execution } from '../exec/runtime.js';
import { languageNamed } from '../routine/languages.js';
import { INLINE_BLOCK } from '../routine/plpgsql/compilation.js';
import { plpgsqlLanguage } from '../routine/plpgsql/plpgsql-language.js';
import type { DoBlock } from '../text/ast-session.js';
import { TypeOid } from '../types/type-oids.js';
import { typeRef } from '../types/type-refs.js';
import { runBody } from './run-plan.js';
import type { SqlSession } from './session.js';
import type { Utility } from './statement.js';

const VOID = typeRef(TypeOid.void);

export function doUtility(node: DoBlock, text: string): Utility {
  const language = languageNamed(node.language?.text ?? plpgsqlLanguage.name);
  if (language !== plpgsqlLanguage)
    throw new PhantomError('0A000', `language "${language.name}" does not support inline code execution`);
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'required',
    *run(session) {
      const transaction = session.ensureTransaction();
      transaction.statements++;
      transaction.storage.beginStatement(text);
      try {
        return yield* runBody(session, () => runBlock(session, blockOf(session, node)));
      } catch (error) {
        if (!(error instanceof PhantomError) || error.position === undefined) throw error;
        const { bodyAt } = node;
        throw error.with({ position: bodyAt === undefined ? undefined : error.position + bodyAt });
      }
    },
  };
}

function* runBlock(session: SqlSession, block: RoutineDescriptor): Execution {
  yield* session.routines.execute(block, [], { arguments: [], result: VOID });
  return 0;
}

/** The block as a procedure of nobody's. */
function blockOf(session: SqlSession, { source }: DoBlock): RoutineDescriptor {
  return {
    kind: 'routine',
    oid: 0,
    name: INLINE_BLOCK,
    databaseOid: session.databaseOid,
    schemaOid: 0,
    ownerOid: session.currentRoleOid,
    routine: 'procedure',
    language: plpgsqlLanguage.name,
    parameters: [],
    resultType: VOID,
    returnsSet: false,
    volatility: 'volatile',
    strict: false,
    securityDefiner: false,
    leakproof: false,
    parallel: 'unsafe',
    cost: 100,
    rows: 0,
    searchPath: [],
    source: source.value,
  };
}
