// pg_hba.conf as a list of lines, first match wins; what is not named is rejected. Superusers get in
// through the local socket only, where the operating system says who they are: the lines that keep
// them out come before those that let their groups in. Passwords are SCRAM only, unless the operator
// wants others. Replication is allowed by user and password, not by address: pod addresses change.

import { accessGroups, superusers } from '../names.ts';

export interface HbaFacts {
  /** Whether clients from outside may connect. */
  readonly connectivity: boolean;
  /** How passwords are stored: this method takes both kinds, SCRAM takes its own only. */
  readonly passwords: 'md5' | 'scram-sha-256';
}

/** The lines of pg_hba.conf. `all` databases does not include `replication`. */
export function pgHba(facts: HbaFacts): readonly string[] {
  const { identity, internal, relation } = accessGroups;
  return [
    ...superusers.map((user) => `local all ${user} peer map=operator`),
    'local all rewind peer map=operator',
    'local replication replication peer map=operator',
    'local all monitoring scram-sha-256',
    'local all,replication all reject',
    ...fromEverywhere(`all,replication ${superusers.join(',')}`, 'reject'),
    ...fromEverywhere('replication replication', 'scram-sha-256'),
    ...fromEverywhere('all rewind', 'scram-sha-256'),
    ...fromEverywhere(`all +${internal}`, 'scram-sha-256'),
    ...(facts.connectivity ? fromEverywhere(`all +${identity},+${relation}`, facts.passwords) : []),
    ...fromEverywhere('all,replication all', 'reject'),
  ];
}

function fromEverywhere(who: string, method: string): readonly string[] {
  return ['0.0.0.0/0', '::/0'].map((address) => `host ${who} ${address} ${method}`);
}
