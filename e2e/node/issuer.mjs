// A foreign issuer of tokens on the npm package `oidc-provider`, set up on the paths and with the claims of Keycloak:
// `node issuer.mjs [PORT]`.
//
// It prints `issuer http://127.0.0.1:PORT/realms/doorward`, and a line `asked PATH` for each request. Tokens are had at
// `ISSUER/protocol/openid-connect/token` by client credentials (`shop`, secret `shop-secret-of-the-e2e-tests`); the client is their
// subject. Orders come as lines of JSON, and each is answered by a line `done ...`:
//
//   {"do":"stop"}                      nobody answers at the port any more
//   {"do":"start"}                     and again
//   {"do":"rotate"}                    signs with a new key from here on, and publishes no other: `done KID`
//   {"do":"sign","typ":"Refresh"}      a token with the claim `typ`, signed with the issuer's own key: `done TOKEN`
//   {"do":"sign","typ":"Refresh","alg":"HS256"}     the same as Keycloak makes refresh tokens, with a secret of its own

import { createHmac, createSign, generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import Provider from "oidc-provider";

const REALM = "/realms/doorward";
const AUDIENCE = "doorward";
const CLIENT = {
  client_id: "shop",
  client_secret: "shop-secret-of-the-e2e-tests",
  grant_types: ["client_credentials"],
  redirect_uris: [],
  response_types: [],
};

let issuer;
let key;
let answer;

const newKey = () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  key = { privateKey, kid: randomUUID() };
  const jwk = { ...privateKey.export({ format: "jwk" }), kid: key.kid, alg: "RS256", use: "sig" };
  const path = (name) => `/protocol/openid-connect/${name}`;
  const provider = new Provider(issuer, {
    jwks: { keys: [jwk] },
    clients: [CLIENT],
    routes: { token: path("token"), jwks: path("certs"), authorization: path("auth"), end_session: path("logout") },
    features: {
      clientCredentials: { enabled: true },
      devInteractions: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://doorward.example/",
        getResourceServerInfo: () => ({
          scope: "",
          audience: AUDIENCE,
          accessTokenFormat: "jwt",
          accessTokenTTL: 300,
          jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
    formats: {
      // The access tokens of Keycloak: a plain `JWT`, whose sort is a claim.
      customizers: {
        jwt: (_context, _token, parts) => {
          parts.header = { ...parts.header, typ: "JWT" };
          parts.payload = { ...parts.payload, typ: "Bearer", azp: parts.payload.client_id, sub: parts.payload.sub ?? parts.payload.client_id };
          return parts;
        },
      },
    },
  });
  answer = provider.callback();
};

const encoded = (part) => Buffer.from(JSON.stringify(part)).toString("base64url");

const sign = (typ, alg = "RS256") => {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: issuer, aud: AUDIENCE, sub: "shop", azp: "shop", typ, jti: randomUUID(), iat: now, exp: now + 300 };
  const signed = `${encoded({ alg, typ: "JWT", kid: key.kid })}.${encoded(claims)}`;
  const signature =
    alg === "RS256"
      ? createSign("sha256").update(signed).sign(key.privateKey)
      : createHmac("sha256", randomUUID()).update(signed).digest();
  return `${signed}.${signature.toString("base64url")}`;
};

const server = createServer((request, response) => {
  console.log(`asked ${request.url}`);
  if (!request.url.startsWith(REALM)) {
    response.writeHead(404).end();
    return;
  }
  // As a framework that mounts it there.
  request.originalUrl = request.url;
  request.url = request.url.slice(REALM.length);
  answer(request, response);
});

const listen = (port) => new Promise((listening) => server.listen(port, "127.0.0.1", listening));

const stop = () =>
  new Promise((stopped) => {
    server.close(stopped);
    server.closeAllConnections();
  });

await listen(Number(process.argv[2] ?? 0));
const { port } = server.address();
issuer = `http://127.0.0.1:${port}${REALM}`;
newKey();
console.log(`issuer ${issuer}`);

const orders = {
  stop,
  start: () => listen(port),
  rotate: () => {
    newKey();
    return key.kid;
  },
  sign: ({ typ, alg }) => sign(typ, alg),
};
for await (const line of createInterface({ input: process.stdin })) {
  const order = JSON.parse(line);
  console.log(`done ${(await orders[order.do](order)) ?? order.do}`);
}
process.exit(0);
