// charmcraft, the tool that charms are published with, in a Python environment of its own that the
// cache keeps: its linters and the schema of charmcraft.yaml judge what we pack.

import path from 'node:path';

import { execa } from 'execa';

import { openCache } from '../../cloud/build/cache.ts';
import { computeKey } from '../../cloud/build/keys.ts';
import { ensurePackage } from './debian-package.ts';

const version = '4.5.0';

export interface Charmcraft {
  analyse(archive: string): Promise<string>;
  /** Rejects with charmcraft's own words when charmcraft.yaml in the folder is not valid. */
  validateProject(folder: string): Promise<void>;
}

/** Installs charmcraft when no cache has it, which takes a minute. */
export async function ensureCharmcraft(): Promise<Charmcraft> {
  const python = await ensurePython();
  const id = { name: 'charmcraft', key: computeKey({ version, python }) };
  const folder = await openCache().ensure(id, async (fresh) => {
    await execa('python3', ['-m', 'venv', fresh]);
    const install = ['-m', 'pip', 'install', '--quiet', `charmcraft==${version}`];
    await execa(path.join(fresh, 'bin', 'python'), install);
  });
  const program = path.join(folder, 'bin', 'python');
  return {
    analyse: async (archive) => {
      const args = ['-m', 'charmcraft', 'analyse', '--format', 'json', archive];
      // It exits with an error when a linter finds one; what it found is in the answer.
      const { stdout } = await execa(program, args, { reject: false });
      return stdout;
    },
    validateProject: async (charmFolder) => {
      await execa(program, ['-c', validation, charmFolder]);
    },
  };
}

/** Loads charmcraft.yaml and the files that charmcraft merges into it, as `charmcraft pack` does. */
const validation = `
import pathlib, sys, yaml
from charmcraft import preprocess
from charmcraft.models.project import PlatformCharm
folder = pathlib.Path(sys.argv[1])
project = yaml.safe_load((folder / "charmcraft.yaml").read_text())
preprocess.add_metadata(folder, project)
preprocess.add_config(folder, project)
preprocess.add_actions(folder, project)
PlatformCharm.unmarshal(project)
`;

/** Its version. Debian keeps the module that makes environments in a package of its own. */
async function ensurePython(): Promise<string> {
  const probe = ['-c', 'import ensurepip, sys, venv; print(sys.version)'];
  const isThere = async () => (await execa('python3', probe, { reject: false })).exitCode === 0;
  await ensurePackage('python3-venv', isThere, ['--no-install-recommends']);
  const { stdout } = await execa('python3', probe);
  return stdout;
}
