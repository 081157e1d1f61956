package routes.fhir;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.jdbc.core.simple.JdbcClient;
import org.springframework.stereotype.Component;
import routes.platform.Caller;
import routes.platform.error.ProblemException;

/**
 * Binds page links to the caller that they were given to. The server lets everybody who knows a link read the page. So
 * the link that a caller gets has three parts: the server's id, the permissions that the search needed, and a code that
 * only this runtime can make. All instances share the key.
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

    private static final Pattern PARAMETER = Pattern.compile("(?:^|&)_getpages=(?<sealed>[A-Za-z0-9~*._-]*)(?=&|$)");

    /** Also finds the parameter where it is percent-encoded, or has another value. */
    private static final Pattern REPEATED = Pattern.compile(
            "(?i)(?:^|&)(?:_|%5F)(?:g|%67)(?:e|%65)(?:t|%74)(?:p|%70)(?:a|%61)(?:g|%67)(?:e|%65)(?:s|%73)(?=[=&]|$)");

    private static final String ALGORITHM = "HmacSHA256";
    private static final char SEPARATOR = '.';
    private static final String NEXT = "~";
    private static final int PARTS = 3;

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
        return id + SEPARATOR + permissions + SEPARATOR + code(id, permissions, caller);
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
        String[] parts = parameter.group("sealed").split("\\" + SEPARATOR, -1);
        int end = parameter.end();
        if (parts.length != PARTS
                || parameter.find()
                || REPEATED.matcher(query).results().count() != 1
                || !isEqual(parts[2], code(parts[0], parts[1], caller))) {
            throw new ProblemException(404, "no such page for this caller");
        }
        Set<FhirPermission> needs = Stream.of(parts[1].split(NEXT))
                .filter(need -> !need.isEmpty())
                .map(need -> new FhirPermission(need.charAt(0), need.substring(1)))
                .collect(Collectors.toUnmodifiableSet());
        return new Opened(
                query.substring(0, end - parts[1].length() - parts[2].length() - 2) + query.substring(end), needs);
    }

    private static boolean isEqual(String a, String b) {
        return MessageDigest.isEqual(a.getBytes(StandardCharsets.UTF_8), b.getBytes(StandardCharsets.UTF_8));
    }

    private String code(String id, String permissions, Caller caller) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(key());
            // a line break is in none of the parts
            String text = String.join("\n", id, permissions, caller.tenant(), caller.principal());
            return Base64.getUrlEncoder()
                    .withoutPadding()
                    .encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException(e);
        }
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
