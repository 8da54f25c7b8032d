// pg_hba.conf as a list of lines, first match wins. Passwords are SCRAM only, unless the operator
// wants others; what is not named is rejected. Replication is allowed by user and password, not by
// address: pod addresses change.

export interface HbaFacts {
  /** Whether clients from outside may connect. */
  readonly connectivity: boolean;
  /** How passwords are stored: this method takes both kinds, SCRAM takes its own only. */
  readonly passwords: 'md5' | 'scram-sha-256';
}

const everywhere = ['0.0.0.0/0', '::/0'] as const;

/** The lines of pg_hba.conf. */
export function pgHba(facts: HbaFacts): readonly string[] {
  const users = facts.connectivity
    ? everywhere.map((address) => `host all all ${address} ${facts.passwords}`)
    : [
        ...everywhere.map((address) => `host all +internal_access ${address} scram-sha-256`),
        ...everywhere.map((address) => `host all rewind ${address} scram-sha-256`),
      ];
  return [
    'local all backup peer map=operator',
    'local all operator peer map=operator',
    'local all rewind peer map=operator',
    'local replication replication peer map=operator',
    'local all monitoring scram-sha-256',
    ...everywhere.map((address) => `host replication replication ${address} scram-sha-256`),
    ...users,
    'local all all reject',
    ...everywhere.map((address) => `host all all ${address} reject`),
  ];
}
