package sandbox;

import eu.maveniverse.maven.mima.context.Context;
import eu.maveniverse.maven.mima.context.ContextOverrides;
import eu.maveniverse.maven.mima.context.Runtimes;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;
import java.util.stream.Stream;
import org.eclipse.aether.DefaultRepositorySystemSession;
import org.eclipse.aether.RepositoryException;
import org.eclipse.aether.RepositorySystemSession;
import org.eclipse.aether.artifact.Artifact;
import org.eclipse.aether.artifact.DefaultArtifact;
import org.eclipse.aether.collection.CollectRequest;
import org.eclipse.aether.graph.Dependency;
import org.eclipse.aether.graph.Exclusion;
import org.eclipse.aether.resolution.ArtifactDescriptorRequest;
import org.eclipse.aether.resolution.ArtifactRequest;
import org.eclipse.aether.resolution.ArtifactResult;
import org.eclipse.aether.resolution.DependencyRequest;
import org.eclipse.aether.transfer.AbstractTransferListener;
import org.eclipse.aether.transfer.TransferEvent;
import org.eclipse.aether.util.artifact.JavaScopes;
import org.eclipse.aether.util.filter.DependencyFilterUtils;

/**
 * Resolves coordinates as Maven does, at run time and without the project: its POM and class path have no effect. A
 * server runs on exactly the libraries of its release. The user's {@code settings.xml} and the system property
 * {@code maven.repo.local} apply.
 */
public final class MavenArtifacts {

    private final Path memory;
    private final PrintStream out;
    private Context maven;

    /**
     * @param memory directory that remembers resolved class paths; created when needed
     * @param out reports downloads, which can take minutes
     */
    public MavenArtifacts(Path memory, PrintStream out) {
        this.memory = memory;
        this.out = out;
    }

    /**
     * Describes a class path: artifacts and their runtime dependencies.
     *
     * @param coordinates {@code group:artifact[:extension[:classifier]]:version}; the first version of a library wins
     * @param managedBy coordinates of the POM whose dependency management chooses versions, or null
     * @param excluded dependencies to leave out, as {@code group:artifact} or {@code group:*}
     */
    record Libraries(List<String> coordinates, String managedBy, List<String> excluded) {}

    /**
     * Returns the artifacts and their runtime dependencies, in class path order.
     *
     * @param coordinates {@code group:artifact[:extension[:classifier]]:version}; the first version of a library wins
     * @throws SandboxException when an artifact cannot be resolved
     */
    public List<Path> classPath(String... coordinates) {
        return classPath(new Libraries(List.of(coordinates), null, List.of()));
    }

    /**
     * Returns the libraries in class path order.
     *
     * @throws SandboxException when an artifact cannot be resolved
     */
    List<Path> classPath(Libraries libraries) {
        // To resolve some dozens of artifacts that are all here takes a second or two, of every start of the sandbox
        // and of every test run.
        Path remembered = memory.resolve("%s-%08x.classpath"
                .formatted(new DefaultArtifact(libraries.coordinates().get(0)).getArtifactId(), libraries.hashCode()));
        try {
            if (Files.exists(remembered)) {
                List<Path> files =
                        Files.readAllLines(remembered).stream().map(Path::of).toList();
                if (files.stream().allMatch(Files::exists)) {
                    return files;
                }
            }
            List<Path> files = resolvedClassPath(libraries);
            Files.createDirectories(memory);
            Path unfinished = Files.createTempFile(memory, "classpath", ".unfinished");
            Files.write(unfinished, files.stream().map(Path::toString).toList());
            Files.move(unfinished, remembered, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            return files;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private List<Path> resolvedClassPath(Libraries libraries) {
        String first = libraries.coordinates().get(0);
        List<Exclusion> exclusions = libraries.excluded().stream()
                .map(excluded -> excluded.split(":"))
                .map(part -> new Exclusion(part[0], part[1], "*", "*"))
                .toList();
        List<Dependency> roots = libraries.coordinates().stream()
                .map(DefaultArtifact::new)
                .map(artifact -> new Dependency(artifact, JavaScopes.RUNTIME, false, exclusions))
                .toList();
        return resolve(first, session -> {
            try {
                CollectRequest collect = new CollectRequest(
                        roots, managed(session, libraries.managedBy()), maven().remoteRepositories());
                DependencyRequest request =
                        new DependencyRequest(collect, DependencyFilterUtils.classpathFilter(JavaScopes.RUNTIME));
                return maven().repositorySystem().resolveDependencies(session, request).getArtifactResults().stream();
            } catch (RepositoryException e) {
                throw unresolved(first, e);
            }
        });
    }

    private List<Dependency> managed(RepositorySystemSession session, String pom) throws RepositoryException {
        if (pom == null) {
            return List.of();
        }
        return maven().repositorySystem()
                .readArtifactDescriptor(
                        session,
                        new ArtifactDescriptorRequest(new DefaultArtifact(pom), maven().remoteRepositories(), null))
                .getManagedDependencies();
    }

    /**
     * Returns one file, without dependencies.
     *
     * @param coordinates {@code group:artifact[:extension[:classifier]]:version}
     * @throws SandboxException when it cannot be resolved
     */
    Path file(String coordinates) {
        return resolve(coordinates, session -> {
                    ArtifactRequest request =
                            new ArtifactRequest(new DefaultArtifact(coordinates), maven().remoteRepositories(), null);
                    try {
                        return Stream.of(maven().repositorySystem().resolveArtifact(session, request));
                    } catch (RepositoryException e) {
                        throw unresolved(coordinates, e);
                    }
                })
                .get(0);
    }

    private List<Path> resolve(
            String coordinates, Function<RepositorySystemSession, Stream<ArtifactResult>> resolution) {
        DefaultRepositorySystemSession session = new DefaultRepositorySystemSession(maven().repositorySystemSession());
        session.setTransferListener(new Announcement(coordinates));
        return resolution
                .apply(session)
                .map(ArtifactResult::getArtifact)
                .map(Artifact::getFile)
                .map(File::toPath)
                .toList();
    }

    /** Creates the Maven context on first use; the servers share it and resolve in parallel. */
    private synchronized Context maven() {
        if (maven == null) {
            ContextOverrides.Builder overrides = ContextOverrides.create().withUserSettings(true);
            String localRepository = System.getProperty("maven.repo.local", "");
            if (!localRepository.isBlank()) {
                overrides.withLocalRepositoryOverride(Path.of(localRepository).toAbsolutePath());
            }
            maven = Runtimes.INSTANCE.getRuntime().create(overrides.build());
        }
        return maven;
    }

    private static SandboxException unresolved(String coordinates, RepositoryException cause) {
        return new SandboxException(
                "%s cannot be resolved from the Maven repositories: %s".formatted(coordinates, cause.getMessage()),
                cause);
    }

    /** Prints one line at the first download, and nothing when the local repository has every file. */
    private final class Announcement extends AbstractTransferListener {

        private final String coordinates;
        private final AtomicBoolean said = new AtomicBoolean();

        Announcement(String coordinates) {
            this.coordinates = coordinates;
        }

        @Override
        public void transferInitiated(TransferEvent event) {
            if (said.compareAndSet(false, true)) {
                out.printf("Downloading %s and what it needs (only once)%n", coordinates);
            }
        }
    }
}
