// A client that writes rows of a megabyte and a half one by one, as an ordinary user through the
// primary's Service, from inside a pod of the model, and keeps count of what was acknowledged.

import { run } from '../../../cloud/client.ts';
import type { Server } from '../../../scripts/demo/database.ts';
import { postgresql } from '../../../scripts/demo/deploy.ts';

export interface FillingWriter {
  /** Numbers of the rows that were acknowledged so far. */
  acknowledged(): Promise<readonly number[]>;
  /** What the last refused statement was told; empty when none was refused. */
  refusal(): Promise<string>;
  /** Writes this number, without a load; what it is told when that is refused, or nothing. */
  attempt(n: number): Promise<string>;
  stop(): Promise<void>;
}

const login = 'export PGPASSWORD=writer PGCONNECT_TIMEOUT=3';
const place = `-h ${postgresql}-primary -U writer -d filling`;
const script = `
${login}
n=0; : > /tmp/acknowledged; : > /tmp/refused; rm -f /tmp/stop
while [ ! -e /tmp/stop ]; do
  n=$((n + 1))
  row="INSERT INTO filled (n, load) VALUES ($n, decode(repeat(md5($n::text), 100000), 'hex'))"
  if said=$(timeout 20 psql ${place} -qAtc "$row" 2>&1)
  then echo $n >> /tmp/acknowledged
  else echo "$said" | head -1 >> /tmp/refused; sleep 0.3
  fi
done`;

/** Makes user, database and table on the primary, and begins to write from the pod. */
export async function startFillingWriter(
  namespace: string,
  pod: string,
  primary: Server,
): Promise<FillingWriter> {
  await primary.query(`CREATE ROLE writer LOGIN PASSWORD 'writer' IN ROLE relation_access`);
  await primary.query('CREATE DATABASE filling OWNER writer');
  const table = `CREATE TABLE filled (n bigint PRIMARY KEY, load bytea);
    ALTER TABLE filled ALTER load SET STORAGE EXTERNAL; ALTER TABLE filled OWNER TO writer`;
  await primary.query(table, { database: 'filling' });
  const inPod = async (command: string) => {
    const where = ['-n', namespace, 'exec', pod, '-c', 'postgresql', '--'];
    return await run('kubectl', [...where, 'sh', '-c', command], { timeoutMs: 60_000 });
  };
  await inPod(`cat > /tmp/fill <<'END'\n${script}\nEND\nsetsid sh /tmp/fill > /dev/null 2>&1 &`);
  return {
    acknowledged: async () => {
      const { stdout } = await inPod('cat /tmp/acknowledged');
      return stdout.split('\n').filter(Boolean).map(Number);
    },
    refusal: async () => (await inPod('tail -1 /tmp/refused')).stdout,
    attempt: async (n) => {
      const row = `INSERT INTO filled (n, load) VALUES (${n}, '')`;
      const { stdout } = await inPod(`${login}
timeout 20 psql ${place} -qAtc "${row}" 2>&1 || [ $? -ne 124 ] || echo no answer`);
      return stdout;
    },
    stop: async () => {
      await inPod('touch /tmp/stop');
    },
  };
}
