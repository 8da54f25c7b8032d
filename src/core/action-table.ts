// Every action of the charm: actions.yaml and the reference page are generated from this table, and
// parameters are checked against it before a handler runs. A further action is one row here and one
// entry in `src/hooks.ts`.

export interface ActionParameter {
  readonly name: string;
  readonly type: 'string' | 'boolean';
  readonly default?: string | boolean;
  readonly description: string;
}

export interface ActionRow {
  readonly name: string;
  readonly description: string;
  /** Units that it can be run on. */
  readonly runsOn: string;
  readonly parameters: readonly ActionParameter[];
  /** Keys of the results and what they hold. */
  readonly results: Readonly<Record<string, string>>;
}

export const actionTable = [
  {
    name: 'create-backup',
    description:
      'Creates a backup of the cluster on S3 storage. Needs a relation to an S3 integrator.',
    runsOn: 'the primary',
    parameters: [
      {
        name: 'type',
        type: 'string',
        default: 'full',
        description:
          'full, differential (since the last full backup) or incremental (since the last backup).',
      },
    ],
    results: { 'backup-status': '`backup created`' },
  },
  {
    name: 'list-backups',
    description:
      'Lists what is on the S3 storage: backups, also those that failed or are being made, and ' +
      'timelines.',
    runsOn: 'any unit',
    parameters: [],
    results: {
      backups: 'a table',
      'backups-json':
        'the same as one JSON document, with sizes, `windows`: from when until when each timeline can ' +
        'be restored, `last_backup`: `id`, `stop` and `age_s` of the newest one that can be restored, ' +
        'and `schedule`: what is planned and what was missed',
    },
  },
  {
    name: 'delete-backup',
    description:
      'Deletes a backup from the S3 storage, and the WAL that no backup needs any more. Refused while ' +
      'a backup is made or restored.',
    runsOn: 'the leader',
    parameters: [
      {
        name: 'backup-id',
        type: 'string',
        description: 'A backup-id as shown by list-backups, for instance 2026-01-31T12:00:00Z.',
      },
      {
        name: 'dependents',
        type: 'boolean',
        default: false,
        description: 'Delete the backups that build on it, too.',
      },
      {
        name: 'force',
        type: 'boolean',
        default: false,
        description: 'Delete even the last full backup that can be restored.',
      },
    ],
    results: {
      deleted: 'the ids of what was deleted',
      'repo-bytes-before': 'what the backups and the WAL of this cluster took on the storage',
      'repo-bytes-after': 'what they take now',
      'freed-bytes': 'the difference',
    },
  },
  {
    name: 'verify-backups',
    description:
      'Reads every backup and all WAL of this cluster on the S3 storage, and tells what is damaged or ' +
      'missing; then restores a backup beside the data, starts PostgreSQL on it, looks at its pages, ' +
      'and removes it. Changes neither the database nor the storage. Fails when something is wrong.',
    runsOn: 'any unit, preferably a replica',
    parameters: [
      {
        name: 'trial-restore',
        type: 'boolean',
        default: true,
        description:
          'Restore a backup on trial. Takes its size on the volume, and a fifth of the volume besides.',
      },
      {
        name: 'backup-id',
        type: 'string',
        description: 'The backup that the trial restores; the newest sound one when left out.',
      },
    ],
    results: {
      verified: '`ok` or `problems`',
      backups: 'how many are sound, and how many are not: `3 ok, 1 failed`',
      'trial-restore': 'id, seconds and bytes of a trial that went well, or why there was none',
      problems: 'one line each; missing when there are none',
    },
  },
  {
    name: 'restore',
    description:
      'Restores a backup, or the database as it was at a time: the data of now are replaced. They ' +
      'stand aside, when there is room, until the restored database answers, and come back when it ' +
      'does not. Needs backup-id, restore-to-time or both. The action ends when the restore has ' +
      'begun; the unit status tells how it goes on.',
    runsOn: 'the leader, which is the only unit unless all-units is set',
    parameters: [
      {
        name: 'backup-id',
        type: 'string',
        description:
          'A backup-id as shown by list-backups, for instance 2026-01-31T12:00:00Z: a backup, or a ' +
          'timeline, which needs restore-to-time, too.',
      },
      {
        name: 'restore-to-time',
        type: 'string',
        description:
          'The time up to which WAL is replayed, 2026-01-31 12:00:00, perhaps with a fraction of a ' +
          'second (.123456) and a zone (+02 or +02:00; UTC when left out); or latest: to the end of ' +
          'the timeline.',
      },
      {
        name: 'all-units',
        type: 'boolean',
        default: false,
        description:
          'Restore a cluster of several units: all stop, this one restores, and the others copy its ' +
          'data.',
      },
    ],
    results: { 'restore-status': '`restore started`' },
  },
  {
    name: 'cancel-restore',
    description:
      'Ends a restore that is under way as if it had failed: the data of before are in force again. ' +
      'Refused when they are gone. After a restore that has failed: takes the remark out of the ' +
      'status.',
    runsOn: 'the unit that restores; the leader when that is lost, or for the remark',
    parameters: [],
    results: { status: '`restore cancelled`, or `noted`' },
  },
  {
    name: 'get-primary',
    description: 'Shows which unit is the primary. There is no result while there is none.',
    runsOn: 'any unit',
    parameters: [],
    results: { primary: 'name of the unit' },
  },
  {
    name: 'get-password',
    description:
      'Shows the password of a system user. Neither operator nor backup gets in over the network ' +
      'with it: both work from within a pod, where they are not asked for one.',
    runsOn: 'any unit',
    parameters: [
      {
        name: 'username',
        type: 'string',
        default: 'operator',
        description: 'operator, replication, rewind, monitoring, backup or patroni.',
      },
    ],
    results: { password: 'the password' },
  },
  {
    name: 'set-password',
    description:
      'Changes the password of a system user on all units. Connections that are open stay open, and ' +
      'replication goes on; a replica that connects anew in the same seconds is refused at first, and ' +
      'comes back by itself. Needs all members of the cluster to be up.',
    runsOn: 'the leader',
    parameters: [
      {
        name: 'username',
        type: 'string',
        description: 'operator, replication, rewind, monitoring or backup; required.',
      },
      {
        name: 'password',
        type: 'string',
        description:
          'The new password: 8 to 256 characters, no control characters. Generated when left out, ' +
          'which keeps it out of the history of commands.',
      },
    ],
    results: { password: 'the password that is valid now' },
  },
  {
    name: 'promote-to-primary',
    description:
      'Makes this unit the primary by a switchover: no committed data is lost, and writes pause for ' +
      'a moment. The unit has to be a synchronous replica. With force, only where the last primary ' +
      'and all its synchronous replicas (of a quorum: too many of them) are down: the unit with the ' +
      'newest data that is up becomes the primary, and what it does not have is lost.',
    runsOn: 'the unit to be promoted',
    parameters: [
      {
        name: 'scope',
        type: 'string',
        description: 'unit: within this cluster. cluster: before other clusters; needs a relation.',
      },
      {
        name: 'force',
        type: 'boolean',
        default: false,
        description:
          'scope cluster: promote although the other cluster cannot be reached. scope unit: promote ' +
          'although commits may be lost.',
      },
    ],
    results: { primary: 'name of the unit that is the primary now' },
  },
  {
    name: 'pause-failover',
    description:
      'Pauses failover in the whole cluster, for maintenance: until resume-failover nobody becomes ' +
      'the primary by itself, and a PostgreSQL that stops, also that of the primary, stays down. ' +
      'promote-to-primary still works.',
    runsOn: 'any unit',
    parameters: [],
    results: { status: '`failover paused`' },
  },
  {
    name: 'resume-failover',
    description: 'Ends what pause-failover began. Members that are down are started again.',
    runsOn: 'any unit',
    parameters: [],
    results: { status: '`failover resumed`' },
  },
  {
    name: 'reinitialise-replica',
    description:
      'Deletes the data of this unit and copies that of the primary anew, to repair a replica that ' +
      'cannot follow. Refused on the primary, and while a backup is made or restored.',
    runsOn: 'the replica to be rebuilt',
    parameters: [
      {
        name: 'force',
        type: 'boolean',
        default: false,
        description: 'Rebuild a replica that is healthy, too.',
      },
    ],
    results: {
      status:
        '`replica rebuilt`, or `rebuilding` when it takes longer than ten minutes and goes on',
    },
  },
  {
    name: 'explain',
    description:
      'Tells what the charm sees on this unit, what it does next, and what it waits for. Changes ' +
      'nothing, holds no passwords, and works however much of the unit is down.',
    runsOn: 'any unit',
    parameters: [
      {
        name: 'format',
        type: 'string',
        default: 'text',
        description: 'text for reading, json for programs.',
      },
    ],
    results: { explanation: 'the text, or one JSON document' },
  },
] as const satisfies readonly ActionRow[];

export type ActionName = (typeof actionTable)[number]['name'];
