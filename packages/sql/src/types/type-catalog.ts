/**
 * All types by oid and name: the built-in ones, made once, and those that have descriptors, made when they are first asked for: a
 * session's user-defined ones, and those of the system's own relations.
 */
import { assert } from '@phantom/base';
import type { Oid, TypeDescriptor } from '@phantom/catalog';
import { extensionType } from '../extensions/extension-types.js';
import { systemType, systemTypeNamed } from '../system-views/row-types.js';
import { PG_CATALOG_OID } from '../system-views/system-view.js';
import { arrayTypeOf } from './array-type.js';
import { builtinTypes } from './builtin-types.js';
import type { RangeTraits } from './range-algebra.js';
import { userRangeType } from './range-types.js';
import { compositeType, recordType } from './record-type.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeLookup } from './type.js';
import { type DomainConstraints, distinctType, domainType, enumType, shellType } from './user-types.js';

const builtinByOid: ReadonlyMap<Oid, SqlType> = new Map(builtinTypes.map((type) => [type.oid, type]));
const builtinByName: ReadonlyMap<string, SqlType> = new Map(builtinTypes.map((type) => [type.name, type]));

/**
 * Finds a descriptor by the oid of its type, or by the oid of its array type (the descriptor's `arrayOid`); undefined
 * where there is none.
 */
export type DescriptorLookup = (oid: Oid) => TypeDescriptor | undefined;

/** One picture of the types; made anew when the catalog changes. */
export class TypeCatalog implements TypeLookup {
  private readonly find: DescriptorLookup;
  private readonly constraints: DomainConstraints;
  private readonly committed: DescriptorLookup;
  private readonly nameOf: (descriptor: TypeDescriptor) => string;
  private readonly made = new Map<Oid, SqlType>();

  /**
   * `committed` finds a type as others see it, for a picture of what a transaction has changed itself; `nameOf` says how a
   * type's name must be written to be read back.
   */
  constructor(
    find: DescriptorLookup = () => undefined,
    constraints: DomainConstraints = () => undefined,
    committed: DescriptorLookup = () => undefined,
    nameOf: (descriptor: TypeDescriptor) => string = (descriptor) => descriptor.name,
  ) {
    this.find = find;
    this.constraints = constraints;
    this.committed = committed;
    this.nameOf = nameOf;
    // Records compare by their fields' types, which may be the user's, so both belong to this picture.
    const record = recordType(this);
    this.made.set(record.oid, record);
    this.made.set(TypeOid.recordArray, arrayTypeOf({ ...record, arrayOid: TypeOid.recordArray }));
  }

  byOid(oid: Oid): SqlType | undefined {
    return builtinByOid.get(oid) ?? this.made.get(oid) ?? this.make(oid);
  }

  /** A type of `pg_catalog` by its internal name (int4, not integer). */
  builtinNamed(name: string): SqlType | undefined {
    const builtin = builtinByName.get(name);
    if (builtin !== undefined) return builtin;
    if (name === 'record' || name === '_record') return this.recordNamed(name);
    const oid = systemTypeNamed(PG_CATALOG_OID, name);
    return oid === undefined ? undefined : this.byOid(oid);
  }

  private recordNamed(name: string): SqlType | undefined {
    return this.made.get(name === 'record' ? TypeOid.record : TypeOid.recordArray);
  }

  private make(oid: Oid): SqlType | undefined {
    const descriptor = systemType(oid) ?? this.find(oid);
    if (descriptor === undefined) return undefined;
    const type = { ...this.ofDescriptor(descriptor), displayName: this.nameOf(descriptor) };
    this.made.set(descriptor.oid, type);
    if (descriptor.arrayOid !== 0) this.made.set(descriptor.arrayOid, arrayTypeOf(type));
    return this.made.get(oid);
  }

  private ofDescriptor(descriptor: TypeDescriptor): SqlType {
    const { definition } = descriptor;
    switch (definition.kind) {
      case 'enum':
        return enumType(descriptor, definition, this.committed(descriptor.oid));
      case 'domain':
        return domainType(descriptor, definition, this, this.constraints);
      case 'distinct':
        return distinctType(descriptor, definition, this);
      case 'base':
        return extensionType(descriptor, definition.symbol);
      case 'shell':
        return shellType(descriptor);
      case 'range':
        return userRangeType(descriptor, this.traitsOf(descriptor.oid));
      case 'multirange':
        return userRangeType(descriptor, this.traitsOf(definition.rangeOid));
      case 'composite':
        return compositeType(
          {
            oid: descriptor.oid,
            name: descriptor.name,
            arrayOid: descriptor.arrayOid,
            shape: {
              names: definition.fields.map((field) => field.name),
              types: definition.fields.map((field) => field.type.oid),
              typmods: definition.fields.map((field) => field.type.typmod),
            },
          },
          this,
        );
    }
  }

  private traitsOf(rangeOid: Oid): RangeTraits {
    const definition = this.find(rangeOid)?.definition;
    assert(definition?.kind === 'range', 'a multirange type belongs to a range type');
    const subtype = this.byOid(definition.subtype.oid);
    assert(subtype?.compare !== undefined, 'the subtype of a range has an order');
    const { multirangeOid } = definition;
    return { rangeOid, multirangeOid, subtype, compare: subtype.compare, next: undefined };
  }
}

/** The built-in types alone. */
export const builtinTypeCatalog: TypeCatalog = new TypeCatalog();
