#include <libzoo/io/byte_reader.h>
#include <libzoo/io/safetensors_header.h>
#include <libzoo/io/utf8.h>

#include <fmt/format.h>

#include <unordered_set>

namespace zoo::io {
namespace {

constexpr size_t kMaxDepth = 128;  // of values that are skipped
constexpr size_t kMaxRank = 64;
constexpr uint64_t kHeaderOffset = 8;

class Scanner {
 public:
  Scanner(std::span<const uint8_t> json, const std::string& where, MemoryBudget& budget)
      : text_(reinterpret_cast<const char*>(json.data()), json.size()), where_(where), budget_(budget) {}

  [[noreturn]] void fail(std::string_view message) const { refuse(where_, kHeaderOffset + at_, message); }
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  size_t position() const { return at_; }
  MemoryBudget& budget() { return budget_; }

  char next_token() {
    while (!at_end() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r')) ++at_;
    return peek();
  }

  void expect(char wanted) {
    if (next_token() != wanted || at_end()) fail(fmt::format("expected '{}' in the header's JSON", wanted));
    ++at_;
  }

  // After a member or item: true if another follows.
  bool another(char close) {
    const char c = next_token();
    if (c == ',') {
      ++at_;
      return true;
    }
    if (c != close || at_end()) fail(fmt::format("expected ',' or '{}' in the header's JSON", close));
    ++at_;
    return false;
  }

  // Calls member(key) at each value of an object.
  template <class Member>
  void object(Member member) {
    expect('{');
    if (next_token() == '}') {
      ++at_;
      return;
    }
    do {
      std::string key = string();
      expect(':');
      next_token();
      member(std::move(key));
    } while (another('}'));
  }

  template <class Item>
  void array(Item item) {
    expect('[');
    if (next_token() == ']') {
      ++at_;
      return;
    }
    do {
      next_token();
      item();
    } while (another(']'));
  }

  std::string string() {
    if (next_token() != '"') fail("expected a string in the header's JSON");
    ++at_;
    const size_t begin = at_;
    std::string value;
    while (true) {
      if (at_end()) fail("a string is not closed");
      const char c = text_[at_];
      if (c == '"') break;
      if (uint8_t(c) < 0x20) fail(fmt::format("control character {:#04x} in a string", uint8_t(c)));
      ++at_;
      if (c == '\\')
        escape(value);
      else
        value += c;
    }
    if (!is_utf8(text_.substr(begin, at_ - begin))) fail("a string is not UTF-8");
    ++at_;
    budget_.spend(2 * value.size(), "a string of the header");
    return value;
  }

  uint64_t unsigned_integer(std::string_view what) {
    const size_t begin = at_;
    uint64_t value = 0;
    while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9') {
      if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, uint64_t(text_[at_] - '0'), &value)) {
        fail(fmt::format("{} does not fit 64 bits", what));
      }
      ++at_;
    }
    const bool padded = at_ - begin > 1 && text_[begin] == '0';
    const char c = peek();
    if (at_ == begin || padded || c == '.' || c == 'e' || c == 'E') fail(fmt::format("{} must be a whole number, 0 or more", what));
    if (value > uint64_t(INT64_MAX)) fail(fmt::format("{} {} is too large", what, value));
    return value;
  }

  // Any JSON value, checked and forgotten. No recursion: `open` holds the brackets that wait to be closed.
  void skip_value() {
    std::string open;
    while (true) {
      const char c = next_token();
      bool complete = true;
      if (c == '{' || c == '[') {
        if (open.size() == kMaxDepth) fail(fmt::format("JSON nested deeper than {}", kMaxDepth));
        ++at_;
        const char close = c == '{' ? '}' : ']';
        if (next_token() == close) {
          ++at_;
        } else {
          open += close;
          complete = false;
        }
      } else {
        scalar(c);
      }
      while (complete && !open.empty() && !another(open.back())) open.pop_back();
      if (open.empty()) return;
      if (open.back() == '}') {
        string();
        expect(':');
      }
    }
  }

 private:
  void scalar(char c) {
    if (c == '"')
      string();
    else if (c == 't')
      literal("true");
    else if (c == 'f')
      literal("false");
    else if (c == 'n')
      literal("null");
    else
      number();
  }

  void literal(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) fail("unknown word in the header's JSON");
    at_ += word.size();
  }

  size_t digits() {
    const size_t begin = at_;
    while (!at_end() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - begin;
  }

  void number() {
    if (peek() == '-') ++at_;
    const bool zero = peek() == '0';
    const size_t whole = digits();
    bool good = whole == 1 || (whole > 1 && !zero);
    if (good && peek() == '.') ++at_, good = digits() > 0;
    if (good && (peek() == 'e' || peek() == 'E')) {
      ++at_;
      if (peek() == '+' || peek() == '-') ++at_;
      good = digits() > 0;
    }
    if (!good) fail("expected a value in the header's JSON");
  }

  char32_t hex4() {
    char32_t value = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const char c = peek();
      const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
      if (digit < 0) fail("\\u takes four hexadecimal digits");
      value = value << 4 | char32_t(digit);
    }
    return value;
  }

  void escape(std::string& value) {
    constexpr std::string_view letters = "\"\\/bfnrt", meaning = "\"\\/\b\f\n\r\t";
    const char c = peek();
    if (at_end()) fail("a string is not closed");
    ++at_;
    if (auto i = letters.find(c); i != letters.npos) {
      value += meaning[i];
      return;
    }
    if (c != 'u') fail("unknown escape in a string");
    char32_t code = hex4();
    if (code >= 0xD800 && code < 0xDC00) {
      if (text_.substr(at_, 2) != "\\u") fail("half a surrogate pair in a string");
      at_ += 2;
      const char32_t low = hex4();
      if (low < 0xDC00 || low > 0xDFFF) fail("half a surrogate pair in a string");
      code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    } else if (code >= 0xDC00 && code <= 0xDFFF) {
      fail("half a surrogate pair in a string");
    }
    append_utf8(value, code);
  }

  std::string_view text_;
  const std::string& where_;
  MemoryBudget& budget_;
  size_t at_ = 0;
};

DType parse_dtype(const std::string& text, const Scanner& scanner) {
  for (int i = 0; i <= int(DType::f8_e5m2); ++i) {
    if (name(DType(i)) == text) return DType(i);
  }
  scanner.fail(fmt::format("dtype '{}' is unknown", text.substr(0, 40)));
}

SafeTensorsEntry parse_entry(Scanner& scanner, std::string name) {
  SafeTensorsEntry entry;
  entry.name = std::move(name);
  bool has_dtype = false, has_shape = false, has_offsets = false;
  auto once = [&](bool& seen, std::string_view key) {
    if (seen) scanner.fail(fmt::format("tensor '{}' has '{}' twice", entry.name, key));
    seen = true;
  };
  scanner.object([&](std::string key) {
    if (key == "dtype") {
      once(has_dtype, key);
      entry.dtype = parse_dtype(scanner.string(), scanner);
    } else if (key == "shape") {
      once(has_shape, key);
      scanner.array([&] {
        if (entry.shape.size() == kMaxRank) scanner.fail(fmt::format("tensor '{}' has more than {} dimensions", entry.name, kMaxRank));
        entry.shape.push_back(int64_t(scanner.unsigned_integer("a dimension")));
      });
    } else if (key == "data_offsets") {
      once(has_offsets, key);
      int n = 0;
      scanner.array([&] {
        const uint64_t value = scanner.unsigned_integer("an offset");
        (n == 0 ? entry.begin : entry.end) = value;
        if (++n > 2) scanner.fail("data_offsets takes two numbers");
      });
      if (n != 2) scanner.fail("data_offsets takes two numbers");
    } else {
      scanner.skip_value();
    }
  });
  if (!has_dtype || !has_shape || !has_offsets) scanner.fail(fmt::format("tensor '{}' needs dtype, shape and data_offsets", entry.name));
  return entry;
}

}  // namespace

SafeTensorsHeader parse_safetensors_header(std::span<const uint8_t> json, const std::string& where, MemoryBudget& budget) {
  constexpr uint64_t cost = 512;  // of a tensor, in the lists here and in the caller's map
  SafeTensorsHeader header;
  std::unordered_set<std::string> names;
  Scanner scanner(json, where, budget);
  if (scanner.peek() != '{' || json.empty()) scanner.fail("the header must begin with '{'");
  scanner.object([&](std::string key) {
    budget.spend(cost + 3 * key.size(), "a tensor's entry");
    if (!names.insert(key).second) scanner.fail(fmt::format("'{}' appears twice", key));
    if (key != "__metadata__") {
      header.entries.push_back(parse_entry(scanner, std::move(key)));
      budget.spend(2 * 8 * header.entries.back().shape.size(), "a shape");
      return;
    }
    scanner.object([&](std::string name) {
      budget.spend(cost, "an entry of the metadata");
      std::string value = scanner.string();
      if (!header.metadata.emplace(name, std::move(value)).second) scanner.fail(fmt::format("metadata '{}' appears twice", name));
    });
  });
  for (size_t i = scanner.position(); i < json.size(); ++i) {
    if (json[i] != ' ') refuse(where, kHeaderOffset + i, "only spaces may follow the header's JSON");
  }
  return header;
}

}  // namespace zoo::io
