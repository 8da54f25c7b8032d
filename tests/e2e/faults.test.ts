// Level 1. Labels: failover.
// A client writes while the cluster is broken: nothing that was acknowledged is lost or doubled, all
// members end with the same rows, and writes come back in time; after a fail-over statuses, labels and
// Endpoints follow within five seconds. `make faults` does much more.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect } from '@jest/globals';

import { deployPostgresql } from '../../scripts/demo/deploy.ts';
import { waitUntilSettled } from '../../scripts/demo/settle.ts';
import { chooseFaults } from '../../scripts/faults/catalogue.ts';
import { app, size } from '../../scripts/faults/deployment.ts';
import { openStage, playFault, type Stage } from '../../scripts/faults/stage.ts';
import { createUndoList } from '../../scripts/faults/undo.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

/** After it the primary must be another member, and everybody must see so in time. */
const moved = { failed_over: true, right_in_time: true };
/** Whether it fails over is left to Patroni; if it does, everybody must see so in time. */
const anyway = {};
/** The member that was the primary cannot say what it is meanwhile. */
const unjudged = { right_in_time: null };
const stayed = { failed_over: false, right_in_time: null };

/** Seconds without writes that are too many, with room for a machine that is busy. */
const cases = [
  { name: 'kill-postgresql-primary', gapS: 25, after: anyway },
  { name: 'kill-pebble-primary', gapS: 25, after: anyway },
  { name: 'delete-pod-primary', gapS: 25, after: moved },
  { name: 'switchover-replica', gapS: 20, after: moved },
  { name: 'freeze-30-primary', gapS: 45, after: unjudged },
  { name: 'cut-30-primary', gapS: 45, after: unjudged },
  { name: 'wipe-data-replica', gapS: 15, after: stayed },
];

describe('a cluster that is broken under load', () => {
  const { model, say, check } = useModel('e2e-faults');
  const undo = createUndoList(say);
  let folder: string;
  let stage: Stage;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'faults-'));
    await deployPostgresql(model, { units: size, image });
    await waitUntilSettled(model, { [app]: size }, { say });
    stage = await openStage(model);
  }, 600_000);

  afterAll(async () => {
    await undo.undoAll();
    await rm(folder, { recursive: true });
  });

  for (const { name, gapS, after } of cases) {
    check(`${name}: every acknowledged write is there once, on every member`, async () => {
      const [fault] = chooseFaults([name]);
      if (fault === undefined) throw new Error(`cannot find fault ${name}`);

      const played = await playFault(stage, { fault, round: 1, undo, folder, say });

      expect(played?.result).toMatchObject({
        fault: fault.name,
        lost: 0,
        duplicated: 0,
        members_agree: true,
        recovered: true,
        problem: null,
        ...after,
      });
      expect(played?.result.right_in_time).not.toBe(false);
      expect(played?.result.acknowledged).toBeGreaterThan(100);
      expect(played?.result.write_gap_s).toBeLessThan(gapS);
    });
  }
});
