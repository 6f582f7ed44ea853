/**
 * Filters in the catalog: descriptors are JSON, filters hold values that JSON lacks. So a filter is stored as the document bytes of
 * its values, in base64.
 */
import { ByteWriter } from '@phantom/base';
import { DocumentDecoder, type DocumentValue, writeNode } from '@phantom/codec';
import { badArgument } from './errors.js';

const decoder = new DocumentDecoder();

/** A filter as the catalog keeps it. */
export function storeFilter(filter: unknown): string {
  const writer = new ByteWriter();
  refuseRegex(filter);
  writeNode(writer, filter as DocumentValue, { sorted: false });
  return Buffer.from(writer.view()).toString('base64');
}

function refuseRegex(value: unknown): void {
  if (value instanceof RegExp) throw badArgument('a stored filter cannot hold a regular expression: use $regex');
  if (typeof value === 'object' && value !== null) for (const one of Object.values(value)) refuseRegex(one);
}

/** The filter that `storeFilter` was given. */
export function storedFilter(stored: unknown): unknown {
  const bytes = Buffer.from(String(stored), 'base64');
  return decoder.decode(bytes, 0, bytes.length);
}
