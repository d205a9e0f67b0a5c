import fc from 'fast-check';

// The same cases in every run, so that a failure is the change's; SPIKEC_TEST_SEED=N looks at others.
fc.configureGlobal({ seed: Number(process.env['SPIKEC_TEST_SEED'] ?? 20261122) });
