/** How pgBackRest may be told to work: the sweep, upstream's settings, and the arguments. Pure. */

export interface PgbackrestSettings {
  readonly processMax: number;
  /** Of a restore, where that is another number. */
  readonly restoreProcessMax?: number;
  readonly compressType: 'none' | 'bz2' | 'gz' | 'lz4' | 'zst';
  readonly compressLevel?: number;
  readonly bundle: boolean;
  readonly block: boolean;
}

const types = ['none', 'lz4', 'zst'] as const;
const stores = [
  { bundle: true, block: true },
  { bundle: true, block: false },
  { bundle: false, block: false },
] as const;

/** Every combination of what makes a difference, on a node with so many cores. */
export function sweepOf(cores: number): readonly PgbackrestSettings[] {
  const processes = [...new Set([1, cores, 2 * cores])];
  return processes.flatMap((processMax) =>
    types.flatMap((compressType) =>
      stores.map((store) => ({ processMax, compressType, ...store })),
    ),
  );
}

/** What the charm of the 14 line writes into its file: one process, but several in a restore. */
export function upstreamSettings(cores: number): PgbackrestSettings {
  const restoreProcessMax = Math.max(cores - 2, 1);
  return { processMax: 1, restoreProcessMax, compressType: 'zst', bundle: true, block: true };
}

export function backupArguments(settings: PgbackrestSettings): readonly string[] {
  const { processMax, compressType, compressLevel, bundle, block } = settings;
  return [
    `--process-max=${processMax}`,
    `--compress-type=${compressType}`,
    ...(compressLevel === undefined ? [] : [`--compress-level=${compressLevel}`]),
    bundle ? '--repo1-bundle' : '--no-repo1-bundle',
    // It is an error to speak of blocks where there are no bundles; the file may do so.
    ...(bundle ? [block ? '--repo1-block' : '--no-repo1-block'] : ['--reset-repo1-block']),
  ];
}

export function restoreArguments(settings: PgbackrestSettings): readonly string[] {
  return [`--process-max=${settings.restoreProcessMax ?? settings.processMax}`];
}

/** `4 processes, zst, bundles, blocks` */
export function describeSettings(settings: PgbackrestSettings): string {
  const { processMax, compressType, compressLevel, bundle, block } = settings;
  const level = compressLevel === undefined ? '' : ` ${compressLevel}`;
  return [
    `${processMax} ${processMax === 1 ? 'process' : 'processes'}`,
    `${compressType}${level}`,
    ...(bundle ? ['bundles'] : ['whole files']),
    ...(bundle && block ? ['blocks'] : []),
  ].join(', ');
}

const form =
  /^(?<processes>[1-9]\d{0,2}):(?<type>none|bz2|gz|lz4|zst)(?:\/(?<level>-?\d+))?:(?<store>block|bundle|files)$/;

/** Reads `4:zst/3:block`: processes, type with a level if any, and how files are stored. */
export function parseSettings(text: string): PgbackrestSettings {
  const { processes, type, level, store } = form.exec(text)?.groups ?? {};
  const compressType = (['none', 'bz2', 'gz', 'lz4', 'zst'] as const).find((one) => one === type);
  if (compressType === undefined) {
    throw new Error(
      `cannot read "${text}": it has to be like 4:zst/3:block, 2:lz4:bundle, 1:none:files`,
    );
  }
  return {
    processMax: Number(processes),
    compressType,
    ...(level === undefined ? {} : { compressLevel: Number(level) }),
    bundle: store !== 'files',
    block: store === 'block',
  };
}
