/** Large objects: the functions say what is wanted; the session has what is open, and asks for rights (session/large-objects.ts). */
import { PhantomError } from '@phantom/base';
import { type Implementations, contextual } from './implementation.js';
import type { Int8 } from './integers.js';
import type { EvaluationContext } from './registry.js';

function filesOfServer(name: string): Implementations[string] {
  return contextual((...args: readonly unknown[]) => (args.at(-1) as EvaluationContext).largeObjects.refuseFiles(name));
}

/** A place that PostgreSQL's older functions, of 32 bits, can tell; 22003. */
function small(place: number, number: number, name: string): number {
  if (place <= 0x7fff_ffff) return place;
  throw new PhantomError('22003', `${name} result out of range for large-object descriptor ${number}`);
}

export const largeObjectFunctions: Implementations = {
  be_lo_creat: contextual((_mode: number, { largeObjects }: EvaluationContext) => largeObjects.create(0)),
  be_lo_create: contextual((oid: number, { largeObjects }: EvaluationContext) => largeObjects.create(oid)),
  be_lo_open: contextual((oid: number, mode: number, { largeObjects }: EvaluationContext) =>
    largeObjects.open(oid, mode),
  ),
  be_lo_close: contextual((number: number, { largeObjects }: EvaluationContext) => largeObjects.close(number)),
  be_loread: contextual((number: number, bytes: number, { largeObjects }: EvaluationContext) =>
    largeObjects.read(number, Math.max(bytes, 0)),
  ),
  be_lowrite: contextual((number: number, data: Uint8Array, { largeObjects }: EvaluationContext) =>
    largeObjects.write(number, data),
  ),
  be_lo_lseek: contextual((number: number, offset: number, whence: number, { largeObjects }: EvaluationContext) =>
    small(largeObjects.seek(number, offset, whence), number, 'lo_lseek'),
  ),
  be_lo_lseek64: contextual((number: number, offset: Int8, whence: number, { largeObjects }: EvaluationContext) =>
    largeObjects.seek(number, Number(offset), whence),
  ),
  be_lo_tell: contextual((number: number, { largeObjects }: EvaluationContext) =>
    small(largeObjects.tell(number), number, 'lo_tell'),
  ),
  be_lo_tell64: contextual((number: number, { largeObjects }: EvaluationContext) => largeObjects.tell(number)),
  be_lo_truncate: contextual((number: number, bytes: number, { largeObjects }: EvaluationContext) =>
    largeObjects.truncate(number, bytes),
  ),
  be_lo_truncate64: contextual((number: number, bytes: Int8, { largeObjects }: EvaluationContext) =>
    largeObjects.truncate(number, Number(bytes)),
  ),
  be_lo_unlink: contextual((oid: number, { largeObjects }: EvaluationContext) => largeObjects.unlink(oid)),
  be_lo_from_bytea: contextual((oid: number, data: Uint8Array, { largeObjects }: EvaluationContext) =>
    largeObjects.fromBytes(oid, data),
  ),
  be_lo_get: contextual((oid: number, { largeObjects }: EvaluationContext) => largeObjects.get(oid)),
  be_lo_get_fragment: contextual((oid: number, offset: Int8, bytes: number, { largeObjects }: EvaluationContext) => {
    if (bytes < 0) throw new PhantomError('22023', 'requested length cannot be negative');
    return largeObjects.get(oid, Number(offset), bytes);
  }),
  be_lo_put: contextual((oid: number, offset: Int8, data: Uint8Array, { largeObjects }: EvaluationContext) => {
    largeObjects.put(oid, Number(offset), data);
    return '';
  }),
  be_lo_import: filesOfServer('lo_import'),
  be_lo_import_with_oid: filesOfServer('lo_import'),
  be_lo_export: filesOfServer('lo_export'),
};

const NAMES =
  /^lo(_creat|_create|_open|_close|_lseek|_lseek64|_tell|_tell64|_truncate|_truncate64|_unlink|_from_bytea|_get|_put|read|write)$/;

/** True for functions that need a transaction, and may have to wait for another one. */
export function usesLargeObjects(functionName: string): boolean {
  return functionName.startsWith('lo') && NAMES.test(functionName);
}
