/**
 * Elements that a value of a network may have over all its steps, padding included, and that its weights may have
 * together: 1 GiB as float32.
 */
export const mostElements = 2 ** 28;

/** The last time step that a network may have. */
export const mostSteps = 2 ** 20;
