// A certified OpenID provider whose people are in a file, which is read anew for every answer.
// Arguments: the port, the file with the people.
import { readFileSync } from 'node:fs';
import { Provider } from 'oidc-provider';

const [port, people] = process.argv.slice(2);
const known = () => JSON.parse(readFileSync(people, 'utf8'));

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{
    client_id: 'hub',
    client_secret: 'local-only',
    token_endpoint_auth_method: 'client_secret_post',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    redirect_uris: ['http://127.0.0.1/hub/oauth_callback'],
  }],
  scopes: ['openid', 'profile', 'groups', 'posix', 'offline_access'],
  claims: {
    openid: ['sub', 'active'],
    profile: ['name', 'preferred_username', 'email'],
    groups: ['groups', 'https://example.org/roles'],
    posix: ['uid_number', 'gid_number'],
  },
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
    grant.addOIDCScope('openid profile groups posix offline_access');
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
provider.listen(Number(port), '127.0.0.1');
