/**
 * CREATE TYPE ... AS RANGE: a range type over any type that has an order, and its multirange type beside it, which depends on
 * it and goes with it. A canonical function is code in C, which there is none of here; what SUBTYPE_DIFF and
 * SUBTYPE_OPCLASS name must be there, and changes nothing, since indexes are trees in the order of the type.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { TypeDescriptor, TypeRef } from '@phantom/catalog';
import { hasKey } from '@phantom/codec';
import { requireCollation } from '../expr/named-collation.js';
import { resolveTypeName } from '../expr/type-names.js';
import type { Option, OptionValue, QualifiedName, TypeName } from '../text/ast-leaves.js';
import type { CreateType } from '../text/ast-schema.js';
import { isBinaryCollation } from '../types/collation.js';
import type { DdlContext, DdlExecution } from './context.js';
import { ownership } from './ownership.js';
import { creationSchema } from './names.js';
import { claimTypeName, dependOnTypes, requireTypeUsage } from './types.js';

const OPTIONS: ReadonlySet<string> = new Set([
  'subtype',
  'subtype_opclass',
  'collation',
  'canonical',
  'subtype_diff',
  'multirange_type_name',
]);

export function* createRangeType(context: DdlContext, node: CreateType): DdlExecution {
  const place = creationSchema(context, node.name);
  yield* claimTypeName(context, place.schemaOid, place.name);
  const options = optionsOf(node);
  const subtype = subtypeOf(context, options.get('subtype'));
  checkCollation(context, subtype, options.get('collation'));
  checkFunctions(context, subtype, options);
  const wanted = nameIn(options.get('multirange_type_name'));
  const multirange = wanted === undefined ? undefined : creationSchema(context, wanted);
  const multirangePlace = multirange ?? { schemaOid: place.schemaOid, name: multirangeName(place.name) };
  yield* claimTypeName(context, multirangePlace.schemaOid, multirangePlace.name);
  const rangeOid = context.catalog.allocateOid();
  const multirangeOid = context.catalog.allocateOid();
  const put = (
    oid: number,
    where: { readonly schemaOid: number; readonly name: string },
    definition: TypeDescriptor['definition'],
  ): void =>
    context.objects.put({
      kind: 'type',
      oid,
      name: where.name,
      databaseOid: context.databaseOid,
      schemaOid: where.schemaOid,
      ...ownership(context, 'type', where.schemaOid),
      arrayOid: context.catalog.allocateOid(),
      definition,
    });
  put(rangeOid, place, { kind: 'range', subtype, multirangeOid });
  put(multirangeOid, multirangePlace, { kind: 'multirange', rangeOid });
  dependOnTypes(context, rangeOid, [{ column: 0, type: subtype }]);
  context.objects.addDependency({
    dependentOid: multirangeOid,
    dependentColumn: 0,
    referencedOid: rangeOid,
    referencedColumn: 0,
    strength: 'automatic',
  });
  return undefined;
}

/** Values by the names of the options; 42601 for one that is not known or given twice. */
function optionsOf(node: CreateType): ReadonlyMap<string, Option> {
  const options = new Map<string, Option>();
  for (const option of node.definition) {
    const name = option.name.text;
    const position = option.position + 1;
    if (!OPTIONS.has(name)) throw new PhantomError('42601', `type attribute "${name}" not recognized`, { position });
    if (options.has(name)) throw new PhantomError('42601', 'conflicting or redundant options', { position });
    options.set(name, option);
  }
  return options;
}

function nameIn(option: Option | undefined): QualifiedName | undefined {
  const value: OptionValue | undefined = option?.value;
  if (value?.kind === 'word') return value.name;
  if (value?.kind === 'string') return [{ text: value.value, position: value.position, quoted: true }];
  return undefined;
}

function subtypeOf(context: DdlContext, option: Option | undefined): TypeRef {
  const value = option?.value;
  const name = nameIn(option);
  if (value === undefined || (value.kind !== 'type' && name === undefined)) {
    throw new PhantomError('42601', 'type attribute "subtype" is required');
  }
  const written: TypeName =
    value.kind === 'type' ? value.type : { ...plainTypeName(name as QualifiedName), position: value.position };
  const subtype = resolveTypeName(context.picture, written);
  const type = context.picture.types.byOid(subtype.oid);
  if (type === undefined || type.kind === 'pseudo') {
    throw new PhantomError('42804', `range subtype cannot be ${type?.displayName ?? subtype.oid}`);
  }
  if (type.compare === undefined || type.keyless === true || !hasKey(type.storage)) {
    throw new PhantomError(
      '42704',
      `data type ${type.displayName} has no default operator class for access method "btree"`,
      {
        hint: 'You must specify an operator class for the range type or define a default operator class for the subtype.',
      },
    );
  }
  requireTypeUsage(context, subtype);
  return subtype;
}

function plainTypeName(name: QualifiedName): Omit<TypeName, 'position'> {
  return {
    kind: 'type-name',
    name,
    system: false,
    modifiers: [],
    intervalFields: [],
    arrayBounds: [],
    setOf: false,
    columnType: false,
  };
}

function checkCollation(context: DdlContext, subtype: TypeRef, option: Option | undefined): void {
  const name = nameIn(option)?.at(-1)?.text;
  if (name === undefined) return;
  const type = context.picture.types.byOid(subtype.oid);
  if (type?.category !== 'S') {
    throw new PhantomError('42809', 'range collation specified but subtype does not support collation');
  }
  requireCollation(name);
  if (!isBinaryCollation(name)) throw unsupportedError(`a range type under the collation "${name}"`);
}

function checkFunctions(context: DdlContext, subtype: TypeRef, options: ReadonlyMap<string, Option>): void {
  const canonical = nameIn(options.get('canonical'));
  if (canonical !== undefined) throw unsupportedError('canonical functions of range types');
  const name = nameIn(options.get('subtype_diff'))?.at(-1)?.text;
  if (name === undefined) return;
  const found = context.picture.functions.functionsNamed(name).find((definition) => {
    const [first, second] = definition.argumentTypes;
    return definition.argumentTypes.length === 2 && first === subtype.oid && second === subtype.oid;
  });
  if (found !== undefined) return;
  const type = context.picture.types.byOid(subtype.oid)?.displayName;
  throw new PhantomError('42883', `function ${name}(${type}, ${type}) does not exist`);
}

/** The name that a multirange type has when none is given. */
function multirangeName(name: string): string {
  return name.includes('range') ? name.replace('range', 'multirange') : `${name}_multirange`;
}
