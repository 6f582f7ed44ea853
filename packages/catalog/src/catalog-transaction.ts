/**
 * The catalog as one transaction sees and changes it: the newest committed objects with its own changes over them. Like
 * PostgreSQL, name look-ups use the newest committed catalog, not the transaction's snapshot; locks on objects (their
 * object key in the lock table) keep what a running writer stands on.
 *
 * Every change goes two ways at once: into the transaction's write set (so it commits and crashes with the data) and into
 * the overlay here. Savepoints undo both: `undo` holds one step per change, newest last.
 *
 *   overlay objects:   oid  -> descriptor, or undefined when removed
 *   overlay names:     key  -> oid, or undefined when freed
 *
 * Invariants:
 *   1. Until publish nothing of the overlay is visible to anyone else; publish folds it in atomically (one turn).
 *   2. Rolling back to a savepoint leaves exactly the overlay of that moment.
 *   3. Of two transactions that are under way one at most has changed an object. Those who change it wait for each other by the lock
 *      of the object, or of the table that it belongs to; who has neither is refused here, and undoes nobody's change.
 */
import type { Seq, SpaceId } from '@phantom/kv';
import type { LockWait, MvccTransaction } from '@phantom/mvcc';
import { LockStrength, TableLockMode } from '@phantom/mvcc';
import { PhantomError, assert, writeU32BE } from '@phantom/base';
import type { Dependency, ObjectDescriptor, Oid, RoutineDescriptor } from './descriptors.js';
import type { ExtensionDescriptor } from './extension-descriptors.js';
import { type CatalogKeys, type NameClass, tableLockKey } from './keys.js';
import type { CastDescriptor, OperatorDescriptor } from './operator-descriptors.js';
import { type ObjectMap, type ObjectReader, nameKey, nameOf } from './object-map.js';

const UTF8 = new TextEncoder();

/** What the strengths of lockObject mean for a table: KeyShare is writing it, Update changing its definition. */
const TABLE_MODES = [
  TableLockMode.RowExclusive,
  TableLockMode.Share,
  TableLockMode.ShareRowExclusive,
  TableLockMode.Exclusive,
] as const;

/** A mark in the overlay to return to. */
export interface OverlayMark {
  readonly steps: number;
}

/** What a transaction has changed. */
class CatalogChanges {
  readonly objects = new Map<Oid, ObjectDescriptor | undefined>();
  readonly names = new Map<string, Oid | undefined>();
  readonly dependenciesAdded = new Map<string, Dependency>();
  readonly dependenciesRemoved = new Map<string, Dependency>();
}

/** Nothing, as in nearly every transaction. Never written to. */
const NO_CHANGES = new CatalogChanges();

export class CatalogTransaction implements ObjectReader {
  private readonly committed: ObjectMap;
  private readonly keys: CatalogKeys;
  private readonly transaction: MvccTransaction;
  private readonly publish: (overlay: CatalogTransaction, seq: Seq) => void;
  private changes = NO_CHANGES;
  private readonly undo: (() => void)[] = [];
  private registered = false;

  constructor(
    committed: ObjectMap,
    keys: CatalogKeys,
    transaction: MvccTransaction,
    publish: (overlay: CatalogTransaction, seq: Seq) => void,
  ) {
    this.committed = committed;
    this.keys = keys;
    this.transaction = transaction;
    this.publish = publish;
  }

  /** True once this transaction has changed the catalog: its plans must not be shared. */
  get changed(): boolean {
    return this.undo.length > 0;
  }

  /** Counts the overlay's changes; with the catalog's version it identifies what this transaction sees. */
  get steps(): number {
    return this.undo.length;
  }

  object(oid: Oid): ObjectDescriptor | undefined {
    const { objects } = this.changes;
    return objects.has(oid) ? objects.get(oid) : this.committed.object(oid);
  }

  oidByName(nameClass: NameClass, namespaceOid: Oid, name: string): Oid | undefined {
    const key = nameKey(nameClass, namespaceOid, name);
    const { names } = this.changes;
    return names.has(key) ? names.get(key) : this.committed.oidByName(nameClass, namespaceOid, name);
  }

  *objects(): Iterable<ObjectDescriptor> {
    for (const object of this.committed.objects()) if (!this.changes.objects.has(object.oid)) yield object;
    for (const object of this.changes.objects.values()) if (object !== undefined) yield object;
  }

  *objectsIn(namespaceOid: Oid): Iterable<ObjectDescriptor> {
    for (const object of this.committed.objectsIn(namespaceOid)) {
      if (!this.changes.objects.has(object.oid)) yield object;
    }
    for (const object of this.changes.objects.values()) {
      if (object !== undefined && nameOf(object).namespaceOid === namespaceOid) yield object;
    }
  }

  routinesNamed(schemaOid: Oid, name: string): readonly RoutineDescriptor[] {
    const committed = this.committed.routinesNamed(schemaOid, name);
    if (this.changes.objects.size === 0) return committed;
    const found = committed.filter(({ oid }) => !this.changes.objects.has(oid));
    for (const object of this.changes.objects.values()) {
      if (object?.kind === 'routine' && object.schemaOid === schemaOid && object.name === name) found.push(object);
    }
    return found.sort((a, b) => a.oid - b.oid);
  }

  extensionsIn(databaseOid: Oid): readonly ExtensionDescriptor[] {
    const committed = this.committed.extensionsIn(databaseOid);
    const { objects } = this.changes;
    if (objects.size === 0) return committed;
    const found = committed.filter(({ oid }) => !objects.has(oid));
    for (const object of objects.values())
      if (object?.kind === 'extension' && object.databaseOid === databaseOid) found.push(object);
    return found.sort((a, b) => a.oid - b.oid);
  }

  operators(): readonly OperatorDescriptor[] {
    return this.overlaid('operator', this.committed.operators());
  }

  casts(): readonly CastDescriptor[] {
    return this.overlaid('cast', this.committed.casts());
  }

  *dependentsOf(referencedOid: Oid): Iterable<Dependency> {
    yield* this.visibleDependencies(
      this.committed.dependentsOf(referencedOid),
      (d) => d.referencedOid === referencedOid,
    );
  }

  *dependenciesOf(dependentOid: Oid): Iterable<Dependency> {
    yield* this.visibleDependencies(
      this.committed.dependenciesOf(dependentOid),
      (d) => d.dependentOid === dependentOid,
    );
  }

  /**
   * Takes the lock that makes this transaction the only one that may create, rename or drop an object of this name.
   * A promise means that another one has it; ask the map anew once it resolves.
   */
  lockName(nameClass: NameClass, namespaceOid: Oid, name: string): Promise<void> | undefined {
    return this.lock(this.keys.name(nameClass, namespaceOid, name), LockStrength.Update);
  }

  /** Locks an object: writers of a table share it (KeyShare), whoever alters it takes Update. */
  lockObject(oid: Oid, strength: LockStrength): Promise<void> | undefined {
    if (this.object(oid)?.kind === 'table') {
      const outcome = this.lockTable(oid, TABLE_MODES[strength], 'wait');
      assert(outcome !== false, 'a waiting lock request is granted or waits');
      return outcome;
    }
    return this.lock(this.keys.object(oid), strength);
  }

  /** Locks a table as a whole; as MvccTransaction.lock. */
  lockTable(oid: Oid, mode: TableLockMode, wait: LockWait): Promise<void> | false | undefined {
    const key = tableLockKey(oid);
    return this.transaction.lock(key, 0, key.length, mode, wait);
  }

  /** Makes the commit fail if another transaction changes the object between now and then. */
  guardObject(oid: Oid): void {
    const key = this.keys.object(oid);
    this.transaction.guard(key, 0, key.length);
  }

  /** Creates an object or replaces the one with its oid. The caller holds the locks and has checked the name. */
  put(object: ObjectDescriptor): void {
    const before = this.object(object.oid);
    const name = nameOf(object);
    if (before !== undefined) {
      const old = nameOf(before);
      const renamed =
        old.nameClass !== name.nameClass || old.namespaceOid !== name.namespaceOid || old.name !== name.name;
      if (renamed) this.setName(old.nameClass, old.namespaceOid, old.name, undefined);
    }
    this.setName(name.nameClass, name.namespaceOid, name.name, object.oid);
    this.setObject(object.oid, object);
  }

  /** Removes an object; its dependencies in both directions must be removed by the caller. */
  remove(oid: Oid): void {
    const before = this.object(oid);
    assert(before !== undefined, 'only an object that is there can be removed');
    const { nameClass, namespaceOid, name } = nameOf(before);
    if (this.oidByName(nameClass, namespaceOid, name) === oid) this.setName(nameClass, namespaceOid, name, undefined);
    this.setObject(oid, undefined);
  }

  addDependency(dependency: Dependency): void {
    const key = this.dependencyKey(dependency);
    this.transaction.put(
      key,
      0,
      key.length,
      STRENGTH,
      dependency.strength === 'automatic' ? 1 : 0,
      dependency.strength === 'automatic' ? 2 : 1,
    );
    const id = String(key);
    const { dependenciesAdded, dependenciesRemoved } = this.changesToAddTo();
    const removed = dependenciesRemoved.get(id);
    dependenciesRemoved.delete(id);
    dependenciesAdded.set(id, dependency);
    this.step(() => {
      dependenciesAdded.delete(id);
      if (removed !== undefined) dependenciesRemoved.set(id, removed);
    });
  }

  removeDependency(dependency: Dependency): void {
    const key = this.dependencyKey(dependency);
    this.transaction.remove(key, 0, key.length);
    const id = String(key);
    const { dependenciesAdded, dependenciesRemoved } = this.changesToAddTo();
    const added = dependenciesAdded.get(id);
    dependenciesAdded.delete(id);
    dependenciesRemoved.set(id, dependency);
    this.step(() => {
      dependenciesRemoved.delete(id);
      if (added !== undefined) dependenciesAdded.set(id, added);
    });
  }

  mark(): OverlayMark {
    return { steps: this.undo.length };
  }

  /** Undoes the overlay's changes behind the mark; the write set is undone by the transaction's own savepoint. */
  rollbackTo(mark: OverlayMark): void {
    while (this.undo.length > mark.steps) (this.undo.pop() as () => void)();
  }

  /** Spaces that tables leave with this commit, and where their rows are written from then on. Before `foldInto`. */
  *spacesLeft(): Iterable<{ readonly space: SpaceId; readonly heir: SpaceId }> {
    for (const [oid, after] of this.changes.objects) {
      const before = this.committed.object(oid);
      if (before?.kind !== 'table' && before?.kind !== 'index') continue;
      if (after?.kind === before.kind && after.space === before.space) continue;
      const table = this.object(before.kind === 'table' ? oid : before.tableOid);
      if (table?.kind === 'table') yield { space: before.space, heir: table.space };
    }
  }

  /** Folds the overlay into the committed catalog. Called once, when the commit is published. */
  foldInto(target: ObjectMap): void {
    for (const [oid, object] of this.changes.objects) if (object === undefined) target.remove(oid);
    for (const object of this.changes.objects.values()) if (object !== undefined) target.put(object);
    for (const dependency of this.changes.dependenciesRemoved.values()) target.removeDependency(dependency);
    for (const dependency of this.changes.dependenciesAdded.values()) target.addDependency(dependency);
  }

  private overlaid<T extends OperatorDescriptor | CastDescriptor>(
    kind: T['kind'],
    committed: readonly T[],
  ): readonly T[] {
    const { objects } = this.changes;
    if (objects.size === 0) return committed;
    const found = committed.filter(({ oid }) => !objects.has(oid));
    for (const object of objects.values()) if (object?.kind === kind) found.push(object as T);
    return found.sort((a, b) => a.oid - b.oid);
  }

  private *visibleDependencies(
    committed: Iterable<Dependency>,
    wanted: (d: Dependency) => boolean,
  ): Iterable<Dependency> {
    if (this.changes.dependenciesRemoved.size === 0 && this.changes.dependenciesAdded.size === 0) {
      yield* committed;
      return;
    }
    for (const dependency of committed) {
      const id = String(this.dependencyKey(dependency));
      if (!this.changes.dependenciesRemoved.has(id) && !this.changes.dependenciesAdded.has(id)) yield dependency;
    }
    for (const dependency of this.changes.dependenciesAdded.values()) if (wanted(dependency)) yield dependency;
  }

  private dependencyKey(d: Dependency): Uint8Array {
    return this.keys.dependency(d.dependentOid, d.dependentColumn, d.referencedOid, d.referencedColumn);
  }

  private lock(key: Uint8Array, strength: LockStrength): Promise<void> | undefined {
    const outcome = this.transaction.lock(key, 0, key.length, strength, 'wait');
    assert(outcome !== false, 'a waiting lock request is granted or waits');
    return outcome;
  }

  private changesToAddTo(): CatalogChanges {
    if (this.changes === NO_CHANGES) this.changes = new CatalogChanges();
    return this.changes;
  }

  private setObject(oid: Oid, object: ObjectDescriptor | undefined): void {
    const key = this.keys.object(oid);
    this.claim(oid, key);
    if (object === undefined) {
      this.transaction.remove(key, 0, key.length);
    } else {
      const json = UTF8.encode(JSON.stringify(object));
      this.transaction.put(key, 0, key.length, json, 0, json.length);
    }
    const { objects } = this.changesToAddTo();
    const had = objects.has(oid);
    const before = objects.get(oid);
    objects.set(oid, object);
    this.step(() => {
      if (had) objects.set(oid, before);
      else objects.delete(oid);
    });
  }

  /** Keeps others from changing the object until the end: 40001 when one does so already (invariant 3). */
  private claim(oid: Oid, key: Uint8Array): void {
    const committed = this.committed.object(oid);
    if (committed === undefined || this.changes.objects.has(oid)) return;
    if (this.transaction.lock(key, 0, key.length, LockStrength.Update, 'skip') !== false) return;
    throw new PhantomError(
      '40001',
      `${committed.kind} "${nameOf(committed).name}" is being changed by another transaction`,
    );
  }

  private setName(nameClass: NameClass, namespaceOid: Oid, name: string, oid: Oid | undefined): void {
    const key = this.keys.name(nameClass, namespaceOid, name);
    if (oid === undefined) {
      this.transaction.remove(key, 0, key.length);
    } else {
      const value = new Uint8Array(4);
      writeU32BE(value, 0, oid);
      this.transaction.put(key, 0, key.length, value, 0, 4);
    }
    const id = nameKey(nameClass, namespaceOid, name);
    const { names } = this.changesToAddTo();
    const had = names.has(id);
    const before = names.get(id);
    names.set(id, oid);
    this.step(() => {
      if (had) names.set(id, before);
      else names.delete(id);
    });
  }

  private step(undo: () => void): void {
    if (!this.registered) {
      this.registered = true;
      this.transaction.onEnd((seq) => {
        if (seq !== undefined && this.changed) this.publish(this, seq);
      });
    }
    this.undo.push(undo);
  }
}

const STRENGTH = new Uint8Array([0, 1]);

const UTF8_IN = new TextDecoder('utf-8', { fatal: true });

/** JSON to descriptor; XX001 when the bytes are no catalog object. */
export function decodeObject(bytes: Uint8Array, oid: Oid): ObjectDescriptor {
  let object: unknown;
  try {
    object = JSON.parse(UTF8_IN.decode(bytes));
  } catch (cause) {
    throw new PhantomError('XX001', `catalog object ${oid} is unreadable`, { cause });
  }
  if (
    typeof object !== 'object' ||
    object === null ||
    !('kind' in object) ||
    !('oid' in object) ||
    object.oid !== oid
  ) {
    throw new PhantomError('XX001', `catalog object ${oid} is not what its key says`);
  }
  return object as ObjectDescriptor;
}
