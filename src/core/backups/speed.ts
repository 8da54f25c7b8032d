// How a repository is written: processes, compression, bundles. By the options of this application,
// or, while these are wrong, as the file that is in force has it. Pure.

import type { IniSection } from '../render/ini.ts';

export interface BackupSpeed {
  /** From the cores of the pod when absent. */
  readonly processMax: number | undefined;
  readonly compressType: string;
  /** As pgBackRest chooses when absent. */
  readonly compressLevel: number | undefined;
  readonly bundle: boolean;
  /** Only together with bundles. */
  readonly blockIncremental: boolean;
}

export const usualSpeed: BackupSpeed = {
  processMax: undefined,
  compressType: 'zst',
  compressLevel: undefined,
  bundle: true,
  blockIncremental: true,
};

/** Levels that pgBackRest takes, by type; it refuses to run with others. */
export const compressLevels: Readonly<Record<string, readonly [least: number, most: number]>> = {
  bz2: [1, 9],
  gz: [-1, 9],
  lz4: [-5, 12],
  zst: [-7, 22],
};

const mostProcesses = 8;

export function renderSpeed(speed: BackupSpeed, cores: number): IniSection {
  const { processMax, compressType, compressLevel, bundle, blockIncremental } = speed;
  const fromCores = Math.max(1, Math.min(mostProcesses, Math.floor(cores)));
  const leveled = compressLevel !== undefined && compressType !== 'none';
  return {
    'compress-type': compressType,
    ...(leveled ? { 'compress-level': String(compressLevel) } : {}),
    'process-max': String(processMax ?? fromCores),
    'repo1-bundle': bundle ? 'y' : 'n',
    // pgBackRest refuses to run with it when there are no bundles.
    ...(bundle ? { 'repo1-block': blockIncremental ? 'y' : 'n' } : {}),
  };
}

/** As a rendered file has it; the usual without one. */
export function speedIn(config: string | undefined): BackupSpeed {
  const valueOf = (key: string): string | undefined =>
    new RegExp(`^${key}=(.*)$`, 'm').exec(config ?? '')?.[1];
  const numberOf = (key: string): number | undefined => {
    const value = valueOf(key);
    return value === undefined ? undefined : Number(value);
  };
  return {
    processMax: numberOf('process-max'),
    compressType: valueOf('compress-type') ?? usualSpeed.compressType,
    compressLevel: numberOf('compress-level'),
    bundle: valueOf('repo1-bundle') !== 'n',
    blockIncremental: valueOf('repo1-block') !== 'n',
  };
}
