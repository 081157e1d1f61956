package routes.fhir;

import java.nio.charset.CharacterCodingException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.springframework.stereotype.Component;
import routes.fhir.FhirAddress.Form;
import routes.fhir.FhirContent.Kind;
import routes.fhir.FhirQuery.Parameter;
import routes.fhir.FhirRules.Call;
import routes.platform.StrictUtf8;
import routes.platform.error.ProblemException;

/** Finds everything that a request asks for: one interaction, or one for each entry of its bundle. */
@Component
class FhirInteractionParser {

    /** HAPI's links to pages have these parameters. */
    private static final Set<String> OF_PAGE = Set.of(
            "_getpages",
            "_getpagesoffset",
            "_count",
            "_offset",
            "_pageId",
            "_bundletype",
            "_format",
            "_pretty",
            "_summary",
            "_elements");

    private static final int MAX_FORM = 1 << 20;

    private final FhirAddressParser addresses;
    private final FhirRules rules;
    private final FhirBundleParser bundles;
    private final FhirConditions conditions;
    private final FhirResources resources;
    private final FhirPatchReader patches;

    FhirInteractionParser(
            FhirAddressParser addresses,
            FhirRules rules,
            FhirBundleParser bundles,
            FhirConditions conditions,
            FhirResources resources,
            FhirPatchReader patches) {
        this.addresses = addresses;
        this.rules = rules;
        this.bundles = bundles;
        this.conditions = conditions;
        this.resources = resources;
        this.patches = patches;
    }

    /**
     * Returns the permissions that a request needs whatever its query and its body say.
     *
     * @throws ProblemException 403 for a closed request, 404 for an unknown path, 405
     */
    Set<FhirPermission> needsOfUrl(String method, List<String> path) {
        FhirAddress address = addresses.parse(path, "");
        rules.requireOpen("", method, address);
        return FhirRules.needsOfUrl(method, address);
    }

    /**
     * Returns the interactions, in the order of the bundle's entries.
     *
     * @param body empty when there is none
     * @throws ProblemException 400 for a malformed or ambiguous request, 403 for a closed one, 404 for an unknown path,
     *     405, 413 beyond the limits, 415 for a body of another kind
     */
    List<FhirInteraction> parse(FhirRequestHead head, byte[] body) {
        FhirAddress address = addresses.parse(head.path(), "");
        rules.requireOpen("", head.method(), address);
        List<Parameter> query = new ArrayList<>(FhirQuery.decode(requireAscii(head.query()), "query"));
        if (head.isBundle()) {
            if (head.ifNoneExist() != null || !query.stream().allMatch(FhirSearchNeeds::shapesTheAnswer)) {
                throw new ProblemException(400, "query: a bundle takes no condition");
            }
            if (query.stream().anyMatch(FhirSearchNeeds::cutsTheAnswer)) {
                throw new ProblemException(400, "query: a bundle takes no _summary and no _elements");
            }
            return bundles.parse(head.format(), body, head.publicUrl());
        }
        FhirContent content = content(head, body);
        if (content.kind() == Kind.FORM && address.form() == Form.SEARCH) {
            query.addAll(FhirQuery.decode(utf8(body), "form"));
        }
        List<Parameter> condition =
                conditions.parse(head.ifNoneExist(), address.type(), head.publicUrl(), "header If-None-Exist");
        return List.of(rules.decide(new Call("", head.method(), address, query, condition, content)));
    }

    /**
     * The interaction of a page link. HAPI repeats the includes of the search in its links.
     *
     * @param query of the link
     * @param needs the permissions of the search
     * @throws ProblemException 400 when the query has more than a page link has
     */
    FhirInteraction parsePage(String query, Set<FhirPermission> needs) {
        List<Parameter> parameters = new ArrayList<>(FhirQuery.decode(requireAscii(query), "query"));
        long links = parameters.stream()
                .filter(one -> one.name().equals("_getpages"))
                .count();
        parameters.removeIf(one -> OF_PAGE.contains(one.name()));
        if (links != 1 || !parameters.stream().allMatch(one -> one.name().equals("_include"))) {
            throw new ProblemException(400, "query: is not that of a page link");
        }
        return rules.page(parameters, needs);
    }

    private FhirContent content(FhirRequestHead head, byte[] body) {
        if (body.length == 0) {
            return FhirContent.NONE;
        }
        return switch (head.format()) {
            case JSON, XML -> {
                FhirContent resource = resources.read(head.format(), body);
                yield head.method().equals("PATCH") && "Parameters".equals(resource.type())
                        ? FhirContent.patch(resource.needs())
                        : resource;
            }
            case JSON_PATCH, XML_PATCH -> patches.read(head.format(), body);
            case RAW -> new FhirContent(Kind.RESOURCE, "Binary", null, Set.of());
            case FORM -> new FhirContent(Kind.FORM, null, null, Set.of());
            case NONE -> throw new ProblemException(415, "header Content-Type must tell the format of the body");
        };
    }

    private static String utf8(byte[] form) {
        if (form.length > MAX_FORM) {
            throw new ProblemException(413, "form: more than " + MAX_FORM + " bytes");
        }
        try {
            return StrictUtf8.decode(form);
        } catch (CharacterCodingException e) {
            throw new ProblemException(400, "form: is not UTF-8");
        }
    }

    private static String requireAscii(String query) {
        if (query != null && !query.chars().allMatch(c -> c > ' ' && c < 0x7f && c != '#')) {
            throw new ProblemException(400, "query: has characters that must be percent-encoded");
        }
        return query;
    }
}
