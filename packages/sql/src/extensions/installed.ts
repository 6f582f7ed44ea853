/**
 * The operators, casts and operator classes of an extension as it is in a database: its facts with the numbers that its descriptor has for
 * them. Operators are found wherever search_path leads, since what is stored (a check, an index) has to go on meaning the same; the
 * schema in `operator(schema.=)` has to be the extension's.
 */
import type { ExtensionDescriptor, ObjectReader, Oid } from '@phantom/catalog';
import type { CastContext, FunctionDefinition, OperatorDefinition } from '../functions/registry.js';
import { typeOidNamed } from '../types/type-facts.js';
import { availableExtension } from './available.js';
import { type CastFact, type ExtensionFacts, type ParsedExtension, parsedFacts } from './extension.js';

/** A cast as pg_cast has it. */
export interface InstalledCast {
  readonly oid: Oid;
  readonly source: Oid;
  readonly target: Oid;
  readonly context: CastContext;
  /** 0 where the value is the same in both. */
  readonly functionOid: Oid;
}

/** An operator class as pg_opclass has it; its family has the same number and name. */
export interface InstalledOperatorClass {
  readonly oid: Oid;
  readonly name: string;
  readonly method: string;
  readonly typeOid: Oid;
  readonly isDefault: boolean;
}

/** An extension that is in a database. */
export class InstalledExtension {
  readonly descriptor: ExtensionDescriptor;
  readonly casts: readonly InstalledCast[];
  readonly operatorClasses: readonly InstalledOperatorClass[];
  private readonly facts: ParsedExtension;
  private readonly typeOids: ReadonlyMap<string, Oid>;

  constructor(descriptor: ExtensionDescriptor, facts: ExtensionFacts, objects: ObjectReader) {
    const { members } = descriptor;
    this.descriptor = descriptor;
    this.facts = parsedFacts(facts);
    this.typeOids = ownTypes(facts, members.types, objects);
    this.casts = this.facts.casts.slice(0, members.casts.length).map((fact, i) => ({
      oid: members.casts[i] as Oid,
      source: this.typeOid(fact.source),
      target: this.typeOid(fact.target),
      context: CONTEXTS[fact.context],
      functionOid: fact.function === undefined ? 0 : this.functionOid(fact.function, [fact.source]),
    }));
    this.operatorClasses = this.facts.operatorClasses.slice(0, members.operatorClasses.length).map((fact, i) => ({
      oid: members.operatorClasses[i] as Oid,
      name: fact.name,
      method: fact.method,
      typeOid: this.typeOid(fact.type),
      isDefault: fact.isDefault,
    }));
  }

  /** Its operators, of one name or all; `functionByOid` finds the functions behind them. */
  operators(functionByOid: (oid: Oid) => FunctionDefinition | undefined, name?: string): readonly OperatorDefinition[] {
    const { operators } = this.descriptor.members;
    const found: OperatorDefinition[] = [];
    this.facts.operators.slice(0, operators.length).forEach((fact, i) => {
      if (name !== undefined && fact.name !== name) return;
      const types = fact.left === undefined ? [fact.right] : [fact.left, fact.right];
      const definition = functionByOid(this.functionOid(fact.function, types));
      if (definition?.kind !== 'scalar') return;
      found.push({
        oid: operators[i] as Oid,
        name: fact.name,
        leftType: fact.left === undefined ? 0 : this.typeOid(fact.left),
        rightType: this.typeOid(fact.right),
        resultType: this.typeOid(fact.result),
        function: definition,
        schemaOid: this.descriptor.schemaOid,
        ...(fact.commutator === undefined ? {} : { commutator: fact.commutator }),
        ...(fact.negator === undefined ? {} : { negator: fact.negator }),
        ...(ROLES.has(fact.name) ? { role: fact.name as NonNullable<OperatorDefinition['role']> } : {}),
      });
    });
    return found;
  }

  private typeOid(name: string): Oid {
    return this.typeOids.get(name) ?? typeOidNamed(name);
  }

  private functionOid(name: string, types: readonly string[]): Oid {
    const wanted = types.join();
    const place = this.facts.functions.findIndex((fact) => fact.name === name && fact.arguments.join() === wanted);
    return this.descriptor.members.functions[place] ?? 0;
  }
}

const CONTEXTS: Readonly<Record<CastFact['context'], CastContext>> = {
  e: 'explicit',
  a: 'assignment',
  i: 'implicit',
};
/** Operators by which values of a type are equal, and stand in order. */
const ROLES: ReadonlySet<string> = new Set(['=', '<>', '<', '<=', '>', '>=']);

/** The oids of the types that the extension has brought along, and of their arrays, by the names in its facts. */
export function ownTypes(facts: ExtensionFacts, oids: readonly Oid[], objects: ObjectReader): Map<string, Oid> {
  const found = new Map<string, Oid>();
  facts.types.forEach((name, i) => {
    const type = objects.object(oids[i] ?? 0);
    if (type?.kind !== 'type') return;
    found.set(name, type.oid);
    found.set(`_${name}`, type.arrayOid);
  });
  return found;
}

const made = new WeakMap<ExtensionDescriptor, InstalledExtension>();
const NONE: readonly InstalledExtension[] = [];

/** The extensions of a database that this release knows; the same objects for the same descriptors. */
export function installedExtensions(objects: ObjectReader, databaseOid: Oid): readonly InstalledExtension[] {
  const descriptors = objects.extensionsIn(databaseOid);
  if (descriptors.length === 0) return NONE;
  return descriptors.flatMap((descriptor) => {
    const known = made.get(descriptor);
    if (known !== undefined) return [known];
    const facts = availableExtension(descriptor.name);
    if (facts === undefined) return [];
    const extension = new InstalledExtension(descriptor, facts, objects);
    made.set(descriptor, extension);
    return [extension];
  });
}
