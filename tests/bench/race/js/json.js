// A JSON parser; the same as tests/bench/programs/json.ten. The message is cut out of the file beside that, so it
// is to be run from the repository's root.
'use strict';
const fs = require('fs');

class JsonNull {}
class JsonBool { constructor(value) { this.value = value; } }
class JsonNumber { constructor(text) { this.text = text; } }
class JsonText { constructor(text) { this.text = text; } }
class JsonItems { constructor(items) { this.items = items; } }

const NULL = new JsonNull();
const TRUE = new JsonBool(true);
const FALSE = new JsonBool(false);

class NameTable {
  constructor() { this.slots = new Array(32).fill(0); }

  add(name, index) { this.slots[this.slot(name)] = index < 255 ? index + 1 : 0; }

  get(name) { return this.slots[this.slot(name)] - 1; }

  slot(name) { return name.length * 1402589 & this.slots.length - 1; }
}

class JsonObject {
  constructor() {
    this.names = [];
    this.values = [];
    this.table = new NameTable();
  }

  add(name, value) {
    this.table.add(name, this.names.length);
    this.names.push(name);
    this.values.push(value);
  }

  get(name) {
    const index = this.table.get(name);
    if (index >= 0 && this.names[index] === name) return this.values[index];
    const found = this.names.indexOf(name);
    return found < 0 ? undefined : this.values[found];
  }
}

class Parser {
  constructor(input) {
    this.input = input;
    this.index = -1;
    this.line = 1;
    this.lineStart = 0;
    this.current = 0;
    this.captureStart = -1;
    this.captured = '';
  }

  parse() {
    this.read();
    this.skipWhiteSpace();
    const value = this.readValue();
    this.skipWhiteSpace();
    if (this.index < this.input.length) throw this.error('unexpected character');
    return value;
  }

  readValue() {
    switch (this.current) {
      case 110: return this.readWord('null', NULL);
      case 116: return this.readWord('true', TRUE);
      case 102: return this.readWord('false', FALSE);
      case 34: return new JsonText(this.readString());
      case 91: return this.readItems();
      case 123: return this.readObject();
      case 45: case 48: case 49: case 50: case 51: case 52: case 53: case 54: case 55: case 56: case 57:
        return this.readNumber();
      default: throw this.expected('a value');
    }
  }

  readItems() {
    this.read();
    const items = [];
    this.skipWhiteSpace();
    if (this.accept(93)) return new JsonItems(items);
    do {
      this.skipWhiteSpace();
      items.push(this.readValue());
      this.skipWhiteSpace();
    } while (this.accept(44));
    if (!this.accept(93)) throw this.expected('`,` or `]`');
    return new JsonItems(items);
  }

  readObject() {
    this.read();
    const object = new JsonObject();
    this.skipWhiteSpace();
    if (this.accept(125)) return object;
    do {
      this.skipWhiteSpace();
      if (this.current !== 34) throw this.expected('a name');
      const name = this.readString();
      this.skipWhiteSpace();
      if (!this.accept(58)) throw this.expected('`:`');
      this.skipWhiteSpace();
      object.add(name, this.readValue());
      this.skipWhiteSpace();
    } while (this.accept(44));
    if (!this.accept(125)) throw this.expected('`,` or `}`');
    return object;
  }

  readWord(word, value) {
    for (let i = 0; i < word.length; i++) {
      if (!this.accept(word.charCodeAt(i))) throw this.expected(word);
    }
    return value;
  }

  readString() {
    this.read();
    this.startCapture();
    while (this.current !== 34) {
      if (this.current === 92) {
        this.pauseCapture();
        this.readEscape();
        this.startCapture();
      } else if (this.index >= this.input.length) {
        throw this.expected('`"`');
      } else {
        this.read();
      }
    }
    const text = this.endCapture();
    this.read();
    return text;
  }

  readEscape() {
    this.read();
    switch (this.current) {
      case 34: this.captured += '"'; break;
      case 47: this.captured += '/'; break;
      case 92: this.captured += '\\'; break;
      case 98: this.captured += '\b'; break;
      case 102: this.captured += '\f'; break;
      case 110: this.captured += '\n'; break;
      case 114: this.captured += '\r'; break;
      case 116: this.captured += '\t'; break;
      default: throw this.expected('an escape');
    }
    this.read();
  }

  readNumber() {
    this.startCapture();
    this.accept(45);
    const first = this.current;
    if (!this.acceptDigit()) throw this.expected('a digit');
    if (first !== 48) this.skipDigits();
    if (this.accept(46)) {
      if (!this.acceptDigit()) throw this.expected('a digit');
      this.skipDigits();
    }
    if (this.accept(101) || this.accept(69)) {
      if (!this.accept(43)) this.accept(45);
      if (!this.acceptDigit()) throw this.expected('a digit');
      this.skipDigits();
    }
    return new JsonNumber(this.endCapture());
  }

  read() {
    if (this.current === 10) {
      this.line++;
      this.lineStart = this.index + 1;
    }
    this.index++;
    this.current = this.index < this.input.length ? this.input.charCodeAt(this.index) : 0;
  }

  accept(wanted) {
    if (this.current !== wanted) return false;
    this.read();
    return true;
  }

  acceptDigit() {
    if (this.current < 48 || this.current > 57) return false;
    this.read();
    return true;
  }

  skipDigits() {
    while (this.acceptDigit());
  }

  skipWhiteSpace() {
    while (this.current === 32 || this.current === 9 || this.current === 10 || this.current === 13) this.read();
  }

  startCapture() { this.captureStart = this.index; }

  pauseCapture() { this.captured += this.input.slice(this.captureStart, this.index); }

  endCapture() {
    const last = this.input.slice(this.captureStart, this.index);
    if (this.captured === '') return last;
    const all = this.captured + last;
    this.captured = '';
    return all;
  }

  expected(what) { return this.error(this.index >= this.input.length ? 'unexpected end' : `expected ${what}`); }

  error(message) { return new Error(`${message} at ${this.line}:${this.index - this.lineStart + 1}`); }
}

const rounds = parseInt(process.argv[2] ?? '10');
const message = fs.readFileSync('tests/bench/programs/json_message.ten', 'latin1').split("'''")[1];
let result = 0;
for (let i = 0; i < rounds; i++) {
  const whole = new Parser(message).parse();
  if (!(whole.get('head') instanceof JsonObject)) throw new Error('the message has a head');
  result = whole.get('operations').items.length;
}
console.log(result);
