package routes;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.JWSSigner;
import com.nimbusds.jose.crypto.MACSigner;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jose.jwk.gen.RSAKeyGenerator;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.PlainJWT;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.text.ParseException;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import java.util.UUID;
import java.util.function.Function;
import sandbox.Servers;

/** Makes invalid tokens in every way that a forger may try, with the key of the issuer and without it. */
public final class ForgedTokens {

    private static final RSAKey ISSUERS_KEY = issuersKey();
    private static final RSAKey ANOTHER_KEY = anotherKey();

    private ForgedTokens() {}

    /** An invalid token with the scopes of an operation. */
    public record Forgery(String what, Function<List<String>, String> token) {

        @Override
        public String toString() {
            return what;
        }
    }

    /** Returns one of each kind. */
    public static List<Forgery> all() {
        return List.of(
                new Forgery("expired", scopes -> signed(claims(scopes).expirationTime(in(-120)))),
                new Forgery("not yet valid", scopes -> signed(claims(scopes).notBeforeTime(in(300)))),
                new Forgery("for ever", scopes -> signed(claims(scopes).expirationTime(null))),
                new Forgery(
                        "for another audience", scopes -> signed(claims(scopes).audience("another"))),
                new Forgery("for nobody", scopes -> signed(claims(scopes).audience((String) null))),
                new Forgery("of another issuer", scopes -> signed(claims(scopes).issuer("http://localhost:1"))),
                new Forgery("of no issuer", scopes -> signed(claims(scopes).issuer(null))),
                new Forgery("of nobody", scopes -> signed(claims(scopes).subject(null))),
                new Forgery("of no tenant", scopes -> signed(claims(scopes).claim("tenant", null))),
                new Forgery(
                        "of two tenants",
                        scopes -> signed(claims(scopes).claim("tenant", List.of("default", "other")))),
                new Forgery(
                        "of a tenant with a line feed",
                        scopes -> signed(claims(scopes).claim("tenant", "a\nb"))),
                new Forgery(
                        "of a tenant that is blank",
                        scopes -> signed(claims(scopes).claim("tenant", " "))),
                new Forgery(
                        "of a tenant without an end",
                        scopes -> signed(claims(scopes).claim("tenant", "x".repeat(257)))),
                new Forgery("not signed", scopes -> new PlainJWT(claims(scopes).build()).serialize()),
                new Forgery("signed with the public key as a secret", ForgedTokens::confused),
                new Forgery("signed with PS256", scopes -> signed(JWSAlgorithm.PS256, ISSUERS_KEY, claims(scopes))),
                new Forgery("signed with RS512", scopes -> signed(JWSAlgorithm.RS512, ISSUERS_KEY, claims(scopes))),
                new Forgery(
                        "signed with an unknown key",
                        scopes -> signed(JWSAlgorithm.RS256, ANOTHER_KEY, claims(scopes))),
                new Forgery("signed with another key of the same name", ForgedTokens::underAFalseName),
                new Forgery("signed without the name of its key", ForgedTokens::withoutTheNameOfItsKey),
                new Forgery(
                        "of an organization that is a list",
                        scopes -> signed(claims(scopes).claim("organization", List.of("a", "b")))),
                new Forgery("cut off", scopes -> signed(claims(scopes)).replaceFirst(".{20}$", "")),
                new Forgery("no token at all", scopes -> "sandbox-secret"));
    }

    /** Returns a valid token without the word Bearer, for the same caller as the forged ones. */
    public static String valid(List<String> scopes) {
        return signed(claims(scopes));
    }

    private static JWTClaimsSet.Builder claims(List<String> scopes) {
        return new JWTClaimsSet.Builder()
                .issuer(Servers.shared().tokenIssuer().address())
                .audience("event-broker")
                .subject("forger")
                .claim("tenant", "default")
                .claim("scope", scopes)
                .issueTime(in(0))
                .expirationTime(in(300));
    }

    private static Date in(int seconds) {
        return Date.from(Instant.now().plusSeconds(seconds));
    }

    private static String signed(JWTClaimsSet.Builder claims) {
        return signed(JWSAlgorithm.RS256, ISSUERS_KEY, claims);
    }

    private static String signed(JWSAlgorithm algorithm, RSAKey key, JWTClaimsSet.Builder claims) {
        try {
            return signed(
                    new JWSHeader.Builder(algorithm).keyID(key.getKeyID()).build(), new RSASSASigner(key), claims);
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String signed(JWSHeader header, JWSSigner signer, JWTClaimsSet.Builder claims) {
        try {
            SignedJWT token = new SignedJWT(header, claims.build());
            token.sign(signer);
            return token.serialize();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Signs with HS256 and the public key as its secret. */
    private static String confused(List<String> scopes) {
        try {
            JWSHeader header = new JWSHeader.Builder(JWSAlgorithm.HS256)
                    .keyID(ISSUERS_KEY.getKeyID())
                    .build();
            return signed(header, new MACSigner(ISSUERS_KEY.toRSAPublicKey().getEncoded()), claims(scopes));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String withoutTheNameOfItsKey(List<String> scopes) {
        try {
            return signed(
                    new JWSHeader.Builder(JWSAlgorithm.RS256).build(), new RSASSASigner(ANOTHER_KEY), claims(scopes));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }

    private static String underAFalseName(List<String> scopes) {
        RSAKey named =
                new RSAKey.Builder(ANOTHER_KEY).keyID(ISSUERS_KEY.getKeyID()).build();
        return signed(JWSAlgorithm.RS256, named, claims(scopes));
    }

    private static RSAKey issuersKey() {
        try {
            return JWKSet.load(Servers.shared().tokenKeys().toFile())
                    .getKeys()
                    .get(0)
                    .toRSAKey();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ParseException e) {
            throw new IllegalStateException(e);
        }
    }

    private static RSAKey anotherKey() {
        try {
            return new RSAKeyGenerator(2048).keyID(UUID.randomUUID().toString()).generate();
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
    }
}
