import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import {
  combineLayers,
  isSame,
  mergeLayers,
  planHasLayer,
  renderLayer,
} from '../../../../lib/pebble/layer.ts';
import type {
  Layer,
  LayerCheck,
  LayerLogTarget,
  LayerService,
} from '../../../../lib/pebble/pebble.ts';
import { anyText } from '../../../support/arbitrary-text.ts';

const empty = { services: {}, checks: {}, 'log-targets': {} };

describe('combining', () => {
  test('no layers makes an empty plan', () => {
    expect(combineLayers([])).toEqual(empty);
  });

  test('takes a replacing entry as it is', () => {
    const low: Layer = { services: { a: { override: 'replace', command: 'one', user: 'x' } } };
    const high: Layer = { services: { a: { override: 'replace', command: 'two' } } };

    expect(combineLayers([low, high]).services).toEqual(high.services);
  });

  test('merges a service: values overwrite, lists grow, maps unite, nothing empty counts', () => {
    const low: LayerService = {
      override: 'replace',
      summary: 'low',
      command: 'one',
      startup: 'enabled',
      after: ['x'],
      environment: { A: '1', B: '1' },
      'on-check-failure': { up: 'restart' },
      'kill-delay': '5s',
    };
    const high: LayerService = {
      override: 'merge',
      summary: '',
      command: 'two',
      after: ['x', 'y'],
      requires: ['z'],
      environment: { B: '2', C: '' },
      'on-check-failure': { ready: 'ignore' },
    };

    const plan = combineLayers([{ services: { a: low } }, { services: { a: high, b: high } }]);

    expect(plan.services).toEqual({
      a: {
        override: 'replace',
        summary: 'low',
        command: 'two',
        startup: 'enabled',
        after: ['x', 'x', 'y'],
        requires: ['z'],
        environment: { A: '1', B: '2', C: '' },
        'on-check-failure': { up: 'restart', ready: 'ignore' },
        'kill-delay': '5s',
      },
      b: high,
    });
  });

  test.each([
    {
      summary: 'an http check',
      low: { http: { url: 'http://one/', headers: { A: '1', B: '1' } }, threshold: 3 },
      high: { http: { url: 'http://two/', headers: { B: '2' } }, threshold: 0, period: '5s' },
      merged: {
        http: { url: 'http://two/', headers: { A: '1', B: '2' } },
        threshold: 3,
        period: '5s',
      },
    },
    {
      summary: 'a tcp check',
      low: { tcp: { port: 1, host: 'one' } },
      high: { tcp: { port: 2 } },
      merged: { tcp: { port: 2, host: 'one' } },
    },
    {
      summary: 'an exec check',
      low: { exec: { command: 'one', user: 'x', environment: { A: '1' } } },
      high: { exec: { command: 'two', environment: { B: '2' } } },
      merged: { exec: { command: 'two', user: 'x', environment: { A: '1', B: '2' } } },
    },
    {
      summary: 'a check without a kind',
      low: { tcp: { port: 1 } },
      high: { level: 'alive' },
      merged: { tcp: { port: 1 }, level: 'alive' },
    },
    {
      summary: 'a check that had another kind',
      low: {},
      high: { http: { url: 'http://x/' }, exec: { command: 'x' } },
      merged: { http: { url: 'http://x/' }, exec: { command: 'x' } },
    },
  ] satisfies readonly Record<string, string | Omit<LayerCheck, 'override'>>[])(
    'merges $summary',
    ({ low, high, merged }) => {
      const plan = combineLayers([
        { checks: { c: { override: 'replace', ...low } } },
        { checks: { c: { override: 'merge', ...high } } },
      ]);

      expect(plan.checks).toEqual({ c: { override: 'replace', ...merged } });
    },
  );

  test('merges a log target', () => {
    const low: LayerLogTarget = {
      override: 'replace',
      type: 'loki',
      location: 'http://one',
      services: ['all'],
    };
    const high: LayerLogTarget = {
      override: 'merge',
      type: 'loki',
      location: 'http://two',
      services: ['-a'],
      labels: { x: '1' },
    };

    const plan = combineLayers([{ 'log-targets': { l: low } }, { 'log-targets': { l: high } }]);
    const again = combineLayers([
      { 'log-targets': { l: low } },
      { 'log-targets': { l: { ...low, override: 'merge' } } },
    ]);

    expect(plan['log-targets']['l']).toEqual({
      override: 'replace',
      type: 'loki',
      location: 'http://two',
      services: ['all', '-a'],
      labels: { x: '1' },
    });
    expect(again['log-targets']['l']).toEqual({ ...low, services: ['all', 'all'] });
  });

  test('keeps the description of the upper layer', () => {
    const low: Layer = { summary: 'low', description: 'low', services: {} };

    expect(mergeLayers(low, { summary: 'high' })).toEqual({ summary: 'high', ...empty });
    expect(mergeLayers(low, { description: 'high' })).toEqual({ description: 'high', ...empty });
  });
});

const words = fc.array(fc.constantFrom('x', 'y', 'z'), { maxLength: 3 });
const map = fc.dictionary(fc.constantFrom('A', 'B'), fc.constantFrom('1', '2'), { maxKeys: 2 });
const override = fc.constantFrom('replace' as const, 'merge' as const);

const service: fc.Arbitrary<LayerService> = fc.record(
  {
    override,
    command: fc.constantFrom('one', 'two'),
    startup: fc.constantFrom('enabled', 'disabled'),
    after: words,
    environment: map,
    'kill-delay': fc.constantFrom('90s', '1m30s', '2s'),
  },
  { requiredKeys: ['override'] },
);
const check: fc.Arbitrary<LayerCheck> = fc.record(
  {
    override,
    period: fc.constantFrom('90s', '1m30s', '2s'),
    http: fc.record({ url: fc.constantFrom('http://x', 'http://y'), headers: map }),
    threshold: fc.nat({ max: 3 }),
  },
  { requiredKeys: ['override'] },
);
const target: fc.Arbitrary<LayerLogTarget> = fc.record({
  override,
  type: fc.constant('loki' as const),
  location: fc.constantFrom('http://x', 'http://y'),
  services: words,
  labels: map,
});
const name = fc.constantFrom('a', 'b');
const layer: fc.Arbitrary<Layer> = fc.record({
  services: fc.dictionary(name, service, { maxKeys: 2 }),
  checks: fc.dictionary(name, check, { maxKeys: 2 }),
  'log-targets': fc.dictionary(name, target, { maxKeys: 2 }),
});

describe('laws', () => {
  test('a plan is the same whether its layers come one by one or some were joined before', () => {
    fc.assert(
      fc.property(layer, layer, layer, (one, two, three) => {
        const joined = mergeLayers(mergeLayers(one, two), three);

        expect(combineLayers([joined])).toEqual(combineLayers([one, two, three]));
      }),
    );
  });

  test('a plan has every layer that replaces, right after it was added', () => {
    fc.assert(
      fc.property(fc.array(layer), layer, (layers, given) => {
        const last = replacing(given);

        expect(planHasLayer(combineLayers([...layers, last]), last)).toBe(true);
      }),
    );
  });

  test('a plan has every layer, right after it was added', () => {
    fc.assert(
      fc.property(fc.array(layer), layer, (layers, last) => {
        expect(planHasLayer(combineLayers([...layers, last]), last)).toBe(true);
      }),
    );
  });

  test('an entry is the same as itself in any order of its keys, and with empty fields', () => {
    fc.assert(
      fc.property(service, (entry) => {
        const reversed = Object.fromEntries(Object.entries(entry).toReversed());

        expect(isSame(entry, { ...reversed, user: '', requires: [], override: 'merge' })).toBe(
          true,
        );
      }),
    );
  });

  test('a rendered layer is JSON that YAML takes too', () => {
    const text = anyText();

    fc.assert(
      fc.property(text, text, (key, value) => {
        const given: Layer = {
          services: { a: { override: 'replace', environment: { [key]: value } } },
        };

        const rendered = renderLayer(given);

        expect(rendered).toMatch(/^[^\p{Cc}\u2028\u2029\ufeff\ufffe\uffff]*$/u);
        expect(JSON.parse(rendered)).toEqual(given);
      }),
    );
  });
});

describe('a plan has a layer', () => {
  const plan = combineLayers([
    {
      services: { a: { override: 'replace', command: 'x', after: ['p'], 'kill-delay': '1m30s' } },
      checks: { c: { override: 'replace', tcp: { port: 1 } } },
      'log-targets': {
        l: { override: 'replace', type: 'loki', location: 'http://x', services: ['all'] },
      },
    },
  ]);
  const own = { command: 'x', after: ['p'], 'kill-delay': '90s' } as const;

  test.each([
    { summary: 'an empty layer', given: {}, has: true },
    { summary: 'the same service', given: { a: { override: 'replace', ...own } }, has: true },
    { summary: 'a part to merge', given: { a: { override: 'merge', after: ['p'] } }, has: true },
    {
      summary: 'another element to merge',
      given: { a: { override: 'merge', after: ['q'] } },
      has: false,
    },
    {
      summary: 'a service with less',
      given: { a: { override: 'replace', command: 'x' } },
      has: false,
    },
    {
      summary: 'a service with more',
      given: { a: { override: 'replace', ...own, user: 'x' } },
      has: false,
    },
    {
      summary: 'another duration',
      given: { a: { override: 'replace', ...own, 'kill-delay': '91s' } },
      has: false,
    },
    { summary: 'another service', given: { b: { override: 'replace', ...own } }, has: false },
    {
      summary: 'another service to merge',
      given: { b: { override: 'merge', after: ['p'] } },
      has: false,
    },
  ] satisfies { summary: string; given: Layer['services']; has: boolean }[])(
    '$summary: $has',
    ({ given, has }) => {
      expect(planHasLayer(plan, { services: given })).toBe(has);
    },
  );

  test('also by its checks and log targets', () => {
    const checks = (port: number): Layer => ({
      checks: { c: { override: 'replace', tcp: { port } } },
    });
    const targets = (...services: readonly string[]): Layer => ({
      'log-targets': { l: { override: 'merge', type: 'loki', location: 'http://x', services } },
    });

    expect(planHasLayer(plan, checks(1))).toBe(true);
    expect(planHasLayer(plan, checks(2))).toBe(false);
    expect(planHasLayer(plan, targets('all'))).toBe(true);
    expect(planHasLayer(plan, targets('all', '-a'))).toBe(false);
  });
});

function replacing(given: Layer): Layer {
  const set = <T extends object>(entries: Readonly<Record<string, T>> = {}) =>
    Object.fromEntries(
      Object.entries(entries).map(([key, entry]) => [
        key,
        { ...entry, override: 'replace' as const },
      ]),
    );
  return {
    services: set(given.services),
    checks: set(given.checks),
    'log-targets': set(given['log-targets']),
  };
}
