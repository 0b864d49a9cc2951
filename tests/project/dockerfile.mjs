// A Dockerfile as a list of stages: {name, from, steps: [{word, text}]}. What it does not know it refuses.
const WORDS = ['FROM', 'ARG', 'COPY', 'RUN', 'ENV', 'WORKDIR', 'USER', 'VOLUME', 'EXPOSE', 'HEALTHCHECK', 'ENTRYPOINT'];

export function parseDockerfile(text) {
  const stages = [];
  const lines = text.split('\n').filter((line) => !/^\s*#/.test(line)).join('\n').replace(/\\\n/g, ' ');
  for (const line of lines.split('\n')) {
    if (line.trim() === '') continue;
    const [, word, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (!WORDS.includes(word)) throw new Error(`not an instruction: ${line}`);
    if (word === 'FROM') {
      const [, from, name] = /^(\S+)(?: AS (\S+))?$/.exec(rest);
      stages.push({ from, name, steps: [] });
    } else {
      if (stages.length === 0) throw new Error(`before any FROM: ${line}`);
      stages.at(-1).steps.push({ word, text: rest.trim().replace(/\s+/g, word === 'RUN' ? ' ' : '$&') });
    }
  }
  return stages;
}

/** The steps of a stage behind those of the stage that it is made from. */
export function stepsOf(stages, stage) {
  const below = stages.find(({ name }) => name !== undefined && name === stage.from);
  return [...(below ? stepsOf(stages, below) : []), ...stage.steps];
}

/** `--from=build a b target` as {from: 'build', sources: ['a', 'b'], target: 'target'}. */
export function parseCopy(text) {
  const words = text.split(/\s+/);
  const from = /^--from=(.+)$/.exec(words[0])?.[1];
  if (from) words.shift();
  return { from, sources: words.slice(0, -1), target: words.at(-1) };
}

/** The environment that the ENV steps make. */
export function environmentOf(steps) {
  return Object.fromEntries(steps.filter(({ word }) => word === 'ENV')
    .flatMap(({ text }) => text.split(/\s+/).map((pair) => pair.split('='))));
}

/** What HEALTHCHECK runs: a list of words. */
export function healthCheckOf(steps) {
  const text = steps.find(({ word }) => word === 'HEALTHCHECK').text;
  return JSON.parse(text.slice(text.indexOf('CMD') + 3));
}
