// The leader admits a unit by what Patroni shows at that moment, not by what the hook has seen before.

import { expect } from '@jest/globals';

import { relationChanged } from '../support/scenario/events.ts';
import {
  endpoints,
  inWorld,
  primary,
  replica,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import { scenario } from '../support/scenario/scenario.ts';
import { relationOf } from '../support/scenario/state.ts';

/** The charm before which a replica goes down while a hook looks at it. */
const goingDown: typeof underTest = {
  ...underTest,
  ports: (host) => {
    const ports = underTest.ports(host);
    return {
      ...ports,
      http: async (request) => {
        const answer = await ports.http(request);
        if (!request.url.endsWith('/cluster')) return answer;
        host.world.update((now) => ({
          ...now,
          patroni: { ...now.patroni, members: [primary(0), replica(1, 'stopped')] },
        }));
        return answer;
      },
    };
  },
};

scenario('a member that has gone down since the hook began keeps others from being admitted', {
  charm: goingDown,
  given: async () => {
    const given = await running({ leader: true, others: [1, 2] });
    const relations = given.relations.map((one) => ({
      ...one,
      localApp: { ...one.localApp, endpoints: endpoints(0, 1) },
    }));
    return inWorld(
      { ...given, relations },
      {
        patroni: { members: [primary(0), replica(1)] },
      },
    );
  },
  when: (given) => relationChanged(relationOf(given, 'database-peers')),
  then: ({ state: after, walks }) => {
    expect(relationOf(after, 'database-peers').localApp['endpoints']).toBe(endpoints(0, 1));
    expect(walks[0]?.end).toBe('defer');
  },
});
