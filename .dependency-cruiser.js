/**
 * The house rules of src/ (docs/design.md): imports run downwards, rooms do not know each other, no circles.
 * @type {import('dependency-cruiser').IConfiguration}
 */

/** Rooms that must not import one another; what may is listed in ALLOWED_BETWEEN_ROOMS. */
const ROOMS = [
  'mailbox',
  'notice',
  'download',
  'archive',
  'snapshot',
  'chatgpt',
  'notify',
  'offsite',
  'catalog',
  'web',
];
const ALLOWED_BETWEEN_ROOMS = { catalog: ['chatgpt'], web: ['catalog', 'snapshot', 'chatgpt'] };

const roomRules = ROOMS.map((room) => {
  const forbidden = ROOMS.filter((other) => other !== room && !(ALLOWED_BETWEEN_ROOMS[room] ?? []).includes(other));
  return {
    name: `${room}-knows-no-other-room`,
    comment: 'A room hands its result on and knows nothing of the next one; only capture conducts.',
    severity: 'error',
    from: { path: `^src/${room}/` },
    to: { path: `^src/(${forbidden.join('|')}|capture|cli|daemon)` },
  };
});

export default {
  forbidden: [
    { name: 'no-circles', severity: 'error', from: {}, to: { circular: true } },
    ...roomRules,
    {
      name: 'lib-stands-alone',
      comment: 'lib is the ground floor.',
      severity: 'error',
      from: { path: '^src/lib/' },
      to: { path: '^src/(?!lib/)' },
    },
    {
      name: 'config-imports-lib-only',
      severity: 'error',
      from: { path: '^src/config/' },
      to: { path: '^src/(?!lib/|config/)' },
    },
    {
      name: 'capture-is-below-cli-and-daemon',
      severity: 'error',
      from: { path: '^src/capture/' },
      to: { path: '^src/(cli/|daemon)' },
    },
    {
      name: 'rooms-show-one-face',
      comment: 'From outside, a room is imported through its index.ts; its parts stay inside.',
      severity: 'error',
      from: { path: '^src/([^/]+)' },
      to: {
        path: '^src/(mailbox|notice|download|archive|snapshot|chatgpt|notify|offsite|capture|catalog|web|config)/',
        pathNot: ['^src/[^/]+/index\\.ts$', '^src/$1/'],
      },
    },
    {
      name: 'production-code-uses-production-packages',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'undetermined'] },
    },
    {
      name: 'src-never-imports-tests',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    { name: 'everything-resolves', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    exclude: { path: '^dist/' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.js'],
      conditionNames: ['node', 'import', 'require', 'default'],
      exportsFields: ['exports'],
    },
  },
};
