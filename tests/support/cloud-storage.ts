/** Objects for tests of storage on the local cloud: claims, and a pod that keeps files in them. */

export interface ClaimOptions {
  readonly name: string;
  readonly storageClass?: string;
  /** Bind to this very volume. */
  readonly volume?: string;
}

export function describeClaim({ name, storageClass, volume }: ClaimOptions): object {
  return {
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: { name },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...(storageClass === undefined ? {} : { storageClassName: storageClass }),
      ...(volume === undefined ? {} : { volumeName: volume }),
    },
  };
}

/** A pod that runs a shell script once, each claim mounted below `/` by its name. */
export function describeJobPod(
  name: string,
  job: { readonly image: string; readonly script: string; readonly claims: readonly string[] },
): object {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: {
      restartPolicy: 'Never',
      terminationGracePeriodSeconds: 1,
      volumes: job.claims.map((claim) => ({
        name: claim,
        persistentVolumeClaim: { claimName: claim },
      })),
      containers: [
        {
          name: 'job',
          image: job.image,
          command: ['sh', '-ec', job.script],
          volumeMounts: job.claims.map((claim) => ({ name: claim, mountPath: `/${claim}` })),
        },
      ],
    },
  };
}
