// What can go wrong with the Kubernetes API.

import { CodedError } from '../base/error.ts';

export type KubeErrorCode = 'forbidden' | 'conflict' | 'unreachable' | 'api';

/** `api` carries the fields `status` and `reason` of Kubernetes' answer. */
export class KubeError extends CodedError {
  declare readonly code: KubeErrorCode;
}

const tooManyRequests = 429;

/** Whether the same call may go well a little later: nobody answers, others write, or too much is asked. */
export function isKubeOutage(error: unknown): error is KubeError {
  if (!(error instanceof KubeError)) return false;
  if (error.code === 'unreachable' || error.code === 'conflict') return true;
  const { status } = error.fields;
  return error.code === 'api' && (status === tooManyRequests || Number(status) >= 500);
}
