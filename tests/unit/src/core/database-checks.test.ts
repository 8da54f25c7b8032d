import { describe, expect, test } from '@jest/globals';

import {
  imageQuestions,
  isLocaleOf,
  judgeOptions,
  learn,
  mappedRoles,
  noVerdicts,
  openQuestions,
  parseVerdicts,
  renderVerdicts,
} from '../../../../src/core/config/database-checks.ts';

const zone = { option: 'request_time_zone', judge: 'time-zone', value: 'Europe/Prague' } as const;
const raw = { request_time_zone: 'Europe/Prague', profile: 'testing' };

describe('what is asked', () => {
  test('values at their default, values of other types and other options are not', () => {
    const config = {
      request_time_zone: 'UTC',
      request_date_style: 'ISO, MDY',
      instance_default_text_search_config: 'pg_catalog.simple',
      storage_default_table_access_method: 'heap',
      response_lc_monetary: 'C',
      response_lc_time: 7,
      ldap_map: null,
      vacuum_autovacuum_naptime: 3,
    };

    expect(openQuestions(config, noVerdicts)).toEqual([]);
  });

  test('every option that only the database or the image can judge is', () => {
    const config = {
      instance_default_text_search_config: 'pg_catalog.german',
      ldap_map: 'staff=readers',
      request_date_style: 'German',
      request_time_zone: 'Europe/Prague',
      storage_default_table_access_method: 'columnar',
      response_lc_monetary: 'a',
      response_lc_numeric: 'b',
      response_lc_time: 'c',
    };

    expect(openQuestions(config, noVerdicts).map(({ option, judge }) => [option, judge])).toEqual([
      ['instance_default_text_search_config', 'text-search-config'],
      ['ldap_map', 'roles'],
      ['request_date_style', 'date-style'],
      ['request_time_zone', 'time-zone'],
      ['storage_default_table_access_method', 'table-access-method'],
      ['response_lc_monetary', 'locale'],
      ['response_lc_numeric', 'locale'],
      ['response_lc_time', 'locale'],
    ]);
  });

  test('a value that is wrong in form is not, whatever was said about it before', () => {
    const config = { ldap_map: 'readers', request_time_zone: 'Europe/"Prague"' };
    const before = { accepted: {}, rejected: config, lost: {} };

    expect(openQuestions(config, noVerdicts)).toEqual([]);
    expect(judgeOptions(config, before)).toEqual({ usable: config, problems: [] });
    expect(learn(config, { accepted: raw, rejected: {}, lost: {} }, []).accepted).toEqual({
      request_time_zone: 'Europe/Prague',
    });
  });

  test('a good value is not asked about again, a bad one is, and so is another one', () => {
    const good = learn(raw, noVerdicts, [{ ...zone, good: true }]);
    const bad = learn(raw, noVerdicts, [{ ...zone, good: false }]);

    expect(openQuestions(raw, good)).toEqual([]);
    expect(openQuestions(raw, bad)).toEqual([zone]);
    expect(openQuestions({ request_time_zone: 'Asia/Tokyo' }, good)).toHaveLength(1);
  });
});

describe('what is used', () => {
  test('a value that nobody has judged is left out, without a problem', () => {
    expect(judgeOptions(raw, noVerdicts)).toEqual({
      usable: { profile: 'testing' },
      problems: [],
    });
  });

  test('a good value is', () => {
    const verdicts = learn(raw, noVerdicts, [{ ...zone, good: true }]);

    expect(judgeOptions(raw, verdicts)).toEqual({ usable: raw, problems: [] });
  });

  test('the last good value stays until the new one is known to be good', () => {
    const verdicts = learn(raw, noVerdicts, [{ ...zone, good: true }]);
    const changed = { ...raw, request_time_zone: 'Mars/Crater' };
    const asked = { ...zone, value: 'Mars/Crater' };

    expect(judgeOptions(changed, verdicts)).toEqual({ usable: raw, problems: [] });
    const absent = learn(changed, verdicts, [{ ...asked, good: undefined }]);
    expect(judgeOptions(changed, absent)).toEqual({ usable: raw, problems: [] });
    const refused = learn(changed, verdicts, [{ ...asked, good: false }]);
    expect(judgeOptions(changed, refused)).toEqual({
      usable: raw,
      problems: ['request_time_zone config option has an invalid value'],
    });
  });

  test('a locale that the image lacks is told in its own words', () => {
    const config = { response_lc_time: 'xx_XX' };
    const asked = { option: 'response_lc_time', judge: 'locale', value: 'xx_XX' } as const;

    expect(judgeOptions(config, learn(config, noVerdicts, [{ ...asked, good: false }]))).toEqual({
      usable: {},
      problems: ['Value for response_lc_time not one of the locales available in the system'],
    });
  });

  test('a bad value that has become good is no problem any more', () => {
    const bad = learn(raw, noVerdicts, [{ ...zone, good: false }]);
    const good = learn(raw, bad, [{ ...zone, good: true }]);

    expect(good).toEqual({ ...noVerdicts, accepted: { request_time_zone: 'Europe/Prague' } });
  });

  test('options that are back at their default are forgotten', () => {
    const known = {
      accepted: { request_time_zone: 'Europe/Prague', request_date_style: 'German' },
      rejected: { ldap_map: 'a=b' },
      lost: { request_time_zone: 'Europe/Prague' },
    };

    expect(learn({ request_date_style: 'German' }, known, [])).toEqual({
      accepted: { request_date_style: 'German' },
      rejected: {},
      lost: {},
    });
  });
});

describe('a value that another image had', () => {
  const known = learn(raw, noVerdicts, [{ ...zone, good: true }]);

  test('is asked about again in each image', () => {
    const config = { ...raw, response_lc_time: 'a', ldap_map: 'a=b' };

    expect(imageQuestions(config, {}).map(({ option }) => option)).toEqual([
      'request_time_zone',
      'response_lc_time',
    ]);
    expect(imageQuestions(config, { request_time_zone: 'Europe/Prague' })).toHaveLength(1);
    expect(imageQuestions(config, { request_time_zone: 'Europe/Rome' })).toHaveLength(2);
  });

  test('is left out without being a problem, until it is there again', () => {
    const without = learn(raw, known, [{ ...zone, good: false }]);
    const still = learn(raw, without, [{ ...zone, good: false }]);

    expect(without).toEqual({ ...noVerdicts, lost: { request_time_zone: 'Europe/Prague' } });
    expect(still).toEqual(without);
    expect(judgeOptions(raw, without)).toEqual({ usable: { profile: 'testing' }, problems: [] });
    expect(openQuestions(raw, without)).toHaveLength(1);
    expect(learn(raw, without, [{ ...zone, good: true }])).toEqual(known);
  });

  test('stays in force while nobody can be asked', () => {
    expect(learn(raw, known, [{ ...zone, good: undefined }])).toEqual(known);
  });

  test('is forgotten when another one is set', () => {
    const without = learn(raw, known, [{ ...zone, good: false }]);

    expect(learn({ request_time_zone: 'Europe/Rome' }, without, []).lost).toEqual({});
  });
});

test('verdicts survive being stored; none at all are not stored', () => {
  const verdicts = {
    accepted: { request_time_zone: 'Europe/Prague' },
    rejected: { ldap_map: 'a' },
    lost: { response_lc_time: 'b' },
  };

  expect(parseVerdicts(renderVerdicts(verdicts))).toEqual(verdicts);
  expect(parseVerdicts('{"accepted":{},"rejected":{"ldap_map":"a"}}')).toEqual({
    ...noVerdicts,
    rejected: { ldap_map: 'a' },
  });
  expect(renderVerdicts(noVerdicts)).toBeUndefined();
  expect(parseVerdicts(undefined)).toEqual(noVerdicts);
});

test.each(['', 'null', '[]', '{"accepted":{}}', '{"accepted":{"a":1},"rejected":{}}', '{"unterm'])(
  'verdicts that cannot be read are none (%j)',
  (text) => {
    expect(parseVerdicts(text)).toEqual(noVerdicts);
  },
);

test('the groups of the database stand behind the equals signs', () => {
  expect(mappedRoles('staff=readers,ops = writers')).toEqual(['readers', 'writers']);
});

const locales = [
  { summary: 'as the system lists it', value: 'en_US.utf8', expected: true },
  { summary: 'as people write it', value: 'en_US.UTF-8', expected: true },
  { summary: 'without its encoding', value: 'en_US', expected: false },
  { summary: 'in other letters', value: 'EN_US.utf8', expected: false },
  { summary: 'with a modifier that is there', value: 'de_DE.utf8@euro', expected: true },
  { summary: 'that nobody has', value: 'xx_XX.utf8', expected: false },
];

test.each(locales)('a locale $summary: $expected', ({ value, expected }) => {
  expect(isLocaleOf(value, ['C', 'C.utf8', 'en_US.utf8', 'de_DE.utf8@euro'])).toBe(expected);
});

test('the longest values that are taken fit into what Juju keeps for a unit', () => {
  const longest = (begin: string) => ({
    ldap_map: `${begin}=${'漢'.repeat(2998)}`,
    ...Object.fromEntries(
      [
        'instance_default_text_search_config',
        'request_date_style',
        'request_time_zone',
        'storage_default_table_access_method',
        'response_lc_monetary',
        'response_lc_numeric',
        'response_lc_time',
      ].map((option) => [option, `${begin}${'😀'.repeat(199)}`]),
    ),
  });
  const verdicts = { accepted: longest('a'), rejected: longest('b'), lost: longest('c') };
  const asked = openQuestions(longest('d'), verdicts);

  expect(asked.map(({ option }) => option).toSorted()).toEqual(Object.keys(longest('')).toSorted());
  expect(openQuestions({ ldap_map: `d=${'漢'.repeat(2999)}` }, noVerdicts)).toEqual([]);
  expect(Buffer.byteLength(renderVerdicts(verdicts) ?? '')).toBeLessThanOrEqual(65_536);
});
