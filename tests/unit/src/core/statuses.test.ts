// The page of statuses names every text that a unit can show, under its level.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { expect, test } from '@jest/globals';

import type { Status } from '../../../../lib/juju/juju.ts';
import { repository } from '../../../../scripts/charms.ts';
import * as statuses from '../../../../src/core/status.ts';

const page = await readFile(path.join(repository, 'docs/reference/statuses.md'), 'utf8');
const reason = '…';

/** Texts that need something to be filled in; `undefined`: no text of its own. */
const filled: Readonly<Record<string, Status | string | undefined>> = {
  isS3Message: undefined,
  isCipherMessage: undefined,
  isInvalidS3Message: undefined,
  invalidS3Parameters: statuses.invalidS3Parameters([reason]),
  cipherMismatch: undefined,
  settingsNotTakenOver: statuses.settingsNotTakenOver(reason),
  cipherSecretUnreadable: statuses.cipherSecretUnreadable(reason),
  allowsRestore: undefined,
  configurationErrorPrefix: undefined,
  blockedByS3: undefined,
  memberStatus: undefined,
  missingS3Parameters: statuses.missingS3Parameters([reason]),
  needsTrust: statuses.needsTrust(reason),
  configurationError: statuses.configurationError([reason]),
  failedToPatchPod: statuses.failedToPatchPod(reason),
  foreignStorage: statuses.foreignStorage(reason),
  strangeCluster: statuses.strangeCluster(reason),
  cannotChangeExtensions: statuses.cannotChangeExtensions([reason]),
  extensionsNotInImage: statuses.extensionsNotInImage([reason]),
  restartingMember: statuses.restartingMember(reason),
  failedToRestart: statuses.failedToRestart(reason),
  nobodyMayLead: statuses.nobodyMayLead(reason),
  doesNotStart: statuses.doesNotStart(reason),
  failedToRestore: statuses.failedToRestore(reason),
  failedToRestoreTime: statuses.failedToRestoreTime(reason),
  restoreCutShort: statuses.restoreCutShort(reason, reason),
  restoreNotSetUp: statuses.restoreNotSetUp(reason, true),
  restoreFailed: statuses.restoreFailed(reason, reason),
  restoreAwaits: statuses.restoreAwaits([reason]),
  restoreHeldUp: statuses.restoreHeldUp(reason),
  restoreEndsWithout: statuses.restoreEndsWithout(reason),
  noReplicationTo: statuses.noReplicationTo([reason]),
  walWaitsFor: statuses.walWaitsFor([reason]),
  nobodyToCopy: statuses.nobodyToCopy(reason),
  cannotRepair: statuses.cannotRepair(reason),
  archivingFails: `archiving fails, ${reason} WAL files waiting`,
  archivingLags: `archiving lags, ${reason} WAL files waiting`,
  fenced: statuses.fenced(reason),
  lastBackupAge: `last backup ${reason} ago`,
  backupMissed: statuses.backupMissed(reason),
  stoppedInPause: statuses.stoppedInPause(undefined),
};

/** The part of the page under a heading. */
function sectionOf(level: string): string {
  const heading = `## ${level.charAt(0).toUpperCase()}${level.slice(1)}\n`;
  return (page.split(heading)[1] ?? '').split('\n## ')[0] ?? '';
}

test('every text of the charm is on the page', () => {
  const missing = Object.entries(statuses).flatMap(([name, value]) => {
    const text = name in filled ? filled[name] : value;
    if (text === undefined) return [];
    if (typeof text === 'string') return page.includes(text) ? [] : [text];
    if (typeof text === 'function') return [`${name} is not filled in`];
    return sectionOf(text.level).includes(text.message) ? [] : [`${text.level}: ${text.message}`];
  });

  expect(missing).toEqual([]);
});

/** What the launcher shows when it does not start the charm. */
const launcher = await readFile(path.join(repository, 'dispatch'), 'utf8');
const refused = [...launcher.matchAll(/refuse "(.+)"$/gm)].map(([, text = '']) =>
  text.replace(/\$\(.*?\)/, reason),
);

test('every text of the launcher is on the page', () => {
  expect(refused).toHaveLength(2);
  expect(refused.filter((text) => !sectionOf('blocked').includes(text))).toEqual([]);
});

test('every text on the page is one of the charm', () => {
  const known = [...Object.values(statuses), ...Object.values(filled), ...refused].flatMap(
    (value) => {
      if (typeof value === 'string') return [value];
      return typeof value === 'object' ? [value.message] : [];
    },
  );
  const shown = [...page.matchAll(/^\| (`+)\s?(.*?)\s?\1 \|/gm)].map(([, , text = '']) => text);

  const remarks = ['Primary', 'Standby', 'degraded'];
  expect(shown.length).toBeGreaterThan(30);
  expect(shown.filter((text) => ![...known, ...remarks].includes(text))).toEqual([]);
});

test('archiving tells how much is waiting', () => {
  expect(statuses.archivingFails(3)).toBe('archiving fails, 3 WAL files waiting');
  expect(statuses.archivingLags(3)).toBe('archiving lags, 3 WAL files waiting');
});
