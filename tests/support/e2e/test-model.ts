/**
 * A Juju model of its own for each end-to-end test, on the cloud that all of them share: made fresh,
 * removed afterwards whatever happened. What is being waited for is printed.
 */

import { afterAll, beforeAll, test } from '@jest/globals';

import { describeTrouble } from '../../../scripts/demo/diagnosis.ts';
import { createJuju, type Juju } from '../../../scripts/demo/juju.ts';
import { createModel, destroyModel, type Model, openModel } from '../../../scripts/demo/model.ts';

export const image = 'docker.io/local/charmed-postgresql:17';

export interface TestModel {
  readonly juju: Juju;
  readonly model: Model;
  readonly say: (text: string) => void;
  /** A test that prints the model's status and log when it fails. */
  readonly check: (name: string, body: () => Promise<void>) => void;
}

const setUpTimeoutMs = 600_000;

export function useModel(name: string): TestModel {
  const juju = createJuju('local');
  const model = openModel(juju, name);
  const say = createVoice(name);
  beforeAll(async () => {
    await destroyModel(juju, name, say);
    await createModel(juju, name, say);
    await model.run('model-config', ['logging-config=<root>=INFO;unit=DEBUG']);
  }, setUpTimeoutMs);
  afterAll(async () => {
    await destroyModel(juju, name, say);
  }, setUpTimeoutMs);
  return {
    juju,
    model,
    say,
    check: (title, body) => {
      test(title, async () => {
        say(title);
        try {
          await body();
        } catch (error) {
          process.stdout.write(`${await describeTrouble(model)}\n`);
          throw error;
        }
      });
    },
  };
}

/** Prints what is new. */
function createVoice(name: string): (text: string) => void {
  let last = '';
  return (text) => {
    if (text === last) return;
    last = text;
    process.stdout.write(`  ${new Date().toISOString().slice(11, 19)} ${name}: ${text}\n`);
  };
}
