/** Constraints of columns, tables and domains, and the options of sequences, which identity columns have too. */
import type { Name, Option, QualifiedName } from '../ast-leaves.js';
import type {
  ColumnConstraint,
  Deferral,
  ExcludeElement,
  IndexParameters,
  ReferentialAction,
  References,
  SequenceOption,
  TableConstraint,
} from '../ast-schema.js';
import type { Expression } from '../ast.js';
import { ChangeGrammar } from './changes.js';

/** Words behind a constraint; what makes sense depends on its kind. */
interface Attributes extends Deferral {
  readonly notValid: boolean;
  readonly noInherit: boolean;
  readonly enforced: boolean;
}

export abstract class ConstraintGrammar extends ChangeGrammar {
  // -------------------------------------------------------------------------------------------------- attributes

  /** [NOT] DEFERRABLE, INITIALLY ..., NOT VALID, NO INHERIT, [NOT] ENFORCED, in any order. */
  protected constraintAttributes(kind: string): Attributes {
    let deferrable: boolean | undefined;
    let deferred: boolean | undefined;
    let [notValid, noInherit, enforced] = [false, false, true];
    const position = this.position();
    for (;;) {
      if (this.accept2('not', 'deferrable')) deferrable = this.once(deferrable, false);
      else if (this.accept('deferrable')) deferrable = this.once(deferrable, true);
      else if (this.accept2('initially', 'deferred')) deferred = this.once(deferred, true);
      else if (this.accept2('initially', 'immediate')) deferred = this.once(deferred, false);
      else if (this.accept2('not', 'valid')) notValid = true;
      else if (this.accept2('no', 'inherit')) noInherit = true;
      else if (this.at('not') && this.atWord('enforced', 2)) {
        this.advance();
        this.advance();
        enforced = false;
      } else if (!this.acceptWord('enforced')) break;
    }
    if (deferred === true && deferrable === false) {
      this.complain('42601', 'constraint declared INITIALLY DEFERRED must be DEFERRABLE', position);
    }
    const canDefer = kind !== 'CHECK' && kind !== 'NOT NULL';
    if (!canDefer && (deferrable === true || deferred === true)) {
      this.complain('0A000', `${kind} constraints cannot be marked DEFERRABLE`, position);
    }
    if (notValid && kind !== 'CHECK' && kind !== 'FOREIGN KEY') {
      this.complain('0A000', `${kind} constraints cannot be marked NOT VALID`, position);
    }
    if (noInherit && kind !== 'CHECK') {
      this.complain('0A000', `${kind} constraints cannot be marked NO INHERIT`, position);
    }
    const initiallyDeferred = deferred === true;
    return { deferrable: deferrable ?? initiallyDeferred, initiallyDeferred, notValid, noInherit, enforced };
  }

  private once(old: boolean | undefined, value: boolean): boolean {
    if (old !== undefined && old !== value)
      this.complain('42601', 'conflicting constraint properties', this.position());
    return value;
  }

  private indexParameters(nullsDistinct: boolean): IndexParameters {
    const include = this.accept('include') ? this.parenthesisedList(this.columnName) : [];
    const options: readonly Option[] = this.accept('with') ? this.storageOptions() : [];
    let tablespace: Name | undefined;
    if (this.at('using') && this.aheadIs(2, 'index') && this.aheadIs(3, 'tablespace')) {
      this.advance();
      this.advance();
      this.advance();
      tablespace = this.columnName();
    }
    return { nullsDistinct, include, options, tablespace };
  }

  /** NULLS [NOT] DISTINCT; true when nulls are distinct, as they are unless told otherwise. */
  protected nullsDistinct(): boolean {
    if (!this.accept('nulls')) return true;
    const distinct = !this.accept('not');
    this.expect('distinct');
    return distinct;
  }

  protected references(): References {
    const table = this.qualifiedName();
    const foreignColumns = this.optionalNames();
    let match: References['match'] = 'simple';
    if (this.accept('match')) {
      const position = this.position();
      if (this.accept('full')) match = 'full';
      else if (this.accept('partial')) this.complain('0A000', 'MATCH PARTIAL is not supported', position);
      else this.expect('simple');
    }
    let onDelete: ReferentialAction | undefined;
    let onUpdate: ReferentialAction | undefined;
    let onDeleteColumns: readonly Name[] = [];
    while (this.at('on')) {
      if (onDelete === undefined && this.accept2('on', 'delete')) {
        onDelete = this.referentialAction();
        if (onDelete.startsWith('set-') && this.at('(')) onDeleteColumns = this.parenthesisedList(this.columnName);
      } else if (onUpdate === undefined && this.accept2('on', 'update')) {
        onUpdate = this.referentialAction();
        if (this.at('(')) {
          const message = `a column list with ${onUpdate === 'set-null' ? 'SET NULL' : 'SET DEFAULT'} is only supported for ON DELETE actions`;
          this.complain('0A000', message, this.position());
        }
      } else this.fail();
    }
    const actions = { onDelete: onDelete ?? 'no-action', onUpdate: onUpdate ?? 'no-action', onDeleteColumns } as const;
    return { table, foreignColumns, match, ...actions, enforced: true };
  }

  private referentialAction(): ReferentialAction {
    if (this.accept2('no', 'action')) return 'no-action';
    if (this.accept('restrict')) return 'restrict';
    if (this.accept('cascade')) return 'cascade';
    if (this.accept2('set', 'null')) return 'set-null';
    this.expect('set');
    this.expect('default');
    return 'set-default';
  }

  // ---------------------------------------------------------------------------------------------- column constraints

  /** One constraint of a column, with its name; undefined when none follows. */
  protected columnConstraint(): ColumnConstraint | undefined {
    const position = this.position();
    const name = this.accept('constraint') ? this.columnName() : undefined;
    const constraint = this.columnConstraintBody(name, position);
    if (constraint === undefined && name !== undefined) this.fail();
    return constraint;
  }

  private columnConstraintBody(name: Name | undefined, position: number): ColumnConstraint | undefined {
    const word = this.next().tokenType.name;
    switch (word) {
      case 'not':
        if (!this.accept2('not', 'null')) return undefined;
        this.constraintAttributes('NOT NULL');
        return { kind: 'not-null', name, position };
      case 'null':
        this.advance();
        return { kind: 'null', name, position };
      case 'default':
        this.advance();
        return { kind: 'default', value: this.simpleExpression(), name, position };
      case 'check': {
        this.advance();
        const condition = this.parenthesised(this.expression);
        const { noInherit, enforced } = this.constraintAttributes('CHECK');
        return { kind: 'check', condition, noInherit, enforced, name, position };
      }
      case 'unique':
      case 'primary': {
        const unique = this.accept('unique');
        if (!unique) this.primaryKey();
        const parameters = this.indexParameters(unique ? this.nullsDistinct() : true);
        const { deferrable, initiallyDeferred } = this.constraintAttributes(unique ? 'UNIQUE' : 'PRIMARY KEY');
        const kind = unique ? 'unique' : 'primary-key';
        return { kind, ...parameters, deferrable, initiallyDeferred, name, position };
      }
      case 'references': {
        this.advance();
        const reference = this.references();
        const { deferrable, initiallyDeferred, enforced } = this.constraintAttributes('FOREIGN KEY');
        return { kind: 'references', ...reference, deferrable, initiallyDeferred, enforced, name, position };
      }
      case 'generated':
        return this.generated(name, position);
      default:
        return undefined;
    }
  }

  private primaryKey(): void {
    this.expect('primary');
    this.expect('key');
  }

  /** GENERATED ... AS IDENTITY, AS (expression) STORED, AS ROW START | END. */
  private generated(name: Name | undefined, position: number): ColumnConstraint {
    this.advance();
    const at = this.position();
    const always = this.generatedWhen();
    this.expect('as');
    if (this.accept('identity')) {
      return { kind: 'identity', always, options: this.at('(') ? this.sequenceOptionsInParens() : [], name, position };
    }
    if (!always) this.complain('42601', 'for a generated column, GENERATED ALWAYS must be specified', at);
    if (this.accept('row')) {
      if (this.accept('start')) return { kind: 'row-start', name, position };
      this.expect('end');
      return { kind: 'row-end', name, position };
    }
    const value = this.parenthesised(this.expression);
    const stored = !this.acceptWord('virtual');
    if (stored) this.expect('stored');
    return { kind: 'generated', value, stored, name, position };
  }

  /** ALWAYS (true) or BY DEFAULT. */
  protected generatedWhen(): boolean {
    if (this.accept('always')) return true;
    this.expect('by');
    this.expect('default');
    return false;
  }

  // ----------------------------------------------------------------------------------------------- table constraints

  protected atTableConstraint(): boolean {
    switch (this.next().tokenType.name) {
      case 'constraint':
      case 'check':
      case 'unique':
      case 'primary':
      case 'foreign':
        return true;
      case 'exclude':
        return this.aheadIs(2, '(') || this.aheadIs(2, 'using');
      default:
        return false;
    }
  }

  protected tableConstraint(): TableConstraint {
    const position = this.position();
    const name = this.accept('constraint') ? this.columnName() : undefined;
    if (this.accept('check')) return this.checkConstraint(this.parenthesised(this.expression), name, position);
    if (this.at('unique') || this.at('primary')) return this.uniqueConstraint(name, position);
    if (this.accept('exclude')) return this.excludeConstraint(name, position);
    this.expect('foreign');
    this.expect('key');
    const columns = this.parenthesisedList(this.columnName);
    this.expect('references');
    const reference = this.references();
    const { deferrable, initiallyDeferred, notValid, enforced } = this.constraintAttributes('FOREIGN KEY');
    return {
      kind: 'foreign-key',
      columns,
      notValid,
      ...reference,
      deferrable,
      initiallyDeferred,
      enforced,
      name,
      position,
    };
  }

  protected checkConstraint(condition: Expression, name: Name | undefined, position: number): TableConstraint {
    const { noInherit, notValid, enforced } = this.constraintAttributes('CHECK');
    return { kind: 'check', condition, noInherit, notValid, enforced, name, position };
  }

  private uniqueConstraint(name: Name | undefined, position: number): TableConstraint {
    const unique = this.accept('unique');
    if (!unique) this.primaryKey();
    const label = unique ? 'UNIQUE' : 'PRIMARY KEY';
    if (this.accept2('using', 'index')) {
      const index = this.columnName();
      const { deferrable, initiallyDeferred } = this.constraintAttributes(label);
      return { kind: 'using-index', primaryKey: !unique, index, deferrable, initiallyDeferred, name, position };
    }
    const nullsDistinct = unique ? this.nullsDistinct() : true;
    this.expect('(');
    const columns = [this.columnName()];
    let withoutOverlaps: Name | undefined;
    while (this.accept(',')) {
      columns.push(this.columnName());
      if (!this.at('without')) continue;
      this.advance();
      this.expect('overlaps');
      withoutOverlaps = columns.pop();
    }
    this.expect(')');
    const parameters = this.indexParameters(nullsDistinct);
    const { deferrable, initiallyDeferred } = this.constraintAttributes(label);
    const kind = unique ? 'unique' : 'primary-key';
    return { kind, columns, withoutOverlaps, ...parameters, deferrable, initiallyDeferred, name, position };
  }

  private excludeConstraint(name: Name | undefined, position: number): TableConstraint {
    const method = this.accept('using') ? this.columnName() : undefined;
    const elements = this.parenthesisedList((): ExcludeElement => {
      const element = this.indexElement();
      this.expect('with');
      return { element, operator: this.qualifiedOperator() };
    });
    const parameters = this.indexParameters(true);
    const where = this.accept('where') ? this.parenthesised(this.expression) : undefined;
    const { deferrable, initiallyDeferred } = this.constraintAttributes('EXCLUDE');
    return { kind: 'exclude', method, elements, where, ...parameters, deferrable, initiallyDeferred, name, position };
  }

  // --------------------------------------------------------------------------------------------------- sequences

  private sequenceOptionsInParens(): SequenceOption[] {
    this.expect('(');
    const options = this.sequenceOptions();
    this.expect(')');
    return options;
  }

  /** Options of a sequence, one after the other. */
  protected sequenceOptions(): SequenceOption[] {
    const options: SequenceOption[] = [];
    for (let option = this.sequenceOption(); option !== undefined; option = this.sequenceOption()) options.push(option);
    return options;
  }

  protected sequenceOption(): SequenceOption | undefined {
    const position = this.position();
    switch (this.next().tokenType.name) {
      case 'as':
        this.advance();
        return { kind: 'as', type: this.typeName(), position };
      case 'increment':
        this.advance();
        this.accept('by');
        return { kind: 'increment', value: this.signedInteger(), position };
      case 'start':
        this.advance();
        this.accept('with');
        return { kind: 'start', value: this.signedInteger(), position };
      case 'restart': {
        this.advance();
        const told = this.accept('with') || this.at('Integer') || this.at('-') || this.at('+');
        return { kind: 'restart', value: told ? this.signedInteger() : undefined, position };
      }
      case 'cache':
        this.advance();
        return { kind: 'cache', value: this.signedInteger(), position };
      case 'minvalue':
      case 'maxvalue': {
        const kind = this.advance().tokenType.name === 'minvalue' ? 'min' : 'max';
        return { kind, value: this.signedInteger(), position };
      }
      case 'cycle':
        this.advance();
        return { kind: 'cycle', value: true, position };
      case 'owned': {
        this.advance();
        this.expect('by');
        const column: QualifiedName | undefined = this.accept('none') ? undefined : this.qualifiedName();
        return { kind: 'owned-by', column, position };
      }
      case 'sequence':
        this.advance();
        this.expect('name');
        return { kind: 'sequence-name', name: this.qualifiedName(), position };
      case 'no':
        return this.noOption(position);
      default:
        return undefined;
    }
  }

  private noOption(position: number): SequenceOption | undefined {
    if (this.accept2('no', 'minvalue')) return { kind: 'min', value: undefined, position };
    if (this.accept2('no', 'maxvalue')) return { kind: 'max', value: undefined, position };
    return this.accept2('no', 'cycle') ? { kind: 'cycle', value: false, position } : undefined;
  }
}
