import { type Op, traitsOf } from '../../network/index.js';

/** Whether it may stand behind the read-out: it acts on the decoded value. */
export function actsOnReadOut(op: Op): boolean {
  const { activation, reshapes } = traitsOf(op);
  return activation || reshapes;
}
