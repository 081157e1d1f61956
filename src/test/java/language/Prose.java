package language;

import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.commonmark.ext.gfm.tables.TableCell;
import org.commonmark.ext.gfm.tables.TablesExtension;
import org.commonmark.node.AbstractVisitor;
import org.commonmark.node.Code;
import org.commonmark.node.CustomNode;
import org.commonmark.node.HardLineBreak;
import org.commonmark.node.Heading;
import org.commonmark.node.Node;
import org.commonmark.node.Paragraph;
import org.commonmark.node.SoftLineBreak;
import org.commonmark.node.Text;
import org.commonmark.parser.IncludeSourceSpans;
import org.commonmark.parser.Parser;

/** Reads the sentences of Markdown pages, of descriptions in YAML, and of Javadoc comments. */
final class Prose {

    private static final Parser MARKDOWN = Parser.builder()
            .extensions(List.of(TablesExtension.create()))
            .includeSourceSpans(IncludeSourceSpans.BLOCKS)
            .build();

    private static final Set<String> DESCRIPTIONS = Set.of("description", "summary", "note");
    private static final Pattern JAVADOC = Pattern.compile("(?m)^[ \\t]*/\\*\\*(.*?)\\*/", Pattern.DOTALL);
    private static final Pattern TAG = Pattern.compile("\\{@\\w+\\s+([^{}]*(?:\\{[^{}]*}[^{}]*)*)}");
    private static final Pattern BLOCK_TAG = Pattern.compile("(?m)^\\s*(?=@\\w+)|<p>|<li>|<ul>|</ul>|<pre>");

    private Prose() {}

    static List<Sentence> of(Path file) {
        String name = file.toString();
        try {
            if (name.endsWith(".md")) {
                return markdown(file, 1, Files.readString(file));
            }
            return name.endsWith(".java") ? javadoc(file, Files.readString(file)) : descriptions(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<Sentence> markdown(Path file, int line, String text) {
        List<Sentence> sentences = new ArrayList<>();
        MARKDOWN.parse(text).accept(new AbstractVisitor() {

            @Override
            public void visit(Paragraph paragraph) {
                add(paragraph);
            }

            @Override
            public void visit(Heading heading) {
                add(heading);
            }

            @Override
            public void visit(CustomNode node) {
                if (node instanceof TableCell) {
                    add(node);
                } else {
                    super.visit(node);
                }
            }

            private void add(Node block) {
                Node placed = block;
                while (placed.getSourceSpans().isEmpty() && placed.getParent() != null) {
                    placed = placed.getParent();
                }
                int at = placed.getSourceSpans().isEmpty()
                        ? 0
                        : placed.getSourceSpans().get(0).getLineIndex();
                sentences.addAll(Sentence.of(file, line + at, plain(block)));
            }
        });
        return sentences;
    }

    private static String plain(Node block) {
        StringBuilder plain = new StringBuilder();
        block.accept(new AbstractVisitor() {

            @Override
            public void visit(Text text) {
                plain.append(text.getLiteral());
            }

            @Override
            public void visit(Code code) {
                plain.append("`code`");
            }

            @Override
            public void visit(SoftLineBreak line) {
                plain.append(' ');
            }

            @Override
            public void visit(HardLineBreak line) {
                plain.append(' ');
            }
        });
        return plain.toString();
    }

    /** All texts under the names that hold prose, as Markdown. */
    private static List<Sentence> descriptions(Path file) throws IOException {
        List<Sentence> sentences = new ArrayList<>();
        try (JsonParser yaml = new YAMLFactory().createParser(file.toFile())) {
            for (JsonToken token; (token = yaml.nextToken()) != null; ) {
                if (token == JsonToken.VALUE_STRING
                        && yaml.currentName() != null
                        && DESCRIPTIONS.contains(yaml.currentName())) {
                    JsonLocation at = yaml.currentTokenLocation();
                    sentences.addAll(markdown(file, at.getLineNr(), yaml.getText()));
                }
            }
        }
        return sentences;
    }

    private static List<Sentence> javadoc(Path file, String source) {
        List<Sentence> sentences = new ArrayList<>();
        Matcher comments = JAVADOC.matcher(source);
        while (comments.find()) {
            int line = (int) source.substring(0, comments.start()).lines().count();
            String text = comments.group(1).replaceAll("(?m)^\\s*\\*", "");
            text = TAG.matcher(text).replaceAll("`code`");
            for (String part : BLOCK_TAG.split(text)) {
                String plain = part.strip()
                        .replaceAll("^@(param|throws)\\s+\\S+|^@return|^@see.*", "")
                        .replaceAll("<[^>]+>", " ");
                if (!plain.isBlank()) {
                    sentences.addAll(Sentence.of(file, line, plain));
                }
            }
        }
        return sentences;
    }
}
