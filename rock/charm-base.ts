/**
 * The image of charm containers on the local cloud. It stands in for Juju's own base image and is
 * as bare: a charm that runs here carries its own Node.js and every library beyond those of C++.
 */

import { type DebianImageRecipe, defaultPath, withoutDocumentation } from './recipe.ts';

export const charmBase: DebianImageRecipe = {
  name: 'charm-base',
  title: 'charm base image',
  imageNames: ['ghcr.io/juju/charm-base:ubuntu-24.04', 'ghcr.io/juju/charm-base:ubuntu-22.04'],
  suite: 'trixie',
  packages: ['bash', 'ca-certificates', 'libgcc-s1', 'libstdc++6', 'python3'],
  pathFilters: withoutDocumentation,
  users: [
    // Juju's agents run as this number where they do not run as root.
    { name: 'juju', id: 170, home: '/var/lib/juju', shell: '/bin/bash' },
    { name: 'syslog', id: 104, home: '/nonexistent', shell: '/usr/sbin/nologin' },
  ],
  script: '',
  mustLack: ['node', 'nodejs', 'libatomic.so.1'],
  config: {
    entrypoint: [],
    workingFolder: '/',
    environment: { PATH: defaultPath },
  },
};
