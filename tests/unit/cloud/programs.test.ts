import { expect, test } from '@jest/globals';

import { isAtLeast } from '../../../cloud/build/go-toolchain.ts';
import { getCacheHome, getPlatform } from '../../../cloud/build/machine.ts';
import { parseModuleVersion, programRecipes } from '../../../cloud/build/programs.ts';

const goMod = `module local-cloud/kubernetes

go 1.24.0

require k8s.io/kubernetes v1.34.4

require (
	k8s.io/api v0.34.4 // indirect
	k8s.io/api-tools v0.1.0
)

replace k8s.io/client-go => k8s.io/client-go v0.34.4
`;

test.each([
  { summary: 'in a line of its own', module: 'k8s.io/kubernetes', version: 'v1.34.4' },
  { summary: 'in a block', module: 'k8s.io/api', version: 'v0.34.4' },
])('the pinned version of a module is found $summary', ({ module, version }) => {
  expect(parseModuleVersion(goMod, module)).toBe(version);
});

test('a module that is only replaced has no pinned version', () => {
  expect(() => parseModuleVersion(goMod, 'k8s.io/client-go')).toThrow(
    'cannot find the version of "k8s.io/client-go": its go.mod does not require it',
  );
});

test.each([
  { version: '1.26.8', isEnough: true },
  { version: '1.26.10', isEnough: true },
  { version: '1.27rc1', isEnough: true },
  { version: '2.0', isEnough: true },
  { version: '1.26.7', isEnough: false },
  { version: '1.26', isEnough: false },
  { version: '1.19.8', isEnough: false },
])('Go $version is enough for 1.26.8: $isEnough', ({ version, isEnough }) => {
  expect(isAtLeast(version, '1.26.8')).toBe(isEnough);
});

test('every program is built by one recipe', () => {
  const programs = programRecipes.flatMap((recipe) => recipe.programs);

  expect(new Set(programs).size).toBe(programs.length);
  for (const recipe of programRecipes) expect(recipe.packages).toHaveLength(recipe.programs.length);
});

test.each([
  {
    summary: 'the configured folder',
    environment: { HOME: '/home/a', XDG_CACHE_HOME: '/cache' },
    home: '/cache',
  },
  { summary: 'below HOME without one', environment: { HOME: '/home/a' }, home: '/home/a/.cache' },
  {
    summary: 'below HOME with a relative one',
    environment: { HOME: '/home/a', XDG_CACHE_HOME: 'cache' },
    home: '/home/a/.cache',
  },
])('caches are in $summary', ({ environment, home }) => {
  expect(getCacheHome(environment)).toBe(home);
});

test('an unknown architecture is refused', () => {
  expect(() => getPlatform('mips')).toThrow('architecture "mips" is not one of x64, arm64');
});
