// An OpenID provider that is not ours: `oidc-provider`, on a port of this machine that the system picks. It prints its URL.
//
// POST /test/keys {"publish": ["a", "b"], "sign": "b"} changes its keys, as an operator would by starting it anew: the
// names are those of keys that are made when they are first named. An announced rotation publishes the next key before it
// signs; one in a hurry does not.
import { createServer } from 'node:http';
import { generateKeyPairSync } from 'node:crypto';

import Provider from 'oidc-provider';

const keys = new Map();
const jwk = (kid) => {
  if (!keys.has(kid)) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    keys.set(kid, { ...privateKey.export({ format: 'jwk' }), kid, alg: 'ES256', use: 'sig' });
  }
  return keys.get(kid);
};

const services = ['https://orders.example', 'https://billing.example'];

const provider = (issuer, { publish, sign }) =>
  new Provider(issuer, {
    // The first key that fits signs.
    jwks: { keys: [sign, ...publish.filter((kid) => kid !== sign)].map(jwk) },
    clients: [
      {
        client_id: 'machine',
        client_secret: 'a secret between two processes of one test',
        grant_types: ['client_credentials'],
        redirect_uris: [],
        response_types: [],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    scopes: ['orders:read'],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => services[0],
        getResourceServerInfo: (_context, resource) => {
          if (!services.includes(resource)) throw new Error('no such service');
          return {
            scope: 'orders:read',
            audience: resource,
            accessTokenTTL: 3600,
            accessTokenFormat: 'jwt',
            jwt: { sign: { alg: 'ES256' } },
          };
        },
      },
    },
  }).callback();

const server = createServer();
server.listen(0, '127.0.0.1', () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  let answer = provider(issuer, { publish: ['a'], sign: 'a' });
  server.on('request', (request, response) => {
    if (request.method === 'POST' && request.url === '/test/keys') {
      let text = '';
      request.on('data', (part) => (text += part));
      request.on('end', () => {
        answer = provider(issuer, JSON.parse(text));
        response.writeHead(204).end();
      });
      return;
    }
    answer(request, response);
  });
  console.log(issuer);
});
