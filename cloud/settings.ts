/**
 * The fixed numbers and names of the local cloud. Its networks are private to it (see node.ts), so
 * the addresses can be the ones that documentation uses: they mean nothing outside.
 */

export const settings = {
  node: {
    name: 'node0',
    address: '192.0.2.10',
    /** Every address that is not a pod's or a service's. */
    range: '192.0.2.0/24',
  },
  api: { port: 6443 },
  pods: { range: '10.88.0.0/16' },
  services: {
    range: '10.152.183.0/24',
    apiAddress: '10.152.183.1',
    /** First and last address for services of type LoadBalancer. */
    balancers: '192.0.2.64-192.0.2.254',
  },
  dns: { clusterDomain: 'cluster.local', cloudDomain: 'local-cloud' },
  s3: {
    name: 's3.local-cloud',
    address: '192.0.2.20',
    endpoint: 'https://s3.local-cloud',
    region: 'us-east-1',
  },
  storage: {
    provisioner: 'local-cloud/directory',
    className: 'local',
    retainingClassName: 'local-retain',
    sizedClassName: 'local-sized',
  },
  juju: { cloud: 'sandbox', controller: 'local', imageRepository: 'ghcr.io/juju' },
} as const;

/** The URL of the API server, for every client. */
export const apiServerUrl = `https://${settings.node.address}:${settings.api.port}`;
