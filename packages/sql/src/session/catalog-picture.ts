/**
 * The catalog as one session sees it at one moment: the committed objects (or its transaction's overlay), the names its
 * search path makes visible, and the system's own views. It answers from memory and is thrown away when any of that
 * changes; plans remember its version.
 */
import {
  FIRST_USER_OID,
  type IndexDescriptor,
  NameClass,
  type ObjectReader,
  type Oid,
  type PolicyDescriptor,
  PredefinedRole,
  type RelationDescriptor,
  type RuleDescriptor,
  type TableDescriptor,
  type TableProvider,
  type TypeDescriptor,
  type TypeRef,
  type ViewDescriptor,
  hasPrivilege,
  hasRightsOf,
  policiesFor,
} from '@phantom/catalog';
import { PhantomError } from '@phantom/base';
import {
  IN_INFORMATION_SCHEMA,
  functionByOid,
  functionsNamed,
  operatorsNamed as builtInOperators,
} from '../functions/definitions.js';
import { type InstalledExtension, installedExtensions } from '../extensions/installed.js';
import { functionRegistry } from '../functions/function-registry.js';
import { rangeConstructors } from '../functions/range-constructors.js';
import type { FunctionDefinition, FunctionRegistry, OperatorDefinition, UserCast } from '../functions/registry.js';
import { operatorOf, userCasts, userOperators } from './user-operators.js';
import type { CatalogPort, NamedRelation, QualifiedName, StatisticsPort } from '../plan/catalog-port.js';
import {
  INFORMATION_SCHEMA_OID,
  PG_CATALOG_OID,
  PHANTOM_OID,
  PHANTOM_SCHEMA,
  type Activity,
  type SystemViewSource,
} from '../system-views/system-view.js';
import { listedCursors, listedLargeObjects, listedSessions, preparedStatements } from './listings.js';
import { functionOf } from '../routine/routine-function.js';
import { rulesAmong } from '../rewrite/rules-of-relation.js';
import { collationNameOf, collationOidOf } from '../system-views/collations.js';
import { objectTexts } from '../system-views/object-text.js';
import { routineTexts } from '../system-views/routine-text.js';
import { systemType, systemTypeNamed } from '../system-views/row-types.js';
import { statisticsColumnsText, statisticsText } from '../system-views/pg-statistics.js';
import { isCollation } from '../types/collation.js';
import { triggerText } from '../system-views/trigger-text.js';
import { writableColumns } from '../system-views/updatable-views.js';
import { allSystemViews, systemRelation, systemRelationByOid } from '../system-views/system-views.js';
import { resolveTypeName } from '../expr/type-names.js';
import { parseTypeName } from '../text/parse.js';
import { quoteIdentifier } from '../types/reg-types.js';
import { TypeCatalog } from '../types/type-catalog.js';
import { domainConstraints } from './domain-constraints.js';
import type { SqlType } from '../types/type.js';
import type { Way } from '../plan/physical/ways.js';
import { PictureStatistics } from './picture-statistics.js';
import { partitionBoundText, partitionConstraintText, partitionKeyText } from '../plan/partition-text.js';
import type { KeyHash } from '../storage/partitions/key-hash.js';
import { partitioning, partitionsOf } from '../storage/partitions/partitioning.js';
import { PARALLEL_SETUP_COST, REPLICATION_ROLE, switchedOffWays } from './planner-switches.js';
import { parsePath } from './search-path.js';
import { microsSince2000 } from './evaluation.js';
import type { SqlSession } from './session.js';

const NO_FUNCTIONS: readonly FunctionDefinition[] = [];

export class CatalogPicture implements CatalogPort {
  readonly version: number;
  readonly schemaVersion: number;
  readonly objects: ObjectReader;
  readonly committedVersion: number;
  readonly statisticsVersion: number;
  readonly steps: number;
  readonly databaseName: string;
  readonly databaseOid: Oid;
  readonly provider: TableProvider | undefined;
  readonly searchPath: readonly string[];
  readonly types: TypeCatalog;
  readonly statistics: StatisticsPort;
  readonly switchedOff: ReadonlySet<Way>;
  readonly parallelSetupCost: number;
  readonly isReplica: boolean;
  /** For functions that write definitions as text. */
  readonly texts = objectTexts;
  readonly routineTexts = routineTexts;
  readonly triggerText = triggerText;
  readonly writableColumns = (view: ViewDescriptor): ReadonlySet<string> | undefined =>
    writableColumns({ objectsSeen: this.objects, catalog: this }, view);
  readonly partitionTexts = { key: partitionKeyText, bound: partitionBoundText, constraint: partitionConstraintText };
  readonly partitionHash = (table: TableDescriptor): KeyHash | undefined =>
    table.partitioned === undefined ? undefined : partitioning(table, this).hash;
  readonly statisticsText = statisticsText;
  readonly statisticsColumnsText = statisticsColumnsText;
  private readonly session: SqlSession;
  private registry: FunctionRegistry | undefined;
  /** Of users, once one was asked for. */
  private operators: ReadonlyMap<string, readonly OperatorDefinition[]> | undefined;
  private casts: ReadonlyMap<string, UserCast> | undefined;
  private readonly visibleOperators = new Map<string, readonly OperatorDefinition[]>();
  private readonly findFunction = (oid: Oid): FunctionDefinition | undefined => this.functions.functionByOid(oid);
  private typesByArray: ReadonlyMap<Oid, TypeDescriptor> | undefined;
  readonly temporarySchemaName: string | undefined;
  readonly temporarySchemaOid: Oid | undefined;
  /** Schemas searched, in order: PG_CATALOG_OID and the one of temporary objects among them, those without USAGE left out. */
  private readonly path: readonly Oid[];

  constructor(
    session: SqlSession,
    objects: ObjectReader,
    committedVersion: number,
    steps: number,
    searchPath?: readonly string[],
  ) {
    this.session = session;
    this.objects = objects;
    this.committedVersion = committedVersion;
    this.statisticsVersion = session.engine.statistics.version;
    this.steps = steps;
    this.databaseName = session.databaseName;
    this.databaseOid = session.databaseOid;
    this.provider = session.engine.provider;
    this.searchPath = effectivePath(
      searchPath ?? parsePath(session.settings.get('search_path'), session.currentRoleName),
    );
    const temporary = session.temporary.find(objects);
    this.temporarySchemaOid = temporary?.oid;
    this.temporarySchemaName = temporary?.name;
    this.path = this.searchedSchemas();
    this.types = new TypeCatalog(
      (oid) => {
        const object = objects.object(oid) ?? this.arrayTypes().get(oid);
        return object?.kind === 'type' ? object : undefined;
      },
      (descriptor) => domainConstraints(descriptor, this),
      (oid) => {
        const object = steps > 0 ? session.engine.catalog.committed.object(oid) : undefined;
        return object?.kind === 'type' ? object : undefined;
      },
      (descriptor) => this.typeName(descriptor),
    );
    this.statistics = new PictureStatistics(session.engine, this.types, (table: TableDescriptor) =>
      this.partitionsOf(table),
    );
    this.switchedOff = switchedOffWays(session.settings);
    this.parallelSetupCost = Number(session.settings.get(PARALLEL_SETUP_COST));
    this.isReplica = session.settings.get(REPLICATION_ROLE) === 'replica';
    // What this session alone can see makes a picture of its own; all others are shared, and their plans with them.
    const own = steps > 0;
    const schema = `${session.databaseOid} ${committedVersion} ${this.path.join(',')} ${this.searchPath.join(',')} ${[...this.switchedOff].join(',')} ${this.parallelSetupCost} ${this.isReplica}`;
    this.schemaVersion = session.engine.pictureVersion(own ? undefined : schema);
    this.version = session.engine.pictureVersion(own ? undefined : `${schema} ${this.statisticsVersion}`);
  }

  statisticsVersionOf(oid: Oid): number {
    return this.session.engine.statistics.versionOf(oid);
  }

  get securityKey(): string {
    const { session } = this;
    return `${session.currentRoleOid} ${session.settings.get('row_security')}`;
  }

  policiesFor(table: TableDescriptor, roleOid: Oid = this.session.currentRoleOid): PolicyDescriptor[] | undefined {
    const { objects } = this;
    const policies = policiesFor(objects, table, roleOid);
    if (policies !== undefined && this.session.settings.get('row_security') === 'off') {
      throw new PhantomError('42501', `query would be affected by row-level security policy for table "${table.name}"`);
    }
    return policies;
  }

  rulesOf({ ruleOids = [] }: TableDescriptor | ViewDescriptor): readonly RuleDescriptor[] {
    return rulesAmong(ruleOids, this.objects).filter(({ firing }) => firing === 'origin' || firing === 'always');
  }

  /** Functions over the types of this picture. */
  get functions(): FunctionRegistry {
    this.registry ??= functionRegistry(this.types, {
      named: (name, schema) => this.functionsNamed(name, schema),
      byOid: (oid) => {
        const object = oid < FIRST_USER_OID ? undefined : this.objects.object(oid);
        return object?.kind === 'routine' ? functionOf(object, this.types) : functionByOid(oid);
      },
      operatorsNamed: (name, schema) => this.operatorsNamed(name, schema),
      operatorByOid: (oid) => {
        const object = this.objects.object(oid);
        if (object?.kind === 'operator') return operatorOf(object, this.findFunction);
        for (const extension of this.extensions) {
          const found = extension.operators(this.findFunction).find((operator) => operator.oid === oid);
          if (found !== undefined) return found;
        }
        return undefined;
      },
      userCast: (source, target) => {
        this.casts ??= userCasts(this.objects, this.databaseOid, this.findFunction);
        return this.casts.get(`${source} ${target}`);
      },
      cast: (source, target) => {
        for (const { casts } of this.extensions) {
          const found = casts.find((cast) => cast.source === source && cast.target === target);
          if (found !== undefined) return found;
        }
        return undefined;
      },
    });
    return this.registry;
  }

  /** What extensions of the database bring along beside types and functions. */
  private get extensions(): readonly InstalledExtension[] {
    return installedExtensions(this.objects, this.databaseOid);
  }

  /**
   * Operators of a schema, or of those along the path: of two for the same types the first. Those of extensions are found wherever the
   * path leads, behind all others.
   */
  private operatorsNamed(name: string, schema: string | undefined): readonly OperatorDefinition[] {
    if (schema !== undefined) return this.operatorsIn(name, this.schemaOid(schema));
    let found = this.visibleOperators.get(name);
    if (found === undefined) this.visibleOperators.set(name, (found = this.operatorsAlongPath(name)));
    return found;
  }

  private operatorsAlongPath(name: string): readonly OperatorDefinition[] {
    this.operators ??= userOperators(this.objects, this.databaseOid, this.findFunction);
    const added = this.extensions.flatMap((extension) => extension.operators(this.findFunction, name));
    if (this.operators.get(name) === undefined && added.length === 0) return builtInOperators(name);
    // As with functions: nobody's temporary schema is looked through.
    const path = this.path.filter((oid) => oid !== this.temporarySchemaOid);
    const found: OperatorDefinition[] = [];
    for (const one of [...path.flatMap((oid) => this.operatorsIn(name, oid)), ...added]) {
      if (!found.some(({ leftType, rightType }) => leftType === one.leftType && rightType === one.rightType))
        found.push(one);
    }
    return found;
  }

  private operatorsIn(name: string, schema: Oid | undefined): readonly OperatorDefinition[] {
    if (schema === PG_CATALOG_OID) return builtInOperators(name);
    this.operators ??= userOperators(this.objects, this.databaseOid, this.findFunction);
    const added = this.extensions.flatMap((extension) => extension.operators(this.findFunction, name));
    return [...(this.operators.get(name) ?? []), ...added].filter(({ schemaOid }) => schemaOid === schema);
  }

  /** Functions of a schema, or of those along the path, in the path's order. */
  private functionsNamed(name: string, schema: string | undefined): readonly FunctionDefinition[] {
    if (schema !== undefined) {
      const oid = this.schemaOid(schema);
      return oid === undefined ? [] : this.functionsIn(oid, name);
    }
    let found = NO_FUNCTIONS;
    for (const oid of this.path) {
      // Nobody else's functions are taken for granted: those of temporary objects are called by their schema.
      if (oid === this.temporarySchemaOid) continue;
      const more = this.functionsIn(oid, name);
      if (more.length > 0) found = found.length === 0 ? more : [...found, ...more];
    }
    const constructors = this.constructorsNamed(name);
    return constructors.length === 0 ? found : [...found, ...constructors];
  }

  private functionsIn(schemaOid: Oid, name: string): readonly FunctionDefinition[] {
    if (schemaOid === (IN_INFORMATION_SCHEMA.has(name) ? INFORMATION_SCHEMA_OID : PG_CATALOG_OID))
      return functionsNamed(name);
    const routines = this.objects.routinesNamed(schemaOid, name);
    return routines.length === 0 ? NO_FUNCTIONS : routines.map((routine) => functionOf(routine, this.types));
  }

  /** A user's range type brings functions of its name along; the built-in ones' are among the facts. */
  private constructorsNamed(name: string): readonly FunctionDefinition[] {
    const type = this.typeNamed({ name });
    if (type?.range === undefined || type.oid < FIRST_USER_OID) return [];
    return rangeConstructors(type, this.types.byOid(type.range.rangeOid)?.arrayOid ?? 0);
  }

  /** Oid of a schema of the session's database by name; undefined when there is none. */
  schemaOid(name: string): Oid | undefined {
    if (name === 'pg_catalog') return PG_CATALOG_OID;
    if (name === 'information_schema') return INFORMATION_SCHEMA_OID;
    if (name === PHANTOM_SCHEMA) return PHANTOM_OID;
    if (name === 'pg_temp') return this.temporarySchemaOid;
    return this.objects.oidByName(NameClass.Schema, this.session.databaseOid, name);
  }

  /** The schema in which unqualified names are created: the first of the path that is there. */
  creationSchema(): Oid | undefined {
    return this.path.find((oid) => oid !== PG_CATALOG_OID);
  }

  /** Temporary objects come before all others, unless the path itself says where they stand. */
  private searchedSchemas(): Oid[] {
    const oids: Oid[] = [];
    const { temporarySchemaOid } = this;
    if (temporarySchemaOid !== undefined && !this.searchPath.includes('pg_temp')) oids.push(temporarySchemaOid);
    for (const name of this.searchPath) {
      const oid = this.schemaOid(name);
      const schema = oid === undefined ? undefined : this.objects.object(oid);
      const usable = schema === undefined || hasPrivilege(this.objects, this.session.currentRoleOid, schema, 'U');
      if (oid !== undefined && (usable || oid === temporarySchemaOid)) oids.push(oid);
    }
    return oids;
  }

  relation(name: QualifiedName): NamedRelation | undefined {
    if (name.schema !== undefined) {
      const schema = this.schemaOid(name.schema);
      return schema === undefined ? undefined : this.relationIn(schema, name.name);
    }
    for (const schema of this.path) {
      const relation = this.relationIn(schema, name.name);
      if (relation !== undefined) return relation;
    }
    return undefined;
  }

  relationByOid(oid: Oid): NamedRelation | undefined {
    const object = this.objects.object(oid);
    return object !== undefined && isRelation(object) ? object : systemRelationByOid(oid, this.source());
  }

  *relationNames(schema?: string): Iterable<string> {
    for (const oid of schema === undefined ? this.path : [this.schemaOid(schema)]) {
      if (oid === undefined) continue;
      for (const object of this.objects.objectsIn(oid))
        if (isRelation(object) && object.kind !== 'index') yield object.name;
    }
  }

  schemaExists(name: string): boolean {
    return this.schemaOid(name) !== undefined;
  }

  schemaName(oid: Oid): string {
    if (oid === PG_CATALOG_OID) return 'pg_catalog';
    if (oid === INFORMATION_SCHEMA_OID) return 'information_schema';
    if (oid === PHANTOM_OID) return PHANTOM_SCHEMA;
    const schema = this.objects.object(oid);
    return schema?.kind === 'schema' ? schema.name : '';
  }

  indexesOf(table: TableDescriptor): readonly IndexDescriptor[] {
    const indexes: IndexDescriptor[] = [];
    for (const oid of table.indexOids) {
      const index = this.objects.object(oid);
      if (index?.kind === 'index' && index.state === 'valid') indexes.push(index);
    }
    return indexes;
  }

  partitionsOf(table: TableDescriptor): readonly TableDescriptor[] {
    return partitionsOf(table, this.objects);
  }

  typeNamed(name: QualifiedName): SqlType | undefined {
    const { types } = this;
    if (name.schema !== undefined) {
      const schema = this.schemaOid(name.schema);
      if (schema === PG_CATALOG_OID) return types.builtinNamed(name.name);
      return schema === undefined ? undefined : this.typeIn(schema, name.name);
    }
    for (const schema of this.path) {
      const type = schema === PG_CATALOG_OID ? types.builtinNamed(name.name) : this.typeIn(schema, name.name);
      if (type !== undefined) return type;
    }
    return undefined;
  }

  /** Oid of the type of that name, not of an array, in a schema. */
  private typeOidIn(schema: Oid, name: string): Oid | undefined {
    const oid = systemTypeNamed(schema, name);
    if (oid !== undefined) return oid;
    return schema === PG_CATALOG_OID
      ? this.types.builtinNamed(name)?.oid
      : this.objects.oidByName(NameClass.Type, schema, name);
  }

  /** A user's type as it must be written: with its schema only where the search path does not lead to it. */
  private typeName({ oid, name, schemaOid }: TypeDescriptor): string {
    const schema = this.path.find((candidate) => this.typeOidIn(candidate, name) !== undefined);
    const isFound = schema !== undefined && this.typeOidIn(schema, name) === oid;
    return isFound ? quoteIdentifier(name) : `${quoteIdentifier(this.schemaName(schemaOid))}.${quoteIdentifier(name)}`;
  }

  compositeFields(oid: Oid): readonly { readonly name: string; readonly type: TypeRef }[] | undefined {
    const object = systemType(oid) ?? this.objects.object(oid);
    return object?.kind === 'type' && object.definition.kind === 'composite' ? object.definition.fields : undefined;
  }

  relationOfRows(oid: Oid): Oid | undefined {
    const object = systemType(oid) ?? this.objects.object(oid);
    return object?.kind === 'type' && object.definition.kind === 'composite'
      ? object.definition.relationOid
      : undefined;
  }

  /** The type that a text such as `int[]` names; 42704, 42601. */
  typeOfText(text: string): TypeRef {
    return resolveTypeName(this, parseTypeName(text));
  }

  roleOid(name: string): Oid | undefined {
    return this.objects.oidByName(NameClass.Role, 0, name);
  }

  roleName(oid: Oid): string | undefined {
    const role = this.objects.object(oid);
    return role?.kind === 'role' ? role.name : undefined;
  }

  collationOid(name: string): Oid | undefined {
    return isCollation(name) ? collationOidOf(this.source(), name) : undefined;
  }

  collationName(oid: Oid): string | undefined {
    return collationNameOf(this.source(), oid);
  }

  withSearchPath(path: readonly string[]): CatalogPort {
    return new CatalogPicture(this.session, this.objects, this.committedVersion, this.steps, path);
  }

  /** What system views read. */
  private source(): SystemViewSource {
    const { session, objects, types } = this;
    return {
      databaseOid: session.databaseOid,
      databaseName: session.databaseName,
      currentRoleName: session.currentRoleName,
      roleOid: session.currentRoleOid,
      objectsSeen: objects,
      types,
      formats: session.evaluation,
      schemaNameOf: (oid) => this.schemaName(oid),
      roleNameOf: (oid) => {
        const role = objects.object(oid);
        return role?.kind === 'role' ? role.name : '';
      },
      catalog: this,
      systemViews: allSystemViews,
      preparedStatements: () => preparedStatements(session),
      cursors: () => listedCursors(session),
      sessions: () => listedSessions(session.engine),
      storage: session.engine.storage,
      sequenceRow: (oid) => {
        const sequence = objects.object(oid);
        if (sequence?.kind !== 'sequence') return undefined;
        const allowed = ['r', 'U'].some((letter) => hasPrivilege(objects, session.currentRoleOid, sequence, letter));
        return allowed ? session.sequences.row(sequence) : undefined;
      },
      ...listedLargeObjects(session),
      statisticsOf: (oid) => session.engine.statistics.of(oid),
      activity: activityOf(session),
      server: session.activity.server,
      settings: () => session.settings.listed(session.roles.mayReadAllSettings),
    };
  }

  /** User-defined types by the oid of their array type. */
  private arrayTypes(): ReadonlyMap<Oid, TypeDescriptor> {
    if (this.typesByArray === undefined) {
      const byArray = new Map<Oid, TypeDescriptor>();
      for (const object of this.objects.objects()) if (object.kind === 'type') byArray.set(object.arrayOid, object);
      this.typesByArray = byArray;
    }
    return this.typesByArray;
  }

  private relationIn(schema: Oid, name: string): NamedRelation | undefined {
    if (schema === PG_CATALOG_OID || schema === INFORMATION_SCHEMA_OID || schema === PHANTOM_OID)
      return systemRelation(schema, name, this.source());
    const oid = this.objects.oidByName(NameClass.Relation, schema, name);
    const object = oid === undefined ? undefined : this.objects.object(oid);
    return object !== undefined && isRelation(object) ? object : undefined;
  }

  /** A type of a schema; `_name` is that of arrays of `name` where no type is called so. */
  private typeIn(schema: Oid, name: string): SqlType | undefined {
    const oid = systemTypeNamed(schema, name) ?? this.objects.oidByName(NameClass.Type, schema, name);
    if (oid !== undefined) return this.types.byOid(oid);
    if (!name.startsWith('_')) return undefined;
    const element = this.objects.oidByName(NameClass.Type, schema, name.slice(1));
    return element === undefined ? undefined : this.types.byOid(this.types.byOid(element)?.arrayOid ?? 0);
  }
}

/** What views may know of what goes on in the engine. */
function activityOf(session: SqlSession): Activity {
  const { engine } = session;
  return {
    mvcc: engine.mvcc,
    sagas: () => engine.sagas(session.databaseOid),
    statementUses: () => engine.statementUses.all(),
    statementsForgotten: () => engine.statementUses.forgotten,
    statementsSinceMs: () => engine.statementUses.sinceMs,
    maySeeRole: (roleOid) =>
      roleOid === session.currentRoleOid ||
      hasRightsOf(engine.catalog.committed, session.currentRoleOid, PredefinedRole.ReadAllStats),
    nowMicros: () => microsSince2000(engine.clock.nowMs()),
    maySee: (pid) =>
      hasRightsOf(engine.catalog.committed, session.currentRoleOid, PredefinedRole.ReadAllStats) ||
      (pid !== null && engine.session(pid)?.currentRoleOid === session.currentRoleOid),
  };
}

function isRelation(object: { readonly kind: string }): object is RelationDescriptor {
  return object.kind === 'table' || object.kind === 'view' || object.kind === 'sequence' || object.kind === 'index';
}

/**
 * As PostgreSQL searches: pg_catalog first, unless the path itself says where it stands. The system's own `phantom` is never
 * searched: its plain names ("tables") are everybody's, and a user of that name means a schema of his own by it.
 */
function effectivePath(names: readonly string[]): string[] {
  const path = names.filter((name) => name !== PHANTOM_SCHEMA);
  if (!path.includes('pg_catalog')) path.unshift('pg_catalog');
  return path;
}
