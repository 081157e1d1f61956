package routes;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.springframework.util.FileSystemUtils;

/**
 * Builds the image without Docker: lays out the directories of the Dockerfile from the jar of this build, read-only,
 * and runs the entry point as its user. This machine takes the place of the base image.
 */
final class Image {

    /** A run lasts seconds, so the optimizing compiler would never pay off. */
    private static final String QUICK = "-XX:TieredStopAtLevel=1";

    private final Path directory;
    private final Dockerfile dockerfile = Dockerfile.read(Path.of("Dockerfile"));
    private final Map<String, Path> workingDirectories = new HashMap<>();
    private int runs;

    /** @param directory for the image; emptied first */
    Image(Path directory) throws IOException, InterruptedException {
        this.directory = directory.toAbsolutePath();
        if (Files.exists(this.directory)) {
            makeWritable(this.directory, true);
            FileSystemUtils.deleteRecursively(this.directory);
        }
        for (Dockerfile.Instruction instruction : dockerfile.instructions()) {
            switch (instruction.keyword()) {
                case "WORKDIR" -> workIn(instruction);
                case "RUN" -> run(instruction);
                case "COPY" -> copy(instruction);
                default -> {
                    // concerns the run of the image
                }
            }
        }
        makeWritable(root("image"), false);
    }

    Dockerfile dockerfile() {
        return dockerfile;
    }

    /** Lists every file of the image, relative to its root. */
    List<String> files() throws IOException {
        try (Stream<Path> files = Files.walk(root("image"))) {
            return files.filter(Files::isRegularFile)
                    .map(file -> root("image").relativize(file).toString())
                    .sorted()
                    .toList();
        }
    }

    /**
     * Starts the entry point with only this environment and one writable directory.
     *
     * @param arguments appended to the entry point
     */
    RunningImage run(Map<String, String> environment, String... arguments) throws IOException {
        Path container = Files.createDirectories(directory.resolve("run-" + ++runs));
        Path temporary = Files.createDirectory(container.resolve("tmp"));
        Files.setPosixFilePermissions(temporary, PosixFilePermissions.fromString("rwxrwxrwx"));

        List<String> command = new ArrayList<>(asItsUser());
        List<String> entryPoint = dockerfile.theOneOfImage("ENTRYPOINT").command();
        command.add(entryPoint.get(0).equals("java") ? java() : entryPoint.get(0));
        command.addAll(entryPoint.subList(1, entryPoint.size()));
        command.addAll(List.of(arguments));

        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(workingDirectories.get("image").toFile())
                .redirectOutput(container.resolve("stdout").toFile())
                .redirectError(container.resolve("stderr").toFile());
        builder.environment().clear();
        builder.environment().put("JAVA_TOOL_OPTIONS", QUICK + " -Djava.io.tmpdir=" + temporary);
        builder.environment().putAll(environment);
        return new RunningImage(builder.start(), container, environment);
    }

    private void workIn(Dockerfile.Instruction instruction) throws IOException {
        Path path = inside(instruction.stage(), Path.of("/"), instruction.arguments());
        workingDirectories.put(instruction.stage(), Files.createDirectories(path));
    }

    /** Runs an instruction; instead of Maven's build it copies the finished jar. */
    private void run(Dockerfile.Instruction instruction) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(instruction.arguments().split(" ")));
        if (!command.get(0).equals("java")) {
            return;
        }
        Path workingDirectory = workingDirectories.get(instruction.stage());
        Path jar = workingDirectory.resolve(command.get(command.indexOf("-jar") + 1));
        Files.createDirectories(jar.getParent());
        Files.copy(Path.of(System.getProperty("runtime.jar")), jar);
        command.set(0, java());
        Process process = new ProcessBuilder(command)
                .directory(workingDirectory.toFile())
                .inheritIO()
                .start();
        if (process.waitFor() != 0) {
            throw new IOException(instruction.arguments() + " ended with " + process.exitValue());
        }
    }

    private void copy(Dockerfile.Instruction instruction) throws IOException {
        String[] words = instruction.arguments().split(" ");
        if (!words[0].startsWith("--from=")) {
            return;
        }
        String from = words[0].substring("--from=".length());
        Path source = inside(from, workingDirectories.get(from), words[1]);
        Path target = inside(instruction.stage(), workingDirectories.get(instruction.stage()), words[2]);
        if (!Files.isDirectory(source)) {
            throw new IOException(instruction.arguments() + ": there is no such directory");
        }
        FileSystemUtils.copyRecursively(source, target);
    }

    private Path inside(String stage, Path workingDirectory, String path) {
        return (path.startsWith("/") ? root(stage).resolve(path.substring(1)) : workingDirectory.resolve(path))
                .normalize();
    }

    private Path root(String stage) {
        return directory.resolve(stage);
    }

    /** Returns the command prefix that changes root to the user of the image; empty for other users. */
    private List<String> asItsUser() throws IOException {
        String[] user = dockerfile.theOneOfImage("USER").arguments().split(":");
        List<String> become = List.of("setpriv", "--reuid", user[0], "--regid", user[1], "--clear-groups");
        List<String> canEnter = new ArrayList<>(become);
        canEnter.addAll(List.of("test", "-x", workingDirectories.get("image").toString()));
        return System.getProperty("user.name").equals("root") && succeeds(canEnter) ? become : List.of();
    }

    private static boolean succeeds(List<String> command) throws IOException {
        List<String> quietly = new ArrayList<>(List.of("sh", "-c", "\"$@\" 2>/dev/null", "sh"));
        quietly.addAll(command);
        try {
            return new ProcessBuilder(quietly).start().waitFor() == 0;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    private static String java() {
        return Path.of(System.getProperty("java.home"), "bin", "java").toString();
    }

    private static void makeWritable(Path tree, boolean writable) throws IOException {
        try (Stream<Path> paths = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) paths::iterator) {
                boolean executable = Files.isDirectory(path);
                Set<PosixFilePermission> permissions = PosixFilePermissions.fromString(
                        (writable ? "rw" : "r-") + (executable ? "xr-xr-x" : "-r--r--"));
                Files.setPosixFilePermissions(path, permissions);
            }
        } catch (UncheckedIOException e) {
            throw e.getCause();
        }
    }
}
