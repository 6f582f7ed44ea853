/**
 * The catalog's objects in memory: by oid, by name, and who depends on whom. One map holds what is committed; a
 * transaction that changes the catalog lays an overlay over it and folds that in when its commit is published.
 *
 * The map of a store fetches an object when it is first asked for it, and everything when it is asked for what only the
 * whole can tell (all objects, members, dependencies). What it has not fetched cannot be stale: it is read as it is then.
 *
 * Invariants:
 *   1. Descriptors are immutable and shared; two reads of an unchanged object give the same reference, so a plan can
 *      test by identity whether what it was made for still stands.
 *   2. Every object with a name is found by (class, namespace, name), and only while it is there.
 *   3. A name is held here only together with its object, so that replacing or removing the object finds it.
 */
import type {
  DatabaseDescriptor,
  Dependency,
  ObjectDescriptor,
  Oid,
  RoleDescriptor,
  RoutineDescriptor,
  RoutineParameter,
  SchemaDescriptor,
  TypeDescriptor,
} from './descriptors.js';
import type { ExtensionDescriptor } from './extension-descriptors.js';
import { NameClass } from './keys.js';
import { type CastDescriptor, type OperatorDescriptor, castKeyName, operatorKeyName } from './operator-descriptors.js';

/** How an object is found by name. */
export interface ObjectName {
  readonly nameClass: NameClass;
  readonly namespaceOid: Oid;
  readonly name: string;
}

/** Class, namespace and name of an object. Indexes share the relations' name space, as in PostgreSQL. */
export function nameOf(object: ObjectDescriptor): ObjectName {
  switch (object.kind) {
    case 'database':
      return { nameClass: NameClass.Database, namespaceOid: 0, name: object.name };
    case 'role':
      return { nameClass: NameClass.Role, namespaceOid: 0, name: object.name };
    case 'schema':
      return { nameClass: NameClass.Schema, namespaceOid: object.databaseOid, name: object.name };
    case 'type':
      return { nameClass: NameClass.Type, namespaceOid: object.schemaOid, name: object.name };
    case 'policy':
      return { nameClass: NameClass.Policy, namespaceOid: object.tableOid, name: object.name };
    case 'trigger':
      return { nameClass: NameClass.Trigger, namespaceOid: object.tableOid, name: object.name };
    case 'rule':
      return { nameClass: NameClass.Rule, namespaceOid: object.tableOid, name: object.name };
    case 'statistics':
      return { nameClass: NameClass.Statistics, namespaceOid: object.schemaOid, name: object.name };
    case 'extension':
      return { nameClass: NameClass.Extension, namespaceOid: object.databaseOid, name: object.name };
    case 'operator':
      return { nameClass: NameClass.Operator, namespaceOid: object.schemaOid, name: operatorKeyName(object) };
    case 'cast':
      return { nameClass: NameClass.Cast, namespaceOid: object.databaseOid, name: castKeyName(object) };
    case 'routine':
      return { nameClass: NameClass.Routine, namespaceOid: object.schemaOid, name: routineKeyName(object) };
    default:
      return { nameClass: NameClass.Relation, namespaceOid: object.schemaOid, name: object.name };
  }
}

/** True for parameters whose values the caller gives. */
export function goesIn({ mode }: Pick<RoutineParameter, 'mode'>): boolean {
  return mode === 'in' || mode === 'inout' || mode === 'variadic';
}

/** What tells a routine from all others of its schema: its name and the oids of the types that go in, `f(23,25)`. */
export function routineKeyName({ name, parameters }: Pick<RoutineDescriptor, 'name' | 'parameters'>): string {
  return `${name}(${parameters
    .filter(goesIn)
    .map(({ type }) => type.oid)
    .join(',')})`;
}

/** Kinds that have a class of names to themselves. */
interface NamedKinds {
  readonly database: DatabaseDescriptor;
  readonly role: RoleDescriptor;
  readonly schema: SchemaDescriptor;
  readonly type: TypeDescriptor;
  readonly routine: RoutineDescriptor;
  readonly extension: ExtensionDescriptor;
  readonly operator: OperatorDescriptor;
  readonly cast: CastDescriptor;
}

const CLASS_OF_KIND: Readonly<Record<keyof NamedKinds, NameClass>> = {
  database: NameClass.Database,
  role: NameClass.Role,
  schema: NameClass.Schema,
  type: NameClass.Type,
  routine: NameClass.Routine,
  extension: NameClass.Extension,
  operator: NameClass.Operator,
  cast: NameClass.Cast,
};

/** Kinds that are asked for all at once, whenever a statement is bound. */
type ResolvedKind = 'operator' | 'cast';

/** Name as one map key. */
export function nameKey(nameClass: NameClass, namespaceOid: Oid, name: string): string {
  return `${nameClass}:${namespaceOid}:${name}`;
}

/** What both the committed catalog and a transaction's overlay answer. */
export interface ObjectReader {
  object(oid: Oid): ObjectDescriptor | undefined;
  oidByName(nameClass: NameClass, namespaceOid: Oid, name: string): Oid | undefined;
  /** Everything there is, in no particular order. */
  objects(): Iterable<ObjectDescriptor>;
  /** Objects that stand in a namespace (schemas of a database, relations and types of a schema). */
  objectsIn(namespaceOid: Oid): Iterable<ObjectDescriptor>;
  /** Routines of a schema that share a name, oldest first. */
  routinesNamed(schemaOid: Oid, name: string): readonly RoutineDescriptor[];
  /** The extensions that are in a database, oldest first. */
  extensionsIn(databaseOid: Oid): readonly ExtensionDescriptor[];
  /** All operators and all casts that users have made, in all databases, oldest first. Cheap where there are none. */
  operators(): readonly OperatorDescriptor[];
  casts(): readonly CastDescriptor[];
  dependentsOf(referencedOid: Oid): Iterable<Dependency>;
  dependenciesOf(dependentOid: Oid): Iterable<Dependency>;
}

/** Where a map fetches what it does not have: what is committed and published now. */
export interface ObjectSource {
  object(oid: Oid): ObjectDescriptor | undefined;
  oidByName(nameClass: NameClass, namespaceOid: Oid, name: string): Oid | undefined;
  oidsOf(nameClass: NameClass): readonly Oid[];
  eachObject(take: (object: ObjectDescriptor) => void): void;
  eachDependency(take: (dependency: Dependency) => void): void;
}

function dependencyKey(d: Dependency): string {
  return `${d.dependentOid}/${d.dependentColumn}/${d.referencedOid}/${d.referencedColumn}`;
}

const NO_ROUTINES: readonly RoutineDescriptor[] = [];

/** A set of dependencies found from either end. */
class DependencyIndex {
  private readonly byDependent = new Map<Oid, Map<string, Dependency>>();
  private readonly byReferenced = new Map<Oid, Map<string, Dependency>>();

  add(dependency: Dependency): void {
    const key = dependencyKey(dependency);
    entry(this.byDependent, dependency.dependentOid).set(key, dependency);
    entry(this.byReferenced, dependency.referencedOid).set(key, dependency);
  }

  delete(dependency: Dependency): void {
    const key = dependencyKey(dependency);
    drop(this.byDependent, dependency.dependentOid, key);
    drop(this.byReferenced, dependency.referencedOid, key);
  }

  of(dependentOid: Oid): Iterable<Dependency> {
    return this.byDependent.get(dependentOid)?.values() ?? [];
  }

  on(referencedOid: Oid): Iterable<Dependency> {
    return this.byReferenced.get(referencedOid)?.values() ?? [];
  }
}

function entry(map: Map<Oid, Map<string, Dependency>>, oid: Oid): Map<string, Dependency> {
  let inner = map.get(oid);
  if (inner === undefined) map.set(oid, (inner = new Map()));
  return inner;
}

function drop(map: Map<Oid, Map<string, Dependency>>, oid: Oid, key: string): void {
  const inner = map.get(oid);
  if (inner?.delete(key) === true && inner.size === 0) map.delete(oid);
}

/** The committed catalog. Changed only by fetching and by publishing a transaction. */
export class ObjectMap implements ObjectReader {
  private readonly byOid = new Map<Oid, ObjectDescriptor>();
  private readonly byName = new Map<string, Oid>();
  private readonly members = new Map<Oid, Set<Oid>>();
  private readonly dependencies = new DependencyIndex();
  /** Routines that are here, by schema and bare name. */
  private readonly overloads = new Map<string, Set<Oid>>();
  /** All of them have been fetched. */
  private hasRoutines = false;
  /** All of them, of every database; undefined until they are asked for, and when one has changed. */
  private extensions: readonly ExtensionDescriptor[] | undefined;
  /** Operators and casts, once they were asked for; undefined when one has changed since. */
  private resolved: { -readonly [K in ResolvedKind]?: readonly NamedKinds[K][] | undefined } = {};
  /** Undefined once everything is here. */
  private source: ObjectSource | undefined;

  /** Without a source the map is complete as it is: empty. */
  constructor(source?: ObjectSource) {
    this.source = source;
  }

  object(oid: Oid): ObjectDescriptor | undefined {
    const held = this.byOid.get(oid);
    if (held !== undefined || this.source === undefined) return held;
    const fetched = this.source.object(oid);
    if (fetched !== undefined) this.put(fetched);
    return fetched;
  }

  oidByName(nameClass: NameClass, namespaceOid: Oid, name: string): Oid | undefined {
    const held = this.byName.get(nameKey(nameClass, namespaceOid, name));
    if (held !== undefined || this.source === undefined) return held;
    const oid = this.source.oidByName(nameClass, namespaceOid, name);
    if (oid !== undefined) this.object(oid);
    return oid;
  }

  objects(): Iterable<ObjectDescriptor> {
    this.complete();
    return this.byOid.values();
  }

  /** The objects of a kind that has a class of names to itself, oldest first; of a map that is not complete only they are fetched. */
  objectsOf<K extends keyof NamedKinds>(kind: K): NamedKinds[K][] {
    const objects = this.source?.oidsOf(CLASS_OF_KIND[kind]).map((oid) => this.object(oid)) ?? [...this.byOid.values()];
    const found = objects.filter((object): object is NamedKinds[K] => object?.kind === kind);
    return found.sort((a, b) => a.oid - b.oid);
  }

  *objectsIn(namespaceOid: Oid): Iterable<ObjectDescriptor> {
    this.complete();
    for (const oid of this.members.get(namespaceOid) ?? []) yield this.byOid.get(oid) as ObjectDescriptor;
  }

  routinesNamed(schemaOid: Oid, name: string): readonly RoutineDescriptor[] {
    if (!this.hasRoutines) {
      this.hasRoutines = true;
      this.objectsOf('routine');
    }
    const oids = this.overloads.get(`${schemaOid}:${name}`);
    if (oids === undefined) return NO_ROUTINES;
    return [...oids].sort((a, b) => a - b).map((oid) => this.byOid.get(oid) as RoutineDescriptor);
  }

  extensionsIn(databaseOid: Oid): readonly ExtensionDescriptor[] {
    this.extensions ??= this.objectsOf('extension');
    if (this.extensions.length === 0) return this.extensions;
    return this.extensions.filter((extension) => extension.databaseOid === databaseOid);
  }

  operators(): readonly OperatorDescriptor[] {
    return (this.resolved.operator ??= this.objectsOf('operator'));
  }

  casts(): readonly CastDescriptor[] {
    return (this.resolved.cast ??= this.objectsOf('cast'));
  }

  dependentsOf(referencedOid: Oid): Iterable<Dependency> {
    this.complete();
    return this.dependencies.on(referencedOid);
  }

  dependenciesOf(dependentOid: Oid): Iterable<Dependency> {
    this.complete();
    return this.dependencies.of(dependentOid);
  }

  put(object: ObjectDescriptor): void {
    this.remove(object.oid);
    const { nameClass, namespaceOid, name } = nameOf(object);
    this.byOid.set(object.oid, object);
    this.byName.set(nameKey(nameClass, namespaceOid, name), object.oid);
    let members = this.members.get(namespaceOid);
    if (members === undefined) this.members.set(namespaceOid, (members = new Set()));
    members.add(object.oid);
    if (object.kind === 'extension') this.extensions = undefined;
    this.noteRoutine(object.oid, true);
    this.forgetResolved(object);
  }

  remove(oid: Oid): void {
    const object = this.byOid.get(oid);
    if (object === undefined) return;
    const { nameClass, namespaceOid, name } = nameOf(object);
    const key = nameKey(nameClass, namespaceOid, name);
    if (object.kind === 'extension') this.extensions = undefined;
    this.noteRoutine(oid, false);
    this.forgetResolved(object);
    this.byOid.delete(oid);
    // Another object may have taken the name in the same transaction, before this one's turn came.
    if (this.byName.get(key) === oid) this.byName.delete(key);
    const members = this.members.get(namespaceOid);
    if (members?.delete(oid) === true && members.size === 0) this.members.delete(namespaceOid);
  }

  /** Of a map that is not complete, the source knows it already. */
  addDependency(dependency: Dependency): void {
    if (this.source === undefined) this.dependencies.add(dependency);
  }

  removeDependency(dependency: Dependency): void {
    if (this.source === undefined) this.dependencies.delete(dependency);
  }

  /** Adds a routine to those of its name, or takes it away; nothing for other objects. */
  private noteRoutine(oid: Oid, isThere: boolean): void {
    const object = this.byOid.get(oid);
    if (object?.kind !== 'routine') return;
    const key = `${object.schemaOid}:${object.name}`;
    const oids = this.overloads.get(key);
    if (isThere) {
      if (oids === undefined) this.overloads.set(key, new Set([oid]));
      else oids.add(oid);
    } else if (oids?.delete(oid) === true && oids.size === 0) {
      this.overloads.delete(key);
    }
  }

  private forgetResolved({ kind }: ObjectDescriptor): void {
    if (kind === 'operator' || kind === 'cast') this.resolved[kind] = undefined;
  }

  private complete(): void {
    const { source } = this;
    if (source === undefined) return;
    source.eachObject((object) => {
      if (!this.byOid.has(object.oid)) this.put(object);
    });
    source.eachDependency((dependency) => this.dependencies.add(dependency));
    this.source = undefined;
  }
}
