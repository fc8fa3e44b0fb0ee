// A JSON parser; the same as tests/bench/programs/json.ten. The message is cut out of the file beside that, so it
// is to be run from the repository's root.
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

public final class Json {
    private abstract static class Value {}

    private static final class Word extends Value {}

    private static final class NumberValue extends Value {
        final String text;

        NumberValue(String text) { this.text = text; }
    }

    private static final class Text extends Value {
        final String text;

        Text(String text) { this.text = text; }
    }

    private static final class Items extends Value {
        final List<Value> items = new ArrayList<>();
    }

    private static final class ObjectValue extends Value {
        private final List<String> names = new ArrayList<>();
        private final List<Value> values = new ArrayList<>();
        private final NameTable table = new NameTable();

        void add(String name, Value value) {
            table.add(name, names.size());
            names.add(name);
            values.add(value);
        }

        Value get(String name) {
            int index = table.get(name);
            if (index >= 0 && names.get(index).equals(name)) return values.get(index);
            int found = names.indexOf(name);
            return found < 0 ? null : values.get(found);
        }
    }

    private static final class NameTable {
        private final int[] slots = new int[32];

        void add(String name, int index) { slots[slot(name)] = index < 255 ? index + 1 : 0; }

        int get(String name) { return slots[slot(name)] - 1; }

        private int slot(String name) { return name.length() * 1402589 & slots.length - 1; }
    }

    private static final Value NULL = new Word();
    private static final Value TRUE = new Word();
    private static final Value FALSE = new Word();

    private static final class ParseException extends RuntimeException {
        ParseException(String message) { super(message); }
    }

    private static final class Parser {
        private final String input;
        private int index = -1;
        private int line = 1;
        private int lineStart;
        private char current;
        private int captureStart = -1;
        private String captured = "";

        Parser(String input) { this.input = input; }

        Value parse() {
            read();
            skipWhiteSpace();
            Value value = readValue();
            skipWhiteSpace();
            if (index < input.length()) throw error("unexpected character");
            return value;
        }

        private Value readValue() {
            switch (current) {
                case 'n': return readWord("null", NULL);
                case 't': return readWord("true", TRUE);
                case 'f': return readWord("false", FALSE);
                case '"': return new Text(readString());
                case '[': return readItems();
                case '{': return readObject();
                case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
                    return readNumber();
                default: throw expected("a value");
            }
        }

        private Value readItems() {
            read();
            Items list = new Items();
            skipWhiteSpace();
            if (accept(']')) return list;
            do {
                skipWhiteSpace();
                list.items.add(readValue());
                skipWhiteSpace();
            } while (accept(','));
            if (!accept(']')) throw expected("`,` or `]`");
            return list;
        }

        private Value readObject() {
            read();
            ObjectValue object = new ObjectValue();
            skipWhiteSpace();
            if (accept('}')) return object;
            do {
                skipWhiteSpace();
                if (current != '"') throw expected("a name");
                String name = readString();
                skipWhiteSpace();
                if (!accept(':')) throw expected("`:`");
                skipWhiteSpace();
                object.add(name, readValue());
                skipWhiteSpace();
            } while (accept(','));
            if (!accept('}')) throw expected("`,` or `}`");
            return object;
        }

        private Value readWord(String word, Value value) {
            for (int i = 0; i < word.length(); i++) {
                if (!accept(word.charAt(i))) throw expected(word);
            }
            return value;
        }

        private String readString() {
            read();
            captureStart = index;
            while (current != '"') {
                if (current == '\\') {
                    captured += input.substring(captureStart, index);
                    readEscape();
                    captureStart = index;
                } else if (index >= input.length()) {
                    throw expected("`\"`");
                } else {
                    read();
                }
            }
            String text = endCapture();
            read();
            return text;
        }

        private void readEscape() {
            read();
            switch (current) {
                case '"': captured += "\""; break;
                case '/': captured += "/"; break;
                case '\\': captured += "\\"; break;
                case 'b': captured += "\b"; break;
                case 'f': captured += "\f"; break;
                case 'n': captured += "\n"; break;
                case 'r': captured += "\r"; break;
                case 't': captured += "\t"; break;
                default: throw expected("an escape");
            }
            read();
        }

        private Value readNumber() {
            captureStart = index;
            accept('-');
            char first = current;
            if (!acceptDigit()) throw expected("a digit");
            if (first != '0') skipDigits();
            if (accept('.')) {
                if (!acceptDigit()) throw expected("a digit");
                skipDigits();
            }
            if (accept('e') || accept('E')) {
                if (!accept('+')) accept('-');
                if (!acceptDigit()) throw expected("a digit");
                skipDigits();
            }
            return new NumberValue(endCapture());
        }

        private void read() {
            if (current == '\n') {
                line++;
                lineStart = index + 1;
            }
            index++;
            current = index < input.length() ? input.charAt(index) : 0;
        }

        private boolean accept(char wanted) {
            if (current != wanted) return false;
            read();
            return true;
        }

        private boolean acceptDigit() {
            if (current < '0' || current > '9') return false;
            read();
            return true;
        }

        private void skipDigits() {
            while (acceptDigit()) {}
        }

        private void skipWhiteSpace() {
            while (current == ' ' || current == '\t' || current == '\n' || current == '\r') read();
        }

        private String endCapture() {
            String last = input.substring(captureStart, index);
            if (captured.isEmpty()) return last;
            String all = captured + last;
            captured = "";
            return all;
        }

        private ParseException expected(String what) {
            return error(index >= input.length() ? "unexpected end" : "expected " + what);
        }

        private ParseException error(String message) {
            return new ParseException(message + " at " + line + ":" + (index - lineStart + 1));
        }
    }

    public static void main(String[] args) throws IOException {
        int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 10;
        String file = new String(Files.readAllBytes(Path.of("tests/bench/programs/json_message.ten")), StandardCharsets.ISO_8859_1);
        String message = file.split("'''")[1];
        int result = 0;
        for (int i = 0; i < rounds; i++) {
            ObjectValue whole = (ObjectValue) new Parser(message).parse();
            if (!(whole.get("head") instanceof ObjectValue)) throw new IllegalStateException("the message has a head");
            result = ((Items) whole.get("operations")).items.size();
        }
        System.out.println(result);
    }
}
