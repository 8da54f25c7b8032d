/** Names of units and of their pods. Pure. */

/** `postgresql-k8s-0` is the pod of `postgresql-k8s/0`. */
export function unitOf(pod: string): string {
  return pod.replace(/-(\d+)$/, '/$1');
}

export function podOf(unit: string): string {
  return unit.replace('/', '-');
}
