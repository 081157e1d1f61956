package routes.fhir;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

/**
 * Binds page links to the caller that they were given to. The server lets everybody who knows a link read the page. So
 * the link that a caller gets has the server's id and the permissions of the search encrypted, for this principal and
 * tenant. All instances share the key.
 */
@Component
class PageLinks {

    /**
     * A request for a page, opened.
     *
     * @param query as the server gets it
     * @param needs the permissions of the search
     */
    record Opened(String query, Set<FhirPermission> needs) {}

    private static final Pattern PARAMETER = Pattern.compile("(?:^|&)_getpages=(?<sealed>[^&]*)(?=&|$)");

    /** Also finds the parameter where it is percent-encoded, or has another value. */
    private static final Pattern REPEATED = Pattern.compile(
            "(?i)(?:^|&)(?:_|%5F)(?:g|%67)(?:e|%65)(?:t|%74)(?:p|%70)(?:a|%61)(?:g|%67)(?:e|%65)(?:s|%73)(?=[=&]|$)");

    private static final String ALGORITHM = "AES";
    private static final String CIPHER = "AES/GCM/NoPadding";

    /** The lengths that NIST SP 800-38D recommends. */
    private static final int NONCE_BYTES = 12;

    private static final int TAG_BITS = 128;
    private static final String NEXT = "~";

    private final SecureRandom random = new SecureRandom();
    private final Supplier<byte[]> keys;
    private volatile SecretKeySpec key;

    @Autowired
    PageLinks(JdbcClient jdbc) {
        this(() -> jdbc.sql("select key from fhir_page_key").query(byte[].class).single());
    }

    /** @param keys returns the key of all instances */
    PageLinks(Supplier<byte[]> keys) {
        this.keys = keys;
    }

    /**
     * Loads the key, if it is not known yet.
     *
     * @throws org.springframework.dao.DataAccessException when the database does not answer
     */
    void loadKey() {
        key();
    }

    /**
     * Seals the id of a page link.
     *
     * @param needs the permissions of the search
     */
    String seal(String id, Collection<FhirPermission> needs, Caller caller) {
        String permissions = needs.stream()
                .map(need -> need.letter() + need.type())
                .distinct()
                .sorted()
                .collect(Collectors.joining(NEXT));
        byte[] nonce = new byte[NONCE_BYTES];
        random.nextBytes(nonce);
        try {
            byte[] sealed = cipher(Cipher.ENCRYPT_MODE, nonce, caller)
                    .doFinal((id + "\n" + permissions).getBytes(StandardCharsets.UTF_8));
            byte[] all = ByteBuffer.allocate(NONCE_BYTES + sealed.length)
                    .put(nonce)
                    .put(sealed)
                    .array();
            return Base64.getUrlEncoder().withoutPadding().encodeToString(all);
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether a request asks for a page: it has no path, and a parameter {@code _getpages}. */
    static boolean isPage(String method, List<String> path, String query) {
        return method.equals("GET")
                && path.isEmpty()
                && query != null
                && PARAMETER.matcher(query).find();
    }

    /**
     * Opens the link of a request for a page.
     *
     * @throws ProblemException 404 when the link was not given to this caller
     */
    Opened openIn(String query, Caller caller) {
        Matcher parameter = PARAMETER.matcher(query);
        parameter.find();
        int start = parameter.start("sealed");
        int end = parameter.end();
        String[] parts = open(parameter.group("sealed"), caller).split("\n", -1);
        if (parts.length != 2
                || parameter.find()
                || REPEATED.matcher(query).results().count() != 1) {
            throw new ProblemException(404, "no such page for this caller");
        }
        Set<FhirPermission> needs = Stream.of(parts[1].split(NEXT))
                .filter(need -> !need.isEmpty())
                .map(need -> new FhirPermission(need.charAt(0), need.substring(1)))
                .collect(Collectors.toUnmodifiableSet());
        return new Opened(query.substring(0, start) + parts[0] + query.substring(end), needs);
    }

    /** Returns an empty text when it was not sealed for this caller. */
    private String open(String sealed, Caller caller) {
        try {
            byte[] all = Base64.getUrlDecoder().decode(sealed);
            if (all.length < NONCE_BYTES + TAG_BITS / Byte.SIZE) {
                return "";
            }
            byte[] nonce = Arrays.copyOf(all, NONCE_BYTES);
            byte[] opened =
                    cipher(Cipher.DECRYPT_MODE, nonce, caller).doFinal(all, NONCE_BYTES, all.length - NONCE_BYTES);
            return new String(opened, StandardCharsets.UTF_8);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return "";
        }
    }

    private Cipher cipher(int mode, byte[] nonce, Caller caller) throws GeneralSecurityException {
        Cipher cipher = Cipher.getInstance(CIPHER);
        cipher.init(mode, key(), new GCMParameterSpec(TAG_BITS, nonce));
        // a line break is in neither name
        cipher.updateAAD((caller.tenant() + "\n" + caller.principal()).getBytes(StandardCharsets.UTF_8));
        return cipher;
    }

    private SecretKeySpec key() {
        SecretKeySpec known = key;
        if (known == null) {
            known = new SecretKeySpec(keys.get(), ALGORITHM);
            key = known;
        }
        return known;
    }
}
