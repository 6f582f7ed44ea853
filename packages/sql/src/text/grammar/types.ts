/**
 * Names of types (`numeric(10, 2)[]`, `timestamp(3) with time zone`, `setof t.c%type`), the words that SQL spells types
 * with, literals of constants, and the option lists that many statements have.
 */
import type {
  IntervalField,
  Name,
  Option,
  OptionValue,
  OperatorName,
  QualifiedName,
  TypeModifier,
  TypeName,
} from '../ast-leaves.js';
import { FUNCTION_NAME, LABEL, ROUTINE_WORD, type Token } from '../tokens.js';
import { TokenReader } from './token-reader.js';

/** Keywords that begin a type, and PostgreSQL's name of it. Those with further words are read by `systemType`. */
const SIMPLE_TYPES: Readonly<Record<string, string>> = {
  int: 'int4',
  integer: 'int4',
  smallint: 'int2',
  bigint: 'int8',
  real: 'float4',
  boolean: 'bool',
  decimal: 'numeric',
  dec: 'numeric',
  numeric: 'numeric',
};
const SYSTEM_TYPES: ReadonlySet<string> = new Set([
  ...Object.keys(SIMPLE_TYPES),
  ...'float double bit character char varchar national nchar timestamp time interval'.split(' '),
]);
const INTERVAL_FIELDS: readonly IntervalField[] = ['year', 'month', 'day', 'hour', 'minute', 'second'];
const ARRAY_BOUND_MAX = 2 ** 31 - 1;

export abstract class TypeGrammar extends TokenReader {
  /** Typename of PostgreSQL. `routine` allows `%type` too. */
  typeName(routine = false): TypeName {
    const position = this.position();
    const setOf = this.accept('setof');
    const base = this.simpleTypeName(routine);
    const bounds: (number | undefined)[] = [];
    if (this.accept('array')) bounds.push(this.at('[') ? this.arrayBound() : undefined);
    else while (this.at('[')) bounds.push(this.arrayBound());
    if (!setOf && bounds.length === 0) return base;
    return { ...base, arrayBounds: bounds, setOf, position };
  }

  private arrayBound(): number | undefined {
    this.expect('[');
    const bound = this.at(']') ? undefined : this.integer();
    this.expect(']');
    return bound;
  }

  protected integer(): number {
    const token = this.expect('Integer');
    const value = Number(token.value);
    if (value > ARRAY_BOUND_MAX) this.fail(token);
    return value;
  }

  private simpleTypeName(routine: boolean): TypeName {
    const word = this.next();
    if (SYSTEM_TYPES.has(word.tokenType.name) && !this.doubleIsAName(word)) return this.systemType();
    if (!this.atPlace(FUNCTION_NAME)) this.fail();
    const position = this.position();
    const iso = this.isoType(position);
    if (iso !== undefined) return iso;
    const name: Name[] = [this.makeName(this.advance())];
    while (this.accept('.')) name.push(this.label());
    if (routine && this.at('%') && this.aheadIs(2, 'type')) {
      this.accept2('%', 'type');
      return this.makeType(name, false, [], [], true, position);
    }
    return this.makeType(name, false, this.at('(') ? this.typeModifiers() : [], [], false, position);
  }

  private doubleIsAName(word: Token): boolean {
    return word.tokenType.name === 'double' && !this.aheadIs(2, 'precision');
  }

  /** BINARY [VARYING | LARGE OBJECT], VARBINARY, BLOB and CLOB of ISO SQL. */
  private isoType(position: number): TypeName | undefined {
    let name: string | undefined;
    if (this.at('binary')) {
      this.advance();
      if (this.accept('varying')) name = 'varbinary';
      else if (this.accept2('large', 'object')) name = 'blob';
      else name = 'binary';
    } else if (!this.aheadIs(2, '.')) {
      for (const word of ['varbinary', 'blob', 'clob', 'nclob']) if (this.acceptWord(word)) name = word;
    }
    if (name === undefined) return undefined;
    return this.makeSystemType(
      name === 'nclob' ? 'clob' : name,
      this.at('(') ? this.typeModifiers() : [],
      [],
      position,
    );
  }

  protected makeType(
    name: QualifiedName,
    system: boolean,
    modifiers: readonly TypeModifier[],
    intervalFields: readonly IntervalField[],
    columnType: boolean,
    position: number,
  ): TypeName {
    return {
      kind: 'type-name',
      name,
      system,
      modifiers,
      intervalFields,
      arrayBounds: [],
      setOf: false,
      columnType,
      position,
    };
  }
  private makeSystemType(
    name: string,
    modifiers: readonly TypeModifier[],
    fields: readonly IntervalField[],
    position: number,
  ): TypeName {
    return this.makeType([{ text: name, position, quoted: false }], true, modifiers, fields, false, position);
  }

  /** True when the next tokens are a type spelled by keywords and a string: `timestamp with time zone '...'`. */
  protected atTypedLiteral(): boolean {
    const word = this.next().tokenType.name;
    if (!SYSTEM_TYPES.has(word)) return false;
    if (this.aheadIs(2, 'String')) return true;
    if (word === 'double') return this.aheadIs(2, 'precision');
    if (this.aheadIs(2, '(')) return true;
    if (word === 'time' || word === 'timestamp') {
      return (this.aheadIs(2, 'with') || this.aheadIs(2, 'without')) && this.aheadIs(3, 'time');
    }
    if (word === 'national') return this.aheadIs(2, 'char') || this.aheadIs(2, 'character');
    return this.aheadIs(2, 'varying') || this.aheadIs(2, 'large');
  }

  /** A type spelled by keywords. The next token is known to begin one. In a literal no length means any length. */
  protected systemType(literal = false): TypeName {
    const position = this.position();
    const word = this.advance().tokenType.name;
    const simple = SIMPLE_TYPES[word];
    if (simple !== undefined) {
      const modified = simple === 'numeric' && this.at('(');
      return this.makeSystemType(simple, modified ? this.typeModifiers() : [], [], position);
    }
    switch (word) {
      case 'double':
        this.expect('precision');
        return this.makeSystemType('float8', [], [], position);
      case 'float':
        return this.makeSystemType(this.floatName(), [], [], position);
      case 'bit': {
        const varying = this.accept('varying');
        const length = this.at('(') ? this.typeModifiers() : this.noLength(varying || literal, position);
        return this.makeSystemType(varying ? 'varbit' : 'bit', length, [], position);
      }
      case 'timestamp':
      case 'time': {
        const precision = this.at('(') ? this.oneNumber() : [];
        return this.makeSystemType(this.withTimeZone() ? `${word}tz` : word, precision, [], position);
      }
      case 'interval': {
        if (this.at('(')) return this.makeSystemType('interval', this.oneNumber(), [], position);
        const { fields, precision } = this.intervalFields();
        return this.makeSystemType('interval', precision, fields, position);
      }
      default:
        return this.characterType(word, literal, position);
    }
  }

  private characterType(word: string, literal: boolean, position: number): TypeName {
    if (word === 'national' && !this.accept('character')) this.expect('char');
    if (word !== 'varchar' && this.accept2('large', 'object')) {
      return this.makeSystemType('clob', this.at('(') ? this.typeModifiers() : [], [], position);
    }
    const varying = word === 'varchar' || this.accept('varying');
    const length = this.at('(') ? this.characterLength() : this.noLength(varying || literal, position);
    return this.makeSystemType(varying ? 'varchar' : 'bpchar', length, [], position);
  }

  /** `(n)`, and ISO's `(n CHARACTERS)` and `(n OCTETS)`. */
  private characterLength(): TypeModifier[] {
    this.expect('(');
    const token = this.expect('Integer');
    const length: TypeModifier = { kind: 'number', text: token.value, position: token.startOffset };
    const { startOffset: position } = this.next();
    const octets = this.octets();
    this.expect(')');
    return octets ? [length, { kind: 'word', text: 'octets', position }] : [length];
  }

  /** CHARACTERS, which says nothing, or OCTETS (true); or nothing. */
  protected octets(): boolean {
    if (this.acceptWord('octets')) return true;
    this.acceptWord('characters');
    return false;
  }

  /** What no length means: 1, unless the type varies. */
  private noLength(varying: boolean, position: number): TypeModifier[] {
    return varying ? [] : [{ kind: 'number', text: '1', position }];
  }

  private floatName(): string {
    if (!this.accept('(')) return 'float8';
    const token = this.expect('Integer');
    this.expect(')');
    const bits = Number(token.value);
    if (bits < 1) this.complain('22023', 'precision for type float must be at least 1 bit', token.startOffset);
    if (bits > 53) this.complain('22023', 'precision for type float must be less than 54 bits', token.startOffset);
    return bits <= 24 ? 'float4' : 'float8';
  }

  private withTimeZone(): boolean {
    const zoned = this.at2('with', 'time');
    if (!zoned && !this.at2('without', 'time')) return false;
    this.advance();
    this.advance();
    this.expect('zone');
    return zoned;
  }

  /** `YEAR TO MONTH`, `SECOND(3)`, ..., or nothing. */
  protected intervalFields(): { fields: IntervalField[]; precision: TypeModifier[] } {
    const first = INTERVAL_FIELDS.find((field) => this.at(field));
    if (first === undefined) return { fields: [], precision: [] };
    this.advance();
    const fields: IntervalField[] = [first];
    let last: IntervalField = first;
    if (this.at('to')) {
      this.advance();
      const to = INTERVAL_FIELDS.find((field) => this.at(field));
      const months = first === 'year' || first === 'month';
      if (
        to === undefined ||
        INTERVAL_FIELDS.indexOf(to) <= INTERVAL_FIELDS.indexOf(first) ||
        months !== (to === 'month')
      ) {
        this.fail();
      }
      this.advance();
      last = to;
      fields.splice(0, 1, ...INTERVAL_FIELDS.slice(INTERVAL_FIELDS.indexOf(first), INTERVAL_FIELDS.indexOf(to) + 1));
    }
    return { fields, precision: last === 'second' && this.at('(') ? this.oneNumber() : [] };
  }

  /** `(n)`: the length or precision of types spelled by keywords. */
  private oneNumber(): TypeModifier[] {
    this.expect('(');
    const token = this.expect('Integer');
    this.expect(')');
    return [{ kind: 'number', text: token.value, position: token.startOffset }];
  }

  protected typeModifiers(): TypeModifier[] {
    return this.parenthesisedList(this.typeModifier);
  }

  private typeModifier(): TypeModifier {
    const position = this.position();
    const sign = this.accept('-') ? '-' : (this.accept('+'), '');
    if (this.at('Integer') || this.at('Decimal'))
      return { kind: 'number', text: sign + this.advance().value, position };
    if (sign === '' && this.at('String')) return { kind: 'string', text: this.advance().value, position };
    if (sign === '' && this.atPlace(LABEL)) return { kind: 'word', text: this.advance().value, position };
    return this.fail();
  }

  // --------------------------------------------------------------------------------------------------- operators

  /** Any operator, with or without OPERATOR(schema.x); undefined when the next token is none. */
  protected operatorSymbol(): string | undefined {
    const name = this.next().tokenType.name;
    switch (name) {
      case 'Operator':
        return this.next().value;
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
      case '^':
      case '<':
      case '>':
      case '=':
      case '<=':
      case '>=':
      case '<>':
        return name;
      default:
        return undefined;
    }
  }

  /** all_Op: an operator's symbol, which is consumed. */
  protected anyOperator(): OperatorName {
    const symbol = this.operatorSymbol();
    this.wanted('an operator');
    if (symbol === undefined) this.fail();
    return { schema: [], symbol, position: this.advance().startOffset };
  }

  /** any_operator: `schema.+`. */
  protected schemaOperator(): OperatorName {
    const position = this.position();
    const schema: Name[] = [];
    while (this.operatorSymbol() === undefined) {
      schema.push(this.columnName());
      this.expect('.');
    }
    return { schema, symbol: this.anyOperator().symbol, position };
  }

  // ----------------------------------------------------------------------------------------------------- options

  /** WITH (...) of tables and indexes: `name`, `name = value`, `namespace.name = value`. */
  protected storageOptions(): Option[] {
    return this.parenthesisedList(this.storageOption);
  }
  private storageOption(): Option {
    const position = this.position();
    let name = this.label();
    let namespace: Name | undefined;
    if (this.accept('.')) {
      namespace = name;
      name = this.label();
    }
    return { namespace, name, value: this.accept('=') ? this.definitionValue() : undefined, position };
  }

  /** `( name = value, name, ... )`. */
  protected definitionList(): Option[] {
    return this.parenthesisedList(this.storageOption);
  }

  /** `( name [value], ... )` of EXPLAIN, VACUUM, REINDEX, CLUSTER. */
  protected utilityOptions(): Option[] {
    return this.parenthesisedList(this.utilityOption);
  }
  private utilityOption(): Option {
    const position = this.position();
    const analyze = this.at('analyze') || this.at('analyse');
    const name = analyze ? this.label() : this.nonReservedWord();
    const bare = this.at(',') || this.at(')');
    return { namespace: undefined, name, value: bare ? undefined : this.utilityValue(), position };
  }

  /** opt_boolean_or_string or a number. */
  private utilityValue(): OptionValue {
    const position = this.position();
    const number = this.signedNumber();
    if (number !== undefined) return number;
    if (this.at('String')) return { kind: 'string', value: this.advance().value, position };
    if (this.accept('true') || this.accept('on')) return { kind: 'boolean', value: true, position };
    if (this.accept('false')) return { kind: 'boolean', value: false, position };
    return { kind: 'word', name: [this.nonReservedWord()], position };
  }

  /** NonReservedWord. */
  protected nonReservedWord(): Name {
    if (!this.atPlace(ROUTINE_WORD)) this.fail();
    return this.makeName(this.advance());
  }

  /** def_arg: a number, a string, a type, a word or an operator. */
  protected definitionValue(): OptionValue {
    const position = this.position();
    const signed = this.signedNumber();
    if (signed !== undefined) return signed;
    if (this.at('String')) return { kind: 'string', value: this.advance().value, position };
    if (this.accept('true')) return { kind: 'boolean', value: true, position };
    if (this.accept('false')) return { kind: 'boolean', value: false, position };
    if (this.accept('none')) return { kind: 'none', position };
    if (this.accept('default')) return { kind: 'default', position };
    if (this.accept('operator')) {
      return { kind: 'operator', operator: this.parenthesised(this.schemaOperator), position };
    }
    if (this.operatorSymbol() !== undefined) return { kind: 'operator', operator: this.anyOperator(), position };
    if (this.atPlace(FUNCTION_NAME) || this.at('setof') || SYSTEM_TYPES.has(this.next().tokenType.name)) {
      return this.typeOrWord(position);
    }
    return { kind: 'word', name: [this.label()], position };
  }

  /** A bare name stays a word: what it means depends on the option. */
  private typeOrWord(position: number): OptionValue {
    const type = this.typeName(true);
    const plain =
      !type.system && type.modifiers.length === 0 && type.arrayBounds.length === 0 && !type.setOf && !type.columnType;
    return plain ? { kind: 'word', name: type.name, position } : { kind: 'type', type, position };
  }

  /** A number with an optional sign, as an option's value; undefined when none follows. */
  protected signedNumber(): OptionValue | undefined {
    const position = this.position();
    const sign = this.at('-') || this.at('+');
    const second = sign ? this.ahead(2).tokenType.name : this.next().tokenType.name;
    if (second !== 'Integer' && second !== 'Decimal') return undefined;
    const minus = sign && this.advance().tokenType.name === '-';
    const token = this.advance();
    return { kind: 'number', text: (minus ? '-' : '') + token.value, integer: second === 'Integer', position };
  }

  /** A signed whole number as text: `-1`, `+5`. */
  protected signedInteger(): string {
    const value = this.signedNumber();
    if (value?.kind === 'number') return value.text;
    // Behind a sign only a number can stand.
    if (!this.accept('-')) this.accept('+');
    return this.fail();
  }
}
