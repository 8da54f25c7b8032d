// What can go wrong with the Kubernetes API.

import { CodedError } from '../base/error.ts';

export type KubeErrorCode = 'forbidden' | 'conflict' | 'unreachable' | 'api';

/** `api` carries the fields `status` and `reason` of Kubernetes' answer. */
export class KubeError extends CodedError {
  declare readonly code: KubeErrorCode;
}
