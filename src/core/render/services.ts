// The Services of the application, as they have to be. Pure.

import {
  clusterName,
  membersServiceName,
  patroniEndpoints,
  patroniPort,
  postgresPort,
  primaryServiceName,
  replicasServiceName,
  serviceHost,
} from '../names.ts';

export interface Service {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly ownerReferences?: readonly unknown[];
  };
  readonly [field: string]: unknown;
}

export interface ServiceFacts {
  readonly app: string;
  readonly namespace: string;
  /** Of the unit's pod, which is the StatefulSet. */
  readonly owners: readonly unknown[];
}

/**
 * One to the replicas, one for each Endpoints object that Patroni keeps its state in, and the primary's,
 * another name of the one that goes with the leader lock.
 */
export function renderServices(facts: ServiceFacts): readonly Service[] {
  const { app, namespace } = facts;
  const port = (name: string, number: number) => ({
    name,
    port: number,
    targetPort: number,
    protocol: 'TCP',
  });
  const ports = [port('api', patroniPort), port('database', postgresPort)];
  const leader = clusterName(app);
  const others = patroniEndpoints(app).filter((name) => name !== leader);
  return [
    // No selector: Patroni writes the Endpoints of this name together with the leader lock. The
    // primary's host is an alias, since a pod label can outlive the role that it names.
    render(facts, leader, { ports }),
    render(facts, primaryServiceName(app), {
      type: 'ExternalName',
      externalName: serviceHost(leader, namespace),
    }),
    render(facts, replicasServiceName(app), {
      ports,
      selector: { 'app.kubernetes.io/name': app, 'cluster-name': leader, role: 'replica' },
    }),
    // They carry annotations only; without a Service of their name they would be collected.
    ...others.map((name) =>
      render(facts, name, { clusterIP: 'None', ports: [port('database', postgresPort)] }),
    ),
  ];
}

/**
 * The one by which members know each other, as Juju makes it with the application, and does not make
 * again. Those that have lost it must find each other before they are ready.
 */
export function renderMembersService(facts: ServiceFacts): Service {
  const { metadata, ...service } = render(facts, membersServiceName(facts.app), {
    clusterIP: 'None',
    publishNotReadyAddresses: true,
    selector: { 'app.kubernetes.io/name': facts.app },
  });
  // By this Juju knows that it leads no client.
  const labels = { ...metadata.labels, 'service.juju.is/type': 'endpoints' };
  return { ...service, metadata: { ...metadata, labels } };
}

function render(
  { app, namespace, owners }: ServiceFacts,
  name: string,
  spec: Readonly<Record<string, unknown>>,
): Service {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name,
      namespace,
      labels: { 'app.kubernetes.io/name': app },
      ...(owners.length === 0 ? {} : { ownerReferences: owners }),
    },
    spec,
  };
}

/** Whether the Service has all that is wanted; whatever else Kubernetes or the operator added may stay. */
export function isAsWanted(present: unknown, wanted: Service): boolean {
  const { metadata, spec } = wanted;
  return includes(present, { metadata, spec });
}

/** Of lists, each element that is wanted. */
function includes(present: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(present) && wanted.every((one) => present.some((other) => includes(other, one)))
    );
  }
  if (typeof wanted !== 'object' || wanted === null) return present === wanted;
  if (typeof present !== 'object' || present === null) return false;
  return Object.entries(wanted).every(([key, value]) => includes(Reflect.get(present, key), value));
}
