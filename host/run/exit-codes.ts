/** How a command ends; by a signal it is 128 and the signal's number. */
export const EXIT = Object.freeze({
  /** A mistake in what was given, a training that diverges, a full disk. */
  input: 2,
  /** A training to the end that has taught nothing. */
  notLearning: 3,
  /** A mistake in the program, as sysexits.h has it. */
  software: 70,
});

/** For the help of `train`. */
export const EXIT_CODES_HELP = `
Exit codes:
  0                the training has ended
  ${EXIT.input}                a mistake in what was given, a loss that is no finite number, a full disk
  ${EXIT.notLearning}                the model has not learnt: its smoothed loss was above that of guessing blindly
                   for 200 updates in a row, or at the end; all is saved and written as ever
  ${EXIT.software}               a mistake in the program
  129, 130, 143    ended by SIGHUP, Ctrl-C (SIGINT), SIGTERM
`;
