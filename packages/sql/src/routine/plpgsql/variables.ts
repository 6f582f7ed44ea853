/**
 * Variables of a body: where their values lie, what types they have, and by which names the parts of the body know them.
 *
 *   function f ── x, $1, found
 *     <<outer>> ── y
 *       inner   ── x            x is the inner one; f.x and outer.y reach over it
 */
import type { Oid, TypeRef } from '@phantom/catalog';
import type { PhantomError } from '@phantom/base';
import type { KeptRows } from '../kept-rows.js';
import type { NamePath } from './syntax.js';

export interface RecordColumn {
  readonly name: string;
  readonly type: TypeRef;
}

export interface Variable {
  /** Place of its value in a frame. */
  readonly slot: number;
  readonly name: string;
  readonly type: TypeRef;
  /** Fields of a composite type; undefined for a scalar, and for `record`, which takes those of what it is given. */
  readonly columns: readonly RecordColumn[] | undefined;
  /** The type of its rows: its own, or the one that a domain is over. */
  readonly rowTypeOid: Oid;
  /** It may hold a row. */
  readonly isRow: boolean;
  readonly constant: boolean;
  readonly notNull: boolean;
}

/** What was found of a path: a variable, and how many of the names it took. */
export interface FoundVariable {
  readonly variable: Variable;
  readonly used: number;
}

export class NameScope {
  readonly label: string | undefined;
  readonly parent: NameScope | undefined;
  private readonly variables = new Map<string, Variable>();

  constructor(label: string | undefined, parent: NameScope | undefined) {
    this.label = label;
    this.parent = parent;
  }

  has(name: string): boolean {
    return this.variables.has(name);
  }

  add(name: string, variable: Variable): void {
    this.variables.set(name, variable);
  }

  /** `x...`, `label.x...`; the innermost one. */
  find(path: NamePath): FoundVariable | undefined {
    return this.findHere(path) ?? this.parent?.find(path);
  }

  private findHere([first, second]: NamePath): FoundVariable | undefined {
    const plain = this.variables.get(first as string);
    if (plain !== undefined) return { variable: plain, used: 1 };
    const labelled = this.label === first && second !== undefined ? this.variables.get(second) : undefined;
    return labelled === undefined ? undefined : { variable: labelled, used: 2 };
  }
}

/** A place in the body, for the context lines of errors. */
export interface BodyPlace {
  readonly line: number;
  /** As in "line 3 at RAISE": `at RAISE`. */
  readonly what: string;
}

/** One call of a body: the values of its variables, and where it stands. */
export class Frame {
  readonly values: unknown[];
  /** The statement that runs; undefined at the function's entry. */
  place: BodyPlace | undefined;
  /** Where an EXIT or CONTINUE that is under way goes; undefined: the innermost loop. */
  label: string | undefined;
  result: unknown = null;
  /** Of a routine that returns a set. */
  rows: KeptRows | undefined = undefined;
  rowCount: number | bigint = 0;
  /** Errors whose handlers run, the innermost last. */
  readonly errors: PhantomError[] = [];
  /** The error that already says where in this body it happened: it was caught in it and raised again, or let through. */
  told: unknown = undefined;
  /** Blocks with EXCEPTION that are being run: inside one no transaction ends. */
  guarded = 0;
  /** Loops over the rows of statements that change some: inside one no transaction ends either. */
  changing = 0;

  constructor(slots: number) {
    this.values = Array.from({ length: slots }, () => null);
  }
}
