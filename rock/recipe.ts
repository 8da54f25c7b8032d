/**
 * What an image recipe says. A recipe is plain data, so that a hash over it tells whether an image
 * must be built again; how it is built is the builder's business.
 */

export interface ContainerConfig {
  readonly entrypoint: readonly string[];
  readonly workingFolder: string;
  readonly environment: Readonly<Record<string, string>>;
}

export interface DebianImageRecipe {
  readonly name: string;
  readonly title: string;
  readonly imageNames: readonly string[];
  readonly suite: string;
  /** On top of Debian's essential packages. */
  readonly packages: readonly string[];
  /** dpkg's `path-exclude=` and `path-include=` lines, later ones winning. */
  readonly pathFilters: readonly string[];
  readonly users: readonly {
    readonly name: string;
    readonly id: number;
    readonly home: string;
    readonly shell: string;
  }[];
  /** POSIX shell, run inside the root when all packages are installed. */
  readonly script: string;
  /** Programs and libraries that must not be in it, by file name. */
  readonly mustLack: readonly string[];
  /** Named parts whose versions are written into the image. */
  readonly versions?: VersionsFile;
  readonly config: ContainerConfig;
}

export interface VersionsFile {
  /** JSON: one field for each part. */
  readonly file: string;
  /** Part name to Debian package. */
  readonly packages: Readonly<Record<string, string>>;
  /** YAML with one field, `version`: that of the first package. */
  readonly workloadVersionFile: string;
}

export const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Leaves out what nobody reads in a container; licences stay. */
export const withoutDocumentation: readonly string[] = [
  'path-exclude=/usr/share/doc/*',
  'path-include=/usr/share/doc/*/copyright',
  'path-exclude=/usr/share/man/*',
  'path-exclude=/usr/share/info/*',
  'path-exclude=/usr/share/lintian/*',
  'path-exclude=/usr/share/locale/*',
];
