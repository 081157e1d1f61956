package routes;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import ca.uhn.fhir.context.FhirContext;
import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Optional;
import java.util.Set;
import org.apache.camel.builder.RouteBuilder;
import routes.platform.contract.AsyncApi;

/** The rules of the house that a compiler does not hold. */
@AnalyzeClasses(packages = "routes", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    @ArchTest
    static final ArchRule patternsDoNotKnowEachOther = slices().matching("routes.(*)..")
            .should()
            .notDependOnEachOther()
            .ignoreDependency(alwaysTrue(), resideInAPackage("routes.platform.."));

    @ArchTest
    static final ArchRule thePlatformKnowsNoPattern = noClasses()
            .that()
            .resideInAPackage("routes.platform..")
            .should()
            .dependOnClassesThat(resideInAPackage("routes..").and(resideOutsideOfPackage("routes.platform..")));

    @ArchTest
    static final ArchRule theRoomsOfThePlatformHaveAnOrder =
            slices().matching("routes.platform.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule routesAreYaml = noClasses().should().beAssignableTo(RouteBuilder.class);

    @ArchTest
    static final ArchRule thereIsNoStaticState = noFields()
            .that()
            .areStatic()
            .should()
            .notBeFinal()
            .because("two instances in one JVM must not share anything");

    private static final DescribedPredicate<JavaClass> haveAContract =
            describe("look into the contract", type -> type.getDirectDependenciesFromSelf().stream()
                    .anyMatch(dependency -> dependency.getTargetClass().isEquivalentTo(AsyncApi.class)));

    @ArchTest
    static final ArchRule whatTheContractLacksIsNamed = noClasses()
            .that(haveAContract)
            .should()
            .callMethod(Optional.class, "orElseThrow")
            .because("a start that fails with \"No value present\" tells nobody which topic is missing");

    private static final DescribedPredicate<JavaClass> OF_HTTP_CLIENTS = describe(
            "that build a client or a model of FHIR",
            type -> Set.of(
                                    "java.net.http.HttpClient",
                                    "java.net.http.HttpClient$Builder",
                                    "java.net.URLConnection",
                                    "java.net.HttpURLConnection",
                                    "org.apache.http.impl.client.HttpClients",
                                    "org.apache.http.impl.client.HttpClientBuilder",
                                    "org.springframework.web.client.RestClient",
                                    "org.springframework.web.client.RestClient$Builder",
                                    "org.springframework.web.client.RestTemplate",
                                    "ca.uhn.fhir.rest.client.api.IRestfulClientFactory")
                            .contains(type.getName())
                    || type.getPackageName().startsWith("org.apache.http.impl.conn")
                    || type.getPackageName().startsWith("org.apache.http.client.fluent")
                    || type.getPackageName().startsWith("com.nimbusds.jose.util")
                    || type.getPackageName().startsWith("ca.uhn.fhir.rest.client.impl")
                    || type.getPackageName().startsWith("ca.uhn.fhir.rest.client.apache"));

    /** The clients of the schema registry and of the token issuer's keys. */
    private static final DescribedPredicate<JavaClass> OTHER_CLIENTS =
            describe("have clients of their own", type -> Set.of(
                            "routes.platform.avro.SchemaRegistry", "routes.platform.http.IssuerKeys")
                    .contains(type.getName().replaceAll("\\$.*", "")));

    @ArchTest
    static final ArchRule fhirServersHaveOneClient = noClasses()
            .that(resideOutsideOfPackage("routes.platform.fhir"))
            .and(not(OTHER_CLIENTS))
            .should()
            .dependOnClassesThat(OF_HTTP_CLIENTS)
            .because("routes.platform.fhir has the limits, the credentials, and the failures without patients");

    @ArchTest
    static final ArchRule fhirHasOneModel = noClasses()
            .that()
            .resideOutsideOfPackage("routes.platform.fhir")
            .should()
            .callMethodWhere(describe(
                    "creates a FhirContext or a client of one",
                    call -> call.getTargetOwner().isEquivalentTo(FhirContext.class)
                            && call.getName().matches("for.*|newRestful.*|getRestfulClientFactory")))
            .orShould()
            .callConstructorWhere(describe(
                    "creates a FhirContext", call -> call.getTargetOwner().isEquivalentTo(FhirContext.class)))
            .because("all share FhirModel, which takes half a second to load");
}
