/** Names, operators and types as text. */
import type {
  IntervalField,
  Name,
  OperatorName,
  Option,
  OptionValue,
  QualifiedName,
  TableAlias,
  TypeName,
} from '../ast-leaves.js';

const PLAIN_NAME = /^[a-z_\u0080-\uffff][a-z0-9_$\u0080-\uffff]*$/;
/** How SQL spells PostgreSQL's names of the types that it spells by keywords. Modifiers stand in place of the `#`. */
const SPELLINGS: Readonly<Record<string, string>> = {
  int2: 'smallint',
  int4: 'integer',
  int8: 'bigint',
  float4: 'real',
  float8: 'double precision',
  bool: 'boolean',
  numeric: 'numeric#',
  bit: 'bit#',
  varbit: 'bit varying#',
  bpchar: 'character#',
  varchar: 'character varying#',
  time: 'time# without time zone',
  timetz: 'time# with time zone',
  timestamp: 'timestamp# without time zone',
  timestamptz: 'timestamp# with time zone',
  interval: 'interval#',
  clob: 'character large object#',
  blob: 'binary large object#',
  binary: 'binary#',
  varbinary: 'binary varying#',
};

export abstract class TypeWriter {
  /** Quoted when it was, or when it would not be read back as it is. */
  name(name: Name): string {
    return name.quoted || !PLAIN_NAME.test(name.text) ? `"${name.text.replaceAll('"', '""')}"` : name.text;
  }
  qualifiedName(names: QualifiedName): string {
    return names.map((name) => this.name(name)).join('.');
  }
  names(names: readonly Name[]): string {
    return names.map((name) => this.name(name)).join(', ');
  }
  /** ` (a, b)`, or nothing. */
  protected columnList(names: readonly Name[]): string {
    return names.length === 0 ? '' : ` (${this.names(names)})`;
  }
  protected tableAlias(alias: TableAlias | undefined): string {
    return alias === undefined ? '' : ` AS ${this.name(alias.name)}${this.columnList(alias.columns)}`;
  }
  /** A space and the text, or nothing. */
  protected clause(prefix: string, text: string | undefined): string {
    return text === undefined || text === '' ? '' : ` ${prefix}${text}`;
  }

  string(value: string): string {
    return `'${value.replaceAll("'", "''")}'`;
  }

  operator(operator: OperatorName): string {
    if (operator.schema.length === 0) return operator.symbol;
    return `OPERATOR(${this.qualifiedName(operator.schema)}.${operator.symbol})`;
  }

  /** The type, without the fields of an interval, which follow a literal's string. */
  protected typeHead(type: TypeName): string {
    const modifiers = type.modifiers.map((modifier) => {
      return modifier.kind === 'string' ? this.string(modifier.text) : modifier.text;
    });
    // char(8 octets) is the one that has no comma.
    const separator = type.system && type.modifiers[1]?.kind === 'word' ? ' ' : ', ';
    const list = modifiers.length === 0 || type.intervalFields.length > 0 ? '' : `(${modifiers.join(separator)})`;
    if (!type.system) return `${this.qualifiedName(type.name)}${type.columnType ? '%TYPE' : ''}${list}`;
    return (SPELLINGS[type.name[0]?.text ?? ''] as string).replace('#', list);
  }

  protected intervalFields(type: TypeName): string {
    const first: IntervalField | undefined = type.intervalFields[0];
    const last = type.intervalFields.at(-1);
    if (first === undefined || last === undefined) return '';
    const precision = type.modifiers.length === 0 ? '' : `(${type.modifiers.map((m) => m.text).join(', ')})`;
    return first === last ? ` ${first}${precision}` : ` ${first} to ${last}${precision}`;
  }

  typeName(type: TypeName): string {
    const bounds = type.arrayBounds.map((bound) => `[${bound ?? ''}]`).join('');
    return `${type.setOf ? 'SETOF ' : ''}${this.typeHead(type)}${this.intervalFields(type)}${bounds}`;
  }

  // ----------------------------------------------------------------------------------------------------- options

  protected options(options: readonly Option[]): string {
    const items = options.map((option) => {
      const name = `${option.namespace === undefined ? '' : `${this.name(option.namespace)}.`}${this.name(option.name)}`;
      return option.value === undefined ? name : `${name} = ${this.optionValue(option.value)}`;
    });
    return `(${items.join(', ')})`;
  }

  private optionValue(value: OptionValue): string {
    switch (value.kind) {
      case 'number':
        return value.text;
      case 'string':
        return this.string(value.value);
      case 'boolean':
        return String(value.value);
      case 'word':
        return this.qualifiedName(value.name);
      case 'type':
        return this.typeName(value.type);
      case 'operator':
        return this.operator(value.operator);
      case 'list':
        return `(${value.values.map((item) => this.optionValue(item)).join(', ')})`;
      case 'star':
        return '*';
      default:
        return value.kind;
    }
  }
}
