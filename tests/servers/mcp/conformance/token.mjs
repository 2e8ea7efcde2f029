// Lets the conformance suite, which knows no tokens, talk to a server that demands one: loaded before it by node.
import { createRequire } from 'node:module';
import { realpathSync } from 'node:fs';

const { getGlobalDispatcher } = createRequire(realpathSync(process.argv[1]))('undici');
const bearer = `Bearer ${process.env.SERVER_TOKEN}`;
const agent = getGlobalDispatcher();
const dispatch = agent.dispatch.bind(agent);

function known(headers) {
  if (Array.isArray(headers)) return [...headers, 'authorization', bearer];
  return { ...headers, authorization: bearer };
}

agent.dispatch = (options, handler) => dispatch({ ...options, headers: known(options.headers) }, handler);
