/**
 * The rows of a delta's tables, in 32-bit words. The newest version of a key stands in the tree's own row, behind the
 * offset and the length of the key:
 *
 *   word 2  place of its operation in the arena
 *   word 3  its seq, relative to the delta's first one
 *   word 4  index of the version before it, NONE when there is none
 *
 * The same three words, from 0 on, make a row of the table of versions that were overwritten.
 */
export const PAYLOAD_WORDS = 3;
export const ROW_OPERATION = 2;
export const ROW_SEQ = 3;
export const ROW_OLDER = 4;
export const OLDER_WORDS = 3;
