package routes;

import static com.tngtech.archunit.base.DescribedPredicate.alwaysTrue;
import static com.tngtech.archunit.base.DescribedPredicate.describe;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideOutsideOfPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noFields;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import java.util.Optional;
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
}
