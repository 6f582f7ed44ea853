/** Waits awake: when they begin, when they end, and what they may cost. Time is a number here. */
import { MetricsRegistry } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { LoopPoll } from '../src/loop-poll.js';
import { startFake } from './support/fake-server.js';
import { WireClient, query } from './support/wire-client.js';

const WINDOW_MICROS = 100;

/** A loop whose turns take as long as is said. */
class Machine {
  microsNow = 0;
  turnMicros = 4;
  turns = 0;
  private waiting: (() => void)[] = [];
  readonly metrics = new MetricsRegistry();
  readonly poll: LoopPoll;

  constructor({ processors = 2, pollMicros = WINDOW_MICROS } = {}) {
    const turns = { now: () => this.microsNow / 1000, next: (turned: () => void) => void this.waiting.push(turned) };
    this.poll = new LoopPoll({ pollMicros, processors, metrics: this.metrics, turns });
  }

  /** Lets time pass with nothing to do. */
  wait(micros: number): void {
    const end = this.microsNow + micros;
    while (this.microsNow + this.turnMicros <= end && this.waiting.length > 0) {
      this.microsNow += this.turnMicros;
      this.turns++;
      for (const turned of this.waiting.splice(0)) turned();
    }
    this.microsNow = Math.max(end, this.microsNow);
  }

  begin(): void {
    this.poll.began(this.microsNow / 1000);
  }

  rest(): void {
    this.poll.rested(this.microsNow / 1000);
  }

  /** One message each so many microseconds. */
  ask(messages: number, thinkMicros: number): void {
    for (let i = 0; i < messages; i++) {
      this.wait(thinkMicros);
      this.begin();
      this.microsNow += 15;
      this.rest();
    }
  }

  get waits(): number {
    return this.metrics.counter('phantom_polls_total', '').value;
  }

  get hits(): number {
    return this.metrics.counter('phantom_poll_hits_total', '').value;
  }
}

describe('the loop', () => {
  it('waits awake for a client that asks again soon, after it has done so a few times', () => {
    const machine = new Machine();
    machine.begin();
    machine.rest();
    machine.ask(7, 40);
    expect([machine.waits, machine.turns]).toEqual([0, 0]);
    machine.ask(1000, 40);
    expect(machine.waits).toBe(1000);
    expect(machine.hits).toBe(999);
    // The last one is waited for in vain, and then the loop sleeps.
    machine.wait(10_000);
    const { turns } = machine;
    machine.wait(1_000_000);
    expect(machine.turns).toBe(turns);
  });

  it('costs a client nothing that asks once a millisecond', () => {
    const machine = new Machine();
    machine.ask(1000, 1000);
    expect([machine.waits, machine.turns]).toEqual([0, 0]);
  });

  it('learns of clients that are always a little too slow', () => {
    const machine = new Machine();
    machine.ask(10_000, 150);
    expect(machine.hits).toBe(0);
    expect(machine.waits).toBeLessThan(20);
  });

  it('spends at most an eighth of the window a message in vain', () => {
    const machine = new Machine();
    // Whoever knew the rule: as many soon ones as it takes, then a pause.
    for (let round = 0; round < 1000; round++) {
      machine.ask(9, 10);
      machine.wait(1000);
    }
    expect(machine.waits - machine.hits).toBeLessThanOrEqual(9000 / 8);
  });

  it('gives up when its turns take long, since somebody else needs the processor', () => {
    const machine = new Machine();
    machine.ask(100, 40);
    const { waits } = machine;
    machine.turnMicros = 3000;
    machine.ask(1, 4000);
    machine.turnMicros = 4;
    machine.ask(126, 40);
    expect(machine.waits).toBe(waits);
    machine.ask(100, 40);
    expect(machine.waits).toBeGreaterThan(waits);
  });

  it('sleeps while another connection works, unless there are processors for both', () => {
    const waits = (processors: number): number => {
      const machine = new Machine({ processors });
      machine.begin();
      machine.ask(100, 40);
      return machine.waits;
    };
    expect(waits(2)).toBe(0);
    expect(waits(3)).toBeGreaterThan(80);
  });

  it.each([{ processors: 1 }, { pollMicros: 0 }])('never waits awake with %o', (options) => {
    const machine = new Machine(options);
    machine.ask(100, 40);
    expect([machine.waits, machine.turns]).toEqual([0, 0]);
  });
});

it('counts each connection once, whatever becomes of its messages', async () => {
  const { listener, port } = await startFake({ pollMicros: 1000 });
  const { poll } = listener;
  let working = 0;
  let mostWorking = 0;
  const { began, rested } = poll;
  poll.began = function (this: LoopPoll, nowMs) {
    mostWorking = Math.max(mostWorking, ++working);
    began.call(this, nowMs);
  };
  poll.rested = function (this: LoopPoll, nowMs) {
    working--;
    rested.call(this, nowMs);
  };
  const client = await WireClient.start(port);
  await client.ask(query('select 1'));
  await client.ask(query('no such statement'));
  client.end();
  await listener.close();
  expect([working, mostWorking]).toEqual([0, 1]);
});
