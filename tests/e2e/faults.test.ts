// Level 1. Labels: failover.
// A client writes while the cluster is broken: nothing that was acknowledged is lost or doubled, all
// members end with the same rows, and writes come back in time; after a fail-over statuses, labels and
// Endpoints follow. `make faults` does much more, and holds them to five seconds.

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

/** After it the primary must be another member. */
const moved = { failed_over: true };
/** Whether it fails over is left to Patroni. */
const anyway = {};
/** The member that was the primary cannot say what it is meanwhile. */
const unjudged = { right_in_time: null };
const stayed = { failed_over: false, right_in_time: null };

/** Seconds until everybody sees who leads that are too many, with room for a machine that is busy. */
const maximumRightS = 30;

/** Seconds without writes that are too many, likewise. */
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
      if (typeof played?.result.right_in_time === 'boolean') {
        const { statuses_right_s, labels_right_s, endpoints_right_s } = played.result;
        for (const seconds of [statuses_right_s, labels_right_s, endpoints_right_s]) {
          expect(seconds).toBeLessThan(maximumRightS);
        }
      }
      expect(played?.result.acknowledged).toBeGreaterThan(100);
      expect(played?.result.write_gap_s).toBeLessThan(gapS);
    });
  }
});
