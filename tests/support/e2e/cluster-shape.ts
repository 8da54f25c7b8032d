/**
 * Who is in the cluster, as everybody says who is asked for it: Patroni, the labels of the pods, the
 * Services of the primary and of the replicas, and the replication slots.
 */

import * as v from 'valibot';

import { CloudCommandError, kubectl } from '../../../cloud/client.ts';
import { postgresql } from '../../../scripts/demo/deploy.ts';
import { notYet, type Say, type Seen, there, waitFor } from '../../../scripts/demo/wait.ts';
import { type Cluster, fetchCluster } from '../../../scripts/faults/pods.ts';
import { query, runInPod } from '../../../scripts/faults/sql.ts';

const agreedMs = 120_000;
/** Patroni keeps the slot of a member that is gone for five minutes: its pod might come back. */
const slotsMs = 420_000;

/** Waits until all agree that these many units are there, every replica synchronous, and nobody else. */
export async function waitUntilAgreed(namespace: string, size: number, say: Say): Promise<void> {
  const look = async (): Promise<Seen<true>> => {
    const cluster = await fetchCluster(namespace, postgresql);
    const primary = cluster.members.find(({ role }) => role === 'leader')?.name;
    if (primary === undefined) return notYet('nobody leads');
    const seen = await describe(namespace, cluster, primary);
    const wanted = describeWanted(size, primary);
    const wrong = Object.entries(wanted).filter(([what, text]) => seen[what] !== text);
    if (wrong.length === 0) return there(true);
    return notYet(wrong.map(([what, text]) => `${what}: ${seen[what]}, not ${text}`).join('; '));
  };
  await waitFor(forgiving(look), { what: 'all to agree', timeoutMs: agreedMs, say });
}

/** Waits until no member keeps WAL for one that is gone. */
export async function waitUntilForgotten(namespace: string, size: number, say: Say): Promise<void> {
  const slots = podsOf(size).map(slotOf);
  const look = async (): Promise<Seen<true>> => {
    for (const pod of podsOf(size)) {
      const found = await readSlots({ namespace, pod });
      const foreign = found.map(({ name }) => name).filter((name) => !slots.includes(name));
      if (foreign.length > 0) return notYet(`${pod} has the slots ${foreign.join(', ')}`);
    }
    return there(true);
  };
  const what = 'the slots of units that went to go';
  await waitFor(forgiving(look), { what, timeoutMs: slotsMs, say, intervalMs: 5_000 });
}

type Texts = Readonly<Record<string, string>>;

function describeWanted(size: number, primary: string): Texts {
  const pods = podsOf(size);
  const replicas = pods.filter((pod) => pod !== primary);
  const roles = (leader: string, other: string) =>
    pods.map((pod) => `${pod} ${pod === primary ? leader : other}`).join(', ');
  return {
    'Patroni lists': roles('leader running', 'sync_standby streaming'),
    'pods are labelled': roles('primary', 'replica'),
    'the Service of the primary leads to': primary,
    'the Service of the replicas leads to': replicas.join(', '),
    'slots in use': replicas.map(slotOf).join(', '),
  };
}

async function describe(namespace: string, cluster: Cluster, primary: string): Promise<Texts> {
  const pods = cluster.pods.toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const nameOf = (address: string) =>
    pods.find((pod) => pod.address === address)?.name ?? `${address}, which is no pod`;
  const namesOf = (addresses: readonly string[]) => addresses.map(nameOf).toSorted().join(', ');
  const used = (await readSlots({ namespace, pod: primary })).filter(({ active }) => active);
  return {
    'Patroni lists': await listMembers({ namespace, pod: primary }),
    'pods are labelled': pods.map(({ name, role }) => `${name} ${role ?? 'not'}`).join(', '),
    'the Service of the primary leads to': namesOf(cluster.primaryAddresses),
    'the Service of the replicas leads to': namesOf(await readReplicaAddresses(namespace)),
    'slots in use': used.map(({ name }) => name).join(', '),
  };
}

interface Place {
  readonly namespace: string;
  readonly pod: string;
}

/** As clients of Patroni's REST interface see it. */
async function listMembers(place: Place): Promise<string> {
  const script = `python3 -c "
import json, urllib.request
with urllib.request.urlopen('http://127.0.0.1:8008/cluster', timeout=5) as answer:
    members = json.load(answer)['members']
print(', '.join(sorted(f'{one[\\"name\\"]} {one[\\"role\\"]} {one[\\"state\\"]}' for one in members)))
"`;
  return (await runInPod(place, { script })).trim();
}

async function readSlots(
  place: Place,
): Promise<readonly { readonly name: string; readonly active: boolean }[]> {
  const sql = 'select slot_name, active from pg_replication_slots order by slot_name collate "C"';
  const lines = (await query(place, { sql })).split('\n').filter((line) => line !== '');
  return lines.map((line) => {
    const [name = '', active] = line.split('|');
    return { name, active: active === 't' };
  });
}

const endpointsSchema = v.object({
  subsets: v.optional(
    v.array(v.object({ addresses: v.optional(v.array(v.object({ ip: v.string() })), []) })),
    [],
  ),
});

async function readReplicaAddresses(namespace: string): Promise<readonly string[]> {
  const name = `${postgresql}-replicas`;
  const { stdout } = await kubectl(['-n', namespace, 'get', 'endpoints', name, '-o', 'json']);
  const { subsets } = v.parse(endpointsSchema, JSON.parse(stdout));
  return subsets.flatMap(({ addresses }) => addresses.map(({ ip }) => ip));
}

function podsOf(size: number): readonly string[] {
  return Array.from({ length: size }, (_, number) => `${postgresql}-${number}`);
}

/** Patroni's name for the slot of a member. */
function slotOf(pod: string): string {
  return pod.replaceAll('-', '_');
}

/** A pod that is going may refuse a command in the middle of a look. */
function forgiving<T>(look: () => Promise<Seen<T>>): () => Promise<Seen<T>> {
  return async () => {
    try {
      return await look();
    } catch (error) {
      if (error instanceof CloudCommandError) return notYet(error.message);
      throw error;
    }
  };
}
