/**
 * Runs a command without the rights that root has in spite of file modes, so that a test can take rights away.
 * Whoever is not root has none of them.
 */
export const ordinaryUser =
  process.getuid?.() === 0
    ? [
        'setpriv',
        '--inh-caps=-dac_override,-dac_read_search',
        '--bounding-set=-dac_override,-dac_read_search',
      ]
    : []
