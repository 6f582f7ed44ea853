/**
 * Documents in files of sorts: as a row of their collection, which is decoded when it is handed out, or by themselves, with the score of a
 * search that found them.
 *
 *   u8 form (0 a document, 1 a row, 2 a document with a score), for 2 the score, then the document or the row; see spilled-values.ts
 */
import type { ByteWriter } from '@phantom/base';
import type { PlainObject } from '../order.js';
import type { SpilledForm } from '../sorted-documents.js';
import { noteTextScore, textScoreOf } from '../text-score.js';
import { SpilledValues, writeSpilled } from './spilled-values.js';

const Form = { Document: 0, Row: 1, Scored: 2 } as const;

function writeDocument(writer: ByteWriter, document: PlainObject): void {
  const score = textScoreOf(document);
  writer.u8(score === undefined ? Form.Document : Form.Scored);
  if (score !== undefined) writeSpilled(writer, score);
  writeSpilled(writer, document);
}

function readDocument(bytes: Uint8Array, start: number): PlainObject {
  const values = new SpilledValues(bytes, start + 1);
  const score = bytes[start] === Form.Scored ? (values.next() as number) : undefined;
  const document = values.next() as PlainObject;
  if (score !== undefined) noteTextScore(document, score);
  return document;
}

/** Of documents. */
export const plainForm: SpilledForm<PlainObject> = { write: writeDocument, read: readDocument };

/** Of documents and of rows, which stand as their bytes. */
export const rowForm: SpilledForm<PlainObject | Uint8Array> = {
  write(writer, item) {
    if (item instanceof Uint8Array) {
      writer.u8(Form.Row);
      writer.bytes(item);
    } else {
      writeDocument(writer, item);
    }
  },
  read(bytes, start, end) {
    return bytes[start] === Form.Row ? bytes.subarray(start + 1, end) : readDocument(bytes, start);
  },
};
