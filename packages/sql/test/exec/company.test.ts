/** Whether others are at work. */
import { expect, it } from 'vitest';
import { Company } from '../../src/exec/company.js';
import { newWorkCounters } from '../../src/exec/runtime.js';

it('is there while statements begin, and gone when none has since it was asked', () => {
  const counters = newWorkCounters();
  counters.executions = 3;
  const company = new Company(counters);
  expect(company.hasCome()).toBe(false);
  counters.executions += 2;
  expect([company.hasCome(), company.hasCome()]).toEqual([true, false]);
});
