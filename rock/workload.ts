/**
 * The workload image: PostgreSQL and everything that runs beside it, from Debian's own packages.
 * The postgres user has the number that existing deployments' volumes belong to.
 */

import { type DebianImageRecipe, defaultPath, withoutDocumentation } from './recipe.ts';

const postgresqlMajor = '17';

/** What databases may be asked to sort and format by; C.UTF-8 is part of the C library. */
const locales = [
  'cs_CZ',
  'de_DE',
  'en_GB',
  'en_US',
  'es_ES',
  'fr_FR',
  'it_IT',
  'ja_JP',
  'ko_KR',
  'nl_NL',
  'pl_PL',
  'pt_BR',
  'pt_PT',
  'ru_RU',
  'sv_SE',
  'tr_TR',
  'uk_UA',
  'zh_CN',
];

const script = `
for locale in ${locales.join(' ')}; do echo "$locale.UTF-8 UTF-8"; done > /etc/locale.gen
locale-gen
rm -rf /var/lib/postgresql/${postgresqlMajor}/main /etc/postgresql/${postgresqlMajor}/main
rm -f /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/ssl-cert-snakeoil.pem
install -d -o postgres -g postgres -m 2775 /run/postgresql
install -d -o postgres -g postgres -m 0750 /var/lib/pgbackrest /var/log/pgbackrest /var/spool/pgbackrest
ln -sf /usr/lib/postgresql/${postgresqlMajor}/bin/* /usr/local/bin/
test -e /var/run/postgresql
`;

export const workload: DebianImageRecipe = {
  name: 'workload',
  title: 'workload image',
  imageNames: [`docker.io/local/charmed-postgresql:${postgresqlMajor}`],
  suite: 'trixie',
  packages: [
    `postgresql-${postgresqlMajor}`,
    `postgresql-${postgresqlMajor}-pgaudit`,
    `postgresql-${postgresqlMajor}-pgvector`,
    'ca-certificates',
    'locales',
    'logrotate',
    'patroni',
    'pgbackrest',
    'pgbouncer',
    'procps',
    'prometheus-pgbouncer-exporter',
    'prometheus-postgres-exporter',
    'python3-kubernetes',
    'tzdata',
  ],
  pathFilters: [
    ...withoutDocumentation,
    // lc_messages is a setting of the server: its own translations stay.
    `path-include=/usr/share/locale/*/LC_MESSAGES/postgres-${postgresqlMajor}.mo`,
  ],
  users: [{ name: 'postgres', id: 584788, home: '/var/lib/postgresql', shell: '/bin/bash' }],
  script,
  mustLack: [],
  versions: {
    file: '/usr/share/charmed-postgresql/versions.json',
    packages: {
      postgresql: `postgresql-${postgresqlMajor}`,
      patroni: 'patroni',
      pgbackrest: 'pgbackrest',
      pgbouncer: 'pgbouncer',
      pgaudit: `postgresql-${postgresqlMajor}-pgaudit`,
      pgvector: `postgresql-${postgresqlMajor}-pgvector`,
      'postgres-exporter': 'prometheus-postgres-exporter',
      'pgbouncer-exporter': 'prometheus-pgbouncer-exporter',
    },
    // Parity: charms report the workload version that stands in this file.
    workloadVersionFile: '/meta.charmed-postgresql/snap.yaml',
  },
  config: {
    entrypoint: ['sh'],
    workingFolder: '/',
    environment: { PATH: defaultPath, LANG: 'C.UTF-8' },
  },
};
