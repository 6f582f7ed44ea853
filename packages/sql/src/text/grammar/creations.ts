/** CREATE: which of its many forms, by the words behind it. */
import type { CreateRole, ObjectKind } from '../ast-access.js';
import type { Persistence } from '../ast-schema.js';
import type { Statement } from '../ast-statements.js';
import type { Keyword } from '../keywords.js';
import { AlterationGrammar } from './alterations.js';

/** Kinds that are refused by name. */
const REFUSED: readonly (readonly Keyword[])[] = [
  ['access', 'method'],
  ['assertion'],
  ['conversion'],
  ['default', 'conversion'],
  ['event', 'trigger'],
  ['foreign', 'data', 'wrapper'],
  ['foreign', 'table'],
  ['operator', 'class'],
  ['operator', 'family'],
  ['publication'],
  ['server'],
  ['subscription'],
  ['tablespace'],
  ['transform'],
  ['user', 'mapping'],
];
const REPLACEABLE: ReadonlySet<string> = new Set(
  'function procedure aggregate view rule trigger constraint language procedural trusted transform recursive temp temporary local global'.split(
    ' ',
  ),
);

export abstract class CreationGrammar extends AlterationGrammar {
  /** CREATE has been read. */
  protected create(position: number): Statement {
    const orReplace = this.accept2('or', 'replace');
    if (orReplace && !REPLACEABLE.has(this.next().tokenType.name)) this.fail();
    const refused = REFUSED.find((words) => words.every((word, index) => this.aheadIs(index + 1, word)));
    if (refused !== undefined) return this.unsupported(`CREATE ${refused.join(' ').toUpperCase()}`, position);
    const persistence = this.persistence();
    const relation = this.createRelation(orReplace, persistence, position);
    if (relation !== undefined) return relation;
    if (persistence !== 'permanent') this.fail();
    return this.createRoutineKind(orReplace, position) ?? this.createObject(position);
  }

  /** What may be TEMPORARY or UNLOGGED. */
  private createRelation(orReplace: boolean, persistence: Persistence, position: number): Statement | undefined {
    if (this.accept('table')) return this.createTable(persistence, position);
    if (this.accept2('materialized', 'view')) return this.createMaterializedView(persistence, position);
    if (this.accept('view')) return this.createView(orReplace, persistence, false, position);
    if (this.accept2('recursive', 'view')) return this.createView(orReplace, persistence, true, position);
    if (this.accept('sequence')) return this.createSequence(persistence, position);
    return undefined;
  }

  private createRoutineKind(orReplace: boolean, position: number): Statement | undefined {
    const word = this.next().tokenType.name;
    switch (word) {
      case 'function':
      case 'procedure':
        this.advance();
        return this.createRoutine(word, orReplace, position);
      case 'aggregate':
        this.advance();
        return this.createAggregate(orReplace, position);
      case 'trigger':
        this.advance();
        return this.createTrigger(orReplace, false, position);
      case 'constraint':
        this.advance();
        this.expect('trigger');
        return this.createTrigger(orReplace, true, position);
      case 'rule':
        this.advance();
        return this.createRule(orReplace, position);
      case 'trusted':
      case 'procedural':
      case 'language':
        return this.createLanguage(orReplace, position);
      default:
        return undefined;
    }
  }

  /** CREATE LANGUAGE plpgsql is CREATE EXTENSION plpgsql, OR REPLACE being IF NOT EXISTS; with functions of its own it would be another. */
  private createLanguage(orReplace: boolean, position: number): Statement {
    this.accept('trusted');
    this.accept('procedural');
    this.expect('language');
    const name = this.wordOrString();
    if (this.at('handler')) return this.unsupported('CREATE LANGUAGE with a handler', position);
    return { kind: 'create-extension', name, ifNotExists: orReplace, options: [], position };
  }

  private createObject(position: number): Statement {
    const word = this.next().tokenType.name;
    if (this.acceptWord('collection')) return this.createCollection(position);
    if (this.accept('unique')) {
      this.expect('index');
      return this.createIndex(true, position);
    }
    this.wanted('a kind of object');
    const start = this.advance();
    switch (word) {
      case 'index':
        return this.createIndex(false, position);
      case 'schema':
        return this.createSchema(position);
      case 'type':
        return this.createType(position);
      case 'domain':
        return this.createDomain(position);
      case 'database':
        return this.createDatabase('create-database', position);
      case 'role':
      case 'user':
      case 'group':
        return this.createRole(word as CreateRole['spelling'], position);
      case 'extension':
        return this.createExtension(position);
      case 'operator':
        return this.createOperator(position);
      case 'cast':
        return this.createCast(position);
      case 'collation':
        return this.createCollation(position);
      case 'statistics':
        return this.createStatistics(position);
      case 'policy': {
        const name = this.columnName();
        this.expect('on');
        return this.policy('create-policy', name, this.qualifiedName(), position);
      }
      case 'text':
        return this.createTextSearchKind(position);
      default:
        return this.fail(start);
    }
  }

  private createTextSearchKind(position: number): Statement {
    this.expect('search');
    for (const word of ['configuration', 'dictionary', 'parser', 'template'] as const) {
      if (this.accept(word)) return this.createTextSearch(`text search ${word}` satisfies ObjectKind, position);
    }
    return this.fail();
  }
}
