package routes;

import com.nimbusds.jose.JOSEException;
import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.JWSHeader;
import com.nimbusds.jose.crypto.RSASSASigner;
import com.nimbusds.jose.jwk.JWKSet;
import com.nimbusds.jose.jwk.RSAKey;
import com.nimbusds.jwt.JWTClaimsSet;
import com.nimbusds.jwt.SignedJWT;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.text.ParseException;
import java.time.Duration;
import java.time.Instant;
import java.util.Date;
import java.util.List;
import sandbox.Servers;

/** Signs tokens with the key of the issuer, for callers and scopes that its clients do not have. */
public final class SignedTokens {

    private static final Duration VALID = Duration.ofMinutes(30);

    private final String issuer;
    private final RSAKey key;

    public SignedTokens(Servers servers) {
        issuer = servers.tokenIssuer().address();
        try {
            key = JWKSet.load(servers.tokenKeys().toFile()).getKeys().get(0).toRSAKey();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (ParseException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Returns an {@code Authorization} header. */
    public String of(String principal, String tenant, String... scopes) {
        JWTClaimsSet claims = new JWTClaimsSet.Builder()
                .issuer(issuer)
                .audience("event-broker")
                .subject(principal)
                .claim("tenant", tenant)
                .claim("scope", List.of(scopes))
                .issueTime(new Date())
                .expirationTime(Date.from(Instant.now().plus(VALID)))
                .build();
        SignedJWT token = new SignedJWT(
                new JWSHeader.Builder(JWSAlgorithm.RS256).keyID(key.getKeyID()).build(), claims);
        try {
            token.sign(new RSASSASigner(key));
        } catch (JOSEException e) {
            throw new IllegalStateException(e);
        }
        return "Bearer " + token.serialize();
    }
}
