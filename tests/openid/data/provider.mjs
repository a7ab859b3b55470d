// A certified OpenID provider whose people are in a file, which is read anew for every answer.
// Argument: JSON with
//   url      its address
//   people   the file with the people
//   prefix   the path below which it is, as a realm of Keycloak is
//   ttl      for how many seconds its tokens are good, where not for an hour
//   routes   the paths of its endpoints, where they are not the provider's own
//   tls      the files with its certificate and key, where it has such
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { Provider } from 'oidc-provider';

const { url, people, prefix = '', routes = {}, ttl = {}, tls } = JSON.parse(process.argv[2]);
const known = () => JSON.parse(readFileSync(people, 'utf8'));
const claims = {
  openid: ['sub', 'active'],
  profile: ['name', 'preferred_username'],
  email: ['email'],
  groups: ['groups', 'https://example.org/roles'],
  roles: ['realm_access'],
  posix: ['uid_number', 'gid_number'],
  'org.cilogon.userinfo': ['idp', 'idp_name', 'eppn', 'uid', 'uidNumber', 'isMemberOf'],
};
const scopes = [...Object.keys(claims), 'offline_access', 'user:info'];

const provider = new Provider(url + prefix, {
  clients: [{
    client_id: 'hub',
    client_secret: 'local-only',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/hub/oauth_callback'],
  }],
  claims,
  scopes,
  routes,
  ttl,
  conformIdTokenClaims: false, // so that they are in the ID token, too
  async findAccount(context, sub) {
    const person = known()[sub];
    return person && {
      accountId: sub,
      claims: async () => ({ sub, preferred_username: sub, ...person }),
    };
  },
  // The logged-in person agrees to everything that the hub asks for.
  async loadExistingGrant(context) {
    const grant = new context.oidc.provider.Grant({
      clientId: context.oidc.client.clientId,
      accountId: context.oidc.session.accountId,
    });
    grant.addOIDCScope(scopes.join(' '));
    await grant.save();
    return grant;
  },
  issueRefreshToken: async (context, client) => client.grantTypeAllowed('refresh_token'),
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ['local-only'] },
  pkce: { required: () => true },
});
// The hub's port is not known before it runs.
provider.Client.prototype.redirectUriAllowed = (uri) => (
  /^http:\/\/127\.[0-9.]+:[0-9]+\/hub\/oauth_callback$/.test(uri)
);

// OpenShift has no user info of OpenID: it shows people as objects of its API.
provider.use(async (context, next) => {
  if (context.path !== '/apis/user.openshift.io/v1/users/~') return next();
  const token = await provider.AccessToken.find(context.get('authorization').split(' ')[1] ?? '');
  const person = token && known()[token.accountId];
  context.status = person ? 200 : 401;
  context.body = person
    ? { kind: 'User', apiVersion: 'user.openshift.io/v1', identities: [], ...person }
    : { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'Unauthorized', code: 401 };
  return undefined;
});

const answer = provider.callback();
const below = (request, response) => {
  request.originalUrl = request.url;
  if (request.url.startsWith(prefix)) request.url = request.url.slice(prefix.length) || '/';
  return answer(request, response);
};
const server = tls
  ? https.createServer({ cert: readFileSync(tls.cert), key: readFileSync(tls.key) }, below)
  : http.createServer(below);
server.listen(Number(new URL(url).port), '127.0.0.1');
