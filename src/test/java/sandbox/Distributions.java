package sandbox;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.springframework.core.io.ClassPathResource;

/**
 * Unpacks or compiles server software once. It keeps the result beside the data, so an emptied sandbox need not do it
 * again.
 */
final class Distributions {

    private final Path directory;

    /** @param directory has one subdirectory per distribution; created when needed */
    Distributions(Path directory) {
        this.directory = directory;
    }

    /**
     * Unpacks a tar stream once. The tar program does it, because Java has no tar, and a library would bring several
     * others onto the test class path.
     *
     * @param name subdirectory, with the version, so that a newer version is unpacked again
     * @param archive opens the uncompressed tar
     * @return the subdirectory
     */
    Path unpacked(String name, Archive archive) throws IOException, InterruptedException {
        return once(name, unfinished -> unpack(name, archive, unfinished));
    }

    /**
     * Compiles a server from a Java source of the test resources. A launch from source would compile at every start.
     *
     * @param source name of the file
     * @param libraries its class path
     * @return its classes and the libraries
     * @throws SandboxException when the source does not compile, or this JDK has no compiler
     */
    List<Path> withProgram(String source, List<Path> libraries) {
        try {
            String text = new ClassPathResource("sandbox/" + source).getContentAsString(StandardCharsets.UTF_8);
            int version = List.of(text, libraries, Runtime.version().toString()).hashCode();
            String name = "%s-%08x".formatted(source.replace(".java", ""), version);
            Path program = once(name, unfinished -> compile(source, text, libraries, unfinished));
            return Stream.concat(Stream.of(program), libraries.stream()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new SandboxException(source + ": compiling was interrupted", e);
        }
    }

    private Path once(String name, Filling filling) throws IOException, InterruptedException {
        Path target = directory.resolve(name);
        if (Files.isDirectory(target)) {
            return target;
        }
        Files.createDirectories(directory);
        try (FileChannel oneAtATime = FileChannel.open(
                directory.resolve(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            // another JVM of the tests may be doing the same
            oneAtATime.lock();
            if (!Files.isDirectory(target)) {
                Path unfinished = Files.createTempDirectory(directory, name + ".unfinished");
                try {
                    filling.fill(unfinished);
                    // A rename shows the directory only when it is whole, whoever is killed half-way.
                    Files.move(unfinished, target);
                } finally {
                    delete(unfinished);
                }
            }
        }
        return target;
    }

    private static void unpack(String name, Archive archive, Path unfinished) throws IOException, InterruptedException {
        Process tar = new ProcessBuilder("tar", "-x", "-o", "-f", "-", "-C", unfinished.toString())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        try (InputStream in = archive.open();
                OutputStream out = tar.getOutputStream()) {
            in.transferTo(out);
        }
        if (tar.waitFor() != 0) {
            throw new IOException("tar could not unpack " + name + ": exit code " + tar.exitValue());
        }
    }

    private static void compile(String source, String text, List<Path> classPath, Path unfinished) throws IOException {
        JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
        if (compiler == null) {
            throw new SandboxException(
                    "%s cannot be compiled: %s is no JDK".formatted(source, System.getProperty("java.home")));
        }
        Path file = Files.writeString(unfinished.resolve(source), text);
        String libraries = classPath.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator));
        StringWriter complaints = new StringWriter();
        try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
            boolean compiles = compiler.getTask(
                            complaints,
                            files,
                            null,
                            List.of(
                                    "--release",
                                    "17",
                                    "-proc:none",
                                    "-parameters",
                                    "-classpath",
                                    libraries,
                                    "-d",
                                    unfinished.toString()),
                            null,
                            files.getJavaFileObjects(file))
                    .call();
            if (!compiles) {
                throw new SandboxException("%s does not compile:%n%s".formatted(source, complaints));
            }
        }
    }

    /** Deletes a directory and its content; a missing directory is no error. */
    static void delete(Path directory) throws IOException {
        if (!Files.exists(directory)) {
            return;
        }
        Files.walkFileTree(directory, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                Files.delete(file);
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult postVisitDirectory(Path visited, IOException failure) throws IOException {
                Files.delete(visited);
                return FileVisitResult.CONTINUE;
            }
        });
    }

    /** Fills an empty directory with software. */
    private interface Filling {
        void fill(Path directory) throws IOException, InterruptedException;
    }

    /** Opens a tar. */
    interface Archive {
        InputStream open() throws IOException;
    }
}
