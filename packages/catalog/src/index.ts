/** @phantom/catalog: names, ids, schema versions, roles, dependencies and sequences of one store. */
export { BootstrapOid, Catalog, type CatalogOptions, publicSchema } from './catalog.js';
export { CatalogTransaction, type OverlayMark, decodeObject } from './catalog-transaction.js';
export type {
  AclItem,
  AggregateDefinition,
  AggregateSteps,
  CollectionDescriptor,
  DocumentReference,
  DocumentReferenceAction,
  ColumnDescriptor,
  ConstraintDescriptor,
  DatabaseDescriptor,
  DefaultPrivileges,
  Dependency,
  DocumentField,
  DocumentIndexDescriptor,
  DomainCheck,
  ExclusionOperators,
  ForeignKeyAction,
  IndexDescriptor,
  IndexKeyPart,
  ObjectDescriptor,
  ParameterMode,
  Oid,
  PolicyCondition,
  Persistence,
  PolicyDescriptor,
  RelationDescriptor,
  RoleDescriptor,
  RoutineDescriptor,
  RoutineParameter,
  RowKey,
  RowReference,
  RowSecurity,
  RuleDescriptor,
  SchemaDescriptor,
  SequenceDescriptor,
  StatisticsDescriptor,
  StatisticsKind,
  StoredName,
  StoredQuery,
  TableDescriptor,
  TriggerDescriptor,
  TriggerEvent,
  TypeDescriptor,
  TypeRef,
  ViewColumn,
  ViewDescriptor,
} from './descriptors.js';
export type { ExtensionDescriptor } from './extension-descriptors.js';
export { FIRST_USER_OID } from './descriptors.js';
export type { RuleAction } from './rule-descriptor.js';
export {
  CatalogKeys,
  KeyKind,
  NameClass,
  decisionSpace,
  preparedSpace,
  largeObjectSpace,
  sagaSpace,
  tableOfLockKey,
  userSpace,
} from './keys.js';
export { FilledTables } from './filled-tables.js';
export { ObjectMap, type ObjectName, type ObjectReader, goesIn, nameOf, routineKeyName } from './object-map.js';
export { PredefinedRole, predefinedRole } from './predefined-roles.js';
export { type Int8, type SequenceRow, Sequences, stateOid } from './sequences.js';
export { Structures } from './structures.js';
export { UnfinishedSpaces } from './unfinished-spaces.js';
export {
  type GrantableObject,
  type OwnedObject,
  PUBLIC_ROLE,
  PrivilegeLetters,
  aclOf,
  effectiveRoles,
  grantableOf,
  hasColumnPrivilege,
  hasPrivilege,
  hasRightsOf,
  isSuperuser,
  isAdminOf,
  isMemberOf,
  mayActAs,
  ownerPrivileges,
  ownsObject,
  policiesFor,
  publicPrivileges,
} from './rights.js';
export type {
  DocumentKey,
  DocumentParents,
  DocumentPolicies,
  GoneDocumentKey,
  GoneRowKey,
  RowTables,
} from './cross-references.js';
export type {
  AlteredCollection,
  IndexRanges,
  ObjectPlace,
  PathCondition,
  ProvidedWriter,
  ProviderTransaction,
  TableProvider,
} from './table-provider.js';
export type { PartitionBound, PartitionDatum, PartitionKey, PartitionKeyPart } from './partition-descriptors.js';
export type { LargeObjectDescriptor } from './large-object-descriptor.js';
export { type CastDescriptor, type OperatorDescriptor, castKeyName, operatorKeyName } from './operator-descriptors.js';
