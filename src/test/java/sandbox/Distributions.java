package sandbox;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.channels.FileChannel;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/** Unpacks server distributions once and keeps them beside the data, so an emptied sandbox need not unpack again. */
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
        Path target = directory.resolve(name);
        if (Files.isDirectory(target)) {
            return target;
        }
        Files.createDirectories(directory);
        try (FileChannel oneAtATime = FileChannel.open(
                directory.resolve(name + ".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
            // another JVM of the tests may be unpacking the same
            oneAtATime.lock();
            if (!Files.isDirectory(target)) {
                unpack(name, archive, target);
            }
        }
        return target;
    }

    private void unpack(String name, Archive archive, Path target) throws IOException, InterruptedException {
        Path unfinished = Files.createTempDirectory(directory, name + ".unfinished");
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
        try {
            // A rename shows the directory only when it is whole, whoever is killed or unpacks the same at the same
            // time.
            Files.move(unfinished, target);
        } catch (IOException e) {
            delete(unfinished);
            if (!Files.isDirectory(target)) {
                throw e;
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

    /** Opens a tar. */
    interface Archive {
        InputStream open() throws IOException;
    }
}
