package routes.fhir;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.springframework.stereotype.Component;
import routes.fhir.FhirAddress.Form;
import routes.fhir.FhirContent.Kind;
import routes.fhir.FhirQuery.Parameter;
import routes.fhir.FhirRules.Call;
import routes.platform.error.ProblemException;

/** Finds the interactions of a transaction or a batch. */
@Component
class FhirBundleParser {

    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE");
    private static final Pattern URL = Pattern.compile("[^\\s\\p{Cntrl}#]+");
    private static final int MAX_URL = 1 << 16;
    private static final Pattern WHITE_SPACE = Pattern.compile("\\s+");

    private final FhirAddressParser addresses;
    private final FhirRules rules;
    private final FhirConditions conditions;
    private final FhirResources resources;
    private final FhirPatchReader patches;

    FhirBundleParser(
            FhirAddressParser addresses,
            FhirRules rules,
            FhirConditions conditions,
            FhirResources resources,
            FhirPatchReader patches) {
        this.addresses = addresses;
        this.rules = rules;
        this.conditions = conditions;
        this.resources = resources;
        this.patches = patches;
    }

    /** @throws ProblemException 400, 403, 413 or 415, for the first entry that is refused */
    List<FhirInteraction> parse(FhirFormat format, byte[] body, String publicUrl) {
        Pass pass = new Pass(new BitSet(), publicUrl);
        String type = resources.readBundle(format, body, pass.withData, pass::entry);
        if (!"transaction".equals(type) && !"batch".equals(type)) {
            throw new ProblemException(400, "Bundle: type must be transaction or batch");
        }
        if (!pass.patches.isEmpty()) {
            // now that their entries are known: a second reading, so that no other data is held
            pass = new Pass(pass.patches, publicUrl);
            resources.readBundle(format, body, pass.withData, pass::entry);
        }
        return pass.interactions;
    }

    /** One reading of a bundle. */
    private final class Pass {

        private final BitSet withData;
        private final BitSet patches = new BitSet();
        private final String publicUrl;
        private final List<FhirInteraction> interactions = new ArrayList<>();

        Pass(BitSet withData, String publicUrl) {
            this.withData = withData;
            this.publicUrl = publicUrl;
        }

        void entry(FhirBodyPart part) {
            int number = interactions.size();
            String place = part.place() + ": ";
            if (!part.hasRequest()) {
                throw new ProblemException(400, place + "has no request");
            }
            String method = part.text("request.method");
            if (method == null || !METHODS.contains(method)) {
                throw new ProblemException(
                        400, place + "request.method must be one of GET, HEAD, POST, PUT, PATCH, DELETE");
            }
            String url = part.text("request.url");
            if (url == null || url.length() > MAX_URL || !URL.matcher(url).matches()) {
                throw new ProblemException(400, place + "request.url is not a URL");
            }
            interactions.add(rules.decide(call(part, place, method, url, number)));
        }

        private Call call(FhirBodyPart part, String place, String method, String url, int number) {
            String relative = FhirUrls.relative(url, publicUrl);
            int mark = relative.indexOf('?');
            FhirAddress address = address(place, method, mark < 0 ? relative : relative.substring(0, mark));
            if (mark >= 0 && !relative.equals(url) && !method.equals("GET") && !method.equals("HEAD")) {
                // HAPI takes the type for the id
                throw new ProblemException(400, place + "request.url with a condition must be relative");
            }
            List<Parameter> query = FhirQuery.decode(mark < 0 ? null : relative.substring(mark + 1), place + "query");
            List<Parameter> condition = conditions.parse(
                    part.text("request.ifNoneExist"), address.type(), publicUrl, place + "request.ifNoneExist");
            return new Call(place, method, address, query, condition, content(part, method, number));
        }

        /** An unknown path or method makes the bundle malformed: the address of the bundle itself is known. */
        private FhirAddress address(String place, String method, String path) {
            try {
                FhirAddress address =
                        addresses.parse(path.isEmpty() ? List.of() : Arrays.asList(path.split("/", -1)), place);
                rules.requireOpen(place, method, address);
                if (method.equals("POST") && address.form() != Form.TYPE) {
                    // HAPI creates the resource of such an entry, whatever its URL says
                    throw new ProblemException(400, place + "a POST must be a create");
                }
                return address;
            } catch (ProblemException e) {
                throw e.status() == 403 ? e : new ProblemException(400, e.getMessage());
            }
        }

        private FhirContent content(FhirBodyPart part, String method, int number) {
            if (!part.hasResource()) {
                return FhirContent.NONE;
            }
            String type = FhirResources.type(part);
            if (method.equals("PATCH") && type.equals("Parameters")) {
                return FhirContent.patch(part.needs());
            }
            if (method.equals("PATCH") && type.equals("Binary")) {
                return binaryPatch(part, number);
            }
            return new FhirContent(Kind.RESOURCE, type, part.text("resource.id"), part.needs());
        }

        private FhirContent binaryPatch(FhirBodyPart part, int number) {
            patches.set(number);
            if (!withData.get(number)) {
                return FhirContent.patch(Set.of());
            }
            try {
                return FhirBundleParser.this.patches.read(patchFormat(part), decoded(part));
            } catch (ProblemException e) {
                throw new ProblemException(e.status(), part.place() + ": " + e.getMessage());
            }
        }
    }

    private static FhirFormat patchFormat(FhirBodyPart part) {
        String contentType = part.text("resource.contentType");
        return switch (contentType == null ? "" : contentType.split(";", 2)[0].strip()) {
            case "application/json-patch+json" -> FhirFormat.JSON_PATCH;
            case "application/xml-patch+xml" -> FhirFormat.XML_PATCH;
            default -> throw new ProblemException(400, "Binary.contentType must be that of a JSON or XML patch");
        };
    }

    private static byte[] decoded(FhirBodyPart part) {
        String data = part.text("resource.data");
        try {
            return Base64.getDecoder()
                    .decode(WHITE_SPACE.matcher(data == null ? "" : data).replaceAll(""));
        } catch (IllegalArgumentException e) {
            throw new ProblemException(400, "Binary.data is not base64");
        }
    }
}
