/**
 * The TypeScript type of documents that satisfy a schema, for schemas written `as const`:
 *
 *   const schema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } as const;
 *   const people = db.collection<FromSchema<typeof schema>>('people', { schema });
 *
 * Understood: type (one or several), properties, required, items, prefixItems, enum, const, anyOf, oneOf, allOf, bsonType. What else a schema
 * asks narrows values, not types.
 */
import type { Decimal, ObjectId, Uuid } from '@phantom/codec';

type Names = {
  string: string;
  number: number;
  integer: number;
  boolean: boolean;
  null: null;
};

type BsonNames = {
  objectId: ObjectId;
  date: Date;
  long: bigint;
  int: number;
  double: number;
  decimal: Decimal;
  number: number | bigint | Decimal;
  binData: Uint8Array;
  uuid: Uuid;
  string: string;
  bool: boolean;
  null: null;
};

type Simplify<T> = { [K in keyof T]: T[K] } & {};

type RequiredNames<S> = S extends { readonly required: readonly (infer R)[] } ? R : never;

type ObjectOf<S> = S extends { readonly properties: infer P }
  ? Simplify<
      { -readonly [K in keyof P as K extends RequiredNames<S> ? K : never]: FromSchema<P[K]> } & {
        -readonly [K in keyof P as K extends RequiredNames<S> ? never : K]?: FromSchema<P[K]>;
      }
    >
  : Record<string, unknown>;

type ArrayOf<S> = S extends { readonly prefixItems: infer P extends readonly unknown[] }
  ? { -readonly [K in keyof P]: FromSchema<P[K]> }
  : S extends { readonly items: infer I }
    ? FromSchema<I>[]
    : unknown[];

type OfType<T, S> = T extends keyof Names
  ? Names[T]
  : T extends 'object'
    ? ObjectOf<S>
    : T extends 'array'
      ? ArrayOf<S>
      : unknown;

type Union<L> = L extends readonly (infer One)[] ? (One extends unknown ? FromSchema<One> : never) : never;

type Intersection<L> = L extends readonly [infer First, ...infer Rest]
  ? FromSchema<First> & Intersection<Rest>
  : unknown;

/** The type of what satisfies the schema. */
export type FromSchema<S> = S extends { readonly const: infer C }
  ? C
  : S extends { readonly enum: readonly (infer E)[] }
    ? E
    : S extends { readonly bsonType: infer B extends keyof BsonNames }
      ? BsonNames[B]
      : S extends { readonly anyOf: infer L }
        ? Union<L>
        : S extends { readonly oneOf: infer L }
          ? Union<L>
          : S extends { readonly allOf: infer L }
            ? Intersection<L>
            : S extends { readonly type: readonly (infer T)[] }
              ? T extends unknown
                ? OfType<T, S>
                : never
              : S extends { readonly type: infer T }
                ? OfType<T, S>
                : S extends { readonly properties: unknown }
                  ? ObjectOf<S>
                  : unknown;
