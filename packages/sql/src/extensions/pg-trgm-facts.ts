/**
 * PostgreSQL 15's pg_trgm 1.6: how alike texts are, and what of them an index looks for. Left out is what its GiST classes need: there is no
 * GiST here. The form of the lines is told in extension.ts.
 */
import type { ExtensionFacts } from './extension.js';

export const trigramFacts: ExtensionFacts = {
  name: 'pg_trgm',
  version: '1.6',
  description: 'text similarity measurement and index searching based on trigrams',
  requires: [],
  types: [],
  functions: `
set_limit float4 float4 vx set_limit
show_limit - float4 sx show_limit
show_trgm text _text ix show_trgm
similarity text,text float4 ix similarity
similarity_op text,text bool sx similarity_op
word_similarity text,text float4 ix word_similarity
word_similarity_op text,text bool sx word_similarity_op
word_similarity_commutator_op text,text bool sx word_similarity_commutator_op
similarity_dist text,text float4 ix similarity_dist
word_similarity_dist_op text,text float4 ix word_similarity_dist_op
word_similarity_dist_commutator_op text,text float4 ix word_similarity_dist_commutator_op
strict_word_similarity text,text float4 ix strict_word_similarity
strict_word_similarity_op text,text bool sx strict_word_similarity_op
strict_word_similarity_commutator_op text,text bool sx strict_word_similarity_commutator_op
strict_word_similarity_dist_op text,text float4 ix strict_word_similarity_dist_op
strict_word_similarity_dist_commutator_op text,text float4 ix strict_word_similarity_dist_commutator_op
`,
  operators: `
% text text bool similarity_op % -
%> text text bool word_similarity_commutator_op <% -
<% text text bool word_similarity_op %> -
<-> text text float4 similarity_dist <-> -
<->> text text float4 word_similarity_dist_commutator_op <<-> -
<<-> text text float4 word_similarity_dist_op <->> -
%>> text text bool strict_word_similarity_commutator_op <<% -
<<% text text bool strict_word_similarity_op %>> -
<->>> text text float4 strict_word_similarity_dist_commutator_op <<<-> -
<<<-> text text float4 strict_word_similarity_dist_op <->>> -
`,
  casts: '',
  operatorClasses: 'gin_trgm_ops gin text -',
  bodies: {},
};
