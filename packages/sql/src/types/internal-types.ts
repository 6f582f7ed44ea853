/**
 * Types of values that PostgreSQL makes for itself: trees of expressions, statistics of columns together, what BRIN and GiST keep.
 * They are shown, and nobody can write one. pg_node_tree holds the text of an expression here, the others have no values.
 */
import { PhantomError } from '@phantom/base';
import { TEXT_STORAGE, builtinType } from './base-type.js';
import { typeFacts } from './type-facts.js';
import { TypeOid } from './type-oids.js';
import type { SqlType } from './type.js';

export const internalTypes: readonly SqlType[] = [
  TypeOid.pgNodeTree,
  TypeOid.pgNdistinct,
  TypeOid.pgDependencies,
  TypeOid.pgMcvList,
  TypeOid.brinBloomSummary,
  TypeOid.brinMinmaxMultiSummary,
  TypeOid.gtsvector,
].map((oid) =>
  builtinType<string>(oid, {
    storage: TEXT_STORAGE,
    input: () => {
      throw new PhantomError('0A000', `cannot accept a value of type ${typeFacts.get(oid)?.name}`);
    },
    output: (value) => value,
    compare: undefined,
  }),
);
