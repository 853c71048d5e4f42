/** Exit codes of a command. After a signal the code is 128 + the signal's number. */
export const EXIT = Object.freeze({
  /** Invalid input, a diverged training, a full disk. */
  input: 2,
  /** A training finished but the model has not learnt. */
  notLearning: 3,
  /** An internal error (EX_SOFTWARE of sysexits.h). */
  software: 70,
});

/** For the help of `train`. */
export const EXIT_CODES_HELP = `
Exit codes:
  0                the training has ended without an error
  ${EXIT.input}                invalid input, a loss that is not finite, a full disk
  ${EXIT.notLearning}                the model has not learnt: its smoothed loss was above that of a uniform guess
                   for 200 updates in a row, or at the end; files are saved as usual
  ${EXIT.software}               an internal error
  129, 130, 143    ended by SIGHUP, Ctrl-C (SIGINT), SIGTERM
`;
