import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import {
  AssertionError,
  PhantomError,
  SqlState,
  assert,
  corruptionError,
  familyOf,
  ioError,
  isShortage,
  isPhantomError,
  outcomeUnknownError,
  unreachable,
  unsupportedError,
} from '../src/index.js';

describe('PhantomError', () => {
  it.each([
    ['23505', 'input'],
    ['40001', 'conflict'],
    ['40P01', 'conflict'],
    ['40003', 'outcome-unknown'],
    ['08007', 'outcome-unknown'],
    ['08006', 'state'],
    ['53100', 'limit'],
    ['54000', 'limit'],
    ['55000', 'state'],
    ['55P03', 'conflict'],
    ['57014', 'cancelled'],
    ['57P01', 'state'],
    ['58030', 'io'],
    ['0A000', 'unsupported'],
    ['XX000', 'internal'],
    ['XX001', 'corruption'],
    ['42601', 'input'],
  ])('of SQLSTATE %s belongs to the family %s', (code, family) => {
    expect(familyOf(code)).toBe(family);
    expect(new PhantomError(code, 'text').family).toBe(family);
  });

  it('may be tried again only when somebody else won', () => {
    const retryable = Object.values(SqlState).filter((code) => new PhantomError(code, '').retryable);
    expect(retryable).toEqual([SqlState.SerializationFailure, SqlState.DeadlockDetected]);
    expect(new PhantomError('23505', '', { retryable: true, family: 'conflict' })).toMatchObject({
      retryable: true,
      family: 'conflict',
    });
  });

  it('carries its fields, and a copy carries more', () => {
    const cause = new Error('below');
    const error = new PhantomError('23505', 'duplicate key', { table: 'people', detail: 'Key (id)=(1).', cause });
    const copy = error.with({ constraint: 'people_pkey', position: 12 });
    expect(copy).toMatchObject({
      name: 'PhantomError',
      code: '23505',
      message: 'duplicate key',
      table: 'people',
      detail: 'Key (id)=(1).',
      constraint: 'people_pkey',
      position: 12,
      family: 'input',
    });
    expect(copy.cause).toBe(cause);
    expect(copy.stack).toBe(error.stack);
    expect(error.constraint).toBeUndefined();
    expect('cause' in new PhantomError('23505', '')).toBe(false);
  });

  it('is shown with its name and the fields that it has', () => {
    const error = new PhantomError('42703', 'no such column', { hint: 'h', position: 8 });
    expect(error.stack).toMatch(/^PhantomError: no such column\n/);
    expect(inspect(error)).toMatch(/^PhantomError: no such column\n/);
    expect(inspect(error)).toMatch(
      /\{\s+code: '42703',\s+hint: 'h',\s+position: 8,\s+family: 'input',\s+retryable: false\s+\}$/,
    );
  });

  it('is known across copies of the package', () => {
    class Other extends Error {
      readonly code = '40001';
      override name = 'PhantomError';
    }
    expect(isPhantomError(new Other())).toBe(true);
    expect(isPhantomError(new PhantomError('40001', ''))).toBe(true);
    for (const other of [new Error('x'), undefined, 'PhantomError', { name: 'PhantomError', code: '1' }]) {
      expect(isPhantomError(other)).toBe(false);
    }
  });
});

describe('errors by name', () => {
  it('say where stored bytes differ', () => {
    const error = corruptionError('a page has a wrong checksum', {
      file: 'btree.pages',
      offset: 4096,
      expected: 7,
      found: 9,
    });
    expect(error.message).toBe('a page has a wrong checksum in btree.pages at offset 4096: expected 7, found 9');
    expect(error).toMatchObject({ code: 'XX001', family: 'corruption', data: { file: 'btree.pages', offset: 4096 } });
    expect(corruptionError('empty', { file: 'x' }).message).toBe('empty in x');
  });

  it('name the feature that is not there', () => {
    expect(unsupportedError('MERGE', { position: 3 })).toMatchObject({
      code: '0A000',
      message: 'MERGE is not supported',
      position: 3,
      family: 'unsupported',
    });
  });

  it('never call an unknown outcome a failure', () => {
    const cause = new Error('EIO');
    expect(outcomeUnknownError('the log could not be synced', cause)).toMatchObject({
      code: '08007',
      family: 'outcome-unknown',
      retryable: false,
      cause,
    });
  });

  it.each([
    ['ENOSPC', '53100', 'limit'],
    ['EDQUOT', '53100', 'limit'],
    ['ENOENT', '58P01', 'io'],
    ['EMFILE', '53000', 'io'],
    ['EIO', '58030', 'io'],
    ['ESTALE', '58030', 'io'],
  ])('wrap %s as %s', (errno, code, family) => {
    const cause = Object.assign(new Error(`${errno}: text`), { code: errno });
    const error = ioError('write', '/data/log', cause);
    expect(error).toMatchObject({ code, family, cause, data: { operation: 'write', path: '/data/log', errno } });
    expect(error.message).toBe(`could not write "/data/log": ${errno}: text`);
    expect(ioError('open', '/data', error)).toBe(error);
  });

  it('tell what may pass by itself', () => {
    const told = ['ENOSPC', 'ENFILE', 'EIO'].map((code) => isShortage(ioError('open', 'x', { code })));
    expect([...told, isShortage({ code: '53100' })]).toEqual([true, true, false, false]);
  });

  it('wrap whatever is thrown', () => {
    expect(ioError('read', 'x', 'a text')).toMatchObject({ code: '58030', message: 'could not read "x": a text' });
    expect(ioError('read', 'x', null).data).toMatchObject({ errno: 'EIO' });
  });
});

describe('assertions', () => {
  it('stay silent or throw an error of their own', () => {
    expect(() => assert(true, 'never')).not.toThrow();
    expect(() => assert(false, 'two is three')).toThrow(new AssertionError('two is three'));
    expect(() => unreachable({ kind: 'new' } as never)).toThrow('unreachable case: {"kind":"new"}');
    expect(isPhantomError(new AssertionError('x'))).toBe(false);
  });
});
