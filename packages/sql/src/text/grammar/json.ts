/**
 * SQL/JSON: constructors, aggregates, query functions and JSON_TABLE. Their names are no keywords of PostgreSQL 15, so a
 * call is read as one of these only where its inside cannot be an ordinary argument list (`json_object('{a,1}')` stays
 * the function it is).
 */
import type { JsonReturning, JsonWrapper } from '../ast-json.js';
import type { Name } from '../ast-leaves.js';
import type {
  Expression,
  JsonBehavior,
  JsonConstructor,
  JsonTable,
  JsonTableColumn,
  JsonValueExpression,
} from '../ast.js';
import { WindowGrammar } from './windows.js';

type Member = JsonConstructor['members'][number];
type Passing = { readonly value: JsonValueExpression; readonly name: Name };

export abstract class JsonGrammar extends WindowGrammar {
  /** True when the next token can only begin a query. */
  protected abstract atQuery(): boolean;

  /**
   * The call of a SQL/JSON function; the name is consumed and `(` is next. undefined when it is an ordinary call; then
   * nothing more is consumed, or `first` of the caller gets the one argument that was.
   */
  protected jsonCall(name: string, position: number, first: (value: Expression) => void): Expression | undefined {
    switch (name) {
      case 'json_object':
        return this.jsonObject(position, first);
      case 'json_array':
        return this.jsonArray(position);
      case 'json_objectagg':
      case 'json_arrayagg':
        return this.jsonAggregate(name === 'json_objectagg', position);
      case 'json_exists':
        return this.jsonQueryFunction('exists', position);
      case 'json_value':
        return this.jsonQueryFunction('value', position);
      case 'json_query':
        return this.jsonQueryFunction('query', position);
      case 'json':
        return this.jsonParse(position, first);
      case 'json_scalar':
        return this.jsonSimple('scalar', position);
      case 'json_serialize':
        return this.jsonSimple('serialize', position);
      default:
        return undefined;
    }
  }

  protected isJsonCall(name: string): boolean {
    return name.startsWith('json') && JSON_FUNCTIONS.has(name);
  }

  private makeConstructor(
    fn: JsonConstructor['function'],
    position: number,
    parts: Partial<Omit<JsonConstructor, 'kind' | 'function' | 'position'>>,
  ): JsonConstructor {
    return {
      kind: 'json-constructor',
      function: fn,
      members: parts.members ?? [],
      elements: parts.elements ?? [],
      query: parts.query,
      nulls: parts.nulls,
      uniqueKeys: parts.uniqueKeys ?? false,
      returning: parts.returning,
      position,
    };
  }

  // ------------------------------------------------------------------------------------------------ constructors

  private jsonObject(position: number, first: (value: Expression) => void): Expression | undefined {
    this.expect('(');
    const members: Member[] = [];
    if (!this.at(')') && !this.at('returning')) {
      const keyed = this.accept('key');
      const key = this.expression();
      if (!keyed && !this.at(':') && !this.at('value')) {
        first(key);
        return undefined;
      }
      members.push(this.jsonMemberAfter(key));
      while (this.accept(',')) members.push(this.jsonMember());
    }
    const nulls = this.jsonNulls();
    const uniqueKeys = this.jsonUniqueKeys();
    const returning = this.jsonReturning();
    this.expect(')');
    return this.makeConstructor('object', position, { members, nulls, uniqueKeys, returning });
  }

  private jsonMember(): Member {
    this.accept('key');
    return this.jsonMemberAfter(this.expression());
  }
  private jsonMemberAfter(key: Expression): Member {
    if (!this.accept(':')) this.expect('value');
    return { key, value: this.jsonValue() };
  }

  private jsonArray(position: number): Expression {
    this.expect('(');
    if (this.atQuery()) {
      const query = this.query();
      this.jsonFormat();
      const nulls = this.jsonNulls();
      const returning = this.jsonReturning();
      this.expect(')');
      return this.makeConstructor('array-query', position, { query, nulls, returning });
    }
    const empty = this.at(')') || this.at('returning');
    const elements = empty ? [] : this.commaList(this.jsonValue);
    const nulls = this.jsonNulls();
    const returning = this.jsonReturning();
    this.expect(')');
    return this.makeConstructor('array', position, { elements, nulls, returning });
  }

  /** JSON(x [FORMAT JSON] [WITH UNIQUE KEYS]); without either an ordinary call. */
  private jsonParse(position: number, first: (value: Expression) => void): Expression | undefined {
    this.expect('(');
    const value = this.jsonValue();
    const plain = !value.formatJson && !this.at('with') && !this.at('without');
    if (plain) {
      first(value.value);
      return undefined;
    }
    const uniqueKeys = this.jsonUniqueKeys();
    this.expect(')');
    return this.makeConstructor('json', position, { elements: [value], uniqueKeys });
  }

  private jsonSimple(fn: 'scalar' | 'serialize', position: number): Expression {
    this.expect('(');
    const value = this.jsonValue();
    const returning = this.jsonReturning();
    this.expect(')');
    return this.makeConstructor(fn, position, { elements: [value], returning });
  }

  private jsonAggregate(object: boolean, position: number): Expression {
    this.expect('(');
    let key: Expression | undefined;
    let value: JsonValueExpression;
    if (object) {
      const member = this.jsonMember();
      key = member.key;
      value = member.value;
    } else value = this.jsonValue();
    const orderBy = object ? [] : this.optionalOrderBy();
    const nulls = this.jsonNulls();
    const uniqueKeys = object && this.jsonUniqueKeys();
    const returning = this.jsonReturning();
    this.expect(')');
    return {
      kind: 'json-aggregate',
      function: object ? 'object' : 'array',
      key,
      value,
      orderBy,
      nulls,
      uniqueKeys,
      returning,
      filter: this.optionalFilter(),
      over: this.optionalOver(),
      position,
    };
  }

  // ----------------------------------------------------------------------------------------------------- clauses

  private jsonValue(): JsonValueExpression {
    const position = this.position();
    const value = this.expression();
    const format = this.jsonFormat();
    return { value, formatJson: format !== undefined, encoding: format?.encoding, position };
  }

  private jsonFormat(): { encoding: Name | undefined } | undefined {
    if (!this.atWord('format') || !this.atWord('json', 2)) return undefined;
    this.advance();
    this.advance();
    return { encoding: this.accept('encoding') ? this.columnName() : undefined };
  }

  private jsonReturning(): JsonReturning | undefined {
    if (!this.accept('returning')) return undefined;
    const type = this.typeName();
    const format = this.jsonFormat();
    return { type, formatJson: format !== undefined, encoding: format?.encoding };
  }

  private jsonNulls(): 'null' | 'absent' | undefined {
    let nulls: 'null' | 'absent';
    if (this.accept2('null', 'on')) nulls = 'null';
    else if (this.atWord('absent') && this.aheadIs(2, 'on')) {
      this.advance();
      this.advance();
      nulls = 'absent';
    } else return undefined;
    this.expect('null');
    return nulls;
  }

  /** [WITH | WITHOUT] UNIQUE [KEYS]. */
  protected jsonUniqueKeys(): boolean {
    const unique = this.accept2('with', 'unique');
    if (!unique && !this.accept2('without', 'unique')) return false;
    this.acceptWord('keys');
    return unique;
  }

  private jsonPassing(): Passing[] {
    if (!this.accept('passing')) return [];
    return this.commaList(() => {
      const value = this.jsonValue();
      this.expect('as');
      return { value, name: this.label() };
    });
  }

  private jsonWrapper(): JsonWrapper | undefined {
    let wrapper: JsonWrapper;
    if (this.accept('without')) wrapper = 'without';
    else if (this.accept('with')) {
      wrapper = 'unconditional';
      if (this.acceptWord('conditional')) wrapper = 'conditional';
      else this.acceptWord('unconditional');
    } else return undefined;
    this.accept('array');
    this.expect('wrapper');
    return wrapper;
  }

  private jsonQuotes(): 'keep' | 'omit' | undefined {
    let quotes: 'keep' | 'omit';
    if (this.acceptWord('keep')) quotes = 'keep';
    else if (this.acceptWord('omit')) quotes = 'omit';
    else return undefined;
    this.expectWord('quotes');
    if (this.accept('on')) {
      this.expectWord('scalar');
      this.expectWord('string');
    }
    return quotes;
  }

  /** One `behaviour ON EMPTY | ERROR`, or nothing. */
  private jsonBehavior(): { behavior: JsonBehavior; on: 'empty' | 'error' } | undefined {
    const position = this.position();
    let action: JsonBehavior['action'] | undefined;
    let value: Expression | undefined;
    if (this.acceptWord('error')) action = 'error';
    else if (this.accept('null')) action = 'null';
    else if (this.accept('true')) action = 'true';
    else if (this.accept('false')) action = 'false';
    else if (this.accept('unknown')) action = 'unknown';
    else if (this.accept('default')) {
      action = 'default';
      value = this.expression();
    } else if (this.acceptWord('empty')) {
      if (this.accept('array')) action = 'empty-array';
      else action = this.accept('object') ? 'empty-object' : 'empty';
    } else return undefined;
    this.expect('on');
    const on = this.acceptWord('empty') ? 'empty' : (this.expectWord('error'), 'error');
    return { behavior: { action, value, position }, on: on as 'empty' | 'error' };
  }

  private jsonBehaviors(): { onEmpty: JsonBehavior | undefined; onError: JsonBehavior | undefined } {
    let onEmpty: JsonBehavior | undefined;
    let onError: JsonBehavior | undefined;
    let found = this.jsonBehavior();
    if (found?.on === 'empty') {
      onEmpty = found.behavior;
      found = this.jsonBehavior();
    }
    if (found?.on === 'error') onError = found.behavior;
    else if (found !== undefined) this.fail();
    return { onEmpty, onError };
  }

  // --------------------------------------------------------------------------------------------- query functions

  private jsonQueryFunction(fn: 'exists' | 'value' | 'query', position: number): Expression {
    this.expect('(');
    const context = this.jsonValue();
    this.expect(',');
    const path = this.expression();
    const passing = this.jsonPassing();
    const returning = this.jsonReturning();
    const wrapper = this.jsonWrapper();
    const quotes = this.jsonQuotes();
    const { onEmpty, onError } = this.jsonBehaviors();
    this.expect(')');
    return {
      kind: 'json-query-function',
      function: fn,
      context,
      path,
      passing,
      returning,
      wrapper,
      quotes,
      onEmpty,
      onError,
      position,
    };
  }

  /** JSON_TABLE (...), without its alias; the name is consumed. */
  protected jsonTable(lateral: boolean, position: number): JsonTable {
    this.expect('(');
    const context = this.jsonValue();
    this.expect(',');
    const path = this.expression();
    const pathName = this.accept('as') ? this.columnName() : undefined;
    const passing = this.jsonPassing();
    const columns = this.jsonTableColumns();
    const { onError } = this.jsonBehaviors();
    this.expect(')');
    return {
      kind: 'json-table',
      context,
      path,
      pathName,
      passing,
      columns,
      onError,
      lateral,
      alias: undefined,
      position,
    };
  }

  private jsonTableColumns(): JsonTableColumn[] {
    this.enter();
    this.expect('columns');
    const columns = this.parenthesisedList(this.jsonTableColumn);
    this.leave();
    return columns;
  }

  private jsonTableColumn(): JsonTableColumn {
    const position = this.position();
    if (this.atWord('nested')) {
      this.advance();
      this.acceptWord('path');
      const path = this.stringValue();
      const name = this.accept('as') ? this.columnName() : undefined;
      return this.makeColumn({ kind: 'nested', name, path, columns: this.jsonTableColumns(), position });
    }
    const name = this.columnName();
    if (this.accept2('for', 'ordinality')) return this.makeColumn({ kind: 'ordinality', name, position });
    const type = this.typeName();
    const exists = this.accept('exists');
    const formatJson = this.jsonFormat() !== undefined;
    const path = this.acceptWord('path') ? this.stringValue() : undefined;
    const wrapper = this.jsonWrapper();
    const quotes = this.jsonQuotes();
    const { onEmpty, onError } = this.jsonBehaviors();
    const kind = exists ? 'exists' : 'value';
    return this.makeColumn({ kind, name, type, formatJson, path, wrapper, quotes, onEmpty, onError, position });
  }

  private makeColumn(
    parts: Partial<JsonTableColumn> & Pick<JsonTableColumn, 'kind' | 'position' | 'name'>,
  ): JsonTableColumn {
    return {
      kind: parts.kind,
      name: parts.name,
      type: parts.type,
      formatJson: parts.formatJson ?? false,
      path: parts.path,
      wrapper: parts.wrapper,
      quotes: parts.quotes,
      onEmpty: parts.onEmpty,
      onError: parts.onError,
      columns: parts.columns ?? [],
      position: parts.position,
    };
  }
}

const JSON_FUNCTIONS: ReadonlySet<string> = new Set([
  'json',
  'json_array',
  'json_arrayagg',
  'json_exists',
  'json_object',
  'json_objectagg',
  'json_query',
  'json_scalar',
  'json_serialize',
  'json_value',
]);
