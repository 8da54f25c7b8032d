import { expect, test } from '@jest/globals';

import { getLayout } from '../../../cloud/layout.ts';

test('the cloud is in the cache of the user, not in a checkout', () => {
  expect(getLayout({ HOME: '/home/ann' })).toMatchObject({
    instance: 'main',
    lockFile: '/home/ann/.cache/charmed-postgresql-k8s/cloud/main/lock',
    run: '/home/ann/.cache/charmed-postgresql-k8s/cloud/main/run',
    imageStores: '/home/ann/.cache/charmed-postgresql-k8s/cloud/.images',
  });
});

test('a test may have an instance of its own, which shares nothing but images', () => {
  const main = getLayout({ XDG_CACHE_HOME: '/cache' });
  const own = getLayout({ XDG_CACHE_HOME: '/cache', LOCAL_CLOUD_INSTANCE: 'own' });

  const shared = Object.entries(own).filter(([name, value]) => {
    return Object.entries(main).some(([other, same]) => other === name && same === value);
  });
  expect(shared.map(([name]) => name)).toEqual(['imageStores']);
});

test.each(['', '.images', '../x', 'a/b', 'Main'])('instance "%s" is refused', (instance) => {
  expect(() => getLayout({ HOME: '/h', LOCAL_CLOUD_INSTANCE: instance })).toThrow(
    `cannot use cloud instance "${instance}"`,
  );
});
