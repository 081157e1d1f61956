package routes.fhir;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Collectors;
import routes.platform.fhir.FhirModel;

/** Builds the parser of the facade without Spring, and shows its results as texts. */
final class FhirParsers {

    static final String PUBLIC_URL = "http://facade.example/fhir";

    private static final FhirModel MODEL = new FhirModel();

    private FhirParsers() {}

    static FhirInteractionParser parser() {
        FhirDefinitions definitions = new FhirDefinitions(MODEL);
        FhirSearchNeeds searches = new FhirSearchNeeds(definitions);
        ConditionalReferences references = new ConditionalReferences(definitions, searches);
        JsonElements json = new JsonElements();
        XmlElements xml = new XmlElements();
        FhirResources resources = new FhirResources(json, xml, references);
        FhirPatchReader patches = new FhirPatchReader(json, xml, references);
        FhirAddressParser addresses = new FhirAddressParser(definitions);
        FhirRules rules = new FhirRules(searches, List.of("$validate"));
        FhirConditions conditions = new FhirConditions();
        FhirBundleParser bundles = new FhirBundleParser(addresses, rules, conditions, resources, patches);
        return new FhirInteractionParser(addresses, rules, bundles, conditions, resources, patches);
    }

    /** @param url below the facade, such as {@code Patient?name=x} */
    static FhirRequestHead head(String method, String url, FhirFormat format) {
        return head(method, url, null, format);
    }

    static FhirRequestHead head(String method, String url, String ifNoneExist, FhirFormat format) {
        int mark = url.indexOf('?');
        String path = mark < 0 ? url : url.substring(0, mark);
        return new FhirRequestHead(
                method,
                path.isEmpty() ? List.of() : Arrays.asList(path.split("/", -1)),
                mark < 0 ? null : url.substring(mark + 1),
                ifNoneExist,
                format,
                PUBLIC_URL);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** The scopes that grant an interaction, in the order of the types; empty when it needs none. */
    static String needs(FhirInteraction interaction) {
        return String.join(" ", SmartScopes.granting(interaction.needs()));
    }

    static String needs(List<FhirInteraction> interactions) {
        return interactions.stream().map(FhirParsers::needs).collect(Collectors.joining("; "));
    }

    static TreeSet<String> types(FhirInteraction interaction) {
        return interaction.needs().stream().map(FhirPermission::type).collect(Collectors.toCollection(TreeSet::new));
    }
}
