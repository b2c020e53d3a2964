// An OpenID provider for the tests (npm oidc-provider) on 127.0.0.1, told what to do over two paths of its own.
//
//   node oidc.mjs MODULES PORT    MODULES: the node_modules folder that it is installed in; PORT 0 takes a free one
//
// Prints its issuer when it serves. Its keys are drawn anew each time it starts. Beside what the provider serves:
//
//   GET  /test/token?sub=…&alg=…&client=…&aud=…&claims={…}&header={…}   a JWT access token, made by the provider's own model
//   POST /test/rotate                                                    the provider goes on with new keys only
import { createServer } from 'node:http';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modules, port] = process.argv.slice(2);
const { default: Provider } = await import(pathToFileURL(join(modules, 'oidc-provider/lib/index.js')));

const KINDS = {
  ES256: ['ec', { namedCurve: 'P-256' }],
  PS256: ['rsa', { modulusLength: 2048 }],
  RS256: ['rsa', { modulusLength: 2048 }],
  EdDSA: ['ed25519', {}],
};

function keys() {
  return Object.entries(KINDS).map(([alg, [kind, options]]) => {
    const { privateKey } = generateKeyPairSync(kind, options);
    return { ...privateKey.export({ format: 'jwk' }), alg, use: 'sig', kid: randomUUID() };
  });
}

const MACHINE = { realm_access: { roles: ['archief-aanleveren'] }, oin: '00000001', employee: 'machine-1' };
const AUDIENCE = 'https://knik.example';
const server = (audience, alg) => ({
  audience,
  scope: 'archive',
  accessTokenFormat: 'jwt',
  accessTokenTTL: 600,
  jwt: { sign: { alg } },
});

function provider(issuer) {
  const made = new Provider(issuer, {
    jwks: { keys: keys() },
    clients: ['portal', 'elsewhere'].map((client_id) => ({
      client_id,
      client_secret: 'for tests only, known to everyone',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    scopes: ['archive'],
    enabledJWA: { idTokenSigningAlgValues: Object.keys(KINDS) },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => AUDIENCE,
        getResourceServerInfo: (_ctx, audience) => server(audience, 'ES256'),
      },
    },
    // A client that asks for itself is a machine.
    extraTokenClaims: (_ctx, token) => token.testClaims ?? MACHINE,
    formats: {
      customizers: {
        // What a deployment configures at its provider: from when a token holds.
        jwt(_ctx, token, jwt) {
          jwt.payload.nbf = jwt.payload.iat;
          jwt.header = token.testHeader;
        },
      },
    },
    findAccount: (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  });
  made.on('server_error', (_ctx, error) => console.error(error));
  return made;
}

async function token(of, asked) {
  const made = new of.AccessToken({
    accountId: asked.get('sub'),
    client: await of.Client.find(asked.get('client') ?? 'portal'),
    scope: 'archive',
  });
  const audience = asked.get('aud') ?? AUDIENCE;
  made.resourceServer = new of.ResourceServer(audience, server(audience, asked.get('alg') ?? 'ES256'));
  made.testClaims = JSON.parse(asked.get('claims') ?? '{}');
  const header = JSON.parse(asked.get('header') ?? 'null');
  if (header) made.testHeader = header;
  return made.save();
}

let current;
let serve;
const http = createServer(async (request, response) => {
  const url = new URL(request.url, 'http://127.0.0.1');
  try {
    if (url.pathname === '/test/token') return response.end(await token(current, url.searchParams));
    if (url.pathname === '/test/rotate') {
      current = provider(current.issuer);
      serve = current.callback();
      return response.end('rotated');
    }
    return serve(request, response);
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    return response.end('failed');
  }
});
http.listen(Number(port), '127.0.0.1', () => {
  current = provider(`http://127.0.0.1:${http.address().port}`);
  serve = current.callback();
  console.log(current.issuer);
});
