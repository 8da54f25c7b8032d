// Options without a group: replication, connections, memory, and users from LDAP.

import { cronForm } from '../cron.ts';
import { charm, flag, int, int32, type OptionRow, parameter, text } from '../option-row.ts';

/** Groups of LDAP and of PostgreSQL; neither may contain what separates them. */
const ldapPairs =
  /^(?:[^\p{C}\p{Zl}\p{Zp}=,]+=[^\p{C}\p{Zl}\p{Zp}=,]+(?:,[^\p{C}\p{Zl}\p{Zp}=,]+=[^\p{C}\p{Zl}\p{Zp}=,]+)*)?$/u;

export const clusterOptions: readonly OptionRow[] = [
  text(
    'synchronous_node_count',
    {
      default: 'all',
      form: {
        pattern: /^(?:all|majority|[1-9]\d*)$/,
        longest: 9,
        words: 'all, majority or a whole number of at least 1',
      },
    },
    'How many replicas a commit waits for: all of them, a majority of the cluster (the primary ' +
      'counts as one of it), or so many. Never more than there are.',
  ),
  flag(
    'synchronous_mode_strict',
    true,
    'Whether writes wait when a cluster of several units has no synchronous replica at all. ' +
      'Without it the primary goes on alone, and what it writes then can be lost in a failover.',
  ),
  flag(
    'synchronous_mode_quorum',
    false,
    'Whether a commit waits for any synchronous_node_count of the replicas, whichever is fastest, ' +
      'instead of for chosen ones. Needs Patroni 4; an older one keeps to chosen replicas.',
  ),
  int(
    'experimental_max_connections',
    // Patroni takes no less, and PostgreSQL's limit of 262143 processes includes its own.
    { min: 25, max: 250000, target: parameter('max_connections'), restart: true },
    'Connections that clients may have open at the same time. Unset: four for each core, at ' +
      'least 100. Each one costs memory; a pool in front is usually better than more of them.',
  ),
  text(
    'ldap_map',
    {
      form: {
        pattern: ldapPairs,
        longest: 3000,
        words: 'pairs of an LDAP group and a PostgreSQL group, as in ldap=pg,ldap=pg',
      },
    },
    'Groups whose members LDAP decides: pairs ldap=pg, with commas between them, 3000 characters at ' +
      'most. The PostgreSQL groups have to exist. Kept for the relation to LDAP, which there is not ' +
      'yet: until then it is checked, and nothing else.',
  ),
  text(
    'ldap_search_filter',
    {
      default: '(uid=$username)',
      form: {
        pattern: /^[^\p{C}\p{Zl}\p{Zp}"]+$/u,
        words: 'a filter in one line without double quotes',
      },
    },
    'How a user who logs in is looked up in LDAP; $username stands for the name that was given. Kept ' +
      'for the relation to LDAP, as ldap_map is: checked, and nothing else.',
  ),
  text(
    'profile',
    { default: 'production', allowed: ['production', 'testing'], restart: true },
    'production sizes shared_buffers and effective_cache_size by the memory at hand; testing ' +
      "keeps PostgreSQL's small defaults.",
  ),
  int(
    'profile_limit_memory',
    { min: 128, max: 9999999, unit: 'MB', restart: true },
    'Memory that the production profile reckons with, when that is less than the pod has. Unset: ' +
      'all that the pod may use.',
  ),
];

const cron =
  'Five fields of cron in UTC: minute, hour, day of the month, month, day of the week, as in ' +
  '"0 2 * * 1-5". Empty: never.';

export const backupOptions: readonly OptionRow[] = [
  int(
    'backup_retention_full',
    { min: 1, max: 9999999 },
    'How many full backups are kept, with those that build on them and the WAL from the oldest on. ' +
      'Wins over delete-older-than-days of the S3 relation, which counts as long as this is unset. ' +
      'Less than before is deleted at once.',
  ),
  text(
    'backup_schedule_full',
    { form: cronForm },
    `When a full backup is made. ${cron} Of several that are due at once only the fullest is made.`,
  ),
  text(
    'backup_schedule_differential',
    { form: cronForm },
    `When a backup of what changed since the last full one is made. ${cron}`,
  ),
  text(
    'backup_schedule_incremental',
    { form: cronForm },
    `When a backup of what changed since the last one of any kind is made. ${cron}`,
  ),
  int(
    'backup_age_warning_hours',
    { default: 0, min: 0, max: 99999 },
    'Age of the last good backup at which the leader says so in its status; 0 for never. With a ' +
      'schedule it says so in any case, when backups are twice as old as they may become by it.',
  ),
];

export const failoverOptions: readonly OptionRow[] = [
  int(
    'failover_ttl',
    { default: 20, min: 20, max: 300, unit: 's' },
    "How long the primary's claim to lead holds without being renewed: after that the others " +
      'elect a new one. At least failover_loop_wait plus twice failover_retry_timeout.',
  ),
  int(
    'failover_loop_wait',
    { default: 5, min: 1, max: 60, unit: 's' },
    'Pause between two rounds in which a member looks at the cluster and renews its claim.',
  ),
  int(
    'failover_retry_timeout',
    { default: 6, min: 3, max: 120, unit: 's' },
    'How long a member retries when Kubernetes or PostgreSQL does not answer, before the primary ' +
      'gives up its role.',
  ),
  flag(
    'failover_failsafe_mode',
    true,
    'Whether the primary stays primary while Kubernetes does not answer, as long as it reaches ' +
      'every other member and all agree.',
  ),
  int(
    'failover_primary_start_timeout',
    { default: 300, min: 0, max: 3600, unit: 's' },
    'How long a primary that crashed may take to start again before another member takes over; 0 ' +
      'hands over at once.',
  ),
];

export const durabilityOptions: readonly OptionRow[] = [
  int(
    'durability_maximum_lag_on_failover',
    { default: 1048576, min: 0, max: Number.MAX_SAFE_INTEGER, unit: 'B', target: charm },
    'How far a replica may be behind the primary, in WAL that it has not received, and still ' +
      'become primary in a failover.',
  ),
  text(
    'durability_synchronous_commit',
    { default: 'on', allowed: ['on', 'remote_apply', 'remote_write'] },
    'What a commit waits for on the synchronous replicas: on until they have it on disk, ' +
      'remote_write until their operating system has it, remote_apply until queries there see it.',
  ),
  int(
    'durability_wal_keep_size',
    { default: 4096, min: 0, max: int32, unit: 'MB' },
    'WAL that is kept for replicas that fell behind, besides what replication slots hold. Patroni ' +
      'keeps at least 16; less counts as that.',
  ),
];
